package state

import "net/netip"

// GRE is a tunnel of the kinds gre, gretap, ip6gre and ip6gretap.
type GRE struct {
	BaseIface     string          `json:"base_iface,omitempty"`
	Local         netip.Addr      `json:"local,omitzero"`
	Remote        netip.Addr      `json:"remote,omitzero"`
	InFlags       *GREFlags       `json:"iflags,omitempty"`
	OutFlags      *GREFlags       `json:"oflags,omitempty"`
	InKey         *uint32         `json:"ikey,omitempty"`
	OutKey        *uint32         `json:"okey,omitempty"`
	TTL           *uint8          `json:"ttl,omitempty"` // 0: inherited
	TOS           *uint8          `json:"tos,omitempty"` // 1: inherited
	PMTUDiscovery *bool           `json:"pmtudisc,omitempty"`
	EncapLimit    *uint8          `json:"encap_limit,omitempty"` // RFC 2473 §4.1.1
	FlowInfo      *uint32         `json:"flowinfo,omitempty"`    // traffic class and flow label, RFC 8200 §3
	Flags         *IP6TunnelFlags `json:"flags,omitempty"`
	TunnelEncap
	CollectMetadata bool             `json:"collect_metadata,omitempty"`
	IgnoreDF        *bool            `json:"ignore_df,omitempty"`
	FirewallMark    *uint32          `json:"fwmark,omitempty"`
	ERSPANIndex     *uint32          `json:"erspan_index,omitempty"`
	ERSPANVersion   *uint8           `json:"erspan_ver,omitempty"`
	ERSPANDirection *ERSPANDirection `json:"erspan_dir,omitempty"`
	ERSPANHardware  *uint16          `json:"erspan_hwid,omitempty"`
}

// IPTunnel is a tunnel of the kinds ipip and sit, which carry packets in IPv4.
type IPTunnel struct {
	BaseIface       string          `json:"base_iface,omitempty"`
	Local           netip.Addr      `json:"local,omitzero"`
	Remote          netip.Addr      `json:"remote,omitzero"`
	TTL             *uint8          `json:"ttl,omitempty"` // 0: inherited
	TOS             *uint8          `json:"tos,omitempty"` // 1: inherited
	Flags           *SITFlags       `json:"flags,omitempty"`
	Protocol        *TunnelProtocol `json:"proto,omitempty"`
	PMTUDiscovery   *bool           `json:"pmtudisc,omitempty"`
	SixRDPrefix     netip.Addr      `json:"6rd_prefix,omitzero"` // IPv6, RFC 5969
	SixRDRelay      netip.Addr      `json:"6rd_relay_prefix,omitzero"`
	SixRDLength     *uint16         `json:"6rd_prefixlen,omitempty"`
	SixRDRelayLen   *uint16         `json:"6rd_relay_prefixlen,omitempty"`
	CollectMetadata bool            `json:"collect_metadata,omitempty"`
	FirewallMark    *uint32         `json:"fwmark,omitempty"`
	TunnelEncap
}

// IP6Tunnel is a tunnel over IPv6 of the kind ip6tnl.
type IP6Tunnel struct {
	BaseIface       string          `json:"base_iface,omitempty"`
	Local           netip.Addr      `json:"local,omitzero"`
	Remote          netip.Addr      `json:"remote,omitzero"`
	TTL             *uint8          `json:"ttl,omitempty"`
	EncapLimit      *uint8          `json:"encap_limit,omitempty"` // RFC 2473 §4.1.1
	FlowInfo        *uint32         `json:"flowinfo,omitempty"`    // traffic class and flow label, RFC 8200 §3
	Flags           *IP6TunnelFlags `json:"flags,omitempty"`
	Protocol        *TunnelProtocol `json:"proto,omitempty"`
	CollectMetadata bool            `json:"collect_metadata,omitempty"`
	FirewallMark    *uint32         `json:"fwmark,omitempty"`
	TunnelEncap
}

// TunnelEncap says how packets of a tunnel are encapsulated once more, in UDP.
type TunnelEncap struct {
	EncapType        *TunnelEncapType  `json:"encap_type,omitempty"`
	EncapFlags       *TunnelEncapFlags `json:"encap_flags,omitempty"`
	EncapSource      *uint16           `json:"encap_sport,omitempty"` // UDP port; 0: the kernel chooses
	EncapDestination *uint16           `json:"encap_dport,omitempty"`
}

// VTI is an IPsec tunnel of the kinds vti and vti6.
type VTI struct {
	BaseIface    string     `json:"base_iface,omitempty"`
	InKey        *uint32    `json:"ikey,omitempty"`
	OutKey       *uint32    `json:"okey,omitempty"`
	Local        netip.Addr `json:"local,omitzero"`
	Remote       netip.Addr `json:"remote,omitzero"`
	FirewallMark *uint32    `json:"fwmark,omitempty"`
}

// XFRM passes packets to the IPsec policies.
type XFRM struct {
	BaseIface       string  `json:"base_iface,omitempty"`
	InterfaceID     *uint32 `json:"iface_id,omitempty"`
	CollectMetadata bool    `json:"collect_metadata,omitempty"`
}

// Geneve is a tunnel for Ethernet over UDP, RFC 8926.
type Geneve struct {
	ID                *uint32    `json:"id,omitempty"`
	Remote            netip.Addr `json:"remote,omitzero"` // IFLA_GENEVE_REMOTE or IFLA_GENEVE_REMOTE6
	TTL               *uint8     `json:"ttl,omitempty"`   // 0: inherited
	TOS               *uint8     `json:"tos,omitempty"`   // 1: inherited
	Port              *uint16    `json:"port,omitempty"`  // the far end's UDP port
	CollectMetadata   bool       `json:"collect_metadata,omitempty"`
	UDPChecksum       *bool      `json:"udp_csum,omitempty"`
	UDPZeroChecksumTX *bool      `json:"udp_zero_csum6_tx,omitempty"`
	UDPZeroChecksumRX *bool      `json:"udp_zero_csum6_rx,omitempty"`
	Label             *uint32    `json:"label,omitempty"` // IPv6 flow label
	TTLInherit        *bool      `json:"ttl_inherit,omitempty"`
	DF                *GeneveDF  `json:"df,omitempty"`
	InnerProtoInherit bool       `json:"inner_proto_inherit,omitempty"`
}
