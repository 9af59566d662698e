package state

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// GroupType is "mpath" or "resilient", or the kernel's number,
// NEXTHOP_GRP_TYPE_… of linux/nexthop.h.
type GroupType = rtnl.GroupType

// Nexthop is where routes lead that name it, or a group of such (ip-nexthop(8)).
type Nexthop struct {
	ID        uint32          `json:"id"`
	Family    AddressFamily   `json:"address_family,omitempty"` // absent: of a group
	Scope     RouteScope      `json:"scope"`
	Protocol  RouteProtocol   `json:"protocol"`
	Flags     HopFlags        `json:"flags"`
	Gateway   netip.Addr      `json:"gateway,omitzero"`
	OutIface  string          `json:"oif,omitempty"` // name, or the index of one that is gone
	Blackhole bool            `json:"blackhole"`     // drops what comes
	FDB       bool            `json:"fdb"`           // for forwarding tables of VXLANs, not for routes
	Encap     EncapType       `json:"encap,omitempty"`
	Group     []NexthopMember `json:"group,omitempty"`
	GroupType *GroupType      `json:"group_type,omitempty"` // of a group
	Resilient *ResilientGroup `json:"resilient,omitempty"`  // of a group of this type
}

// NexthopMember is one Nexthop of a group.
type NexthopMember struct {
	ID     uint32 `json:"id"`
	Weight uint32 `json:"weight"` // 1 to 65536
}

// ResilientGroup is how a group keeps flows where they are when its members
// change. Times are in seconds.
type ResilientGroup struct {
	Buckets         uint16  `json:"buckets"`
	IdleTimer       float64 `json:"idle_timer"`       // a bucket without a packet for so long may move
	UnbalancedTimer float64 `json:"unbalanced_timer"` // after so long any bucket may move; 0: none
	UnbalancedTime  float64 `json:"unbalanced_time"`  // since the buckets do not match the weights; 0: they do
}

func newNexthop(n *rtnl.Nexthop, names func(index uint32) string) Nexthop {
	out := Nexthop{
		ID: n.ID, Scope: RouteScope(n.Scope), Protocol: RouteProtocol(n.Protocol), Flags: HopFlags(n.Flags),
		Gateway: n.Gateway, OutIface: names(n.OutIndex), Blackhole: n.Blackhole, FDB: n.FDB,
	}
	if n.Family != unix.AF_UNSPEC {
		out.Family = newFamily(n.Family)
	}
	if n.EncapType != nil {
		out.Encap = EncapType(*n.EncapType)
	}
	for _, member := range n.Group {
		out.Group = append(out.Group, NexthopMember{ID: member.ID, Weight: uint32(member.Weight) + 1})
	}
	if n.GroupType != nil {
		out.GroupType = new(GroupType(*n.GroupType))
	}
	if r := n.Resilient; r != nil {
		out.Resilient = &ResilientGroup{
			Buckets:         r.Buckets,
			IdleTimer:       float64(r.IdleTimer) / userHZ,
			UnbalancedTimer: float64(r.UnbalancedTimer) / userHZ,
			UnbalancedTime:  float64(r.UnbalancedTime) / userHZ,
		}
	}
	return out
}
