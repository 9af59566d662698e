package daemon

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/resolver"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// noneDeclared are the name servers of a network without declared interfaces.
func noneDeclared() []resolver.Link { return nil }

// online returns the status of an uplink that works; "" is for a device that has lost
// its uplink.
func online(uplink string) func() policy.UplinkStatus {
	state := policy.Online
	if uplink == "" {
		state = policy.Lost
	}
	return func() policy.UplinkStatus { return policy.UplinkStatus{Name: uplink, State: state} }
}

func TestNameServersFollowTheUplink(t *testing.T) {
	server := netip.MustParseAddr("192.0.2.1")
	ask := func(servers ...string) (all []netip.Addr) {
		for _, s := range servers {
			all = append(all, netip.MustParseAddr(s))
		}
		return all
	}
	leased := &dhcp.Lease{DNS: ask("192.0.2.1")}
	of := func(name string, servers []netip.Addr, search ...string) resolver.Link {
		return resolver.Link{Interface: name, Servers: servers, Search: search}
	}
	links := func(all ...resolver.Link) resolver.Config { return resolver.Config{Links: all} }
	lan, wan := of("br-lan", ask("198.51.100.7")), of("br-wan", ask("198.51.100.53"), "office")
	for _, tt := range []struct {
		name       string
		lease      *dhcp.Lease
		advertised []netip.Addr
		declared   []resolver.Link
		way        string
		want       resolver.Config
	}{
		{"no lease", nil, nil, nil, "absent0", resolver.Config{}},
		{"a wired uplink has its own", leased, ask("2001:db8::1"), nil, "eth0", resolver.Config{}},
		{"a wired uplink has its own, declared interfaces too", leased, nil, []resolver.Link{lan}, "eth0", resolver.Config{Links: []resolver.Link{lan}, Apart: true}},
		{"a declared uplink comes first", leased, ask("2001:db8::1"), []resolver.Link{lan, wan}, "br-wan", links(wan, lan)},
		{"declared interfaces behind the radio", leased, nil, []resolver.Link{lan, wan}, "absent0", links(of("absent0", ask("192.0.2.1")), lan, wan)},
		{"declared interfaces, and a lease without any", &dhcp.Lease{Domain: "lan"}, nil, []resolver.Link{lan}, "absent0", links(lan)},
		{"a declared domain without a server", leased, nil, []resolver.Link{of("br-lan", nil, "office")}, "eth0", resolver.Config{}},
		{"no uplink works", leased, ask("2001:db8::1"), nil, "", resolver.Config{}},
		{"no uplink works, declared interfaces are up", leased, nil, []resolver.Link{lan}, "", links(lan)},
		{"the radio is the way out", &dhcp.Lease{DNS: []netip.Addr{server}, Domain: "lan"}, nil, nil, "absent0",
			links(of("absent0", []netip.Addr{server}, "lan"))},
		{"a search list wins over the domain", &dhcp.Lease{DNS: []netip.Addr{server}, Domain: "lan", Search: []string{"a", "b"}}, nil, nil, "absent0",
			links(of("absent0", []netip.Addr{server}, "a", "b"))},
		{"a lease without any", &dhcp.Lease{Domain: "lan"}, nil, nil, "absent0", resolver.Config{}},
		{"routers alone", nil, ask("2001:db8::1", "fe80::1%absent0"), nil, "absent0", links(of("absent0", ask("2001:db8::1", "fe80::1%absent0")))},
		{"a lease, and routers", leased, ask("2001:db8::1"), nil, "absent0", links(of("absent0", ask("192.0.2.1", "2001:db8::1")))},
		{"of those that programs ask one is a router's", &dhcp.Lease{DNS: ask("192.0.2.1", "192.0.2.2", "192.0.2.3")}, ask("2001:db8::1"), nil, "absent0",
			links(of("absent0", ask("192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3")))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := &nameServers{
				radio: &standIn{lease: tt.lease, advertised: &tt.advertised}, uplink: online(tt.way),
				declared: func() []resolver.Link { return slices.Clone(tt.declared) },
			}
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
	n := &nameServers{radio: r, uplink: online(r.Interface()), declared: noneDeclared}
	uplink := policy.Uplink{Name: r.Interface(), Wifi: true}
	if len(n.want().Links) != 1 || len(d.servers(uplink)) != 2 {
		t.Fatalf("published %v, asked %v", n.want(), d.servers(uplink))
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
	lan := []resolver.Link{{Interface: "br-lan", Servers: lease.DNS}}
	for _, tt := range []struct {
		name       string
		way        string
		lease      *dhcp.Lease
		advertised *[]netip.Addr
		managed    bool
		declared   []resolver.Link
		want       bool
	}{
		{"nothing is known yet", "starting", nil, nil, false, nil, true},
		{"nothing is known yet, declared interfaces are up", "starting", nil, nil, false, lan, true},
		{"no uplink works, declared interfaces are up", "", nil, nil, false, lan, false},
		{"no uplink works", "", nil, nil, false, nil, true},
		{"a wired uplink", "eth0", nil, nil, false, nil, false},
		{"the routers have not answered", "absent0", nil, nil, false, nil, true},
		{"the lease has no server, and they have not answered", "absent0", &dhcp.Lease{}, nil, false, nil, true},
		{"they have none", "absent0", nil, &[]netip.Addr{}, false, nil, false},
		{"a lease", "absent0", lease, nil, false, nil, false},
		{"NetworkManager has the radio", "absent0", nil, nil, true, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := &nameServers{
				declared: func() []resolver.Link { return tt.declared },
				radio:    &standIn{lease: tt.lease, advertised: tt.advertised, managed: tt.managed},
				uplink:   online(tt.way),
			}
			if tt.way == "starting" {
				n.uplink = func() policy.UplinkStatus { return policy.UplinkStatus{State: policy.Starting} }
			}
			if got := n.unknown(n.want()); got != tt.want {
				t.Errorf("unknown: %v", got)
			}
		})
	}
}
