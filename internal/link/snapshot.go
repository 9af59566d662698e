// Package link is the interface manager core: it shows the kernel's links,
// addresses, routes and neighbours as they are (Snapshot, Monitor) and makes
// them what they should be (Spec, Plan, Apply). No other package changes them.
package link

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNotExist means that there is no link of that name, or no longer.
var ErrNotExist = errors.New("no such link")

// RouteProtocol marks the routes and addresses that we made (rtm_protocol,
// IFA_PROTO), so that they can be distinguished from those of others after a crash.
// The number is free in iproute2's etc/iproute2/rt_protos.
const RouteProtocol = 78

// protocolRouterAdvertisement marks addresses that the kernel made from router
// advertisements (IFAPROT_KERNEL_RA, linux/if_addr.h).
const protocolRouterAdvertisement = 2

// Forever is the lifetime of an address that does not expire.
const Forever = time.Duration(1<<63 - 1)

// A Snapshot is what the kernel showed at one time. It is immutable once it is
// published; whoever holds it may read it without a lock.
type Snapshot struct {
	Seq       uint64    // counts the published snapshots of one Monitor, from 1
	Taken     time.Time // when Addresses were read, whose lifetimes count from here; the rest may be newer
	Resyncs   uint64    // how often messages were lost and everything was read again
	Links     []Link    // by index
	Addresses []Address // by index, then address
	Routes    []Route   // default routes of the main table, in the kernel's order
}

// Link is a network interface.
type Link struct {
	Index        int
	Name         string           // e.g. "wlan0"
	Kind         string           // IFLA_INFO_KIND: "veth", "bridge", …; "" for hardware and loopback
	Type         uint16           // ARPHRD_…: 1 Ethernet and Wi-Fi, 772 loopback
	MAC          net.HardwareAddr // nil where the link type has none
	PermanentMAC net.HardwareAddr // nil where the hardware has none
	MTU          int              // bytes
	Flags        uint32           // IFF_…, netdevice(7)
	Up           bool             // IFF_UP: set up by the administrator
	Carrier      bool             // IFF_LOWER_UP: a cable with a peer, an association; never while not Up
	OperState    string           // RFC 2863: "up", "down", "dormant", "lower_layer_down", "testing", "not_present", "unknown"; or the kernel's number
	Master       int              // index of the bridge, bond or VRF that it is a port of, or 0
	Parent       int              // index of the link below, e.g. of a VLAN, or of a veth's peer; or 0
	Wireless     bool             // has a cfg80211 radio
}

// Loopback reports whether l is the loopback interface.
func (l Link) Loopback() bool { return l.Type == unix.ARPHRD_LOOPBACK }

// Address is an address of a link.
type Address struct {
	Index             int
	Prefix            netip.Prefix  // the address itself with its prefix length, e.g. 192.168.1.7/24
	Peer              netip.Addr    // of a point-to-point address, else zero
	Broadcast         netip.Addr    // IPv4 only, may be zero
	Label             string        // IPv4 only, e.g. "eth0:1"
	Scope             uint8         // RT_SCOPE_…: 0 global, 253 link, 254 host
	Flags             uint32        // IFA_F_…
	Protocol          uint8         // IFA_PROTO, RouteProtocol for ours; 0 before Linux 5.18
	Metric            uint32        // of the prefix route, 0 is the kernel's default
	ValidLifetime     time.Duration // left at Snapshot.Taken; Forever
	PreferredLifetime time.Duration // left at Snapshot.Taken; 0 is deprecated; Forever
}

// Tentative reports whether duplicate address detection is still running or
// has failed, so that the address cannot be used.
func (a Address) Tentative() bool {
	return a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) != 0 && a.Flags&unix.IFA_F_OPTIMISTIC == 0
}

// Route is a route of the main table through one link. A multipath route is
// shown as one Route for each of its hops.
type Route struct {
	Index       int          // outgoing link, 0 for blackhole and the like
	Destination netip.Prefix // 0.0.0.0/0 and ::/0 are default routes
	Gateway     netip.Addr   // zero: on-link
	Source      netip.Addr   // preferred source address or zero
	Metric      uint32
	Table       uint32
	Protocol    uint8  // RTPROT_…, RouteProtocol for ours
	Scope       uint8  // RT_SCOPE_…
	Type        uint8  // RTN_…: 1 unicast
	Flags       uint32 // RTNH_F_…: 1 dead, 4 onlink, 16 linkdown
	MTU         uint32 // of packets to there; 0: that of the link
}

// Default reports whether r is a default route.
func (r Route) Default() bool { return r.Destination.Bits() == 0 && r.Type == unix.RTN_UNICAST }

// Link finds a link by name.
func (s *Snapshot) Link(name string) (Link, bool) {
	for _, l := range s.Links {
		if l.Name == name {
			return l, true
		}
	}
	return Link{}, false
}

// LinkByIndex finds a link by index.
func (s *Snapshot) LinkByIndex(index int) (Link, bool) {
	for _, l := range s.Links {
		if l.Index == index {
			return l, true
		}
	}
	return Link{}, false
}

// AddressesOf returns the addresses of one link.
func (s *Snapshot) AddressesOf(index int) []Address {
	var of []Address
	for _, a := range s.Addresses {
		if a.Index == index {
			of = append(of, a)
		}
	}
	return of
}

// routesOf returns the routes through one link.
func (s *Snapshot) routesOf(index int) []Route {
	var of []Route
	for _, r := range s.Routes {
		if r.Index == index {
			of = append(of, r)
		}
	}
	return of
}

// Addressed reports whether the link has an address that others can reach: a global
// one of either family that is no link-local one and not tentative.
func (s *Snapshot) Addressed(index int) bool {
	for _, a := range s.AddressesOf(index) {
		if a.Scope == unix.RT_SCOPE_UNIVERSE && !a.Tentative() && !a.Prefix.Addr().IsLinkLocalUnicast() {
			return true
		}
	}
	return false
}

// Gateway returns the next hop of the link's best default route: the lowest
// metric, IPv4 before IPv6.
func (s *Snapshot) Gateway(index int) (netip.Addr, bool) {
	var best *Route
	for i := range s.Routes {
		r := &s.Routes[i]
		if r.Index == index && r.Default() && r.Gateway.IsValid() && (best == nil || better(r, best)) {
			best = r
		}
	}
	if best == nil {
		return netip.Addr{}, false
	}
	return best.Gateway, true
}

func better(a, b *Route) bool {
	if a4, b4 := a.Destination.Addr().Is4(), b.Destination.Addr().Is4(); a4 != b4 {
		return a4
	}
	return a.Metric < b.Metric
}
