package rtnl

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/mdlayher/netlink"
)

// A HardwareAddress is as long as its kind of link has it. Its text is in lower
// case, e.g. "00:23:45:67:89:1c".
type HardwareAddress []byte

func (a HardwareAddress) String() string { return net.HardwareAddr(a).String() }

// MarshalText gives the String.
func (a HardwareAddress) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (a *HardwareAddress) UnmarshalText(b []byte) error {
	read, err := hex.DecodeString(strings.ReplaceAll(string(b), ":", ""))
	if err != nil || !strings.EqualFold(HardwareAddress(read).String(), string(b)) {
		return fmt.Errorf("%q is no hardware address like 00:23:45:67:89:1c", b)
	}
	*a = read
	return nil
}

// ethernetAddress is a row for the hardware address of an Ethernet link, left
// out when nil.
//
//go:noinline
func ethernetAddress[T any](n uint16, name string, at func(*T) *HardwareAddress) attribute[T] {
	row := raw(n, name, at)
	decode := row.decode
	row.decode = func(t *T, b []byte) error {
		if len(b) != 6 {
			return fmt.Errorf("%d bytes instead of 6", len(b))
		}
		return decode(t, b)
	}
	return row
}

// addressOf is a row for the address of one family, told by its size in bytes,
// for fields that have one attribute for IPv4 and one for IPv6.
//
//go:noinline
func addressOf[T any](n uint16, name string, size int, at func(*T) *netip.Addr) attribute[T] {
	return attribute[T]{
		number: n, name: name,
		decode: func(t *T, b []byte) error {
			var err error
			*at(t), err = getAddress(b, size)
			return err
		},
		encode: func(t *T) ([]byte, error) {
			if at(t).BitLen() != 8*size {
				return nil, nil
			}
			return at(t).AsSlice(), nil
		},
	}
}

func getAddress(b []byte, size int) (netip.Addr, error) {
	a, ok := netip.AddrFromSlice(b)
	if !ok || len(b) != size {
		return netip.Addr{}, fmt.Errorf("%d bytes instead of %d", len(b), size)
	}
	return a, nil
}

// addresses is a row for a list of addresses of the same size in bytes, each
// in an attribute that is numbered by its place. nil is not mentioned; an empty
// list empties the kernel's.
//
//go:noinline
func addresses[L ~[]netip.Addr, T any](n uint16, name string, size int, at func(*T) *L) attribute[T] {
	return attribute[T]{
		number: n, name: name, flags: netlink.Nested,
		decode: func(t *T, b []byte) error {
			list := L{}
			for len(b) > 0 {
				number, payload, rest, err := cutAttribute(b)
				if err != nil {
					return err
				}
				a, err := getAddress(payload, size)
				if err != nil {
					return fmt.Errorf("address %d: %w", number, err)
				}
				list, b = append(list, a), rest
			}
			*at(t) = list
			return nil
		},
		encode: func(t *T) ([]byte, error) {
			if *at(t) == nil {
				return nil, nil
			}
			list := netlink.NewAttributeEncoder()
			for i, a := range *at(t) {
				if a.BitLen() != 8*size {
					return nil, fmt.Errorf("%s is not of %d bytes", a, size)
				}
				list.Bytes(uint16(i), a.AsSlice())
			}
			b, err := list.Encode()
			return append([]byte{}, b...), err
		},
	}
}
