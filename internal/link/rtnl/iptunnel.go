package rtnl

import (
	"net/netip"
	"slices"

	"github.com/netconnectd/netconnectd/state"
)

// IPTunnel is the data of the kinds "ipip" and "sit".
type IPTunnel struct {
	state.IPTunnel
	Parent *uint32 // index of the link that carries the tunnel; 0: any
}

// IP6Tunnel is the data of kind "ip6tnl".
type IP6Tunnel struct {
	state.IP6Tunnel
	Parent *uint32 // index of the link that carries the tunnel; 0: any
}

// IFLA_IPTUN_…, linux/if_tunnel.h.
const (
	attributeIPTunLink = iota + 1
	attributeIPTunLocal
	attributeIPTunRemote
	attributeIPTunTTL
	attributeIPTunTOS
	attributeIPTunEncapLimit
	attributeIPTunFlowInfo
	attributeIPTunFlags // 16 bits for sit, 32 for ip6tnl
	attributeIPTunProto
	attributeIPTunPMTUDisc
	attributeIPTun6RDPrefix
	attributeIPTun6RDRelayPrefix
	attributeIPTun6RDPrefixLen
	attributeIPTun6RDRelayPrefixLen
	attributeIPTunEncapType
	_ // IFLA_IPTUN_ENCAP_FLAGS
	_ // IFLA_IPTUN_ENCAP_SPORT
	_ // IFLA_IPTUN_ENCAP_DPORT
	attributeIPTunCollectMetadata
	attributeIPTunFwMark
)

// ipTunnelRows are the rows of both kinds.
var ipTunnelRows = slices.Concat(table[*IPTunnel]{
	optional(attributeIPTunLink, "IFLA_IPTUN_LINK", func(t *IPTunnel) **uint32 { return &t.Parent }),
	sized(4, address(attributeIPTunLocal, "IFLA_IPTUN_LOCAL", func(t *IPTunnel) *netip.Addr { return &t.Local })),
	sized(4, address(attributeIPTunRemote, "IFLA_IPTUN_REMOTE", func(t *IPTunnel) *netip.Addr { return &t.Remote })),
	optional(attributeIPTunTTL, "IFLA_IPTUN_TTL", func(t *IPTunnel) **uint8 { return &t.TTL }),
	optional(attributeIPTunTOS, "IFLA_IPTUN_TOS", func(t *IPTunnel) **uint8 { return &t.TOS }),
	recreate(named[uint16](attributeIPTunFlags, "IFLA_IPTUN_FLAGS", func(t *IPTunnel) **state.SITFlags { return &t.Flags })),
	recreate(named[uint8](attributeIPTunProto, "IFLA_IPTUN_PROTO", func(t *IPTunnel) **state.TunnelProtocol { return &t.Protocol })),
	flag(attributeIPTunPMTUDisc, "IFLA_IPTUN_PMTUDISC", func(t *IPTunnel) **bool { return &t.PMTUDiscovery }),
	sized(16, address(attributeIPTun6RDPrefix, "IFLA_IPTUN_6RD_PREFIX", func(t *IPTunnel) *netip.Addr { return &t.SixRDPrefix })),
	sized(4, address(attributeIPTun6RDRelayPrefix, "IFLA_IPTUN_6RD_RELAY_PREFIX", func(t *IPTunnel) *netip.Addr { return &t.SixRDRelay })),
	optional(attributeIPTun6RDPrefixLen, "IFLA_IPTUN_6RD_PREFIXLEN", func(t *IPTunnel) **uint16 { return &t.SixRDLength }),
	optional(attributeIPTun6RDRelayPrefixLen, "IFLA_IPTUN_6RD_RELAY_PREFIXLEN", func(t *IPTunnel) **uint16 { return &t.SixRDRelayLen }),
	recreate(present(attributeIPTunCollectMetadata, "IFLA_IPTUN_COLLECT_METADATA", func(t *IPTunnel) *bool { return &t.CollectMetadata })),
	optional(attributeIPTunFwMark, "IFLA_IPTUN_FWMARK", func(t *IPTunnel) **uint32 { return &t.FirewallMark }),
}, encapRows(attributeIPTunEncapType, "IFLA_IPTUN_", func(t *IPTunnel) *state.TunnelEncap { return &t.TunnelEncap }))

// The tables are without what the kernel ignores of each kind.
var (
	ipipTable = unsupported(ipTunnelRows, "IFLA_IPTUN_FLAGS", "IFLA_IPTUN_6RD_PREFIX", "IFLA_IPTUN_6RD_RELAY_PREFIX", "IFLA_IPTUN_6RD_PREFIXLEN", "IFLA_IPTUN_6RD_RELAY_PREFIXLEN")
	sitTable  = unsupported(ipTunnelRows, "IFLA_IPTUN_COLLECT_METADATA")
)

// ipipPair: see remotePair.
func ipipPair(have, want *IPTunnel) Class { return remotePair(have.Remote, want.Remote) }

// sitPair is ipipPair, but that a group of ends is one far end (ipip6_changelink).
func sitPair(have, want *IPTunnel) Class {
	if want.Remote.IsValid() && (manner(have.Remote) == toNone) != (manner(want.Remote) == toNone) {
		return Recreate
	}
	return InPlace
}

// capabilities are IP6_TNL_F_CAP_XMIT, IP6_TNL_F_CAP_RCV and IP6_TNL_F_CAP_PER_PACKET of
// linux/ip6_tunnel.h, which follow from the addresses.
const capabilities = 0x70000

var ip6TunnelTable = slices.Concat(table[*IP6Tunnel]{
	optional(attributeIPTunLink, "IFLA_IPTUN_LINK", func(t *IP6Tunnel) **uint32 { return &t.Parent }),
	sized(16, address(attributeIPTunLocal, "IFLA_IPTUN_LOCAL", func(t *IP6Tunnel) *netip.Addr { return &t.Local })),
	sized(16, address(attributeIPTunRemote, "IFLA_IPTUN_REMOTE", func(t *IP6Tunnel) *netip.Addr { return &t.Remote })),
	optional(attributeIPTunTTL, "IFLA_IPTUN_TTL", func(t *IP6Tunnel) **uint8 { return &t.TTL }),
	optional(attributeIPTunEncapLimit, "IFLA_IPTUN_ENCAP_LIMIT", func(t *IP6Tunnel) **uint8 { return &t.EncapLimit }),
	bigEndian(attributeIPTunFlowInfo, "IFLA_IPTUN_FLOWINFO", func(t *IP6Tunnel) **uint32 { return &t.FlowInfo }),
	besides(capabilities, named[uint32](attributeIPTunFlags, "IFLA_IPTUN_FLAGS", func(t *IP6Tunnel) **state.IP6TunnelFlags { return &t.Flags })),
	named[uint8](attributeIPTunProto, "IFLA_IPTUN_PROTO", func(t *IP6Tunnel) **state.TunnelProtocol { return &t.Protocol }),
	recreate(present(attributeIPTunCollectMetadata, "IFLA_IPTUN_COLLECT_METADATA", func(t *IP6Tunnel) *bool { return &t.CollectMetadata })),
	optional(attributeIPTunFwMark, "IFLA_IPTUN_FWMARK", func(t *IP6Tunnel) **uint32 { return &t.FirewallMark }),
}, encapRows(attributeIPTunEncapType, "IFLA_IPTUN_", func(t *IP6Tunnel) *state.TunnelEncap { return &t.TunnelEncap }))
