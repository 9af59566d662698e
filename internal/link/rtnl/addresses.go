package rtnl

import (
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"

	"github.com/netconnectd/netconnectd/state"
)

// ethernetAddress is a row for the hardware address of an Ethernet link, left
// out when nil.
//
//go:noinline
func ethernetAddress[T any](n uint16, name string, at func(T) *state.HardwareAddress) *attribute[T] {
	row := raw(n, name, at)
	decode := row.decode
	row.decode = func(t T, b []byte) error {
		if len(b) != 6 {
			return fmt.Errorf("%d bytes instead of 6", len(b))
		}
		return decode(t, b)
	}
	return row
}

// addressOf is a row for the address of one family, which its size in bytes shows,
// for fields that have one attribute for IPv4 and one for IPv6.
//
//go:noinline
func addressOf[T any](n uint16, name string, size int, at func(T) *netip.Addr) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error {
			var err error
			*at(t), err = getAddress(b, size)
			return err
		},
		encode: func(t T) ([]byte, error) {
			if at(t).BitLen() != 8*size {
				return nil, nil
			}
			return at(t).AsSlice(), nil
		},
		show: func(t T) string { return at(t).String() },
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
func addresses[L ~[]netip.Addr, T any](n uint16, name string, size int, at func(T) *L) *attribute[T] {
	return &attribute[T]{
		number: n, name: name, flags: netlink.Nested,
		decode: func(t T, b []byte) error {
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
		encode: func(t T) ([]byte, error) {
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
		absent: []byte{},
		show:   func(t T) string { return fmt.Sprint([]netip.Addr(*at(t))) },
	}
}
