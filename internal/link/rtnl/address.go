package rtnl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Infinity is the lifetime of an address that does not expire
// (INFINITY_LIFE_TIME, net/addrconf.h).
const Infinity = 1<<32 - 1

// attributeIFAProto is IFA_PROTO, linux/if_addr.h since 5.18.
const attributeIFAProto = 11

// Address is an RTM_NEWADDR, RTM_DELADDR or RTM_GETADDR message.
type Address struct {
	Family       uint8 // AF_INET, AF_INET6
	PrefixLength uint8
	Scope        uint8 // RT_SCOPE_…
	Index        uint32
	Flags        uint32 // IFA_F_…

	Address   netip.Addr // IPv6: the address; IPv4 and point-to-point: the far end, equal to Local where there is none
	Local     netip.Addr // the address, where Address is not
	Broadcast netip.Addr
	Label     string
	Metric    uint32    // of the prefix route
	Protocol  uint8     // who made it: IFAPROT_… 2 is a router advertisement; 0 unknown
	Lifetimes Lifetimes // zero in a request: for ever
	Created   uint32    // 1/100 s since the machine started
	Updated   uint32    // 1/100 s since the machine started
}

// Lifetimes are seconds that are left, or Infinity. Both 0 is "not mentioned".
type Lifetimes struct{ Preferred, Valid uint32 }

// Own returns the address of the link itself.
func (a *Address) Own() netip.Addr {
	if a.Local.IsValid() {
		return a.Local
	}
	return a.Address
}

const addressHeaderSize = unix.SizeofIfAddrmsg

var addressTable = table[*Address]{
	address(unix.IFA_ADDRESS, "IFA_ADDRESS", func(a *Address) *netip.Addr { return &a.Address }),
	address(unix.IFA_LOCAL, "IFA_LOCAL", func(a *Address) *netip.Addr { return &a.Local }),
	address(unix.IFA_BROADCAST, "IFA_BROADCAST", func(a *Address) *netip.Addr { return &a.Broadcast }),
	text(unix.IFA_LABEL, "IFA_LABEL", func(a *Address) *string { return &a.Label }),
	number(unix.IFA_RT_PRIORITY, "IFA_RT_PRIORITY", func(a *Address) *uint32 { return &a.Metric }),
	number(attributeIFAProto, "IFA_PROTO", func(a *Address) *uint8 { return &a.Protocol }),
	// After the header's eight bits of flags, which it overrides.
	number(unix.IFA_FLAGS, "IFA_FLAGS", func(a *Address) *uint32 { return &a.Flags }),
	{number: unix.IFA_CACHEINFO, name: "IFA_CACHEINFO", decode: decodeLifetimes, encode: encodeLifetimes},
}

// struct ifa_cacheinfo: preferred, valid, created, updated.
const cacheInfoSize = 16

func decodeLifetimes(a *Address, b []byte) error {
	if len(b) < cacheInfoSize {
		return errors.New("too short")
	}
	a.Lifetimes = Lifetimes{
		Preferred: binary.NativeEndian.Uint32(b),
		Valid:     binary.NativeEndian.Uint32(b[4:]),
	}
	a.Created = binary.NativeEndian.Uint32(b[8:])
	a.Updated = binary.NativeEndian.Uint32(b[12:])
	return nil
}

func encodeLifetimes(a *Address) ([]byte, error) {
	if a.Lifetimes == (Lifetimes{}) && a.Created == 0 && a.Updated == 0 {
		return nil, nil
	}
	b := make([]byte, cacheInfoSize)
	binary.NativeEndian.PutUint32(b, a.Lifetimes.Preferred)
	binary.NativeEndian.PutUint32(b[4:], a.Lifetimes.Valid)
	binary.NativeEndian.PutUint32(b[8:], a.Created)
	binary.NativeEndian.PutUint32(b[12:], a.Updated)
	return b, nil
}

// AddressKey identifies one address.
type AddressKey struct {
	family, prefixLength uint8
	index                uint32
	own, peer            netip.Addr
}

// Key identifies the address: there may be the same one with another prefix
// or to another far end.
func (a *Address) Key() AddressKey {
	return AddressKey{family: a.Family, prefixLength: a.PrefixLength, index: a.Index, own: a.Own(), peer: a.Address}
}

// UnmarshalBinary reads the payload of a message.
func (a *Address) UnmarshalBinary(b []byte) error {
	*a = Address{}
	err := decodeMessage(addressTable, a, b, addressHeaderSize, func(h []byte) {
		a.Family = h[0]
		a.PrefixLength = h[1]
		a.Flags = uint32(h[2])
		a.Scope = h[3]
		a.Index = binary.NativeEndian.Uint32(h[4:])
	})
	if err != nil {
		return fmt.Errorf("read address message: %w", err)
	}
	return nil
}

// MarshalBinary writes the payload of a message.
func (a *Address) MarshalBinary() ([]byte, error) {
	h := make([]byte, addressHeaderSize)
	h[0], h[1], h[2], h[3] = a.Family, a.PrefixLength, uint8(a.Flags), a.Scope
	binary.NativeEndian.PutUint32(h[4:], a.Index)
	b, err := encodeMessage(addressTable, a, h)
	if err != nil {
		return nil, fmt.Errorf("write address message: %w", err)
	}
	return b, nil
}
