package link

import (
	"slices"

	"golang.org/x/sys/unix"
)

// IsUplink reports whether a link counts as a way out of the device: the radio, and
// the wired interface that the configuration names or, if it names none (""), every
// one that leads out by itself.
func (s *Snapshot) IsUplink(l Link, radio, wired string) bool {
	return l.Name == radio || l.Name == wired || wired == "" && s.leadsOut(l)
}

// leadsOut reports whether a link counts as an uplink by itself: a physical wired
// link, or a bridge or bond of such links, also before there is a route; and any link
// with a default route (a VLAN, a modem). The veth or bridge of a container has
// neither.
func (s *Snapshot) leadsOut(l Link) bool {
	switch {
	case l.Loopback() || l.Tunnel():
		return false
	case s.HasDefaultRoute(l.Index):
		return true
	case l.Master != 0:
		return false
	}
	return l.wired() || slices.Contains(aggregates, l.Kind) && slices.ContainsFunc(s.Links, func(port Link) bool {
		return port.Master == l.Index && port.wired()
	})
}

// aggregates are the kinds of links that stand for their ports.
var aggregates = []string{"bridge", "bond", "team"}

// wired reports whether the link is a physical Ethernet interface.
func (l Link) wired() bool { return l.Type == unix.ARPHRD_ETHER && l.Kind == "" && !l.Wireless }

// tunnels are the kinds of links that need another uplink below them, and seem to
// work when that is dead.
var tunnels = []string{"erspan", "geneve", "gre", "gretap", "ip6erspan", "ip6gre", "ip6gretap", "ip6tnl", "ipip", "sit", "tun", "vti", "vti6", "vxlan", "wireguard", "xfrm"}

// Tunnel reports whether the link needs another uplink below it.
func (l Link) Tunnel() bool { return slices.Contains(tunnels, l.Kind) }

// HasDefaultRoute reports whether a default route leads through the link.
func (s *Snapshot) HasDefaultRoute(index int) bool {
	return slices.ContainsFunc(s.Routes, func(r Route) bool { return r.Index == index && r.Default() })
}
