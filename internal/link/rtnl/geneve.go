package rtnl

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// Geneve is the data of kind "geneve", RFC 8926.
type Geneve struct {
	ID                *uint32           `json:"id,omitempty"`
	Remote            netip.Addr        `json:"remote,omitzero"` // IFLA_GENEVE_REMOTE or IFLA_GENEVE_REMOTE6
	TTL               *uint8            `json:"ttl,omitempty"`   // 0: inherited
	TOS               *uint8            `json:"tos,omitempty"`   // 1: inherited
	Port              *uint16           `json:"port,omitempty"`  // UDP, of the far end
	CollectMetadata   bool              `json:"collect_metadata,omitempty"`
	UDPChecksum       *bool             `json:"udp_csum,omitempty"`
	UDPZeroChecksumTX *bool             `json:"udp_zero_csum6_tx,omitempty"`
	UDPZeroChecksumRX *bool             `json:"udp_zero_csum6_rx,omitempty"`
	Label             *uint32           `json:"label,omitempty"` // IPv6 flow label
	TTLInherit        *bool             `json:"ttl_inherit,omitempty"`
	DF                *Named[geneveDFs] `json:"df,omitempty"`
	InnerProtoInherit bool              `json:"inner_proto_inherit,omitempty"`
}

// enum ifla_geneve_df, linux/if_link.h.
type geneveDFs struct{}

func (geneveDFs) names() []string { return []string{"unset", "set", "inherit"} }

var geneveTable = table[Geneve]{
	optional(unix.IFLA_GENEVE_ID, "IFLA_GENEVE_ID", func(g *Geneve) **uint32 { return &g.ID }),
	addressOf(unix.IFLA_GENEVE_REMOTE, "IFLA_GENEVE_REMOTE", 4, func(g *Geneve) *netip.Addr { return &g.Remote }),
	addressOf(unix.IFLA_GENEVE_REMOTE6, "IFLA_GENEVE_REMOTE6", 16, func(g *Geneve) *netip.Addr { return &g.Remote }),
	optional(unix.IFLA_GENEVE_TTL, "IFLA_GENEVE_TTL", func(g *Geneve) **uint8 { return &g.TTL }),
	optional(unix.IFLA_GENEVE_TOS, "IFLA_GENEVE_TOS", func(g *Geneve) **uint8 { return &g.TOS }),
	port(unix.IFLA_GENEVE_PORT, "IFLA_GENEVE_PORT", func(g *Geneve) **uint16 { return &g.Port }),
	present(unix.IFLA_GENEVE_COLLECT_METADATA, "IFLA_GENEVE_COLLECT_METADATA", func(g *Geneve) *bool { return &g.CollectMetadata }),
	flag(unix.IFLA_GENEVE_UDP_CSUM, "IFLA_GENEVE_UDP_CSUM", func(g *Geneve) **bool { return &g.UDPChecksum }),
	flag(unix.IFLA_GENEVE_UDP_ZERO_CSUM6_TX, "IFLA_GENEVE_UDP_ZERO_CSUM6_TX", func(g *Geneve) **bool { return &g.UDPZeroChecksumTX }),
	flag(unix.IFLA_GENEVE_UDP_ZERO_CSUM6_RX, "IFLA_GENEVE_UDP_ZERO_CSUM6_RX", func(g *Geneve) **bool { return &g.UDPZeroChecksumRX }),
	bigEndian(unix.IFLA_GENEVE_LABEL, "IFLA_GENEVE_LABEL", func(g *Geneve) **uint32 { return &g.Label }),
	flag(unix.IFLA_GENEVE_TTL_INHERIT, "IFLA_GENEVE_TTL_INHERIT", func(g *Geneve) **bool { return &g.TTLInherit }),
	named[uint8](unix.IFLA_GENEVE_DF, "IFLA_GENEVE_DF", func(g *Geneve) **Named[geneveDFs] { return &g.DF }),
	present(unix.IFLA_GENEVE_INNER_PROTO_INHERIT, "IFLA_GENEVE_INNER_PROTO_INHERIT", func(g *Geneve) *bool { return &g.InnerProtoInherit }),
}
