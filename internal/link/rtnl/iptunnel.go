package rtnl

import (
	"net/netip"
	"slices"
)

// IPTunnel is the data of the kinds "ipip" and "sit": packets in IPv4.
type IPTunnel struct {
	Parent          uint32                  `json:"-"` // index of the link that carries the tunnel
	Local           netip.Addr              `json:"local,omitzero"`
	Remote          netip.Addr              `json:"remote,omitzero"`
	TTL             *uint8                  `json:"ttl,omitempty"` // 0: inherited
	TOS             *uint8                  `json:"tos,omitempty"` // 1: inherited
	Flags           *Bits[sitBits]          `json:"flags,omitempty"`
	Protocol        *Named[tunnelProtocols] `json:"proto,omitempty"`
	PMTUDiscovery   *bool                   `json:"pmtudisc,omitempty"`
	SixRDPrefix     netip.Addr              `json:"6rd_prefix,omitzero"` // IPv6, RFC 5969
	SixRDRelay      netip.Addr              `json:"6rd_relay_prefix,omitzero"`
	SixRDLength     *uint16                 `json:"6rd_prefixlen,omitempty"`
	SixRDRelayLen   *uint16                 `json:"6rd_relay_prefixlen,omitempty"`
	CollectMetadata bool                    `json:"collect_metadata,omitempty"`
	FirewallMark    *uint32                 `json:"fwmark,omitempty"`
	TunnelEncap
}

// IP6Tunnel is the data of kind "ip6tnl": packets in IPv6.
type IP6Tunnel struct {
	Parent          uint32                  `json:"-"` // index of the link that carries the tunnel
	Local           netip.Addr              `json:"local,omitzero"`
	Remote          netip.Addr              `json:"remote,omitzero"`
	TTL             *uint8                  `json:"ttl,omitempty"`
	EncapLimit      *uint8                  `json:"encap_limit,omitempty"` // RFC 2473 §4.1.1
	FlowInfo        *uint32                 `json:"flowinfo,omitempty"`    // traffic class and flow label, RFC 8200 §3
	Flags           *Bits[ip6TunnelBits]    `json:"flags,omitempty"`
	Protocol        *Named[tunnelProtocols] `json:"proto,omitempty"`
	CollectMetadata bool                    `json:"collect_metadata,omitempty"`
	FirewallMark    *uint32                 `json:"fwmark,omitempty"`
	TunnelEncap
}

// SIT_ISATAP, linux/if_tunnel.h.
type sitBits struct{}

func (sitBits) names() []string { return []string{"isatap"} }

// IPPROTO_… of what is inside, linux/in.h; 0 is anything.
type tunnelProtocols struct{}

func (tunnelProtocols) names() []string {
	return []string{0: "any", 4: "ipip", 41: "ipv6", 137: "mpls"}
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

var ipTunnelTable = slices.Concat(table[IPTunnel]{
	number(attributeIPTunLink, "IFLA_IPTUN_LINK", func(t *IPTunnel) *uint32 { return &t.Parent }),
	address(attributeIPTunLocal, "IFLA_IPTUN_LOCAL", func(t *IPTunnel) *netip.Addr { return &t.Local }),
	address(attributeIPTunRemote, "IFLA_IPTUN_REMOTE", func(t *IPTunnel) *netip.Addr { return &t.Remote }),
	optional(attributeIPTunTTL, "IFLA_IPTUN_TTL", func(t *IPTunnel) **uint8 { return &t.TTL }),
	optional(attributeIPTunTOS, "IFLA_IPTUN_TOS", func(t *IPTunnel) **uint8 { return &t.TOS }),
	bits[uint16](attributeIPTunFlags, "IFLA_IPTUN_FLAGS", func(t *IPTunnel) **Bits[sitBits] { return &t.Flags }),
	named[uint8](attributeIPTunProto, "IFLA_IPTUN_PROTO", func(t *IPTunnel) **Named[tunnelProtocols] { return &t.Protocol }),
	flag(attributeIPTunPMTUDisc, "IFLA_IPTUN_PMTUDISC", func(t *IPTunnel) **bool { return &t.PMTUDiscovery }),
	address(attributeIPTun6RDPrefix, "IFLA_IPTUN_6RD_PREFIX", func(t *IPTunnel) *netip.Addr { return &t.SixRDPrefix }),
	address(attributeIPTun6RDRelayPrefix, "IFLA_IPTUN_6RD_RELAY_PREFIX", func(t *IPTunnel) *netip.Addr { return &t.SixRDRelay }),
	optional(attributeIPTun6RDPrefixLen, "IFLA_IPTUN_6RD_PREFIXLEN", func(t *IPTunnel) **uint16 { return &t.SixRDLength }),
	optional(attributeIPTun6RDRelayPrefixLen, "IFLA_IPTUN_6RD_RELAY_PREFIXLEN", func(t *IPTunnel) **uint16 { return &t.SixRDRelayLen }),
	present(attributeIPTunCollectMetadata, "IFLA_IPTUN_COLLECT_METADATA", func(t *IPTunnel) *bool { return &t.CollectMetadata }),
	optional(attributeIPTunFwMark, "IFLA_IPTUN_FWMARK", func(t *IPTunnel) **uint32 { return &t.FirewallMark }),
}, encapRows(attributeIPTunEncapType, "IFLA_IPTUN_", func(t *IPTunnel) *TunnelEncap { return &t.TunnelEncap }))

var ip6TunnelTable = slices.Concat(table[IP6Tunnel]{
	number(attributeIPTunLink, "IFLA_IPTUN_LINK", func(t *IP6Tunnel) *uint32 { return &t.Parent }),
	address(attributeIPTunLocal, "IFLA_IPTUN_LOCAL", func(t *IP6Tunnel) *netip.Addr { return &t.Local }),
	address(attributeIPTunRemote, "IFLA_IPTUN_REMOTE", func(t *IP6Tunnel) *netip.Addr { return &t.Remote }),
	optional(attributeIPTunTTL, "IFLA_IPTUN_TTL", func(t *IP6Tunnel) **uint8 { return &t.TTL }),
	optional(attributeIPTunEncapLimit, "IFLA_IPTUN_ENCAP_LIMIT", func(t *IP6Tunnel) **uint8 { return &t.EncapLimit }),
	bigEndian(attributeIPTunFlowInfo, "IFLA_IPTUN_FLOWINFO", func(t *IP6Tunnel) **uint32 { return &t.FlowInfo }),
	bits[uint32](attributeIPTunFlags, "IFLA_IPTUN_FLAGS", func(t *IP6Tunnel) **Bits[ip6TunnelBits] { return &t.Flags }),
	named[uint8](attributeIPTunProto, "IFLA_IPTUN_PROTO", func(t *IP6Tunnel) **Named[tunnelProtocols] { return &t.Protocol }),
	present(attributeIPTunCollectMetadata, "IFLA_IPTUN_COLLECT_METADATA", func(t *IP6Tunnel) *bool { return &t.CollectMetadata }),
	optional(attributeIPTunFwMark, "IFLA_IPTUN_FWMARK", func(t *IP6Tunnel) **uint32 { return &t.FirewallMark }),
}, encapRows(attributeIPTunEncapType, "IFLA_IPTUN_", func(t *IP6Tunnel) *TunnelEncap { return &t.TunnelEncap }))
