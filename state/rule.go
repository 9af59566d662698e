package state

import "net/netip"

// Rule says which routing table a packet is looked up in. What is absent may
// be anything.
type Rule struct {
	Action            RuleAction     `json:"action"`
	Family            AddressFamily  `json:"address_family"`
	Flags             uint32         `json:"flags"` // FIB_RULE_… of linux/fib_rules.h
	TOS               uint8          `json:"tos"`
	Table             uint32         `json:"table,omitempty"` // of action "table"
	Destination       netip.Prefix   `json:"dst,omitzero"`
	Source            netip.Prefix   `json:"src,omitzero"`
	InIface           string         `json:"iif,omitempty"`  // that the packet came in by; "lo": from this machine
	OutIface          string         `json:"oif,omitempty"`  // that the socket is bound to
	Goto              *uint32        `json:"goto,omitempty"` // of action "goto": priority of the rule to go on with
	Priority          uint32         `json:"priority"`       // the lowest is asked first
	Mark              *uint32        `json:"fw_mark,omitempty"`
	MarkMask          *uint32        `json:"fw_mask,omitempty"` // bits of the mark that count
	Realm             Realm          `json:"realm,omitzero"`
	TunnelID          *uint64        `json:"tun_id,omitempty"`
	SuppressIfgroup   *uint32        `json:"suppress_ifgroup,omitempty"`    // routes through interfaces of this group do not count
	SuppressPrefixLen *uint32        `json:"suppress_prefix_len,omitempty"` // routes with a prefix as long or shorter do not count
	Protocol          *RouteProtocol `json:"protocol,omitempty"`
	IPProtocol        *IPProtocol    `json:"ip_proto,omitempty"`
	SourcePorts       *[2]uint16     `json:"src_port_range,omitempty"` // first and last
	DestinationPorts  *[2]uint16     `json:"dst_port_range,omitempty"` // first and last
	L3MDev            *bool          `json:"l3mdev,omitempty"`         // the table is that of the packet's VRF
	Invert            bool           `json:"invert"`                   // for packets of which the rest does not hold
	UIDs              *[2]uint32     `json:"uid_range,omitempty"`      // of the socket's owner, first and last
	SourcePortMask    *uint16        `json:"src_port_mask,omitempty"`  // bits of the port that count
	DestPortMask      *uint16        `json:"dst_port_mask,omitempty"`  // bits of the port that count
	DSCP              *uint8         `json:"dscp,omitempty"`           // 0 to 63, instead of tos
	DSCPMask          *uint8         `json:"dscp_mask,omitempty"`
	FlowLabel         *uint32        `json:"flowlabel,omitempty"` // IPv6
	FlowLabelMask     *uint32        `json:"flowlabel_mask,omitempty"`
}
