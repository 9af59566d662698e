package network

import (
	"net/netip"
	"slices"

	"github.com/netconnectd/netconnectd/internal/link"
)

// compile returns what is desired of the kernel now: the devices that are present,
// and the addresses and routes of the interfaces that are up or go up.
func (n *step) compile() link.Desired {
	var out link.Desired
	byDevice := n.interfacesByDevice()
	masters := n.masters()
	for _, i := range n.order {
		l, needed := n.linkSpec(i, byDevice[i], masters[n.spec.Devices[i].Name])
		if needed {
			out.Links = append(out.Links, l)
		}
	}
	for _, r := range n.spec.Rules {
		if rule, ready := n.rule(r); ready {
			out.Rules = append(out.Rules, rule)
		}
	}
	for _, neighbour := range n.spec.Neighbours {
		if i := n.find(neighbour.Interface); i >= 0 && n.carries(i) {
			spec := neighbour.Spec
			spec.Link, spec.Path = n.linkOf(i), neighbour.Place.String()
			out.Neighbours = append(out.Neighbours, spec)
		}
	}
	return out
}

// interfacesByDevice returns the interfaces of each device.
func (n *step) interfacesByDevice() map[int][]int {
	all := map[int][]int{}
	for i, declared := range n.spec.Interfaces {
		device := n.byName[declared.Device]
		all[device] = append(all[device], i)
	}
	return all
}

// masters returns the kernel's name of the bridge of each port whose bridge is present.
func (n *step) masters() map[string]string {
	masters := map[string]string{}
	for i, d := range n.spec.Devices {
		if !n.devices[i].present {
			continue
		}
		for _, port := range d.Ports {
			masters[port] = n.devices[i].link
		}
	}
	return masters
}

// linkSpec returns what is desired of a device's link. needed is false if nothing is
// desired, or if the device is not present.
func (n *step) linkSpec(i int, interfaces []int, master string) (l link.LinkSpec, needed bool) {
	declared, have := n.spec.Devices[i], n.devices[i]
	if !have.present {
		return l, false
	}
	l = declared.On(have.link)
	l.Path = declared.Place.String()
	if declared.Parent != "" {
		l.Parent = &n.devices[n.byName[declared.Parent]].link
	}
	if master != "" {
		l.Master = &master
	}
	// A link that nothing has claimed yet is left as it is, unless we create it.
	if have.claimed || n.claimed[declared.Name] || declared.Type != "" {
		l.Up = &have.claimed
	}
	for _, index := range interfaces {
		if n.carries(index) {
			addresses, routes := n.addressing(index)
			l.Addresses = append(l.Addresses, addresses...)
			l.Routes = append(l.Routes, routes...)
		}
	}
	return l, declared.Path != "" || master != "" || l.Up != nil
}

// carries reports whether an interface has its addresses and routes in the kernel, or
// is to have them.
func (n *step) carries(i int) bool {
	return n.interfaces[i].phase == Setup || n.interfaces[i].phase == Up
}

// addressing returns the addresses and routes of an interface.
func (n *step) addressing(i int) (addresses []link.AddressSpec, routes []link.RouteSpec) {
	declared, lease := n.spec.Interfaces[i], n.interfaces[i].lease
	addresses = slices.Clone(declared.Addresses)
	for _, gateway := range []netip.Addr{declared.Gateway, declared.Gateway6} {
		if gateway.IsValid() {
			routes = append(routes, link.RouteSpec{Destination: everywhere(gateway), Gateway: gateway})
		}
	}
	if lease != nil {
		addresses = append(addresses, lease.Addresses...)
		for _, r := range lease.Routes {
			if r.Destination.Bits() > 0 || declared.DefaultRoute {
				routes = append(routes, r)
			}
		}
	}
	for j := range addresses {
		addresses[j].Metric, addresses[j].Path = declared.Metric, declared.Place.String()
	}
	for j := range routes {
		routes[j].Metric, routes[j].Table, routes[j].Path = declared.Metric, declared.table(routes[j]), declared.Place.String()
	}
	return addresses, append(routes, n.declaredRoutes(declared)...)
}

// declaredRoutes returns the declared routes of an interface, with the interface's
// metric and table where they name none.
func (n *step) declaredRoutes(of Interface) []link.RouteSpec {
	var routes []link.RouteSpec
	for _, i := range n.routes[of.Name] {
		declared := n.spec.Routes[i]
		r := declared.Spec
		r.Path = declared.Place.String()
		if r.Metric == 0 {
			r.Metric = of.Metric
		}
		if r.Table == 0 {
			r.Table = of.table(r)
		}
		routes = append(routes, r)
	}
	return routes
}

// table returns the routing table of a route of the interface; 0: main.
func (i Interface) table(r link.RouteSpec) uint32 {
	if r.Destination.Addr().Is4() {
		return i.IP4Table
	}
	return i.IP6Table
}

// everywhere returns the destination of a default route of a gateway's family.
func everywhere(gateway netip.Addr) netip.Prefix {
	if gateway.Is4() {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}

// rule returns a declared rule. ready is false while a device that the rule names is
// not present.
func (n *step) rule(declared Rule) (spec link.RuleSpec, ready bool) {
	spec = declared.Spec
	spec.Path = declared.Place.String()
	if declared.Disabled {
		return spec, false
	}
	for name, to := range map[string]*string{declared.In: &spec.InName, declared.Out: &spec.OutName} {
		if name == "" {
			continue
		}
		i := n.find(name)
		if i < 0 || !n.devices[n.byName[n.spec.Interfaces[i].Device]].present {
			return spec, false
		}
		*to = n.linkOf(i)
	}
	return spec, true
}

// linkOf returns the kernel's name of an interface's link.
func (s *State) linkOf(i int) string { return s.devices[s.byName[s.spec.Interfaces[i].Device]].link }
