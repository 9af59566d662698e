package state

import "net/netip"

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
