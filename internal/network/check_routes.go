package network

import (
	"cmp"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/address"
)

// mainTable is RT_TABLE_MAIN, linux/rtnetlink.h.
const mainTable = unix.RT_TABLE_MAIN

// usualMetric6 is the metric of an IPv6 route that is given none (IP6_RT_PRIO_USER,
// net/ip6_fib.h).
const usualMetric6 = 1024

// checkRoutes looks at the routes, and at the gateways of interfaces, which are routes,
// too.
func (r *reader) checkRoutes() {
	for _, o := range r.routes {
		r.checkRoute(o)
	}
	reach := map[string]*onLink{}
	for device, on := range r.interfacesOn {
		reach[device] = newOnLink(on)
	}
	for _, o := range r.routes {
		if i := r.interfaceNamed[o.Interface]; i != nil && i.Device != "" && o.onLink() {
			reach[i.Device].add(o.Spec.Destination)
		}
	}
	keys := map[routeKey]Place{}
	for _, i := range r.interfaces {
		r.checkGateway(i, "gateway", i.Gateway, reach, keys)
		r.checkGateway(i, "ip6gw", i.Gateway6, reach, keys)
	}
	for _, o := range r.routes {
		i := r.interfaceNamed[o.Interface]
		if i == nil || !o.Spec.Destination.IsValid() {
			continue
		}
		if g := o.Spec.Gateway; g.IsValid() && !o.Spec.OnLink {
			r.checkReach(o.at("gateway", o.Place), g, i, reach)
		}
		if !o.disabled && !i.Disabled {
			r.checkKey(o.Place, keyOf(o), keys)
		}
	}
}

// checkRoute looks at one route, and takes from its interface what it does not say.
func (r *reader) checkRoute(o *route) {
	i := r.named(o.given, o.Place, "interface", o.Interface)
	if !o.has("target") {
		r.problem(o.Place, "has no target; 0.0.0.0/0 and ::/0 are the default routes")
	}
	target, gateway := o.Spec.Destination, o.Spec.Gateway
	if target.IsValid() && i != nil {
		if !o.has("metric") {
			o.Spec.Metric = i.Metric
		}
		if !o.has("table") && target.Addr().Is4() {
			o.Spec.Table = i.IP4Table
		} else if !o.has("table") {
			o.Spec.Table = i.IP6Table
		}
	}
	if target.IsValid() && target.Addr().Is6() && o.netmask != noBits {
		r.problem(o.at("netmask", o.Place), "is for IPv4; write the length behind the target, e.g. %v/64", target.Addr())
	}
	switch {
	case !target.IsValid():
	case gateway.IsValid() && gateway.Is4() != target.Addr().Is4():
		r.problem(o.at("gateway", o.Place), "%v is not of the family of target %v", gateway, target)
	case gateway.IsValid() && o.Spec.Type > unix.RTN_UNICAST:
		r.problem(o.at("gateway", o.Place), "a route of this type has no gateway; leave out gateway or type")
	case o.Spec.Source.IsValid() && target.Addr().Is6():
		r.problem(o.at("source", o.Place), "is of IPv4 routes; leave it out")
	case target.Addr().IsMulticast() && o.Spec.Type <= unix.RTN_UNICAST && gateway.IsValid():
		r.problem(o.at("target", o.Place), "%v is a multicast group, which no gateway is the way to; leave out gateway", target)
	}
	if o.Spec.OnLink && !o.has("gateway") {
		r.problem(o.at("onlink", o.Place), "is about the gateway, and there is none; leave it out")
	}
}

// onLink reports whether the route says that its target is on the link.
func (o *route) onLink() bool {
	return o.Spec.Destination.IsValid() && !o.Spec.Gateway.IsValid() && o.Spec.Type <= unix.RTN_UNICAST && o.Spec.Destination.Bits() > 0
}

// named returns the interface that an option names, and reports if it is not declared.
func (r *reader) named(g given, section Place, option, name string) *iface {
	i := r.interfaceNamed[name]
	switch {
	case !g.has(option):
		r.problem(section, "has no %s; name the interface that it belongs to", option)
	case i == nil && name != "":
		r.problem(g[option], "%s is not the name of an interface that is declared%s", name, r.hint(name, r.interfaceNames()))
	}
	return i
}

func (r *reader) interfaceNames() []string {
	if r.names == nil {
		for _, i := range r.interfaces {
			r.names = append(r.names, i.Name)
		}
	}
	return r.names
}

// checkGateway looks at a gateway of an interface.
func (r *reader) checkGateway(i *iface, option string, gateway netip.Addr, reach map[string]*onLink, keys map[routeKey]Place) {
	if !gateway.IsValid() {
		return
	}
	at := i.at(option, i.Place)
	r.checkReach(at, gateway, i, reach)
	if !i.DefaultRoute || i.Disabled {
		return
	}
	k := routeKey{netip.PrefixFrom(netip.IPv4Unspecified(), 0), cmp.Or(i.IP4Table, mainTable), i.Metric}
	if gateway.Is6() {
		k = routeKey{netip.PrefixFrom(netip.IPv6Unspecified(), 0), cmp.Or(i.IP6Table, mainTable), cmp.Or(i.Metric, usualMetric6)}
	}
	r.checkKey(at, k, keys)
}

// routeKey is what two routes cannot have in common.
type routeKey struct {
	destination   netip.Prefix
	table, metric uint32
}

func keyOf(o *route) routeKey {
	k := routeKey{o.Spec.Destination, cmp.Or(o.Spec.Table, mainTable), o.Spec.Metric}
	if k.destination.Addr().Is6() {
		k.metric = cmp.Or(k.metric, usualMetric6)
	}
	return k
}

func (r *reader) checkKey(at Place, k routeKey, keys map[routeKey]Place) {
	if first, twice := keys[k]; twice {
		r.problem(at, "there is a route to %v with metric %d in table %d already, %s; give one of them another metric", k.destination, k.metric, k.table, first.Where())
		return
	}
	keys[k] = at
}

// onLink is what is reached through a device without a gateway. Other programs, and DHCP
// servers, may add to it where an interface without static addresses is on the device.
type onLink struct {
	open     bool
	own      map[netip.Addr]bool
	networks map[netip.Prefix]bool
	lengths  map[int]bool // of networks
}

func newOnLink(on []*iface) *onLink {
	l := &onLink{own: map[netip.Addr]bool{}, networks: map[netip.Prefix]bool{}, lengths: map[int]bool{}}
	for _, i := range on {
		l.open = l.open || i.Proto != ProtoStatic
		for _, a := range i.Addresses {
			l.own[a.Prefix.Addr()] = true
			if a.Peer.IsValid() {
				l.add(netip.PrefixFrom(a.Peer, a.Prefix.Bits()))
			} else {
				l.add(a.Prefix)
			}
		}
	}
	return l
}

func (l *onLink) add(network netip.Prefix) {
	l.networks[network.Masked()] = true
	l.lengths[network.Bits()] = true
}

// network returns a network on the link that holds an address.
func (l *onLink) network(a netip.Addr) (netip.Prefix, bool) {
	for bits := range l.lengths {
		if p, err := a.Prefix(bits); err == nil && l.networks[p] {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

// checkReach reports a gateway that packets cannot be sent to.
func (r *reader) checkReach(at Place, gateway netip.Addr, i *iface, reach map[string]*onLink) {
	l := reach[i.Device]
	if l == nil {
		return // the problem with the device is reported
	}
	network, found := l.network(gateway)
	switch {
	case l.own[gateway]:
		r.problem(at, "%v is an address of this device; give that of the router", gateway)
	case found:
		if err := address.CheckHostOf(gateway, network); err != nil {
			r.problem(at, "%v", err)
		}
	case gateway.IsLinkLocalUnicast() && gateway.Is6() || l.open:
	default:
		r.problem(at, "%v is in no network of %s; correct it or the addresses, or declare a route with onlink", gateway, i.Device)
	}
}
