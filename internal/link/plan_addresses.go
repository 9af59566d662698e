package link

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// planUp plans whether the link is up.
func (l *linkPlan) planUp() {
	wasUp := l.now != nil && l.now.Flags&unix.IFF_UP != 0
	up, restored := wasUp, []string(nil)
	if l.spec.Up != nil {
		up = *l.spec.Up
	} else if value, ours := l.original(propertyUp); ours {
		up, restored = value == "on", []string{propertyUp}
	}
	var was map[string]string
	if l.now != nil && up != wasUp && restored == nil {
		was = map[string]string{propertyUp: onOff(wasUp)}
	}
	switch {
	case up && (!wasUp || l.falls):
		c := l.change(InPlace, SetUp{}.String(), opStep{l.spec.Name, SetUp{}})
		c.owns.was, c.owns.restored = was, restored
		l.planner.set = append(l.planner.set, c)
	case !up && (wasUp && !l.falls || restored != nil):
		c := l.change(Restart, SetDown{}.String(), opStep{l.spec.Name, SetDown{}})
		c.owns.was, c.owns.restored = was, restored
		l.down = append(l.down, c)
	}
}

// planAddresses plans the addresses and routes.
func (l *linkPlan) planAddresses() {
	var have []Address
	var routes []Route
	if l.now != nil {
		have, routes = l.addresses[uint32(l.now.Index)], l.routes[uint32(l.now.Index)]
	}
	if l.lost {
		have = slices.DeleteFunc(slices.Clone(have), func(a Address) bool { return a.Prefix.Addr().Is6() })
		routes = nil
	}
	plan := planAddresses(have, l.spec.Addresses, func(a Address) bool { return a.Protocol == RouteProtocol }, true)
	if plan.promote {
		l.planPromotion()
	}
	l.ops(&l.planner.set, plan.before, plan.add)
	unicast, typed := splitRoutes(l.spec.Routes)
	l.planner.wantTyped = append(l.planner.wantTyped, typed...)
	r := planRoutes(routes, unicast, func(r Route) bool { return r.Protocol == RouteProtocol }, len(plan.before) > 0)
	l.ops(&l.planner.add, r.before, r.add)
	l.ops(&l.planner.drop, r.after, plan.after)
}

// ops adds operations on the link to one of the lists.
func (l *linkPlan) ops(to *[]Change, all ...[]Op) {
	for _, op := range slices.Concat(all...) {
		c := l.change(op.Class(), op.String(), opStep{l.spec.Name, op})
		c.Path, c.again = pathOf(op, l.spec.Path), l.lost
		*to = append(*to, c)
	}
}

// pathOf is what declares an address or a route, or the link's path.
func pathOf(op Op, path string) string {
	own := ""
	switch op := op.(type) {
	case AddAddress:
		own = op.Path
	case ChangeAddress:
		own = op.Path
	case AddRoute:
		own = op.Path
	}
	if own != "" {
		return own
	}
	return path
}

// promotion is the sysctl with which the removal of an IPv4 address makes another of
// its subnet the primary one, instead of removing all of them
// (Documentation/networking/ip-sysctl.rst).
const promotion = "promote_secondaries"

func promotionOf(link string) string { return "ipv4/conf/" + link + "/" + promotion }

func isPromotion(key string) bool { return strings.HasSuffix(key, "/"+promotion) }

// planPromotion lets addresses survive the removal of the primary one of their subnet.
func (l *linkPlan) planPromotion() {
	key := promotionOf(l.spec.Name)
	if l.have.Sysctls[key] == "1" || l.spec.Sysctls[key] != "" {
		return
	}
	l.planner.set = append(l.planner.set, l.change(InPlace, "set "+key+" 1", sysctlStep{key, "1"}))
}

// splitRoutes parts routes through a link from those that go nowhere.
func splitRoutes(all []RouteSpec) (unicast, typed []RouteSpec) {
	for _, r := range all {
		if r.kind() == unix.RTN_UNICAST {
			unicast = append(unicast, r)
		} else {
			typed = append(typed, r)
		}
	}
	return unicast, typed
}
