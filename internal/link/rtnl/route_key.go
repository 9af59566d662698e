package rtnl

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// compareMask is the flags of a next hop that show its state rather than which
// one it is (RTNH_COMPARE_MASK, linux/rtnetlink.h).
const compareMask = unix.RTNH_F_DEAD | unix.RTNH_F_LINKDOWN | unix.RTNH_F_OFFLOAD | unix.RTNH_F_TRAP

// RouteKey identifies one route: the kernel has no two routes of the same
// key, but for those that differ only in what their encapsulation does.
type RouteKey struct {
	family, destinationLength, sourceLength, tos uint8
	protocol, scope, kind, flags                 uint8 // IPv4
	table, metric, outIndex, nexthop, realm      uint32
	destination, gateway, preferred              [16]byte
	rest                                         string // what few have: source, metrics, hops
}

// Key identifies the route. In IPv4 that is all but the state of the hops,
// since routes can be appended to one that differs in anything; in IPv6 it is
// the destination, the source, the metric and the hops. Where a nexthop object
// leads to is not the route's.
func (r *Route) Key() RouteKey {
	k := RouteKey{
		family: r.Family, destinationLength: r.DestinationLength, sourceLength: r.SourceLength,
		table: r.Table, metric: r.Metric, nexthop: r.NexthopID,
		destination: r.Destination.As16(),
	}
	if r.NexthopID == 0 {
		k.outIndex = r.OutIndex
		k.gateway = gatewayOf(r.Gateway, r.Via).As16()
	}
	if r.Family == unix.AF_INET {
		k.tos, k.protocol, k.scope, k.kind = r.TOS, r.Protocol, r.Scope, r.Type
		k.realm, k.preferred = r.Realm, r.PreferredSource.As16()
		if r.NexthopID == 0 {
			k.flags = uint8(r.Flags &^ compareMask)
		}
	}
	if r.Details != nil || r.Hops != nil {
		k.rest = r.rest()
	}
	return k
}

// rest returns the rare parts of a key as they stand in a message.
func (r *Route) rest() string {
	part := Route{}
	if d := r.Details; d != nil {
		part.Details = &RouteDetails{Source: d.Source}
		if r.Family == unix.AF_INET {
			part.Details.Metrics, part.Details.EncapType = d.Metrics, d.EncapType
		}
	}
	if r.NexthopID == 0 {
		part.Hops = append(part.Hops, r.Hops...)
		for i := range part.Hops {
			part.Hops[i].Flags &^= compareMask
		}
	}
	b, _ := routeTable.encode(&part) // what was read can be written
	return string(b)
}

func gatewayOf(gateway, via netip.Addr) netip.Addr {
	if via.IsValid() {
		return via
	}
	return gateway
}
