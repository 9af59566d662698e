package state

import "net/netip"

// Nexthop is the next hop of the routes that refer to it, or a group of next hops
// (ip-nexthop(8)).
type Nexthop struct {
	ID        uint32          `json:"id"`
	Family    AddressFamily   `json:"address_family,omitempty"` // absent in a group
	Scope     RouteScope      `json:"scope"`
	Protocol  RouteProtocol   `json:"protocol"`
	Flags     HopFlags        `json:"flags"`
	Gateway   netip.Addr      `json:"gateway,omitzero"`
	OutIface  string          `json:"oif,omitempty"` // name, or the index of an interface that is gone
	Blackhole bool            `json:"blackhole"`     // packets are dropped
	FDB       bool            `json:"fdb"`           // for the forwarding tables of VXLANs, not for routes
	Encap     EncapType       `json:"encap,omitempty"`
	Group     []NexthopMember `json:"group,omitempty"`
	GroupType *GroupType      `json:"group_type,omitempty"` // only in a group
	Resilient *ResilientGroup `json:"resilient,omitempty"`  // only in a group of this type
}

// NexthopMember is one Nexthop of a group.
type NexthopMember struct {
	ID     uint32 `json:"id"`
	Weight uint32 `json:"weight"` // 1 to 65536
}

// ResilientGroup says how a group keeps flows on the same member when its members
// change. Times are in seconds.
type ResilientGroup struct {
	Buckets         uint16  `json:"buckets"`
	IdleTimer       float64 `json:"idle_timer"`       // a bucket without a packet for this time may move
	UnbalancedTimer float64 `json:"unbalanced_timer"` // after this time any bucket may move; 0: never
	UnbalancedTime  float64 `json:"unbalanced_time"`  // for how long the buckets have not matched the weights; 0: they match
}
