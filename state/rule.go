package state

import "net/netip"

// Rule says which packets are looked up in which routing table. A condition that is
// absent matches any packet.
type Rule struct {
	Action            RuleAction     `json:"action"`
	Family            AddressFamily  `json:"address_family"`
	Flags             uint32         `json:"flags"` // FIB_RULE_… of linux/fib_rules.h
	TOS               uint8          `json:"tos"`
	Table             uint32         `json:"table,omitempty"` // only with action "table"
	Destination       netip.Prefix   `json:"dst,omitzero"`
	Source            netip.Prefix   `json:"src,omitzero"`
	InIface           string         `json:"iif,omitempty"`  // the interface that the packet came in by; "lo": from this machine
	OutIface          string         `json:"oif,omitempty"`  // the interface that the socket is bound to
	Goto              *uint32        `json:"goto,omitempty"` // only with action "goto": priority of the rule to continue with
	Priority          uint32         `json:"priority"`       // the lowest is evaluated first
	Mark              *uint32        `json:"fw_mark,omitempty"`
	MarkMask          *uint32        `json:"fw_mask,omitempty"` // the bits of the mark that are compared
	Realm             Realm          `json:"realm,omitzero"`
	TunnelID          *uint64        `json:"tun_id,omitempty"`
	SuppressIfgroup   *uint32        `json:"suppress_ifgroup,omitempty"`    // routes through interfaces of this group are ignored
	SuppressPrefixLen *uint32        `json:"suppress_prefix_len,omitempty"` // routes with a prefix of this length or shorter are ignored
	Protocol          *RouteProtocol `json:"protocol,omitempty"`
	IPProtocol        *IPProtocol    `json:"ip_proto,omitempty"`
	SourcePorts       *[2]uint16     `json:"src_port_range,omitempty"` // first and last
	DestinationPorts  *[2]uint16     `json:"dst_port_range,omitempty"` // first and last
	L3MDev            *bool          `json:"l3mdev,omitempty"`         // the table of the packet's VRF is used
	Invert            bool           `json:"invert"`                   // the rule applies to packets that do not match its conditions
	UIDs              *[2]uint32     `json:"uid_range,omitempty"`      // the socket's owner, first and last
	SourcePortMask    *uint16        `json:"src_port_mask,omitempty"`  // the bits of the port that are compared
	DestPortMask      *uint16        `json:"dst_port_mask,omitempty"`  // the bits of the port that are compared
	DSCP              *uint8         `json:"dscp,omitempty"`           // 0 to 63, in place of tos
	DSCPMask          *uint8         `json:"dscp_mask,omitempty"`
	FlowLabel         *uint32        `json:"flowlabel,omitempty"` // IPv6
	FlowLabelMask     *uint32        `json:"flowlabel_mask,omitempty"`
}
