// Package rtnl reads and writes rtnetlink messages. Each kind of message, and
// each kind of link, has one table of its attributes, which serves both ways:
// what is shown can be set. See rtnetlink(7) and linux/rtnetlink.h.
package rtnl

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"unsafe"

	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nlenc"

	"github.com/netconnectd/netconnectd/state"
)

// maxPayload is what fits behind an attribute's header, whose length field has
// 16 bits (struct nlattr).
const maxPayload = 1<<16 - 1 - 4

// headerSize is that of an attribute (struct nlattr): its length with the
// header, its number, each of 16 bits.
const headerSize = 4

// flagBits are the bits of an attribute's number that describe its
// payload instead (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
const flagBits = netlink.Nested | netlink.NetByteOrder

// An attribute is one row of a table: how the attribute of one number is read
// into the struct that T points to, and written from the struct. The payload that
// decode receives is a part of the message: what is kept of it has to be copied.
//
// T is a pointer and not the struct because the compiler makes one copy of generic
// code for all pointers, but one for each struct: that made the daemon 800 kB larger.
// The functions that make rows are not inlined. Inlined, every row of a table
// has a copy of its decode and encode, which made the daemon 360 kB larger on
// amd64 and 450 kB on ARM.
type attribute[T any] struct {
	number uint16
	flags  uint16 // netlink.Nested
	name   string // of the kernel's constant, for errors
	decode func(t T, payload []byte) error
	encode func(t T) ([]byte, error) // nil: t does not have the attribute

	// What Delta needs to know.
	class   Class
	absent  []byte                         // payload that the attribute stands for when the kernel does not show it; nil: none
	compare func(have, want []byte) []byte // returns what to send, nil if they are equal; nil: want, if the bytes differ
	beside  []fixed                        // attributes without which the kernel ignores this one
	show    func(t T) string               // the value for people; nil: it has no text
}

// fixed is an attribute with its payload.
type fixed struct {
	number  uint16
	payload []byte
}

// A table describes all attributes that we know of the struct that T points to, each
// number in one row. Attributes that are not in the table are skipped, since every
// kernel brings new ones.
type table[T any] []*attribute[T]

func (rows table[T]) decode(t T, b []byte) error {
	next := 0
	for len(b) > 0 {
		number, payload, rest, err := cutAttribute(b)
		if err != nil {
			return err
		}
		b = rest
		i := rows.find(number, next)
		if i < 0 {
			continue
		}
		if err := rows[i].decode(t, payload); err != nil {
			return fmt.Errorf("attribute %s: %w", rows[i].name, err)
		}
		next = i + 1
	}
	return nil
}

// find returns the index of a number's row, or -1. It looks from one row on and
// then from the first: the kernel sends attributes in an order, and mostly the
// rows follow it.
func (rows table[T]) find(number uint16, from int) int {
	for i := from; i < len(rows); i++ {
		if rows[i].number == number {
			return i
		}
	}
	for i := range rows[:from] {
		if rows[i].number == number {
			return i
		}
	}
	return -1
}

// cutAttribute splits the first attribute from those behind it.
func cutAttribute(b []byte) (number uint16, payload, rest []byte, err error) {
	if len(b) < headerSize {
		return 0, nil, nil, fmt.Errorf("%d bytes are too short for an attribute", len(b))
	}
	size := int(binary.NativeEndian.Uint16(b))
	number = binary.NativeEndian.Uint16(b[2:]) &^ flagBits
	if size < headerSize || size > len(b) {
		return 0, nil, nil, fmt.Errorf("attribute %d: length too short or too large: %d of %d bytes", number, size, len(b))
	}
	return number, b[headerSize:size:size], b[min(align(size), len(b)):], nil
}

// align rounds up to NLA_ALIGNTO and RTNH_ALIGNTO.
func align(n int) int { return (n + 3) &^ 3 }

func (rows table[T]) encode(t T) ([]byte, error) {
	attributes := netlink.NewAttributeEncoder()
	for i := range rows {
		row := rows[i]
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
func decodeMessage[T any](rows table[T], t T, b []byte, size int, header func(b []byte)) error {
	if len(b) < size {
		return fmt.Errorf("%d bytes are too short for a header of %d", len(b), size)
	}
	header(b[:size])
	return rows.decode(t, b[size:])
}

// encodeMessage writes a fixed header and the attributes behind it.
func encodeMessage[T any](rows table[T], t T, header []byte) ([]byte, error) {
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
//
//go:noinline
func number[N integer, T any](n uint16, name string, at func(T) *N) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error { return getInteger(b, at(t)) },
		encode: func(t T) ([]byte, error) {
			if *at(t) == 0 {
				return nil, nil
			}
			return binary.Append(nil, binary.NativeEndian, *at(t))
		},
		show: func(t T) string { return fmt.Sprint(*at(t)) },
	}
}

// optional is number for attributes of which 0 is a value like any other: nil
// is the absent one.
//
//go:noinline
func optional[N integer, T any](n uint16, name string, at func(T) **N) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error {
			value := new(N)
			*at(t) = value
			return getInteger(b, value)
		},
		encode: func(t T) ([]byte, error) {
			if *at(t) == nil {
				return nil, nil
			}
			return binary.Append(nil, binary.NativeEndian, **at(t))
		},
		show: func(t T) string { return fmt.Sprint(**at(t)) },
	}
}

func getInteger[N integer](b []byte, to *N) error {
	if want := int(unsafe.Sizeof(*to)); len(b) != want {
		return fmt.Errorf("%d bytes instead of %d", len(b), want)
	}
	switch len(b) {
	case 1:
		*to = N(b[0])
	case 2:
		*to = N(binary.NativeEndian.Uint16(b))
	case 4:
		*to = N(binary.NativeEndian.Uint32(b))
	case 8:
		*to = N(binary.NativeEndian.Uint64(b))
	}
	return nil
}

// text is a row for a NUL-terminated string, left out when empty.
//
//go:noinline
func text[T any](n uint16, name string, at func(T) *string) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error {
			for i, c := range b {
				if c == 0 {
					b = b[:i]
					break
				}
			}
			*at(t) = string(b)
			return nil
		},
		encode: func(t T) ([]byte, error) {
			if *at(t) == "" {
				return nil, nil
			}
			return nlenc.Bytes(*at(t)), nil
		},
		show: func(t T) string { return strconv.Quote(*at(t)) },
	}
}

// optionalText is text for attributes of which the empty text is a value like any
// other: nil is the absent one.
//
//go:noinline
func optionalText[T any](n uint16, name string, at func(T) **string) *attribute[T] {
	row := text(n, name, func(t T) *string {
		if *at(t) == nil {
			*at(t) = new(string)
		}
		return *at(t)
	})
	row.encode = func(t T) ([]byte, error) {
		if *at(t) == nil {
			return nil, nil
		}
		return nlenc.Bytes(**at(t)), nil
	}
	row.absent = nlenc.Bytes("")
	return row
}

// raw is a row for bytes as they are, e.g. a hardware address, left out when nil.
//
//go:noinline
func raw[B ~[]byte, T any](n uint16, name string, at func(T) *B) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error {
			*at(t) = append(B{}, b...) // not nil, even if empty
			return nil
		},
		encode: func(t T) ([]byte, error) { return *at(t), nil },
		show:   func(t T) string { return state.HardwareAddress(*at(t)).String() },
	}
}

// address is a row for an IPv4 or IPv6 address, which its length shows, and
// left out when it is the zero Addr.
//
//go:noinline
func address[T any](n uint16, name string, at func(T) *netip.Addr) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error {
			a, ok := netip.AddrFromSlice(b)
			if !ok {
				return fmt.Errorf("%d bytes are no IP address", len(b))
			}
			*at(t) = a
			return nil
		},
		encode: func(t T) ([]byte, error) {
			if !at(t).IsValid() {
				return nil, nil
			}
			return at(t).AsSlice(), nil
		},
		show: func(t T) string { return at(t).String() },
	}
}

// nested is a row for attributes within an attribute, left out when there are
// none.
//
//go:noinline
func nested[U, T any](n uint16, name string, rows table[U], at func(T) U) *attribute[T] {
	return &attribute[T]{
		number: n, name: name, flags: netlink.Nested,
		decode: func(t T, b []byte) error { return rows.decode(at(t), b) },
		encode: func(t T) ([]byte, error) {
			b, err := rows.encode(at(t))
			if len(b) == 0 {
				return nil, err
			}
			return b, err
		},
	}
}

// behind returns rows for attributes that stand in a U, to which the struct points
// only when one of them is present, so that what is rare takes no room.
func behind[U, T any](at func(T) **U, rows table[*U]) table[T] {
	out := make(table[T], 0, len(rows))
	for _, row := range rows {
		out = append(out, &attribute[T]{
			number: row.number, name: row.name, flags: row.flags, class: row.class,
			decode: func(t T, b []byte) error {
				if *at(t) == nil {
					*at(t) = new(U)
				}
				if err := row.decode(*at(t), b); err != nil {
					return err
				}
				if said, err := row.encode(*at(t)); said != nil || err != nil {
					return nil
				}
				if all, err := rows.encode(*at(t)); len(all) == 0 && err == nil {
					*at(t) = nil
				}
				return nil
			},
			encode: func(t T) ([]byte, error) {
				if *at(t) == nil {
					return nil, nil
				}
				return row.encode(*at(t))
			},
		})
	}
	return out
}
