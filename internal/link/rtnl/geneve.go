package rtnl

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

var geneveTable = table[*state.Geneve]{
	recreate(optional(unix.IFLA_GENEVE_ID, "IFLA_GENEVE_ID", func(g *state.Geneve) **uint32 { return &g.ID })),
	zeroAbsent(4, addressOf(unix.IFLA_GENEVE_REMOTE, "IFLA_GENEVE_REMOTE", 4, func(g *state.Geneve) *netip.Addr { return &g.Remote })),
	zeroAbsent(16, addressOf(unix.IFLA_GENEVE_REMOTE6, "IFLA_GENEVE_REMOTE6", 16, func(g *state.Geneve) *netip.Addr { return &g.Remote })),
	optional(unix.IFLA_GENEVE_TTL, "IFLA_GENEVE_TTL", func(g *state.Geneve) **uint8 { return &g.TTL }),
	optional(unix.IFLA_GENEVE_TOS, "IFLA_GENEVE_TOS", func(g *state.Geneve) **uint8 { return &g.TOS }),
	recreate(port(unix.IFLA_GENEVE_PORT, "IFLA_GENEVE_PORT", func(g *state.Geneve) **uint16 { return &g.Port })),
	recreate(present(unix.IFLA_GENEVE_COLLECT_METADATA, "IFLA_GENEVE_COLLECT_METADATA", func(g *state.Geneve) *bool { return &g.CollectMetadata })),
	recreate(flag(unix.IFLA_GENEVE_UDP_CSUM, "IFLA_GENEVE_UDP_CSUM", func(g *state.Geneve) **bool { return &g.UDPChecksum })),
	recreate(flag(unix.IFLA_GENEVE_UDP_ZERO_CSUM6_TX, "IFLA_GENEVE_UDP_ZERO_CSUM6_TX", func(g *state.Geneve) **bool { return &g.UDPZeroChecksumTX })),
	recreate(flag(unix.IFLA_GENEVE_UDP_ZERO_CSUM6_RX, "IFLA_GENEVE_UDP_ZERO_CSUM6_RX", func(g *state.Geneve) **bool { return &g.UDPZeroChecksumRX })),
	bigEndian(unix.IFLA_GENEVE_LABEL, "IFLA_GENEVE_LABEL", func(g *state.Geneve) **uint32 { return &g.Label }),
	flag(unix.IFLA_GENEVE_TTL_INHERIT, "IFLA_GENEVE_TTL_INHERIT", func(g *state.Geneve) **bool { return &g.TTLInherit }),
	named[uint8](unix.IFLA_GENEVE_DF, "IFLA_GENEVE_DF", func(g *state.Geneve) **state.GeneveDF { return &g.DF }),
	recreate(present(unix.IFLA_GENEVE_INNER_PROTO_INHERIT, "IFLA_GENEVE_INNER_PROTO_INHERIT", func(g *state.Geneve) *bool { return &g.InnerProtoInherit })),
}

// genevePair: the far end keeps its family, in which the kernel has a socket.
func genevePair(have, want *state.Geneve) Class {
	if otherFamily(have.Remote, netip.Addr{}, want.Remote) {
		return Recreate
	}
	return InPlace
}
