package link

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// lifetimeSlack is how far a lifetime may be from the wanted one: the kernel
// counts whole seconds, and reading and planning take time.
const lifetimeSlack = 2 * time.Second

// defaultMetric6 is the metric that the kernel gives IPv6 routes that name
// none (IP6_RT_PRIO_USER, net/ip6_route.h).
const defaultMetric6 = 1024

// Plan gives the operations that make one link what want says, in order: up,
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
	a := planAddresses(have.AddressesOf(l.Index), want)
	ops = append(ops, a.before...)
	ops = append(ops, a.add...)
	add, remove := planRoutes(have.Routes, l.Index, want, len(a.before) > 0)
	ops = append(ops, add...)
	ops = append(ops, remove...)
	ops = append(ops, a.after...)
	if !want.Up && l.Up {
		ops = append(ops, SetDown{})
	}
	return ops, nil
}

// addressPlan is the operations on addresses: removals that have to come
// first, additions and changes, the other removals.
type addressPlan struct{ before, add, after []Op }

func planAddresses(have []Address, want Spec) addressPlan {
	var plan addressPlan
	var stale []Address
	kept := map[netip.Prefix]Address{}
	for _, a := range have {
		switch spec, wanted := wantedAddress(want, a.Prefix); {
		case wanted && fits(a, spec):
			kept[a.Prefix] = a
		case wanted || ours(a, want):
			stale = append(stale, a)
		}
	}
	first := blocking(stale, want)
	for _, a := range first {
		plan.before = append(plan.before, RemoveAddress{Address: a, First: true})
	}
	for _, a := range stale {
		if !slices.Contains(first, a) {
			plan.after = append(plan.after, RemoveAddress{Address: a})
		}
	}
	for _, spec := range want.Addresses {
		again := slices.ContainsFunc(first, func(a Address) bool { return takesAlong(a, spec) })
		switch a, there := kept[spec.Prefix]; {
		case !there || again:
			plan.add = append(plan.add, AddAddress{AddressSpec: spec, Again: again})
		case !current(a, spec):
			plan.add = append(plan.add, ChangeAddress{spec})
		}
	}
	return plan
}

func wantedAddress(want Spec, p netip.Prefix) (AddressSpec, bool) {
	for _, spec := range want.Addresses {
		if spec.Prefix == p {
			return spec, true
		}
	}
	return AddressSpec{}, false
}

// ours reports whether an address that nobody wants has to go. IPv6 works only
// with the link-local one, which the kernel makes and keeps.
func ours(a Address, want Spec) bool {
	if a.Scope == unix.RT_SCOPE_HOST || a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast() {
		return false
	}
	return !want.Autoconf || !autoconfigured(a)
}

// autoconfigured reports whether router advertisements made a. Before Linux
// 5.18 the kernel does not tell; there every IPv6 address that expires is one.
func autoconfigured(a Address) bool {
	if !a.Prefix.Addr().Is6() {
		return false
	}
	if a.Protocol == 0 {
		return a.Flags&unix.IFA_F_PERMANENT == 0
	}
	return a.Protocol == protocolRouterAdvertisement
}

// fits reports whether a can become what spec says without being removed.
func fits(a Address, spec AddressSpec) bool {
	return !a.Peer.IsValid() && (!spec.Broadcast.IsValid() || a.Broadcast == spec.Broadcast)
}

// current reports whether a, which fits, is what spec says.
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

// blocking gives the stale addresses that have to be removed before anything
// is added: those that the kernel takes for the same address; and, with IPv4,
// all of a subnet that a wanted address shares, when the oldest (the primary)
// is among them, since the kernel removes the others of the subnet with it.
// Those others come first, so that none of them becomes the next primary.
func blocking(stale []Address, want Spec) []Address {
	var secondary, primary []Address
	for _, a := range stale {
		for _, spec := range want.Addresses {
			if !takesAlong(a, spec) || !primaryIn(stale, a) {
				continue
			}
			if a.Flags&unix.IFA_F_SECONDARY != 0 {
				secondary = append(secondary, a)
			} else {
				primary = append(primary, a)
			}
			break
		}
	}
	return append(secondary, primary...)
}

// takesAlong reports whether the wanted address cannot be there while or after
// a is removed.
func takesAlong(a Address, spec AddressSpec) bool {
	if a.Prefix.Addr().Is4() {
		return a.Prefix.Masked() == spec.Prefix.Masked()
	}
	return a.Prefix.Addr() == spec.Prefix.Addr()
}

// primaryIn reports whether the primary address of a's subnet is in stale.
// IPv6 has no primary ones; there the flag marks privacy addresses.
func primaryIn(stale []Address, a Address) bool {
	return a.Prefix.Addr().Is6() || slices.ContainsFunc(stale, func(other Address) bool {
		return other.Prefix.Masked() == a.Prefix.Masked() && other.Flags&unix.IFA_F_SECONDARY == 0
	})
}

// planRoutes adds the wanted routes that are missing, on-link ones first
// because gateways may lie behind them, and removes those of ours that are not
// wanted. again says that addresses were removed before, with which the kernel
// drops routes.
func planRoutes(have []Route, index int, want Spec, again bool) (add, remove []Op) {
	kept := make([]bool, len(have))
	for _, onLink := range []bool{true, false} {
		for _, spec := range want.Routes {
			if onLink == spec.Gateway.IsValid() {
				continue
			}
			i := slices.IndexFunc(have, func(r Route) bool { return r.Index == index && is(r, spec) })
			if i >= 0 {
				kept[i] = true
			}
			if i < 0 || again {
				add = append(add, AddRoute{spec})
			}
		}
	}
	for i, r := range have {
		own := r.Protocol == RouteProtocol || !want.Autoconf && r.Protocol == unix.RTPROT_RA
		if r.Index == index && own && !kept[i] {
			remove = append(remove, RemoveRoute{r})
		}
	}
	return add, remove
}

// is reports whether r is what spec wants, whoever made it: a second one of
// the same would not help anybody.
func is(r Route, spec RouteSpec) bool {
	metric := spec.Metric
	if metric == 0 && spec.Destination.Addr().Is6() {
		metric = defaultMetric6
	}
	return r.Destination == spec.Destination && r.Gateway == spec.Gateway &&
		r.Metric == metric && r.Source == spec.Source && r.Type == unix.RTN_UNICAST
}
