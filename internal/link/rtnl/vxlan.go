package rtnl

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// Not in golang.org/x/sys yet (linux/if_link.h).
const (
	attributeVXLANReservedBits = 33 // IFLA_VXLAN_RESERVED_BITS, since 6.14
	attributeVXLANMCRoute      = 34 // IFLA_VXLAN_MC_ROUTE, since 6.17
)

// VXLAN is the data of kind "vxlan" (IFLA_VXLAN_…, linux/if_link.h).
type VXLAN struct {
	state.VXLAN
	Link *uint32 // index of the link below
}

var vxlanTable = table[*VXLAN]{
	recreate(optional(unix.IFLA_VXLAN_ID, "IFLA_VXLAN_ID", func(v *VXLAN) **uint32 { return &v.ID })),
	zeroAbsent(4, addressOf(unix.IFLA_VXLAN_GROUP, "IFLA_VXLAN_GROUP", 4, func(v *VXLAN) *netip.Addr { return &v.Remote })),
	zeroAbsent(16, addressOf(unix.IFLA_VXLAN_GROUP6, "IFLA_VXLAN_GROUP6", 16, func(v *VXLAN) *netip.Addr { return &v.Remote })),
	zeroAbsent(4, optional(unix.IFLA_VXLAN_LINK, "IFLA_VXLAN_LINK", func(v *VXLAN) **uint32 { return &v.Link })),
	zeroAbsent(4, addressOf(unix.IFLA_VXLAN_LOCAL, "IFLA_VXLAN_LOCAL", 4, func(v *VXLAN) *netip.Addr { return &v.Local })),
	zeroAbsent(16, addressOf(unix.IFLA_VXLAN_LOCAL6, "IFLA_VXLAN_LOCAL6", 16, func(v *VXLAN) *netip.Addr { return &v.Local })),
	optional(unix.IFLA_VXLAN_TTL, "IFLA_VXLAN_TTL", func(v *VXLAN) **uint8 { return &v.TTL }),
	recreate(byteOrPresent(unix.IFLA_VXLAN_TTL_INHERIT, "IFLA_VXLAN_TTL_INHERIT", func(v *VXLAN) *bool { return &v.TTLInherit })),
	optional(unix.IFLA_VXLAN_TOS, "IFLA_VXLAN_TOS", func(v *VXLAN) **uint8 { return &v.TOS }),
	optional(unix.IFLA_VXLAN_DF, "IFLA_VXLAN_DF", func(v *VXLAN) **uint8 { return &v.DontFragment }),
	bigEndian(unix.IFLA_VXLAN_LABEL, "IFLA_VXLAN_LABEL", func(v *VXLAN) **uint32 { return &v.Label }),
	optional(unix.IFLA_VXLAN_LABEL_POLICY, "IFLA_VXLAN_LABEL_POLICY", func(v *VXLAN) **uint32 { return &v.LabelPolicy }),
	flag(unix.IFLA_VXLAN_LEARNING, "IFLA_VXLAN_LEARNING", func(v *VXLAN) **bool { return &v.Learning }),
	recreate(flag(unix.IFLA_VXLAN_PROXY, "IFLA_VXLAN_PROXY", func(v *VXLAN) **bool { return &v.Proxy })),
	recreate(flag(unix.IFLA_VXLAN_RSC, "IFLA_VXLAN_RSC", func(v *VXLAN) **bool { return &v.RSC })),
	recreate(flag(unix.IFLA_VXLAN_L2MISS, "IFLA_VXLAN_L2MISS", func(v *VXLAN) **bool { return &v.L2Miss })),
	recreate(flag(unix.IFLA_VXLAN_L3MISS, "IFLA_VXLAN_L3MISS", func(v *VXLAN) **bool { return &v.L3Miss })),
	recreate(flag(unix.IFLA_VXLAN_COLLECT_METADATA, "IFLA_VXLAN_COLLECT_METADATA", func(v *VXLAN) **bool { return &v.CollectMetadata })),
	optional(unix.IFLA_VXLAN_AGEING, "IFLA_VXLAN_AGEING", func(v *VXLAN) **uint32 { return &v.Ageing }),
	recreate(optional(unix.IFLA_VXLAN_LIMIT, "IFLA_VXLAN_LIMIT", func(v *VXLAN) **uint32 { return &v.MaxAddresses })),
	recreate(port(unix.IFLA_VXLAN_PORT, "IFLA_VXLAN_PORT", func(v *VXLAN) **uint16 { return &v.Port })),
	recreate(flag(unix.IFLA_VXLAN_UDP_CSUM, "IFLA_VXLAN_UDP_CSUM", func(v *VXLAN) **bool { return &v.UDPChecksum })),
	recreate(flag(unix.IFLA_VXLAN_UDP_ZERO_CSUM6_TX, "IFLA_VXLAN_UDP_ZERO_CSUM6_TX", func(v *VXLAN) **bool { return &v.UDP6ZeroTX })),
	recreate(flag(unix.IFLA_VXLAN_UDP_ZERO_CSUM6_RX, "IFLA_VXLAN_UDP_ZERO_CSUM6_RX", func(v *VXLAN) **bool { return &v.UDP6ZeroRX })),
	recreate(flag(unix.IFLA_VXLAN_REMCSUM_TX, "IFLA_VXLAN_REMCSUM_TX", func(v *VXLAN) **bool { return &v.RemoteChecksumTX })),
	recreate(flag(unix.IFLA_VXLAN_REMCSUM_RX, "IFLA_VXLAN_REMCSUM_RX", func(v *VXLAN) **bool { return &v.RemoteChecksumRX })),
	flag(unix.IFLA_VXLAN_LOCALBYPASS, "IFLA_VXLAN_LOCALBYPASS", func(v *VXLAN) **bool { return &v.LocalBypass }),
	recreate(structure(unix.IFLA_VXLAN_PORT_RANGE, "IFLA_VXLAN_PORT_RANGE", binary.BigEndian, func(v *VXLAN) **state.VXLANPorts { return &v.VXLANPorts })),
	recreate(present(unix.IFLA_VXLAN_GBP, "IFLA_VXLAN_GBP", func(v *VXLAN) *bool { return &v.GBP })),
	recreate(present(unix.IFLA_VXLAN_GPE, "IFLA_VXLAN_GPE", func(v *VXLAN) *bool { return &v.GPE })),
	recreate(present(unix.IFLA_VXLAN_REMCSUM_NOPARTIAL, "IFLA_VXLAN_REMCSUM_NOPARTIAL", func(v *VXLAN) *bool { return &v.RemoteNoPartial })),
	recreate(zeroAbsent(1, flag(unix.IFLA_VXLAN_VNIFILTER, "IFLA_VXLAN_VNIFILTER", func(v *VXLAN) **bool { return &v.VNIFilter }))),
	recreate(structure(attributeVXLANReservedBits, "IFLA_VXLAN_RESERVED_BITS", binary.BigEndian, func(v *VXLAN) **state.VXLANReservedBits { return &v.ReservedBits })),
	// The kernel takes this attribute and never shows it, so its value cannot be verified.
	readOnly(flag(attributeVXLANMCRoute, "IFLA_VXLAN_MC_ROUTE", func(v *VXLAN) **bool { return &v.MulticastRouting })),
}

// byteOrPresent is a row for what the kernel shows as a byte but takes as an
// attribute without content only (vxlan_policy, drivers/net/vxlan).
func byteOrPresent[T any](n uint16, name string, at func(T) *bool) *attribute[T] {
	row := present(n, name, at)
	row.decode = func(t T, b []byte) error {
		value := uint8(1)
		if len(b) > 0 {
			if err := getInteger(b, &value); err != nil {
				return err
			}
		}
		*at(t) = value != 0
		return nil
	}
	return row
}

// vxlanPair: the far end and our own address keep their family, in which the kernel
// has a socket. Without any, that is IPv4. A link below can be changed for another, and
// the kernel ignores that there is to be none (vxlan_config_apply).
func vxlanPair(have, want *VXLAN) Class {
	if orZero(have.Link) != 0 && want.Link != nil && *want.Link == 0 {
		return Recreate
	}
	if otherFamily(have.Remote, have.Local, want.Remote) || otherFamily(have.Local, have.Remote, want.Local) {
		return Recreate
	}
	return InPlace
}

// otherFamily reports whether want is of another family than have, which has that of
// beside where have is not shown.
func otherFamily(have, beside, want netip.Addr) bool {
	if !want.IsValid() {
		return false
	}
	six := have.Is6() || !have.IsValid() && beside.Is6()
	return want.Is6() != six
}
