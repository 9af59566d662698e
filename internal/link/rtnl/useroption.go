package rtnl

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

const (
	userOptionHeaderSize = 16 // struct nduseroptmsg, linux/rtnetlink.h

	attributeUserOptionSource = 1 // NDUSEROPT_SRCADDR, linux/rtnetlink.h
)

// UserOption is an RTM_NEWNDUSEROPT message (struct nduseroptmsg): options of a
// router advertisement that the kernel has believed and that it leaves to
// programs, such as name servers. There is no request for it.
type UserOption struct {
	Family  uint8      // AF_INET6
	Index   int32      // of the link that it came by
	Type    uint8      // of the ICMPv6 message: 134, a router advertisement
	Options []byte     // as they came (RFC 4861 4.6)
	Source  netip.Addr // of the router, link-local, without a zone
}

var userOptionTable = table[*UserOption]{
	address(attributeUserOptionSource, "NDUSEROPT_SRCADDR", func(o *UserOption) *netip.Addr { return &o.Source }),
}

// UnmarshalBinary reads a message.
func (o *UserOption) UnmarshalBinary(b []byte) error {
	if len(b) < userOptionHeaderSize {
		return fmt.Errorf("neighbour discovery option: %d bytes instead of %d", len(b), userOptionHeaderSize)
	}
	size := int(binary.NativeEndian.Uint16(b[2:]))
	*o = UserOption{Family: b[0], Index: int32(binary.NativeEndian.Uint32(b[4:])), Type: b[8]}
	b = b[userOptionHeaderSize:]
	aligned := (size + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1)
	if aligned > len(b) {
		return fmt.Errorf("neighbour discovery option: %d bytes of options in %d", size, len(b))
	}
	o.Options = bytes.Clone(b[:size])
	if err := userOptionTable.decode(o, b[aligned:]); err != nil {
		return fmt.Errorf("neighbour discovery option: %w", err)
	}
	return nil
}
