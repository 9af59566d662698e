package rtnl

import (
	"net/netip"
	"slices"

	"github.com/netconnectd/netconnectd/state"
)

// GRE is the data of the kinds "gre", "gretap", "erspan" over IPv4 and
// "ip6gre", "ip6gretap", "ip6erspan" over IPv6.
type GRE struct {
	state.GRE
	Parent *uint32 // index of the link that carries the tunnel; 0: any
}

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

// greRows returns the rows of all kinds over an IP with addresses of so many bytes.
func greRows(size int) table[*GRE] {
	return slices.Concat(table[*GRE]{
		optional(attributeGRELink, "IFLA_GRE_LINK", func(g *GRE) **uint32 { return &g.Parent }),
		namedBigEndian[uint16](attributeGREIFlags, "IFLA_GRE_IFLAGS", func(g *GRE) **state.GREFlags { return &g.InFlags }),
		namedBigEndian[uint16](attributeGREOFlags, "IFLA_GRE_OFLAGS", func(g *GRE) **state.GREFlags { return &g.OutFlags }),
		bigEndian(attributeGREIKey, "IFLA_GRE_IKEY", func(g *GRE) **uint32 { return &g.InKey }),
		bigEndian(attributeGREOKey, "IFLA_GRE_OKEY", func(g *GRE) **uint32 { return &g.OutKey }),
		sized(size, address(attributeGRELocal, "IFLA_GRE_LOCAL", func(g *GRE) *netip.Addr { return &g.Local })),
		sized(size, address(attributeGRERemote, "IFLA_GRE_REMOTE", func(g *GRE) *netip.Addr { return &g.Remote })),
		optional(attributeGRETTL, "IFLA_GRE_TTL", func(g *GRE) **uint8 { return &g.TTL }),
		optional(attributeGRETOS, "IFLA_GRE_TOS", func(g *GRE) **uint8 { return &g.TOS }),
		flag(attributeGREPMTUDisc, "IFLA_GRE_PMTUDISC", func(g *GRE) **bool { return &g.PMTUDiscovery }),
		optional(attributeGREEncapLimit, "IFLA_GRE_ENCAP_LIMIT", func(g *GRE) **uint8 { return &g.EncapLimit }),
		bigEndian(attributeGREFlowInfo, "IFLA_GRE_FLOWINFO", func(g *GRE) **uint32 { return &g.FlowInfo }),
		besides(capabilities, named[uint32](attributeGREFlags, "IFLA_GRE_FLAGS", func(g *GRE) **state.IP6TunnelFlags { return &g.Flags })),
		recreate(present(attributeGRECollectMetadata, "IFLA_GRE_COLLECT_METADATA", func(g *GRE) *bool { return &g.CollectMetadata })),
		flag(attributeGREIgnoreDF, "IFLA_GRE_IGNORE_DF", func(g *GRE) **bool { return &g.IgnoreDF }),
		optional(attributeGREFwMark, "IFLA_GRE_FWMARK", func(g *GRE) **uint32 { return &g.FirewallMark }),
		optional(attributeGREERSPANIndex, "IFLA_GRE_ERSPAN_INDEX", func(g *GRE) **uint32 { return &g.ERSPANIndex }),
		optional(attributeGREERSPANVersion, "IFLA_GRE_ERSPAN_VER", func(g *GRE) **uint8 { return &g.ERSPANVersion }),
		named[uint8](attributeGREERSPANDirection, "IFLA_GRE_ERSPAN_DIR", func(g *GRE) **state.ERSPANDirection { return &g.ERSPANDirection }),
		optional(attributeGREERSPANHardware, "IFLA_GRE_ERSPAN_HWID", func(g *GRE) **uint16 { return &g.ERSPANHardware }),
	}, encapRows(attributeGREEncapType, "IFLA_GRE_", func(g *GRE) *state.TunnelEncap { return &g.TunnelEncap }))
}

// What the kernel ignores of GRE over IPv4, over IPv6, and without ERSPAN.
var (
	notOfGRE4   = []string{"IFLA_GRE_ENCAP_LIMIT", "IFLA_GRE_FLOWINFO", "IFLA_GRE_FLAGS"}
	notOfGRE6   = []string{"IFLA_GRE_TOS", "IFLA_GRE_PMTUDISC", "IFLA_GRE_IGNORE_DF"}
	onlyERSPAN  = []string{"IFLA_GRE_ERSPAN_INDEX", "IFLA_GRE_ERSPAN_VER", "IFLA_GRE_ERSPAN_DIR", "IFLA_GRE_ERSPAN_HWID"}
	erspanTable = unsupported(greRows(4), notOfGRE4...)
	greTable    = unsupported(erspanTable, onlyERSPAN...)

	ip6erspanTable = unsupported(greRows(16), notOfGRE6...)
	ip6greTable    = unsupported(ip6erspanTable, onlyERSPAN...)
)

// grePair: see remotePair.
func grePair(have, want *GRE) Class { return remotePair(have.Remote, want.Remote) }
