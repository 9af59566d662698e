package rtnl

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// changes are what is done to a copy of an object, and whether it is then
// still the same one to the kernel.
type changes[T any] []struct {
	name   string
	change func(*T)
	same   bool
}

func (all changes[T]) check(t *testing.T, object T, equal func(a, b *T) bool) {
	t.Helper()
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			other := object
			c.change(&other)
			if equal(&object, &other) != c.same {
				t.Errorf("the same object: %v, want %v", !c.same, c.same)
			}
		})
	}
}

func sameRoute(a, b *Route) bool         { return a.Key() == b.Key() }
func sameNeighbour(a, b *Neighbour) bool { return a.Key() == b.Key() }

func TestIPv4RouteKey(t *testing.T) {
	changes[Route]{
		{"nothing", func(*Route) {}, true},
		{"state of the link", func(r *Route) { r.Flags |= unix.RTNH_F_LINKDOWN | unix.RTNH_F_DEAD }, true},
		{"table", func(r *Route) { r.Table++ }, false},
		{"destination", func(r *Route) { r.Destination = netip.MustParseAddr("10.1.0.0") }, false},
		{"length", func(r *Route) { r.DestinationLength++ }, false},
		{"TOS", func(r *Route) { r.TOS++ }, false},
		{"metric", func(r *Route) { r.Metric++ }, false},
		{"type", func(r *Route) { r.Type++ }, false},
		{"protocol", func(r *Route) { r.Protocol++ }, false},
		{"scope", func(r *Route) { r.Scope++ }, false},
		{"interface", func(r *Route) { r.OutIndex++ }, false},
		{"gateway", func(r *Route) { r.Gateway = netip.MustParseAddr("192.0.2.2") }, false},
		{"gateway of IPv6", func(r *Route) { r.Via = netip.MustParseAddr("fe80::1") }, false},
		{"source address", func(r *Route) { r.PreferredSource = netip.MustParseAddr("192.0.2.9") }, false},
		{"on-link", func(r *Route) { r.Flags |= unix.RTNH_F_ONLINK }, false},
		{"realm", func(r *Route) { r.Realm++ }, false},
		{"metrics", func(r *Route) { r.Details = &RouteDetails{Metrics: &state.Metrics{MTU: 1400}} }, false},
		{"hops", func(r *Route) { r.Hops = []Hop{{Index: 3}} }, false},
		{"nexthop object", func(r *Route) { r.NexthopID = 7 }, false},
	}.check(t, Route{
		Family: unix.AF_INET, DestinationLength: 16, Destination: netip.MustParseAddr("10.0.0.0"), Table: 254, OutIndex: 3,
		Gateway: netip.MustParseAddr("192.0.2.1"), Protocol: 4, Type: unix.RTN_UNICAST,
	}, sameRoute)
}

func TestIPv6RouteKey(t *testing.T) {
	changes[Route]{
		{"protocol", func(r *Route) { r.Protocol++ }, true},
		{"source address", func(r *Route) { r.PreferredSource = netip.MustParseAddr("fd00::9") }, true},
		{"life time", func(r *Route) { r.Cache = &RouteCache{Expires: 100} }, true},
		{"metrics", func(r *Route) {
			r.Details = &RouteDetails{Source: r.Details.Source, Metrics: &state.Metrics{MTU: 1400}}
		}, true},
		{"source", func(r *Route) { r.Details = &RouteDetails{Source: netip.MustParseAddr("fd02::")} }, false},
		{"length of the source", func(r *Route) { r.SourceLength++ }, false},
		{"metric", func(r *Route) { r.Metric++ }, false},
		{"interface", func(r *Route) { r.OutIndex++ }, false},
		{"gateway", func(r *Route) { r.Gateway = netip.MustParseAddr("fe80::2") }, false},
	}.check(t, Route{
		Family: unix.AF_INET6, DestinationLength: 64, Destination: netip.MustParseAddr("fd00::"), SourceLength: 64, Table: 254, OutIndex: 3, Metric: 1024,
		Gateway: netip.MustParseAddr("fe80::1"), Details: &RouteDetails{Source: netip.MustParseAddr("fd01::")},
	}, sameRoute)
}

func TestMultipathKey(t *testing.T) {
	changes[Route]{
		{"state of a hop", func(r *Route) { r.Hops = []Hop{{Index: 3, Flags: unix.RTNH_F_DEAD}, {Index: 4}} }, true},
		{"weight", func(r *Route) { r.Hops = []Hop{{Index: 3, Weight: 1}, {Index: 4}} }, false},
		{"one hop less", func(r *Route) { r.Hops = []Hop{{Index: 3}} }, false},
		{"gateway of a hop", func(r *Route) { r.Hops = []Hop{{Index: 3}, {Index: 4, Gateway: netip.MustParseAddr("10.0.0.1")}} }, false},
	}.check(t, Route{Family: unix.AF_INET, Hops: []Hop{{Index: 3}, {Index: 4}}}, sameRoute)
}

// TestRouteKeyOfNexthop: when the object changes, the route is still the same.
func TestRouteKeyOfNexthop(t *testing.T) {
	changes[Route]{
		{"where the object leads to", func(r *Route) { r.OutIndex, r.Gateway = 4, netip.MustParseAddr("192.0.2.2") }, true},
		{"it became a group", func(r *Route) { r.OutIndex, r.Hops = 0, []Hop{{Index: 3}} }, true},
		{"it is on-link", func(r *Route) { r.Flags = unix.RTNH_F_ONLINK }, true},
		{"another object", func(r *Route) { r.NexthopID++ }, false},
	}.check(t, Route{Family: unix.AF_INET, NexthopID: 7, OutIndex: 3, Gateway: netip.MustParseAddr("192.0.2.1")}, sameRoute)
}

func TestRuleKey(t *testing.T) {
	changes[Rule]{
		{"what it names is gone", func(r *Rule) { r.Flags |= unix.FIB_RULE_IIF_DETACHED | unix.FIB_RULE_UNRESOLVED }, true},
		{"inverted", func(r *Rule) { r.Flags |= unix.FIB_RULE_INVERT }, false},
		{"priority", func(r *Rule) { r.Priority++ }, false},
		{"table", func(r *Rule) { r.Table = 2000 }, false},
		{"mark of 0", func(r *Rule) { r.Mark = new(uint32(0)) }, false},
		{"users", func(r *Rule) { r.UIDs = &IDs{0, 1} }, false},
		{"ports", func(r *Rule) { r.SourcePorts = &Ports{1, 1} }, false},
	}.check(t, Rule{Family: unix.AF_INET, Priority: 999, Table: 1000, UIDs: &IDs{0, 0}}, func(a, b *Rule) bool { return a.Key() == b.Key() })
}

func TestNeighbourKey(t *testing.T) {
	changes[Neighbour]{
		{"state and hardware address", func(n *Neighbour) { n.State, n.MAC = unix.NUD_REACHABLE, []byte{2, 0, 0, 0, 0, 1} }, true},
		{"interface", func(n *Neighbour) { n.Index++ }, false},
		{"address", func(n *Neighbour) { n.Address = netip.MustParseAddr("10.0.0.2") }, false},
		{"answered for it", func(n *Neighbour) { n.Flags = unix.NTF_PROXY }, false},
	}.check(t, Neighbour{Family: unix.AF_INET, Index: 3, Address: netip.MustParseAddr("10.0.0.1")}, sameNeighbour)
}

func TestForwardingKey(t *testing.T) {
	changes[Neighbour]{
		{"state", func(n *Neighbour) { n.State = unix.NUD_STALE }, true},
		{"MAC address", func(n *Neighbour) { n.MAC = []byte{2, 0, 0, 0, 0, 2} }, false},
		{"VLAN", func(n *Neighbour) { n.Details = &NeighbourDetails{VLAN: new(uint16(10))} }, false},
		{"table of the interface itself", func(n *Neighbour) { n.Flags = unix.NTF_SELF }, false},
		{"bridge", func(n *Neighbour) { n.Master = 0 }, false},
		{"far end", func(n *Neighbour) { n.Address = netip.MustParseAddr("192.0.2.1") }, false},
		{"tunnel", func(n *Neighbour) { n.Details = &NeighbourDetails{VNI: new(uint32(42))} }, false},
	}.check(t, Neighbour{Family: unix.AF_BRIDGE, Index: 3, Master: 5, MAC: []byte{2, 0, 0, 0, 0, 1}}, sameNeighbour)
}

func TestAddressAndNexthopKey(t *testing.T) {
	changes[Address]{
		{"life time, label and metric", func(a *Address) { a.Lifetimes.Valid, a.Label, a.Metric = 300, "eth0:1", 600 }, true},
		{"prefix", func(a *Address) { a.PrefixLength++ }, false},
		{"far end", func(a *Address) { a.Address = netip.MustParseAddr("10.0.0.9") }, false},
		{"interface", func(a *Address) { a.Index++ }, false},
	}.check(t, Address{Family: unix.AF_INET, Index: 3, PrefixLength: 24, Address: netip.MustParseAddr("10.0.0.1"), Local: netip.MustParseAddr("10.0.0.1")},
		func(a, b *Address) bool { return a.Key() == b.Key() })
	changes[Nexthop]{
		{"where it leads to", func(n *Nexthop) { n.OutIndex++ }, true},
		{"ID", func(n *Nexthop) { n.ID++ }, false},
	}.check(t, Nexthop{ID: 7, OutIndex: 3}, func(a, b *Nexthop) bool { return a.Key() == b.Key() })
}
