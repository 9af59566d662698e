package daemon

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/resolver"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// noneDeclared are the name servers of a network without declared interfaces.
func noneDeclared(string) ([]netip.Addr, []string) { return nil, nil }

func TestNameServersFollowTheUplink(t *testing.T) {
	server := netip.MustParseAddr("192.0.2.1")
	ask := func(servers ...string) (all []netip.Addr) {
		for _, s := range servers {
			all = append(all, netip.MustParseAddr(s))
		}
		return all
	}
	leased := &dhcp.Lease{DNS: ask("192.0.2.1")}
	for _, tt := range []struct {
		name       string
		lease      *dhcp.Lease
		advertised []netip.Addr
		way        string
		want       resolver.Config
	}{
		{"no lease", nil, nil, "absent0", resolver.Config{}},
		{"a wired uplink has its own", leased, ask("2001:db8::1"), "eth0", resolver.Config{}},
		{"a declared uplink", leased, ask("2001:db8::1"), "br-wan", resolver.Config{Interface: "br-wan", Servers: ask("198.51.100.53"), Search: []string{"office"}}},
		{"no uplink works", leased, ask("2001:db8::1"), "", resolver.Config{}},
		{"the radio is the way out", &dhcp.Lease{DNS: []netip.Addr{server}, Domain: "lan"}, nil, "absent0",
			resolver.Config{Interface: "absent0", Servers: []netip.Addr{server}, Search: []string{"lan"}}},
		{"a search list wins over the domain", &dhcp.Lease{DNS: []netip.Addr{server}, Domain: "lan", Search: []string{"a", "b"}}, nil, "absent0",
			resolver.Config{Interface: "absent0", Servers: []netip.Addr{server}, Search: []string{"a", "b"}}},
		{"a lease without any", &dhcp.Lease{Domain: "lan"}, nil, "absent0", resolver.Config{}},
		{"routers alone", nil, ask("2001:db8::1", "fe80::1%absent0"), "absent0", resolver.Config{Interface: "absent0", Servers: ask("2001:db8::1", "fe80::1%absent0")}},
		{"a lease, and routers", leased, ask("2001:db8::1"), "absent0", resolver.Config{Interface: "absent0", Servers: ask("192.0.2.1", "2001:db8::1")}},
		{"of those that programs ask one is a router's", &dhcp.Lease{DNS: ask("192.0.2.1", "192.0.2.2", "192.0.2.3")}, ask("2001:db8::1"), "absent0",
			resolver.Config{Interface: "absent0", Servers: ask("192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			declared := func(link string) ([]netip.Addr, []string) {
				if link != "br-wan" {
					return nil, nil
				}
				return ask("198.51.100.53"), []string{"office"}
			}
			n := &nameServers{radio: &standIn{lease: tt.lease, advertised: &tt.advertised}, uplink: func() string { return tt.way }, declared: declared}
			if got := n.want(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// When a lease is dropped, its name servers are removed from the resolver and from
// the probe, as the next network may have none.
func TestNameServersGoWithTheLease(t *testing.T) {
	d, r := idle(t), &standIn{
		lease: &dhcp.Lease{DNS: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}, advertised: &[]netip.Addr{netip.MustParseAddr("2001:db8::1")},
	}
	d.radio = r
	n := &nameServers{radio: r, uplink: r.Interface, declared: noneDeclared}
	uplink := policy.Uplink{Name: r.Interface(), Wifi: true}
	if len(n.want().Servers) != 2 || len(d.servers(uplink)) != 2 {
		t.Fatalf("published %v, asked %v", n.want().Servers, d.servers(uplink))
	}
	r.lease, r.advertised = nil, nil
	if got := n.want(); !reflect.DeepEqual(got, resolver.Config{}) || d.servers(uplink) != nil {
		t.Errorf("published %+v, asked %v", got, d.servers(uplink))
	}
}

// TestNameServersAwaitTheRouters checks that a daemon that has just started keeps
// what the previous run has published until it knows what to publish.
func TestNameServersAwaitTheRouters(t *testing.T) {
	lease := &dhcp.Lease{DNS: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
	for _, tt := range []struct {
		name       string
		way        string
		lease      *dhcp.Lease
		advertised *[]netip.Addr
		managed    bool
		want       bool
	}{
		{"no uplink works", "", nil, nil, false, true},
		{"a wired uplink", "eth0", nil, nil, false, false},
		{"the routers have not answered", "absent0", nil, nil, false, true},
		{"the lease has no server, and they have not answered", "absent0", &dhcp.Lease{}, nil, false, true},
		{"they have none", "absent0", nil, &[]netip.Addr{}, false, false},
		{"a lease", "absent0", lease, nil, false, false},
		{"NetworkManager has the radio", "absent0", nil, nil, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := &nameServers{
				declared: noneDeclared,
				radio:    &standIn{lease: tt.lease, advertised: tt.advertised, managed: tt.managed},
				uplink:   func() string { return tt.way },
			}
			if got := n.unknown(n.want()); got != tt.want {
				t.Errorf("unknown: %v", got)
			}
		})
	}
}
