// Package rtnl reads and writes rtnetlink messages. Each kind of message, and
// each kind of link, has one table of its attributes, which serves both ways:
// what is shown can be set. See rtnetlink(7) and linux/rtnetlink.h.
package rtnl

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nlenc"
)

// maxPayload is what fits behind an attribute's header, whose length field has
// 16 bits (struct nlattr).
const maxPayload = 1<<16 - 1 - 4

// An attribute is one row of a table: how the attribute of one number is read
// into a T and written from it.
type attribute[T any] struct {
	number uint16
	flags  uint16 // netlink.Nested
	name   string // of the kernel's constant, for errors
	decode func(t *T, payload []byte) error
	encode func(t *T) ([]byte, error) // nil: t does not have it
}

// A table describes all attributes of a T that we know. Attributes that are
// not in it are skipped, since every kernel brings new ones.
type table[T any] []attribute[T]

func (rows table[T]) decode(t *T, b []byte) error {
	attributes, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		return err
	}
	for attributes.Next() {
		for i := range rows {
			row := &rows[i]
			if row.number != attributes.Type() {
				continue
			}
			if err := row.decode(t, attributes.Bytes()); err != nil {
				return fmt.Errorf("attribute %s: %w", row.name, err)
			}
		}
	}
	return attributes.Err()
}

func (rows table[T]) encode(t *T) ([]byte, error) {
	attributes := netlink.NewAttributeEncoder()
	for i := range rows {
		row := &rows[i]
		payload, err := row.encode(t)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", row.name, err)
		}
		if len(payload) > maxPayload {
			return nil, fmt.Errorf("attribute %s: %d bytes do not fit", row.name, len(payload))
		}
		if payload != nil {
			attributes.Bytes(row.number|row.flags, payload)
		}
	}
	return attributes.Encode()
}

// decodeMessage reads a fixed header of size bytes and the attributes behind it.
func decodeMessage[T any](rows table[T], t *T, b []byte, size int, header func(b []byte)) error {
	if len(b) < size {
		return fmt.Errorf("%d bytes are too short for a header of %d", len(b), size)
	}
	header(b[:size])
	return rows.decode(t, b[size:])
}

// encodeMessage writes a fixed header and the attributes behind it.
func encodeMessage[T any](rows table[T], t *T, header []byte) ([]byte, error) {
	attributes, err := rows.encode(t)
	if err != nil {
		return nil, err
	}
	return append(header, attributes...), nil
}

type integer interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int32
}

// number is a row for an integer in the machine's byte order, left out when 0.
func number[N integer, T any](n uint16, name string, at func(*T) *N) attribute[T] {
	return attribute[T]{
		number: n, name: name,
		decode: func(t *T, b []byte) error { return getInteger(b, at(t)) },
		encode: func(t *T) ([]byte, error) {
			if *at(t) == 0 {
				return nil, nil
			}
			return binary.Append(nil, binary.NativeEndian, *at(t))
		},
	}
}

// optional is number for attributes of which 0 is a value like any other: nil
// is the absent one.
func optional[N integer, T any](n uint16, name string, at func(*T) **N) attribute[T] {
	return attribute[T]{
		number: n, name: name,
		decode: func(t *T, b []byte) error {
			value := new(N)
			*at(t) = value
			return getInteger(b, value)
		},
		encode: func(t *T) ([]byte, error) {
			if *at(t) == nil {
				return nil, nil
			}
			return binary.Append(nil, binary.NativeEndian, **at(t))
		},
	}
}

func getInteger[N integer](b []byte, to *N) error {
	if want := binary.Size(*to); len(b) != want {
		return fmt.Errorf("%d bytes instead of %d", len(b), want)
	}
	_, err := binary.Decode(b, binary.NativeEndian, to)
	return err
}

// text is a row for a NUL-terminated string, left out when empty.
func text[T any](n uint16, name string, at func(*T) *string) attribute[T] {
	return attribute[T]{
		number: n, name: name,
		decode: func(t *T, b []byte) error {
			for i, c := range b {
				if c == 0 {
					b = b[:i]
					break
				}
			}
			*at(t) = string(b)
			return nil
		},
		encode: func(t *T) ([]byte, error) {
			if *at(t) == "" {
				return nil, nil
			}
			return nlenc.Bytes(*at(t)), nil
		},
	}
}

// raw is a row for bytes as they are, e.g. a hardware address, left out when nil.
func raw[B ~[]byte, T any](n uint16, name string, at func(*T) *B) attribute[T] {
	return attribute[T]{
		number: n, name: name,
		decode: func(t *T, b []byte) error {
			*at(t) = b
			return nil
		},
		encode: func(t *T) ([]byte, error) { return *at(t), nil },
	}
}

// address is a row for an IPv4 or IPv6 address, told apart by its length and
// left out when it is the zero Addr.
func address[T any](n uint16, name string, at func(*T) *netip.Addr) attribute[T] {
	return attribute[T]{
		number: n, name: name,
		decode: func(t *T, b []byte) error {
			a, ok := netip.AddrFromSlice(b)
			if !ok {
				return fmt.Errorf("%d bytes are no IP address", len(b))
			}
			*at(t) = a
			return nil
		},
		encode: func(t *T) ([]byte, error) {
			if !at(t).IsValid() {
				return nil, nil
			}
			return at(t).AsSlice(), nil
		},
	}
}

// nested is a row for attributes within an attribute, left out when there are
// none.
func nested[U, T any](n uint16, name string, rows table[U], at func(*T) *U) attribute[T] {
	return attribute[T]{
		number: n, name: name, flags: netlink.Nested,
		decode: func(t *T, b []byte) error { return rows.decode(at(t), b) },
		encode: func(t *T) ([]byte, error) {
			b, err := rows.encode(at(t))
			if len(b) == 0 {
				return nil, err
			}
			return b, err
		},
	}
}
