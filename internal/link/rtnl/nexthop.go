package rtnl

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Attributes of linux/nexthop.h since 5.13.
const (
	attributeNHAFDB      = 11
	attributeNHAResGroup = 12
)

// Nexthop is an RTM_NEWNEXTHOP, RTM_DELNEXTHOP or RTM_GETNEXTHOP message
// (struct nhmsg): a next hop, or a group of them, that routes name by its ID.
type Nexthop struct {
	Family    uint8 // AF_INET, AF_INET6; AF_UNSPEC of a group
	Scope     uint8 // RT_SCOPE_…
	Protocol  uint8 // RTPROT_…
	Flags     uint32
	ID        uint32
	OutIndex  uint32
	Gateway   netip.Addr
	EncapType *uint16 // LWTUNNEL_ENCAP_…, linux/lwtunnel.h
	Blackhole bool
	FDB       bool // for forwarding entries of a VXLAN, not for routes
	Group     []NexthopMember
	GroupType *uint16 // NEXTHOP_GRP_TYPE_…
	Resilient *ResilientGroup
	Groups    bool    // request: only groups
	Master    *uint32 // request: only those through ports of this link
}

// NexthopMember is one of a group (struct nexthop_grp).
type NexthopMember struct {
	ID     uint32
	Weight uint16 // minus 1
}

// ResilientGroup is what a group has that keeps flows where they are when its
// members change. Times are in 1/100 s (USER_HZ).
type ResilientGroup struct {
	Buckets         uint16
	IdleTimer       uint32
	UnbalancedTimer uint32
	UnbalancedTime  uint64 // since the buckets do not match the weights
}

const (
	nexthopHeaderSize = unix.SizeofNhmsg
	nexthopMemberSize = 8
)

var nexthopTable = table[*Nexthop]{
	number(unix.NHA_ID, "NHA_ID", func(n *Nexthop) *uint32 { return &n.ID }),
	{number: unix.NHA_GROUP, name: "NHA_GROUP", decode: decodeMembers, encode: encodeMembers},
	optional(unix.NHA_GROUP_TYPE, "NHA_GROUP_TYPE", func(n *Nexthop) **uint16 { return &n.GroupType }),
	optionalNested(attributeNHAResGroup, "NHA_RES_GROUP", resilientTable, func(n *Nexthop) **ResilientGroup { return &n.Resilient }),
	present(unix.NHA_BLACKHOLE, "NHA_BLACKHOLE", func(n *Nexthop) *bool { return &n.Blackhole }),
	number(unix.NHA_OIF, "NHA_OIF", func(n *Nexthop) *uint32 { return &n.OutIndex }),
	address(unix.NHA_GATEWAY, "NHA_GATEWAY", func(n *Nexthop) *netip.Addr { return &n.Gateway }),
	optional(unix.NHA_ENCAP_TYPE, "NHA_ENCAP_TYPE", func(n *Nexthop) **uint16 { return &n.EncapType }),
	present(attributeNHAFDB, "NHA_FDB", func(n *Nexthop) *bool { return &n.FDB }),
	present(unix.NHA_GROUPS, "NHA_GROUPS", func(n *Nexthop) *bool { return &n.Groups }),
	optional(unix.NHA_MASTER, "NHA_MASTER", func(n *Nexthop) **uint32 { return &n.Master }),
}

// NHA_RES_GROUP_…, linux/nexthop.h.
var resilientTable = table[*ResilientGroup]{
	number(1, "NHA_RES_GROUP_BUCKETS", func(r *ResilientGroup) *uint16 { return &r.Buckets }),
	number(2, "NHA_RES_GROUP_IDLE_TIMER", func(r *ResilientGroup) *uint32 { return &r.IdleTimer }),
	number(3, "NHA_RES_GROUP_UNBALANCED_TIMER", func(r *ResilientGroup) *uint32 { return &r.UnbalancedTimer }),
	number(4, "NHA_RES_GROUP_UNBALANCED_TIME", func(r *ResilientGroup) *uint64 { return &r.UnbalancedTime }),
}

func decodeMembers(n *Nexthop, b []byte) error {
	if len(b) == 0 || len(b)%nexthopMemberSize != 0 {
		return fmt.Errorf("%d bytes are no members of %d each", len(b), nexthopMemberSize)
	}
	n.Group = make([]NexthopMember, 0, len(b)/nexthopMemberSize)
	for ; len(b) > 0; b = b[nexthopMemberSize:] {
		// The weight's high bits stand apart since 6.12; before they are 0.
		weight := uint16(b[4]) | uint16(b[5])<<8
		n.Group = append(n.Group, NexthopMember{ID: binary.NativeEndian.Uint32(b), Weight: weight})
	}
	return nil
}

func encodeMembers(n *Nexthop) ([]byte, error) {
	var b []byte
	for _, member := range n.Group {
		b = binary.NativeEndian.AppendUint32(b, member.ID)
		b = append(b, uint8(member.Weight), uint8(member.Weight>>8), 0, 0)
	}
	return b, nil
}

// NexthopKey identifies one nexthop object.
type NexthopKey struct{ id uint32 }

// Key identifies the nexthop object.
func (n *Nexthop) Key() NexthopKey { return NexthopKey{n.ID} }

// UnmarshalBinary reads the payload of a message.
func (n *Nexthop) UnmarshalBinary(b []byte) error {
	*n = Nexthop{}
	err := decodeMessage(nexthopTable, n, b, nexthopHeaderSize, func(h []byte) {
		n.Family, n.Scope, n.Protocol = h[0], h[1], h[2]
		n.Flags = binary.NativeEndian.Uint32(h[4:])
	})
	if err != nil {
		return fmt.Errorf("read nexthop message: %w", err)
	}
	return nil
}

// MarshalBinary writes the payload of a message.
func (n *Nexthop) MarshalBinary() ([]byte, error) {
	h := make([]byte, nexthopHeaderSize)
	h[0], h[1], h[2] = n.Family, n.Scope, n.Protocol
	binary.NativeEndian.PutUint32(h[4:], n.Flags)
	b, err := encodeMessage(nexthopTable, n, h)
	if err != nil {
		return nil, fmt.Errorf("write nexthop message: %w", err)
	}
	return b, nil
}
