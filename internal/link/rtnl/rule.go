package rtnl

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Attributes of linux/fib_rules.h since 6.13, 6.14 and 6.15.
const (
	attributeFRADSCP          = 25
	attributeFRAFlowLabel     = 26
	attributeFRAFlowLabelMask = 27
	attributeFRASportMask     = 28
	attributeFRADportMask     = 29
	attributeFRADSCPMask      = 30
)

// NoSuppression is the value of Rule's SuppressPrefixLength and
// SuppressInterfaceGroup that suppresses nothing.
const NoSuppression = 1<<32 - 1

// Rule is an RTM_NEWRULE, RTM_DELRULE or RTM_GETRULE message (struct
// fib_rule_hdr): what must hold of a packet, and what is then done.
type Rule struct {
	Family            uint8 // AF_INET, AF_INET6
	DestinationLength uint8
	SourceLength      uint8
	TOS               uint8
	Action            uint8  // FR_ACT_…
	Flags             uint32 // FIB_RULE_…
	Table             uint32 // FR_ACT_TO_TBL: where to look; 0: none
	Priority          uint32 // rules are asked in this order
	Goto              uint32 // FR_ACT_GOTO: priority of the rule to go on with

	Destination netip.Addr // with DestinationLength
	Source      netip.Addr // with SourceLength
	InName      string     // interface that the packet came in by; "lo": from this machine
	OutName     string     // interface that the socket is bound to
	Mark        *uint32    // of the packet, under MarkMask
	MarkMask    *uint32
	Realm       uint32  // for tc-route(8): the source's << 16 | the destination's
	TunnelID    *uint64 // of the tunnel that the packet came by
	L3MDev      *bool   // the table is that of the packet's VRF
	Protocol    *uint8  // who made it: RTPROT_…
	IPProtocol  uint8   // IPPROTO_…, 0: any
	UIDs        *IDs    // of the socket's owner
	SourcePorts *Ports  // of TCP, UDP and the like
	DestPorts   *Ports
	SourceMask  *uint16 // of SourcePorts when that is one port
	DestMask    *uint16 // of DestPorts when that is one port
	DSCP        *uint8  // 0 to 63, instead of TOS
	DSCPMask    *uint8
	FlowLabel   *uint32 // IPv6, 20 bits
	FlowMask    *uint32

	// Routes with a shorter prefix than this, or with that, do not count.
	SuppressPrefixLength *uint32
	// Routes through interfaces of this group do not count.
	SuppressInterfaceGroup *uint32
}

// IDs are user IDs from the first to the last (struct fib_rule_uid_range).
type IDs struct{ First, Last uint32 }

// Ports are ports from the first to the last (struct fib_rule_port_range).
type Ports struct{ First, Last uint16 }

const ruleHeaderSize = 12

var ruleTable = table[*Rule]{
	number(unix.FRA_TABLE, "FRA_TABLE", func(r *Rule) *uint32 { return &r.Table }),
	optional(unix.FRA_SUPPRESS_PREFIXLEN, "FRA_SUPPRESS_PREFIXLEN", func(r *Rule) **uint32 { return &r.SuppressPrefixLength }),
	optional(unix.FRA_PROTOCOL, "FRA_PROTOCOL", func(r *Rule) **uint8 { return &r.Protocol }),
	text(unix.FRA_IIFNAME, "FRA_IIFNAME", func(r *Rule) *string { return &r.InName }),
	text(unix.FRA_OIFNAME, "FRA_OIFNAME", func(r *Rule) *string { return &r.OutName }),
	number(unix.FRA_PRIORITY, "FRA_PRIORITY", func(r *Rule) *uint32 { return &r.Priority }),
	optional(unix.FRA_FWMARK, "FRA_FWMARK", func(r *Rule) **uint32 { return &r.Mark }),
	optional(unix.FRA_FWMASK, "FRA_FWMASK", func(r *Rule) **uint32 { return &r.MarkMask }),
	number(unix.FRA_GOTO, "FRA_GOTO", func(r *Rule) *uint32 { return &r.Goto }),
	flag(unix.FRA_L3MDEV, "FRA_L3MDEV", func(r *Rule) **bool { return &r.L3MDev }),
	bigEndian(unix.FRA_TUN_ID, "FRA_TUN_ID", func(r *Rule) **uint64 { return &r.TunnelID }),
	structure(unix.FRA_UID_RANGE, "FRA_UID_RANGE", binary.NativeEndian, func(r *Rule) **IDs { return &r.UIDs }),
	number(unix.FRA_IP_PROTO, "FRA_IP_PROTO", func(r *Rule) *uint8 { return &r.IPProtocol }),
	structure(unix.FRA_SPORT_RANGE, "FRA_SPORT_RANGE", binary.NativeEndian, func(r *Rule) **Ports { return &r.SourcePorts }),
	optional(attributeFRASportMask, "FRA_SPORT_MASK", func(r *Rule) **uint16 { return &r.SourceMask }),
	structure(unix.FRA_DPORT_RANGE, "FRA_DPORT_RANGE", binary.NativeEndian, func(r *Rule) **Ports { return &r.DestPorts }),
	optional(attributeFRADportMask, "FRA_DPORT_MASK", func(r *Rule) **uint16 { return &r.DestMask }),
	optional(unix.FRA_SUPPRESS_IFGROUP, "FRA_SUPPRESS_IFGROUP", func(r *Rule) **uint32 { return &r.SuppressInterfaceGroup }),
	address(unix.FRA_DST, "FRA_DST", func(r *Rule) *netip.Addr { return &r.Destination }),
	address(unix.FRA_SRC, "FRA_SRC", func(r *Rule) *netip.Addr { return &r.Source }),
	number(unix.FRA_FLOW, "FRA_FLOW", func(r *Rule) *uint32 { return &r.Realm }),
	optional(attributeFRADSCP, "FRA_DSCP", func(r *Rule) **uint8 { return &r.DSCP }),
	optional(attributeFRADSCPMask, "FRA_DSCP_MASK", func(r *Rule) **uint8 { return &r.DSCPMask }),
	bigEndian(attributeFRAFlowLabel, "FRA_FLOWLABEL", func(r *Rule) **uint32 { return &r.FlowLabel }),
	bigEndian(attributeFRAFlowLabelMask, "FRA_FLOWLABEL_MASK", func(r *Rule) **uint32 { return &r.FlowMask }),
}

// RuleKey identifies one rule. There may be several rules of one key: the
// kernel refuses the second only who asks it to (NLM_F_EXCL).
type RuleKey struct{ message string }

// Key identifies the rule: all of it but the flags that show what the kernel
// found of what it names.
func (r *Rule) Key() RuleKey {
	same := *r
	same.Flags &= unix.FIB_RULE_INVERT | unix.FIB_RULE_PERMANENT | unix.FIB_RULE_FIND_SADDR
	b, _ := same.MarshalBinary() // what was read can be written
	return RuleKey{string(b)}
}

// Essence identifies what a rule does, however it was written: the kernel shows what a request
// leaves out, and does not show some of what has no effect. Without priority it is the same
// for rules that differ in their priorities only.
func (r *Rule) Essence(priority bool) RuleKey {
	same := *r
	same.Flags &= unix.FIB_RULE_INVERT
	if !priority {
		same.Priority = 0
	}
	if same.SuppressPrefixLength == nil {
		same.SuppressPrefixLength = new(uint32(NoSuppression))
	}
	if orZero(same.SuppressInterfaceGroup) == NoSuppression {
		same.SuppressInterfaceGroup = nil
	}
	switch {
	case orZero(same.Mark) != 0 && same.MarkMask == nil:
		same.MarkMask = new(uint32(1<<32 - 1))
	case orZero(same.MarkMask) != 0 && same.Mark == nil:
		same.Mark = new(uint32(0))
	case orZero(same.Mark) == 0 && orZero(same.MarkMask) == 0:
		same.Mark, same.MarkMask = nil, nil
	}
	same.SourceMask = unlessFull(same.SourceMask, 1<<16-1)
	same.DestMask = unlessFull(same.DestMask, 1<<16-1)
	same.DSCPMask = unlessFull(same.DSCPMask, 1<<6-1)
	same.FlowMask = unlessFull(same.FlowMask, 1<<20-1)
	if same.L3MDev != nil && !*same.L3MDev {
		same.L3MDev = nil
	}
	if same.TunnelID != nil && *same.TunnelID == 0 {
		same.TunnelID = nil
	}
	b, _ := same.MarshalBinary() // a rule that cannot be written is refused when it is
	return RuleKey{string(b)}
}

// unlessFull is nil for a mask of all bits, which newer kernels show and older ones do
// not have.
func unlessFull[N integer](mask *N, full N) *N {
	if orZero(mask) == full {
		return nil
	}
	return mask
}

// UnmarshalBinary reads the payload of a message.
func (r *Rule) UnmarshalBinary(b []byte) error {
	*r = Rule{}
	err := decodeMessage(ruleTable, r, b, ruleHeaderSize, func(h []byte) {
		r.Family, r.DestinationLength, r.SourceLength, r.TOS = h[0], h[1], h[2], h[3]
		r.Table = uint32(h[4])
		r.Action = h[7]
		r.Flags = binary.NativeEndian.Uint32(h[8:])
	})
	if err != nil {
		return fmt.Errorf("read rule message: %w", err)
	}
	return nil
}

// MarshalBinary writes the payload of a message.
func (r *Rule) MarshalBinary() ([]byte, error) {
	h := make([]byte, ruleHeaderSize)
	h[0], h[1], h[2], h[3] = r.Family, r.DestinationLength, r.SourceLength, r.TOS
	h[4] = tableCompat
	if r.Table < 1<<8 {
		h[4] = uint8(r.Table)
	}
	h[7] = r.Action
	binary.NativeEndian.PutUint32(h[8:], r.Flags)
	b, err := encodeMessage(ruleTable, r, h)
	if err != nil {
		return nil, fmt.Errorf("write rule message: %w", err)
	}
	return b, nil
}
