package rtnl

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// GRE is the data of the kinds "gre", "gretap", "erspan" over IPv4 and
// "ip6gre", "ip6gretap", "ip6erspan" over IPv6.
type GRE struct {
	Parent        uint32               `json:"-"` // index of the link that carries the tunnel
	Local         netip.Addr           `json:"local,omitzero"`
	Remote        netip.Addr           `json:"remote,omitzero"`
	InFlags       *Bits[greBits]       `json:"iflags,omitempty"`
	OutFlags      *Bits[greBits]       `json:"oflags,omitempty"`
	InKey         *uint32              `json:"ikey,omitempty"`
	OutKey        *uint32              `json:"okey,omitempty"`
	TTL           *uint8               `json:"ttl,omitempty"` // 0: inherited
	TOS           *uint8               `json:"tos,omitempty"` // 1: inherited
	PMTUDiscovery *bool                `json:"pmtudisc,omitempty"`
	EncapLimit    *uint8               `json:"encap_limit,omitempty"` // RFC 2473 §4.1.1
	FlowInfo      *uint32              `json:"flowinfo,omitempty"`    // traffic class and flow label, RFC 8200 §3
	Flags         *Bits[ip6TunnelBits] `json:"flags,omitempty"`
	TunnelEncap
	CollectMetadata bool            `json:"collect_metadata,omitempty"`
	IgnoreDF        *bool           `json:"ignore_df,omitempty"`
	FirewallMark    *uint32         `json:"fwmark,omitempty"`
	ERSPANIndex     *uint32         `json:"erspan_index,omitempty"`
	ERSPANVersion   *uint8          `json:"erspan_ver,omitempty"`
	ERSPANDirection *Named[erspans] `json:"erspan_dir,omitempty"`
	ERSPANHardware  *uint16         `json:"erspan_hwid,omitempty"`
}

// GRE_CSUM and so on, linux/if_tunnel.h, in host byte order.
type greBits struct{}

func (greBits) names() []string {
	return []string{7: "ack", 11: "strict", 12: "seq", 13: "key", 14: "routing", 15: "csum"}
}

// Direction of what ERSPAN mirrors (IFLA_GRE_ERSPAN_DIR, linux/if_tunnel.h).
type erspans struct{}

func (erspans) names() []string { return []string{"ingress", "egress"} }

// IFLA_GRE_…, linux/if_tunnel.h.
const (
	attributeGRELink = iota + 1
	attributeGREIFlags
	attributeGREOFlags
	attributeGREIKey
	attributeGREOKey
	attributeGRELocal
	attributeGRERemote
	attributeGRETTL
	attributeGRETOS
	attributeGREPMTUDisc
	attributeGREEncapLimit
	attributeGREFlowInfo
	attributeGREFlags
	attributeGREEncapType
	_ // IFLA_GRE_ENCAP_FLAGS
	_ // IFLA_GRE_ENCAP_SPORT
	_ // IFLA_GRE_ENCAP_DPORT
	attributeGRECollectMetadata
	attributeGREIgnoreDF
	attributeGREFwMark
	attributeGREERSPANIndex
	attributeGREERSPANVersion
	attributeGREERSPANDirection
	attributeGREERSPANHardware
)

var greTable = slices.Concat(table[GRE]{
	number(attributeGRELink, "IFLA_GRE_LINK", func(g *GRE) *uint32 { return &g.Parent }),
	orderedBits[uint16](binary.BigEndian, attributeGREIFlags, "IFLA_GRE_IFLAGS", func(g *GRE) **Bits[greBits] { return &g.InFlags }),
	orderedBits[uint16](binary.BigEndian, attributeGREOFlags, "IFLA_GRE_OFLAGS", func(g *GRE) **Bits[greBits] { return &g.OutFlags }),
	bigEndian(attributeGREIKey, "IFLA_GRE_IKEY", func(g *GRE) **uint32 { return &g.InKey }),
	bigEndian(attributeGREOKey, "IFLA_GRE_OKEY", func(g *GRE) **uint32 { return &g.OutKey }),
	address(attributeGRELocal, "IFLA_GRE_LOCAL", func(g *GRE) *netip.Addr { return &g.Local }),
	address(attributeGRERemote, "IFLA_GRE_REMOTE", func(g *GRE) *netip.Addr { return &g.Remote }),
	optional(attributeGRETTL, "IFLA_GRE_TTL", func(g *GRE) **uint8 { return &g.TTL }),
	optional(attributeGRETOS, "IFLA_GRE_TOS", func(g *GRE) **uint8 { return &g.TOS }),
	flag(attributeGREPMTUDisc, "IFLA_GRE_PMTUDISC", func(g *GRE) **bool { return &g.PMTUDiscovery }),
	optional(attributeGREEncapLimit, "IFLA_GRE_ENCAP_LIMIT", func(g *GRE) **uint8 { return &g.EncapLimit }),
	bigEndian(attributeGREFlowInfo, "IFLA_GRE_FLOWINFO", func(g *GRE) **uint32 { return &g.FlowInfo }),
	bits[uint32](attributeGREFlags, "IFLA_GRE_FLAGS", func(g *GRE) **Bits[ip6TunnelBits] { return &g.Flags }),
	present(attributeGRECollectMetadata, "IFLA_GRE_COLLECT_METADATA", func(g *GRE) *bool { return &g.CollectMetadata }),
	flag(attributeGREIgnoreDF, "IFLA_GRE_IGNORE_DF", func(g *GRE) **bool { return &g.IgnoreDF }),
	optional(attributeGREFwMark, "IFLA_GRE_FWMARK", func(g *GRE) **uint32 { return &g.FirewallMark }),
	optional(attributeGREERSPANIndex, "IFLA_GRE_ERSPAN_INDEX", func(g *GRE) **uint32 { return &g.ERSPANIndex }),
	optional(attributeGREERSPANVersion, "IFLA_GRE_ERSPAN_VER", func(g *GRE) **uint8 { return &g.ERSPANVersion }),
	named[uint8](attributeGREERSPANDirection, "IFLA_GRE_ERSPAN_DIR", func(g *GRE) **Named[erspans] { return &g.ERSPANDirection }),
	optional(attributeGREERSPANHardware, "IFLA_GRE_ERSPAN_HWID", func(g *GRE) **uint16 { return &g.ERSPANHardware }),
}, encapRows(attributeGREEncapType, "IFLA_GRE_", func(g *GRE) *TunnelEncap { return &g.TunnelEncap }))
