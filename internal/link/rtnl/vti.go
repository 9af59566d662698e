package rtnl

import (
	"net/netip"

	"github.com/netconnectd/netconnectd/state"
)

// VTI is the data of the kinds "vti" and "vti6".
type VTI struct {
	state.VTI
	Parent *uint32 // index of the link that carries the tunnel; 0: any
}

// IFLA_VTI_…, linux/if_tunnel.h.
const (
	attributeVTILink = iota + 1
	attributeVTIIKey
	attributeVTIOKey
	attributeVTILocal
	attributeVTIRemote
	attributeVTIFwMark
)

// vtiRows returns the rows for addresses of so many bytes.
func vtiRows(size int) table[*VTI] {
	return table[*VTI]{
		optional(attributeVTILink, "IFLA_VTI_LINK", func(v *VTI) **uint32 { return &v.Parent }),
		bigEndian(attributeVTIIKey, "IFLA_VTI_IKEY", func(v *VTI) **uint32 { return &v.InKey }),
		bigEndian(attributeVTIOKey, "IFLA_VTI_OKEY", func(v *VTI) **uint32 { return &v.OutKey }),
		sized(size, address(attributeVTILocal, "IFLA_VTI_LOCAL", func(v *VTI) *netip.Addr { return &v.Local })),
		sized(size, address(attributeVTIRemote, "IFLA_VTI_REMOTE", func(v *VTI) *netip.Addr { return &v.Remote })),
		optional(attributeVTIFwMark, "IFLA_VTI_FWMARK", func(v *VTI) **uint32 { return &v.FirewallMark }),
	}
}

// vtiPair: see remotePair.
func vtiPair(have, want *VTI) Class { return remotePair(have.Remote, want.Remote) }
