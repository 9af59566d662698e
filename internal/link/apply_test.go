package link

import (
	"context"
	"errors"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
)

// What ip -j shows.
type (
	ipAddress struct {
		Scope, Label string
		Peer         netip.Addr `json:"address"`
		Local        netip.Addr
		PrefixLength int `json:"prefixlen"`
		Broadcast    string
		Metric       uint32
		Valid        uint32 `json:"valid_life_time"`
		Preferred    uint32 `json:"preferred_life_time"`
	}
	ipLink struct {
		Index  int    `json:"ifindex"`
		Name   string `json:"ifname"`
		Link   string
		Flags  []string
		MTU    int
		Master string
		State  string `json:"operstate"`
		MAC    string `json:"address"`
		Info   struct {
			Kind string `json:"info_kind"`
		} `json:"linkinfo"`
		Addresses []ipAddress `json:"addr_info"`
	}
	ipRoute struct {
		Type        string
		Destination string `json:"dst"`
		Gateway     string
		Device      string `json:"dev"`
		Protocol    string
		Source      string `json:"prefsrc"`
		Metric      uint32
		Flags       []string
		Hops        []struct {
			Gateway string
			Device  string `json:"dev"`
		} `json:"nexthops"`
	}
)

// addressesOf lists the witness's addresses but for fe80::, e.g. "10.0.0.1/24".
func addressesOf(t *testing.T, name string) []string {
	t.Helper()
	var out []string
	for _, l := range ipJSON[[]ipLink](t, "addr", "show", "dev", name) {
		for _, a := range l.Addresses {
			if !a.Local.IsLinkLocalUnicast() || a.Local.Is4() {
				out = append(out, netip.PrefixFrom(a.Local, a.PrefixLength).String())
			}
		}
	}
	slices.Sort(out)
	return out
}

// routesOf lists the witness's routes of the main table by protocol, e.g.
// "default via 10.0.0.1 metric 600".
func routesOf(t *testing.T, name, protocol string) []string {
	t.Helper()
	var out []string
	for _, family := range []string{"-4", "-6"} {
		text := ip(t, family, "route", "show", "table", "main", "dev", name, "proto", protocol)
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(strings.Join(strings.Fields(line), " "), " pref medium")
			out = append(out, line)
		}
	}
	slices.Sort(out)
	return out
}

func applied(t *testing.T, want Spec) {
	t.Helper()
	if err := Apply(testContext(t), want); err != nil {
		t.Fatal(err)
	}
}

// take reads a Snapshot with all routes of the main table.
func take(t *testing.T) *Snapshot {
	t.Helper()
	which := Links | Addresses | Routes
	tables, err := Read(testContext(t), which, Filter{Table: unix.RT_TABLE_MAIN})
	if err != nil {
		t.Fatal(err)
	}
	s := &Snapshot{}
	s.see(tables, which)
	return s
}

// nothingLeft shows that a second Apply has nothing to do.
func nothingLeft(t *testing.T, want Spec) {
	t.Helper()
	ops, err := Plan(take(t), want)
	if err != nil || len(ops) > 0 {
		t.Errorf("still to do after Apply: %v, %v", ops, err)
	}
}

func TestApply(t *testing.T) {
	full := Spec{Name: "app0", Up: true,
		Addresses: want("10.7.0.7/24", "fd07::7/64"),
		Routes:    []RouteSpec{through("0.0.0.0/0", "10.7.0.1", 600), through("10.70.0.0/16", "", 0), through("fd70::/48", "fd07::1", 700)}}
	fullRoutes := []string{"10.70.0.0/16 scope link", "default via 10.7.0.1 metric 600", "fd70::/48 via fd07::1 metric 700"}
	tests := []struct {
		name      string
		before    string // ip(8) commands
		want      Spec
		addresses []string
		ours      []string // routes of protocol 78
		boot      []string // routes of ip(8)
	}{
		{name: "from nothing", want: full, addresses: []string{"10.7.0.7/24", "fd07::7/64"}, ours: fullRoutes},
		{name: "clears what others left, of both families",
			before: `link set app0 up
				addr add 192.168.9.4/24 dev app0
				addr add 192.168.9.5/24 dev app0
				addr add 169.254.7.7/16 scope link dev app0
				addr add 2001:db8::5/64 valid_lft 300 preferred_lft 200 dev app0 nodad`,
			want:      Spec{Name: "app0", Up: true, Addresses: want("10.250.250.1/24")},
			addresses: []string{"10.250.250.1/24"}},
		{name: "an empty Spec clears all and sets down",
			before: `link set app0 up
				addr add 10.7.0.7/24 dev app0
				addr add fd07::7/64 dev app0 nodad
				route add 10.70.0.0/16 dev app0 proto 78`,
			want: Spec{Name: "app0"}},
		{name: "only our routes go",
			before: `link set app0 up
				addr add 10.7.0.7/24 dev app0
				route add default via 10.7.0.1 metric 50 dev app0 proto boot
				route add default via 10.7.0.1 metric 60 dev app0 proto 78
				route add 10.71.0.0/16 dev app0 proto 78
				route add fd71::/48 dev app0 proto 78`,
			want:      Spec{Name: "app0", Up: true, Addresses: want("10.7.0.7/24")},
			addresses: []string{"10.7.0.7/24"}, boot: []string{"default via 10.7.0.1 metric 50"}},
		{name: "another gateway under the same metric",
			before: `link set app0 up
				addr add 10.7.0.7/24 dev app0
				route add default via 10.7.0.99 metric 600 dev app0 proto 78`,
			want:      Spec{Name: "app0", Up: true, Addresses: want("10.7.0.7/24"), Routes: full.Routes[:1]},
			addresses: []string{"10.7.0.7/24"}, ours: []string{"default via 10.7.0.1 metric 600"}},
		{name: "the route of another link under the same metric stays",
			before: `link set app0 up
				link set app1 up
				addr add 10.8.0.1/24 dev app1
				route add default via 10.8.0.9 metric 600 dev app1 proto dhcp`,
			want:      Spec{Name: "app0", Up: true, Addresses: want("10.7.0.7/24"), Routes: full.Routes[:1]},
			addresses: []string{"10.7.0.7/24"}, ours: []string{"default via 10.7.0.1 metric 600"}},
		{name: "another address in the same subnet, with the routes",
			before: `link set app0 up
				addr add 10.7.0.6/24 dev app0
				addr add 10.7.0.5/24 dev app0
				route add default via 10.7.0.1 metric 600 dev app0 proto 78 src 10.7.0.6`,
			want:      Spec{Name: "app0", Up: true, Addresses: want("10.7.0.7/24"), Routes: full.Routes[:1]},
			addresses: []string{"10.7.0.7/24"}, ours: []string{"default via 10.7.0.1 metric 600"}},
		{name: "a wanted secondary under a stale primary",
			before: `link set app0 up
				addr add 10.7.0.6/24 dev app0
				addr add 10.7.0.7/24 dev app0
				addr add 10.7.0.8/24 dev app0`,
			want:      Spec{Name: "app0", Up: true, Addresses: want("10.7.0.7/24")},
			addresses: []string{"10.7.0.7/24"}},
		{name: "IPv6 with another prefix length",
			before: `link set app0 up
				addr add fd07::7/48 dev app0 nodad`,
			want:      Spec{Name: "app0", Up: true, Addresses: want("fd07::7/64")},
			addresses: []string{"fd07::7/64"}},
		{name: "gateway outside of the subnet",
			want: Spec{Name: "app0", Up: true, Addresses: want("10.7.0.7/32"),
				Routes: []RouteSpec{{Destination: prefix("0.0.0.0/0"), Gateway: addr("192.0.2.1"), OnLink: true}}},
			addresses: []string{"10.7.0.7/32"}, ours: []string{"default via 192.0.2.1 onlink"}},
		{name: "gateway behind an on-link route that is named later",
			want: Spec{Name: "app0", Up: true, Addresses: want("10.7.0.7/32"),
				Routes: []RouteSpec{through("0.0.0.0/0", "192.0.2.1", 0), through("192.0.2.1/32", "", 0)}},
			addresses: []string{"10.7.0.7/32"}, ours: []string{"192.0.2.1 scope link", "default via 192.0.2.1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cable(t, "app0", "app1")
			ipAll(t, "link set app1 up\n"+test.before)
			applied(t, test.want)
			nothingLeft(t, test.want)
			if diff := cmp.Diff(test.addresses, addressesOf(t, "app0")); diff != "" {
				t.Errorf("addresses (-want +ip):\n%s", diff)
			}
			if diff := cmp.Diff(test.ours, routesOf(t, "app0", "78")); diff != "" {
				t.Errorf("our routes (-want +ip):\n%s", diff)
			}
			if diff := cmp.Diff(test.boot, routesOf(t, "app0", "boot")); diff != "" {
				t.Errorf("others' routes (-want +ip):\n%s", diff)
			}
			up := slices.Contains(ipJSON[[]ipLink](t, "link", "show", "dev", "app0")[0].Flags, "UP")
			if up != test.want.Up {
				t.Errorf("ip says up=%v", up)
			}
			if strings.Contains(test.name, "another link") {
				if got := routesOf(t, "app1", "dhcp"); len(got) != 1 {
					t.Errorf("routes of the other link: %v", got)
				}
			}
		})
	}
}

func TestApplyDoesNotDisturb(t *testing.T) {
	cable(t, "app0", "app1")
	ip(t, "link", "set", "app1", "up")
	spec := Spec{Name: "app0", Up: true, Addresses: want("10.7.0.7/24", "fd07::7/64"), Routes: []RouteSpec{through("0.0.0.0/0", "10.7.0.1", 600)}}
	applied(t, spec)
	watch(t, firstBuffer).await(t, "the end of address detection and of carrier detection", func(s *Snapshot) bool {
		l, _ := s.Link("app0")
		return l.OperState == "up" && len(s.AddressesOf(l.Index)) == 3 && !slices.ContainsFunc(s.Addresses, Address.Tentative)
	})

	monitor := exec.CommandContext(testContext(t), "ip", "monitor", "link", "address", "route")
	out := &lines{seen: make(chan string, 100)}
	monitor.Stdout = out
	if err := monitor.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = monitor.Process.Kill(); _ = monitor.Wait() }()
	// It hears nothing before it is ready, so touch something until it does.
	out.touchUntilHeard(t, func(try string) { ip(t, "addr", "replace", try, "dev", "lo") })

	applied(t, spec)
	ip(t, "addr", "add", "127.9.9.9/32", "dev", "lo")
	defer ip(t, "addr", "flush", "dev", "lo")
	for line := range out.until(t, "127.9.9.9") {
		if strings.Contains(line, "app0") && !strings.Contains(line, "app1") {
			t.Errorf("a second Apply did something: %s", line)
		}
	}
}

func TestApplySetsWhatAnAddressNeeds(t *testing.T) {
	cable(t, "app0", "app1")
	spec := Spec{Name: "app0", Up: true, Addresses: []AddressSpec{{Prefix: prefix("10.7.0.7/24"), Valid: time.Hour, Preferred: 30 * time.Minute, Metric: 600}}}
	applied(t, spec)
	seen := func() ipAddress {
		for _, a := range ipJSON[[]ipLink](t, "-4", "addr", "show", "dev", "app0")[0].Addresses {
			return a
		}
		t.Fatal("no address")
		return ipAddress{}
	}
	if a := seen(); a.Broadcast != "10.7.0.255" || a.Metric != 600 || a.Valid-3590 > 10 || a.Preferred-1790 > 10 {
		t.Errorf("ip sees %+v", a)
	}
	s := take(t)
	if l, _ := s.Link("app0"); s.AddressesOf(l.Index)[0].Protocol != RouteProtocol {
		t.Errorf("not marked as ours: %+v", s.AddressesOf(l.Index))
	}
	spec.Addresses[0].Valid, spec.Addresses[0].Preferred, spec.Addresses[0].Metric = 2*time.Hour, 0, 700
	applied(t, spec)
	if a := seen(); a.Metric != 700 || a.Valid-7190 > 10 || a.Preferred != a.Valid {
		t.Errorf("after a renewal ip sees %+v", a)
	}
	spec.Addresses[0].Valid = 0
	applied(t, spec)
	nothingLeft(t, spec)
	if a := seen(); a.Valid != 1<<32-1 {
		t.Errorf("for ever: ip sees %+v", a)
	}
}

func TestApplyWithoutRoot(t *testing.T) {
	asDaemon(t, "TestApplyAsDaemon")
}

// TestApplyAsDaemon uses the loopback interface, which needs no ip(8) to
// prepare it.
func TestApplyAsDaemon(t *testing.T) {
	netnstest.Need(t)
	spec := Spec{Name: "lo", Up: true, Addresses: want("10.99.0.1/32")}
	applied(t, spec)
	nothingLeft(t, spec)
	applied(t, Spec{Name: "lo", Up: true})
}

func TestApplyRefusals(t *testing.T) {
	cable(t, "app0", "app1")
	err := Apply(testContext(t), Spec{Name: "absent0", Up: true})
	if !errors.Is(err, ErrNotExist) || err.Error() != "apply absent0: absent0: no such link" {
		t.Errorf("absent link: %v", err)
	}

	err = Apply(testContext(t), Spec{Name: "app0", Up: true, Routes: []RouteSpec{through("0.0.0.0/0", "10.7.0.1", 600)}})
	var refused *Refusal
	if !errors.As(err, &refused) || refused.Errno != unix.ENETUNREACH {
		t.Fatalf("unreachable gateway: %v", err)
	}
	const text = "apply app0: add route to 0.0.0.0/0 via 10.7.0.1 metric 600: ENETUNREACH (network is unreachable): Nexthop has invalid gateway"
	if err.Error() != text {
		t.Errorf("got  %v\nwant %s", err, text)
	}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Apply(ended, Spec{Name: "app0"}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}
