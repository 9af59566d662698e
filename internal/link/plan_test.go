package link

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }

// on returns addresses of link 3 as the kernel shows permanent ones.
func on(of ...Address) []Address {
	for i := range of {
		of[i].Index = 3
		if of[i].ValidLifetime == 0 {
			of[i].ValidLifetime, of[i].PreferredLifetime = Forever, Forever
		}
	}
	return of
}

func at(s string) Address { return Address{Prefix: prefix(s)} }

func secondary(s string) Address {
	return Address{Prefix: prefix(s), Flags: unix.IFA_F_SECONDARY}
}

func route(protocol uint8, destination, gateway string, metric uint32) Route {
	r := Route{Index: 3, Destination: prefix(destination), Metric: metric, Protocol: protocol, Table: unix.RT_TABLE_MAIN, Type: unix.RTN_UNICAST}
	if gateway != "" {
		r.Gateway = addr(gateway)
	}
	return r
}

func through(destination, gateway string, metric uint32) RouteSpec {
	r := RouteSpec{Destination: prefix(destination), Metric: metric}
	if gateway != "" {
		r.Gateway = addr(gateway)
	}
	return r
}

func want(addresses ...string) []AddressSpec {
	var out []AddressSpec
	for _, a := range addresses {
		out = append(out, AddressSpec{Prefix: prefix(a)})
	}
	return out
}

func TestPlan(t *testing.T) {
	advertised := Address{Prefix: prefix("2001:db8::9/64"), Protocol: protocolRouterAdvertisement, ValidLifetime: time.Hour, PreferredLifetime: time.Hour}
	advertisedBefore518 := Address{Prefix: prefix("2001:db8::9/64"), ValidLifetime: time.Hour, PreferredLifetime: time.Hour}
	expiring := Address{Prefix: prefix("10.0.0.7/24"), ValidLifetime: 30 * time.Minute, PreferredLifetime: 30 * time.Minute}
	tests := []struct {
		name      string
		up        bool
		addresses []Address
		routes    []Route
		want      Spec
		ops       string // "; " between
		worst     Class
	}{
		{name: "nothing differs", up: true,
			addresses: on(at("10.0.0.7/24")),
			routes:    []Route{route(RouteProtocol, "0.0.0.0/0", "10.0.0.1", 600)},
			want:      Spec{Up: true, Addresses: want("10.0.0.7/24"), Routes: []RouteSpec{through("0.0.0.0/0", "10.0.0.1", 600)}},
			ops:       "", worst: None},
		{name: "from nothing: up, address, on-link route before the gateway behind it",
			want:  Spec{Up: true, Addresses: want("10.0.0.7/32"), Routes: []RouteSpec{through("0.0.0.0/0", "10.0.0.1", 600), through("10.0.0.1/32", "", 600)}},
			ops:   "set up; add address 10.0.0.7/32; add route to 10.0.0.1/32 metric 600; add route to 0.0.0.0/0 via 10.0.0.1 metric 600",
			worst: InPlace},
		{name: "another subnet: added before the old one goes", up: true,
			addresses: on(at("192.168.1.7/24")),
			routes:    []Route{route(RouteProtocol, "0.0.0.0/0", "192.168.1.1", 600)},
			want:      Spec{Up: true, Addresses: want("10.0.0.7/24"), Routes: []RouteSpec{through("0.0.0.0/0", "10.0.0.1", 600)}},
			ops:       "add address 10.0.0.7/24; add route to 0.0.0.0/0 via 10.0.0.1 metric 600; remove route to 0.0.0.0/0 via 192.168.1.1 metric 600; remove address 192.168.1.7/24",
			worst:     InPlace},
		{name: "another address in the subnet: the primary goes first, for the kernel would take the new one with it", up: true,
			addresses: on(at("10.0.0.7/24")),
			routes:    []Route{route(RouteProtocol, "0.0.0.0/0", "10.0.0.1", 600)},
			want:      Spec{Up: true, Addresses: want("10.0.0.8/24"), Routes: []RouteSpec{through("0.0.0.0/0", "10.0.0.1", 600)}},
			ops:       "remove address 10.0.0.7/24; add address 10.0.0.8/24; add route to 0.0.0.0/0 via 10.0.0.1 metric 600",
			worst:     Readdress},
		{name: "a stale primary takes wanted secondaries along", up: true,
			addresses: on(at("10.0.0.7/24"), secondary("10.0.0.8/24"), secondary("10.0.0.9/24")),
			want:      Spec{Up: true, Addresses: want("10.0.0.8/24")},
			ops:       "remove address 10.0.0.9/24; remove address 10.0.0.7/24; add address 10.0.0.8/24", worst: Readdress},
		{name: "a stale secondary is in nobody's way", up: true,
			addresses: on(at("10.0.0.7/24"), secondary("10.0.0.8/24")),
			want:      Spec{Up: true, Addresses: want("10.0.0.7/24")},
			ops:       "remove address 10.0.0.8/24", worst: InPlace},
		{name: "IPv6: same address with another length", up: true,
			addresses: on(at("fd00::1/64")),
			want:      Spec{Up: true, Addresses: want("fd00::1/48")},
			ops:       "remove address fd00::1/64; add address fd00::1/48", worst: Readdress},
		{name: "IPv6: others of the subnet do not matter", up: true,
			addresses: on(at("fd00::1/64")),
			want:      Spec{Up: true, Addresses: want("fd00::2/64")},
			ops:       "add address fd00::2/64; remove address fd00::1/64", worst: InPlace},
		{name: "link-local and host addresses are the kernel's", up: true,
			addresses: on(Address{Prefix: prefix("fe80::1/64"), Scope: unix.RT_SCOPE_LINK}, Address{Prefix: prefix("127.0.0.1/8"), Scope: unix.RT_SCOPE_HOST}),
			want:      Spec{Up: true}, ops: ""},
		{name: "IPv4 link-local was left by somebody", up: true,
			addresses: on(Address{Prefix: prefix("169.254.3.4/16"), Scope: unix.RT_SCOPE_LINK}),
			want:      Spec{Up: true}, ops: "remove address 169.254.3.4/16", worst: InPlace},
		{name: "advertised addresses go", up: true, addresses: on(advertised),
			want: Spec{Up: true}, ops: "remove address 2001:db8::9/64", worst: InPlace},
		{name: "or stay, with Autoconf", up: true, addresses: on(advertised),
			want: Spec{Up: true, Autoconf: true}, ops: ""},
		{name: "also where the kernel does not tell who made them", up: true, addresses: on(advertisedBefore518),
			want: Spec{Up: true, Autoconf: true}, ops: ""},
		{name: "permanent ones go with Autoconf too", up: true, addresses: on(Address{Prefix: prefix("2001:db8::9/64"), Flags: unix.IFA_F_PERMANENT}),
			want: Spec{Up: true, Autoconf: true}, ops: "remove address 2001:db8::9/64", worst: InPlace},
		{name: "renewed lease", up: true, addresses: on(expiring),
			want: Spec{Up: true, Addresses: []AddressSpec{{Prefix: prefix("10.0.0.7/24"), Valid: time.Hour}}},
			ops:  "change address 10.0.0.7/24", worst: InPlace},
		{name: "lifetime a second off", up: true, addresses: on(expiring),
			want: Spec{Up: true, Addresses: []AddressSpec{{Prefix: prefix("10.0.0.7/24"), Valid: 30*time.Minute + time.Second}}},
			ops:  ""},
		{name: "an address that expired now and then shall not", up: true, addresses: on(expiring),
			want: Spec{Up: true, Addresses: want("10.0.0.7/24")},
			ops:  "change address 10.0.0.7/24", worst: InPlace},
		{name: "a lease that a 32-bit kernel would cut does not end", up: true, addresses: on(at("10.0.0.7/24")),
			want: Spec{Up: true, Addresses: []AddressSpec{{Prefix: prefix("10.0.0.7/24"), Valid: LongestLifetime + time.Second}}},
			ops:  ""},
		{name: "the longest that does", up: true, addresses: on(at("10.0.0.7/24")),
			want: Spec{Up: true, Addresses: []AddressSpec{{Prefix: prefix("10.0.0.7/24"), Valid: LongestLifetime}}},
			ops:  "change address 10.0.0.7/24", worst: InPlace},
		{name: "another broadcast address", up: true,
			addresses: on(Address{Prefix: prefix("10.0.0.7/24"), Broadcast: addr("10.0.0.255")}),
			want:      Spec{Up: true, Addresses: []AddressSpec{{Prefix: prefix("10.0.0.7/24"), Broadcast: addr("10.0.0.0")}}},
			ops:       "remove address 10.0.0.7/24; add address 10.0.0.7/24", worst: Readdress},
		{name: "another metric of the prefix route", up: true,
			addresses: on(at("10.0.0.7/24")),
			want:      Spec{Up: true, Addresses: []AddressSpec{{Prefix: prefix("10.0.0.7/24"), Metric: 600}}},
			ops:       "change address 10.0.0.7/24", worst: InPlace},
		{name: "routes of others stay", up: true,
			routes: []Route{route(unix.RTPROT_KERNEL, "10.0.0.0/24", "", 0), route(unix.RTPROT_BOOT, "0.0.0.0/0", "10.0.0.1", 100), route(unix.RTPROT_DHCP, "10.9.0.0/16", "10.0.0.2", 0)},
			want:   Spec{Up: true}, ops: ""},
		{name: "the same route by somebody else is enough", up: true,
			routes: []Route{route(unix.RTPROT_DHCP, "0.0.0.0/0", "10.0.0.1", 600)},
			want:   Spec{Up: true, Routes: []RouteSpec{through("0.0.0.0/0", "10.0.0.1", 600)}}, ops: ""},
		{name: "the same route on another link is not", up: true,
			routes: []Route{{Index: 4, Destination: prefix("0.0.0.0/0"), Gateway: addr("10.0.0.1"), Protocol: RouteProtocol, Type: unix.RTN_UNICAST}},
			want:   Spec{Up: true, Routes: []RouteSpec{through("0.0.0.0/0", "10.0.0.1", 0)}},
			ops:    "add route to 0.0.0.0/0 via 10.0.0.1", worst: InPlace},
		{name: "a router's route stays where it is wanted", up: true,
			routes: []Route{route(unix.RTPROT_RA, "::/0", "fe80::1", 600)}, want: Spec{Up: true, Autoconf: true}, ops: ""},
		{name: "and goes where it is not", up: true,
			routes: []Route{route(unix.RTPROT_RA, "::/0", "fe80::1", 600), route(unix.RTPROT_KERNEL, "2001:db8::/64", "", 256)}, want: Spec{Up: true},
			ops: "remove route to ::/0 via fe80::1 metric 600", worst: InPlace},
		{name: "IPv6 metric by default", up: true,
			routes: []Route{route(RouteProtocol, "::/0", "fe80::1", 1024)},
			want:   Spec{Up: true, Routes: []RouteSpec{through("::/0", "fe80::1", 0)}}, ops: ""},
		{name: "down at last", up: true,
			addresses: on(at("10.0.0.7/24")), routes: []Route{route(RouteProtocol, "0.0.0.0/0", "10.0.0.1", 600)},
			want: Spec{}, ops: "remove route to 0.0.0.0/0 via 10.0.0.1 metric 600; remove address 10.0.0.7/24; set down", worst: Restart},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			have := &Snapshot{
				Links:     []Link{{Index: 2, Name: "eth0"}, {Index: 3, Name: "wlan0", Up: test.up}},
				Addresses: append([]Address{{Index: 2, Prefix: prefix("192.0.2.1/24")}}, test.addresses...),
				Routes:    append([]Route{{Index: 2, Destination: prefix("192.0.2.0/24"), Protocol: RouteProtocol}}, test.routes...),
			}
			test.want.Name = "wlan0"
			ops, err := Plan(have, test.want)
			if err != nil {
				t.Fatal(err)
			}
			var texts []string
			worst := None
			for _, op := range ops {
				texts = append(texts, op.String())
				worst = max(worst, op.Class())
			}
			if got := strings.Join(texts, "; "); got != test.ops {
				t.Errorf("got  %s\nwant %s", got, test.ops)
			}
			if worst != test.worst {
				t.Errorf("worst class is %v, not %v", worst, test.worst)
			}
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	have := &Snapshot{Links: []Link{{Index: 3, Name: "wlan0"}}}
	tests := []struct {
		name string
		want Spec
		text string
	}{
		{"no such link", Spec{Name: "wlan1"}, "wlan1: no such link"},
		{"no prefix", Spec{Name: "wlan0", Addresses: []AddressSpec{{}}}, "is not an address with a prefix length"},
		{"unspecified", Spec{Name: "wlan0", Addresses: want("0.0.0.0/0")}, "0.0.0.0/0 is not an address"},
		{"preferred longer than valid", Spec{Name: "wlan0", Addresses: []AddressSpec{{Prefix: prefix("10.0.0.1/8"), Valid: 1, Preferred: 2}}}, "preferred lifetime"},
		{"bits beyond the prefix", Spec{Name: "wlan0", Up: true, Routes: []RouteSpec{through("10.0.0.1/8", "", 0)}}, "bits are set beyond the prefix"},
		{"gateway of the other family", Spec{Name: "wlan0", Up: true, Routes: []RouteSpec{through("10.0.0.0/8", "fe80::1", 0)}}, "of the other family"},
		{"routes of a link that is down", Spec{Name: "wlan0", Routes: []RouteSpec{through("10.0.0.0/8", "", 0)}}, "routes need the link to be up"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Plan(have, test.want)
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want …%s…", err, test.text)
			}
			if errors.Is(err, ErrNotExist) != (test.want.Name == "wlan1") {
				t.Errorf("%v: ErrNotExist", err)
			}
		})
	}
}
