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
// one, also before it has a route, and whatever else has a default route (a bond,
// a bridge, a VLAN, a modem). So a container's veth or bridge does not.
func (s *Snapshot) leadsOut(l Link) bool {
	switch {
	case l.Loopback() || l.Tunnel():
		return false
	case s.HasDefaultRoute(l.Index):
		return true
	}
	return l.Type == unix.ARPHRD_ETHER && l.Kind == "" && !l.Wireless && l.Master == 0
}

// tunnels are the kinds of links that need another uplink below them, and seem to
// work when that is dead.
var tunnels = []string{"erspan", "geneve", "gre", "gretap", "ip6erspan", "ip6gre", "ip6gretap", "ip6tnl", "ipip", "sit", "tun", "vti", "vti6", "vxlan", "wireguard", "xfrm"}

// Tunnel reports whether the link needs another uplink below it.
func (l Link) Tunnel() bool { return slices.Contains(tunnels, l.Kind) }

// HasDefaultRoute reports whether a default route leads through the link.
func (s *Snapshot) HasDefaultRoute(index int) bool {
	return slices.ContainsFunc(s.Routes, func(r Route) bool { return r.Index == index && r.Default() })
}
