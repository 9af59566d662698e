package rtnl

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Neighbour is an RTM_NEWNEIGH, RTM_DELNEIGH or RTM_GETNEIGH message.
type Neighbour struct {
	Family uint8 // AF_INET, AF_INET6; AF_BRIDGE for forwarding tables
	Index  int32
	State  uint16 // NUD_…
	Flags  uint8  // NTF_…
	Type   uint8  // RTN_…

	Address netip.Addr
	MAC     []byte
}

const neighbourHeaderSize = unix.SizeofNdMsg

var neighbourTable = table[Neighbour]{
	address(unix.NDA_DST, "NDA_DST", func(n *Neighbour) *netip.Addr { return &n.Address }),
	raw(unix.NDA_LLADDR, "NDA_LLADDR", func(n *Neighbour) *[]byte { return &n.MAC }),
}

// UnmarshalBinary reads the payload of a message.
func (n *Neighbour) UnmarshalBinary(b []byte) error {
	*n = Neighbour{}
	err := decodeMessage(neighbourTable, n, b, neighbourHeaderSize, func(h []byte) {
		n.Family = h[0]
		n.Index = int32(binary.NativeEndian.Uint32(h[4:]))
		n.State = binary.NativeEndian.Uint16(h[8:])
		n.Flags, n.Type = h[10], h[11]
	})
	if err != nil {
		return fmt.Errorf("read neighbour message: %w", err)
	}
	return nil
}

// MarshalBinary writes the payload of a message.
func (n *Neighbour) MarshalBinary() ([]byte, error) {
	h := make([]byte, neighbourHeaderSize)
	h[0] = n.Family
	binary.NativeEndian.PutUint32(h[4:], uint32(n.Index))
	binary.NativeEndian.PutUint16(h[8:], n.State)
	h[10], h[11] = n.Flags, n.Type
	b, err := encodeMessage(neighbourTable, n, h)
	if err != nil {
		return nil, fmt.Errorf("write neighbour message: %w", err)
	}
	return b, nil
}
