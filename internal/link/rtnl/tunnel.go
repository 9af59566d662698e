package rtnl

import (
	"net/netip"

	"github.com/netconnectd/netconnectd/state"
)

// encapRows are the rows of a TunnelEncap; the kernel has four numbers for them
// in a row.
func encapRows[T any](first uint16, prefix string, at func(T) *state.TunnelEncap) []*attribute[T] {
	return []*attribute[T]{
		named[uint16](first, prefix+"ENCAP_TYPE", func(t T) **state.TunnelEncapType { return &at(t).EncapType }),
		named[uint16](first+1, prefix+"ENCAP_FLAGS", func(t T) **state.TunnelEncapFlags { return &at(t).EncapFlags }),
		port(first+2, prefix+"ENCAP_SPORT", func(t T) **uint16 { return &at(t).EncapSource }),
		port(first+3, prefix+"ENCAP_DPORT", func(t T) **uint16 { return &at(t).EncapDestination }),
	}
}

// remotePair: a tunnel over IPv4 that is no Ethernet link is a link to one far end, to a
// group of ends, or to none in particular, and the kernel refuses to change which
// (ip_tunnel_changelink).
func remotePair(have, want netip.Addr) Class {
	if want.IsValid() && manner(have) != manner(want) {
		return Recreate
	}
	return InPlace
}

// What a tunnel is a link to.
const (
	toNone = iota // in particular
	toOne
	toGroup
)

func manner(remote netip.Addr) int {
	switch {
	case !remote.IsValid() || remote.IsUnspecified():
		return toNone
	case remote.IsMulticast():
		return toGroup
	}
	return toOne
}
