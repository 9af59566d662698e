package link

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// lifetimeSlack is how far a lifetime may be from the wanted one: the kernel
// counts whole seconds, and reading and planning take time.
const lifetimeSlack = 2 * time.Second

// defaultMetric6 is the metric of the IPv6 routes for which a request names
// none (IP6_RT_PRIO_USER, net/ip6_route.h).
const defaultMetric6 = 1024

// Plan returns the operations that make one link what want describes, in order: up,
// then what is added, then what is removed, then down; none if nothing
// differs. Only what is in the way of an addition is removed before it.
func Plan(have *Snapshot, want Spec) ([]Op, error) {
	if err := want.check(); err != nil {
		return nil, err
	}
	l, ok := have.Link(want.Name)
	if !ok {
		return nil, fmt.Errorf("%s: %w", want.Name, ErrNotExist)
	}
	var ops []Op
	if want.Up && !l.Up {
		ops = append(ops, SetUp{})
	}
	a := planAddresses(have.AddressesOf(l.Index), want.Addresses, want.stale, false)
	ops = append(ops, a.before...)
	ops = append(ops, a.add...)
	r := planRoutes(have.routesOf(l.Index), want.Routes, want.staleRoute, len(a.before) > 0)
	ops = append(ops, r.before...)
	ops = append(ops, r.add...)
	ops = append(ops, r.after...)
	ops = append(ops, a.after...)
	if !want.Up && l.Up {
		ops = append(ops, SetDown{})
	}
	return ops, nil
}

// steps are operations on addresses or on routes: removals that have to come first,
// additions and changes, the other removals.
type steps struct{ before, add, after []Op }

// addressPlan is the steps of addresses.
type addressPlan struct {
	steps
	promote bool // the kernel needs promote_secondaries of the link before the removals
}

// planAddresses plans the addresses of one link. stale reports whether an address that
// is not wanted is to go. With promotes the link may have promote_secondaries, so that
// the removal of an IPv4 address does not take the others of its subnet along.
func planAddresses(have []Address, want []AddressSpec, stale func(Address) bool, promotes bool) addressPlan {
	wanted := make(map[netip.Prefix]*AddressSpec, len(want))
	for i := range want {
		wanted[want[i].Prefix] = &want[i]
	}
	kept, gone := map[netip.Prefix]Address{}, []Address(nil)
	subnets := map[netip.Prefix]bool{} // of IPv4 addresses that stay or come
	for _, spec := range want {
		subnets[spec.Prefix.Masked()] = true
	}
	for _, a := range have {
		switch spec := wanted[a.Prefix]; {
		case spec != nil && fits(a, *spec):
			kept[a.Prefix] = a
		case spec != nil || stale(a):
			gone = append(gone, a)
		default:
			subnets[a.Prefix.Masked()] = true
		}
	}
	plan := addressPlan{}
	first := blocking(gone, want, promotes)
	freed := map[netip.Prefix]bool{}
	for _, a := range first {
		plan.before = append(plan.before, RemoveAddress{Address: a, First: true})
		freed[conflict(a.Prefix, promotes)] = true
	}
	for _, a := range gone {
		if !freed[conflict(a.Prefix, promotes)] {
			plan.after = append(plan.after, RemoveAddress{Address: a})
		}
		plan.promote = plan.promote || promotes && primary(a) && subnets[a.Prefix.Masked()]
	}
	for _, spec := range want {
		again := freed[conflict(spec.Prefix, promotes)]
		switch a, there := kept[spec.Prefix]; {
		case !there || again:
			plan.add = append(plan.add, AddAddress{AddressSpec: spec, Again: again})
		case !current(a, spec):
			plan.add = append(plan.add, ChangeAddress{spec})
		}
	}
	return plan
}

// stale reports whether an address that nobody wants has to go. IPv6 works only
// with the link-local one, which the kernel makes and keeps.
func (s Spec) stale(a Address) bool {
	if a.Scope == unix.RT_SCOPE_HOST || a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast() {
		return false
	}
	return !s.Autoconf || !autoconfigured(a)
}

// staleRoute reports whether a route that nobody wants has to go.
func (s Spec) staleRoute(r Route) bool {
	return r.Protocol == RouteProtocol || !s.Autoconf && r.Protocol == unix.RTPROT_RA
}

// autoconfigured reports whether router advertisements made a. Before Linux
// 5.18 the kernel does not show who made an address; there every IPv6 address that
// expires is one.
func autoconfigured(a Address) bool {
	if !a.Prefix.Addr().Is6() {
		return false
	}
	if a.Protocol == 0 {
		return a.Flags&unix.IFA_F_PERMANENT == 0
	}
	return a.Protocol == protocolRouterAdvertisement
}

// fits reports whether a can become what spec describes without being removed.
func fits(a Address, spec AddressSpec) bool {
	return a.Peer == spec.Peer && (!spec.Broadcast.IsValid() || a.Broadcast == spec.Broadcast)
}

// current reports whether a, which fits, is what spec describes.
func current(a Address, spec AddressSpec) bool {
	valid, preferred := spec.lifetimes()
	return a.Metric == spec.Metric && near(a.ValidLifetime, valid) && near(a.PreferredLifetime, preferred)
}

func near(have, want time.Duration) bool {
	wanted := lifetime(seconds(want)) // as the kernel will show it
	if have == Forever || wanted == Forever {
		return have == wanted
	}
	return (have - wanted).Abs() <= lifetimeSlack
}

// blocking returns the stale addresses that have to be removed before anything
// is added: those that the kernel takes for the same address; and, with IPv4 and
// without promotes, all of a subnet that a wanted address shares, when the oldest (the
// primary) is among them, since the kernel removes the others of the subnet with it.
// Those others come first, so that none of them becomes the next primary.
func blocking(stale []Address, want []AddressSpec, promotes bool) []Address {
	wanted := make(map[netip.Prefix]bool, len(want))
	for _, spec := range want {
		wanted[conflict(spec.Prefix, promotes)] = true
	}
	led := map[netip.Prefix]bool{} // subnets whose primary is stale
	for _, a := range stale {
		if primary(a) {
			led[a.Prefix.Masked()] = true
		}
	}
	var secondaries, primaries []Address
	for _, a := range stale {
		switch {
		case !wanted[conflict(a.Prefix, promotes)]:
		case a.Prefix.Addr().Is6() || primary(a):
			primaries = append(primaries, a)
		case promotes || led[a.Prefix.Masked()]:
			secondaries = append(secondaries, a)
		}
	}
	return append(secondaries, primaries...)
}

// conflict is equal for two addresses of which one cannot be there while or after the
// other is removed.
func conflict(p netip.Prefix, promotes bool) netip.Prefix {
	switch {
	case p.Addr().Is6():
		return netip.PrefixFrom(p.Addr(), p.Addr().BitLen())
	case promotes:
		return p
	}
	return p.Masked()
}

// primary reports whether a leads its IPv4 subnet. IPv6 has no such addresses; there
// the flag marks privacy addresses.
func primary(a Address) bool { return a.Prefix.Addr().Is4() && a.Flags&unix.IFA_F_SECONDARY == 0 }

// routeID is what makes two routes of a link the same, whoever made them: a second one
// of the same would not help anybody.
type routeID struct {
	destination     netip.Prefix
	gateway, source netip.Addr
	metric, table   uint32
	kind            uint8
}

func (r Route) id() routeID {
	return routeID{r.Destination, r.Gateway, r.Source, r.Metric, r.Table, r.Type}
}

func (s RouteSpec) id() routeID {
	id := routeID{s.Destination, s.Gateway, s.Source, s.Metric, s.table(), s.kind()}
	if s.Metric == 0 && s.Destination.Addr().Is6() {
		id.metric = defaultMetric6
	}
	return id
}

// planRoutes adds the wanted routes that are missing, on-link ones first
// because gateways may lie behind them, and removes those that are stale. have are the
// routes of the link. again is set when addresses were removed before, with which the
// kernel drops routes.
func planRoutes(have []Route, want []RouteSpec, stale func(Route) bool, again bool) (plan steps) {
	mtu := make(map[routeID]uint32, len(want))
	for _, spec := range want {
		mtu[spec.id()] = spec.MTU
	}
	kept := make(map[routeID]bool, len(want))
	for _, r := range have {
		bytes, wanted := mtu[r.id()]
		switch {
		case wanted && r.MTU == bytes:
			kept[r.id()] = true
		case wanted && stale(r): // with IPv6 it is in the way
			plan.before = append(plan.before, RemoveRoute{r})
		case stale(r):
			plan.after = append(plan.after, RemoveRoute{r})
		}
	}
	for _, onLink := range []bool{true, false} {
		for _, spec := range want {
			if onLink != spec.Gateway.IsValid() && (!kept[spec.id()] || again) {
				plan.add = append(plan.add, AddRoute{spec})
			}
		}
	}
	return plan
}
