package rtnl

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// Link is an RTM_NEWLINK, RTM_DELLINK or RTM_GETLINK message. A request names
// the link by Index or, with Index 0, by Name.
type Link struct {
	Family uint8  // AF_UNSPEC, or AF_BRIDGE for bridge ports
	Type   uint16 // ARPHRD_…
	Index  int32
	Flags  uint32 // IFF_…
	Change uint32 // request: which Flags to set

	MAC          []byte // hardware address as long as the link type has it
	Broadcast    []byte // hardware broadcast address
	PermanentMAC []byte
	Name         string
	MTU          uint32
	Parent       uint32 // index of the link below (IFLA_LINK)
	Master       uint32 // index of the bridge, bond or VRF above
	OperState    uint8  // IF_OPER_…, linux/if.h
	Filter       uint32 // request: RTEXT_FILTER_… (IFLA_EXT_MASK)
	Info         LinkInfo
}

const linkHeaderSize = unix.SizeofIfInfomsg

var linkTable = table[Link]{
	raw(unix.IFLA_ADDRESS, "IFLA_ADDRESS", func(l *Link) *[]byte { return &l.MAC }),
	raw(unix.IFLA_BROADCAST, "IFLA_BROADCAST", func(l *Link) *[]byte { return &l.Broadcast }),
	raw(unix.IFLA_PERM_ADDRESS, "IFLA_PERM_ADDRESS", func(l *Link) *[]byte { return &l.PermanentMAC }),
	text(unix.IFLA_IFNAME, "IFLA_IFNAME", func(l *Link) *string { return &l.Name }),
	number(unix.IFLA_MTU, "IFLA_MTU", func(l *Link) *uint32 { return &l.MTU }),
	number(unix.IFLA_LINK, "IFLA_LINK", func(l *Link) *uint32 { return &l.Parent }),
	number(unix.IFLA_MASTER, "IFLA_MASTER", func(l *Link) *uint32 { return &l.Master }),
	number(unix.IFLA_OPERSTATE, "IFLA_OPERSTATE", func(l *Link) *uint8 { return &l.OperState }),
	number(unix.IFLA_EXT_MASK, "IFLA_EXT_MASK", func(l *Link) *uint32 { return &l.Filter }),
	nested(unix.IFLA_LINKINFO, "IFLA_LINKINFO", linkInfoTable, func(l *Link) *LinkInfo { return &l.Info }),
}

// UnmarshalBinary reads the payload of a message.
func (l *Link) UnmarshalBinary(b []byte) error {
	*l = Link{}
	err := decodeMessage(linkTable, l, b, linkHeaderSize, func(h []byte) {
		l.Family = h[0]
		l.Type = binary.NativeEndian.Uint16(h[2:])
		l.Index = int32(binary.NativeEndian.Uint32(h[4:]))
		l.Flags = binary.NativeEndian.Uint32(h[8:])
		l.Change = binary.NativeEndian.Uint32(h[12:])
	})
	if err == nil {
		err = l.Info.decodeData()
	}
	if err != nil {
		return fmt.Errorf("read link message: %w", err)
	}
	return nil
}

// MarshalBinary writes the payload of a message.
func (l *Link) MarshalBinary() ([]byte, error) {
	h := make([]byte, linkHeaderSize)
	h[0] = l.Family
	binary.NativeEndian.PutUint16(h[2:], l.Type)
	binary.NativeEndian.PutUint32(h[4:], uint32(l.Index))
	binary.NativeEndian.PutUint32(h[8:], l.Flags)
	binary.NativeEndian.PutUint32(h[12:], l.Change)
	full := *l
	if err := full.Info.encodeData(); err != nil {
		return nil, fmt.Errorf("write link message: %w", err)
	}
	b, err := encodeMessage(linkTable, &full, h)
	if err != nil {
		return nil, fmt.Errorf("write link message: %w", err)
	}
	return b, nil
}
