package rtnl

import (
	"encoding/binary"
	"fmt"

	"github.com/mdlayher/netlink"
)

// byteOrder is binary.NativeEndian or binary.BigEndian.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// structure is a row for a struct of the kernel's, whose members V has in the
// same order and width, left out when nil. That of a newer kernel may be
// longer: what is added to a struct comes at its end.
//
//go:noinline
func structure[V, T any](n uint16, name string, order byteOrder, at func(T) **V) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error {
			value := new(V)
			if want := binary.Size(value); len(b) < want {
				return fmt.Errorf("%d bytes instead of %d", len(b), want)
			}
			if _, err := binary.Decode(b, order, value); err != nil {
				return err
			}
			*at(t) = value
			return nil
		},
		encode: func(t T) ([]byte, error) {
			if *at(t) == nil {
				return nil, nil
			}
			return binary.Append(nil, order, *at(t))
		},
		show: func(t T) string { return fmt.Sprint(**at(t)) },
	}
}

// bigEndian is optional for numbers in network byte order.
//
//go:noinline
func bigEndian[N integer, T any](n uint16, name string, at func(T) **N) *attribute[T] {
	row := structure(n, name, binary.BigEndian, at)
	decode := row.decode
	row.decode = func(t T, b []byte) error {
		if want := binary.Size(N(0)); len(b) != want {
			return fmt.Errorf("%d bytes instead of %d", len(b), want)
		}
		return decode(t, b)
	}
	return row
}

// optionalNested is nested for attributes of which an empty set is not an
// absent one: nil is.
//
//go:noinline
func optionalNested[U, T any](n uint16, name string, rows table[*U], at func(T) **U) *attribute[T] {
	return &attribute[T]{
		number: n, name: name, flags: netlink.Nested,
		decode: func(t T, b []byte) error {
			*at(t) = new(U)
			return rows.decode(*at(t), b)
		},
		encode: func(t T) ([]byte, error) {
			if *at(t) == nil {
				return nil, nil
			}
			b, err := rows.encode(*at(t))
			return append([]byte{}, b...), err
		},
	}
}
