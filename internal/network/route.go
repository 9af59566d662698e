package network

import (
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
)

// route is a Route while its Section is read.
type route struct {
	Route
	given
	target   prefix
	netmask  int // noBits: not given
	disabled bool
}

func newRoute(s *Section) *route {
	return &route{Route: Route{Place: s.Place, Spec: link.RouteSpec{Path: s.Where()}}, netmask: noBits}
}

// Values of rtm_type, linux/rtnetlink.h.
var routeTypes = map[string]uint8{
	"unicast": unix.RTN_UNICAST, "local": unix.RTN_LOCAL, "broadcast": unix.RTN_BROADCAST, "anycast": unix.RTN_ANYCAST,
	"multicast": unix.RTN_MULTICAST, "blackhole": unix.RTN_BLACKHOLE, "unreachable": unix.RTN_UNREACHABLE,
	"prohibit": unix.RTN_PROHIBIT, "throw": unix.RTN_THROW,
}

var routeOptions = []*option[*route]{
	row("interface", interfaceName, func(r *route, v string) { r.Interface = v },
		"Name of the declared interface with which the route comes and goes.").without("required"),
	row("target", destination, func(r *route, v prefix) { r.target = v },
		"Where the route leads; 0.0.0.0/0 and ::/0 are the default routes.").without("required"),
	row("netmask", netmask, func(r *route, v int) { r.netmask = v }, "Netmask of an IPv4 target without a length.").without("32"),
	row("gateway", host, func(r *route, v netip.Addr) { r.Spec.Gateway = v }, "Router that packets are sent to.").without("the target is on the link"),
	row("metric", any32, func(r *route, v uint32) { r.Spec.Metric = v }, "Of routes with the same target the lowest metric wins.").without("that of the interface"),
	row("mtu", number[uint32](68, 65535), func(r *route, v uint32) { r.Spec.MTU = v }, "Bytes of the largest packet to the target.").without("that of the device"),
	row("table", table, func(r *route, v uint32) { r.Spec.Table = v }, "Routing table.").without("that of the interface"),
	row("source", host4, func(r *route, v netip.Addr) { r.Spec.Source = v }, "Own IPv4 address that packets are sent from.").without("the kernel chooses"),
	row("onlink", boolean, func(r *route, v bool) { r.Spec.OnLink = v }, "Whether the gateway is reached although no address of the interface says so.").without("false"),
	row("type", word(routeTypes, "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit", "throw"),
		func(r *route, v uint8) { r.Spec.Type = v }, "What happens to packets to the target.").without("unicast"),
	row("disabled", boolean, func(r *route, v bool) { r.disabled = v }, "Whether the route is left out.").without("false"),
}

// finish makes the destination of what the options say.
func (r *route) finish() {
	if r.target.Is4() && r.target.bits == noBits {
		r.target.bits = r.netmask
	}
	if r.target.IsValid() {
		r.Spec.Destination = r.target.whole().Masked()
	}
}

// neighbour is a Neighbour while its Section is read.
type neighbour struct {
	Neighbour
	given
	disabled bool
}

func newNeighbour(s *Section) *neighbour {
	n := &neighbour{Neighbour: Neighbour{Place: s.Place}}
	n.Spec.Path, n.Spec.State = s.Where(), unix.NUD_PERMANENT
	return n
}

var neighbourOptions = []*option[*neighbour]{
	row("interface", interfaceName, func(n *neighbour, v string) { n.Interface = v },
		"Name of the declared interface with which the neighbour comes and goes.").without("required"),
	row("ipaddr", host, func(n *neighbour, v netip.Addr) {
		n.Spec.Address, n.Spec.Family = v, familyOf(v)
	}, "Address of the neighbour.").without("required"),
	row("mac", hardwareAddress, func(n *neighbour, v net.HardwareAddr) { n.Spec.MAC = v },
		"Hardware address of the neighbour.").without("required without proxy"),
	row("proxy", boolean, func(n *neighbour, v bool) { n.Spec.Proxy = v }, "Whether this device answers for the address.").without("false"),
	row("router", boolean, func(n *neighbour, v bool) {
		if n.Spec.Flags &^= unix.NTF_ROUTER; v {
			n.Spec.Flags |= unix.NTF_ROUTER
		}
	}, "Whether the neighbour is a router.").without("false"),
	row("disabled", boolean, func(n *neighbour, v bool) { n.disabled = v }, "Whether the neighbour is left out.").without("false"),
}

func familyOf(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
