package genl

import (
	"encoding/binary"
	"fmt"

	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nlenc"
)

// A Row describes how the attribute of one number is read into the struct that T
// points to. T is a pointer because the compiler makes one copy of generic code for all
// pointers.
type Row[T any] struct {
	Number uint16
	Name   string // of the kernel's constant, for errors
	Decode func(t T, payload []byte) error
}

// A Table describes all attributes that we know of the struct that T points to.
// Attributes that are not in the table are skipped, since every kernel brings new ones.
type Table[T any] []Row[T]

// Decode reads attributes into t. Payloads that it keeps share their memory
// with b.
func (rows Table[T]) Decode(t T, b []byte) error {
	attributes, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		return err
	}
	for attributes.Next() {
		for i := range rows {
			row := &rows[i]
			if row.Number != attributes.Type() {
				continue
			}
			if err := row.Decode(t, attributes.Bytes()); err != nil {
				return fmt.Errorf("attribute %s: %w", row.Name, err)
			}
		}
	}
	return attributes.Err()
}

// Each gives the payloads of attributes that are the elements of a list,
// whatever their numbers.
func Each(b []byte, element func(payload []byte) error) error {
	attributes, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		return err
	}
	for attributes.Next() {
		if err := element(attributes.Bytes()); err != nil {
			return err
		}
	}
	return attributes.Err()
}

// Integer is what a number can be.
type Integer interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int32
}

// Number is a row for an integer in the machine's byte order.
//
//go:noinline
func Number[N Integer, T any](n uint16, name string, at func(T) *N) Row[T] {
	return Row[T]{n, name, func(t T, b []byte) error { return get(b, at(t)) }}
}

// Optional is a Number that is nil where the kernel does not tell it.
//
//go:noinline
func Optional[N Integer, T any](n uint16, name string, at func(T) **N) Row[T] {
	return Row[T]{n, name, func(t T, b []byte) error {
		value := new(N)
		*at(t) = value
		return get(b, value)
	}}
}

// Bool is a row for a byte that is 0 or 1.
//
//go:noinline
func Bool[T any](n uint16, name string, at func(T) *bool) Row[T] {
	return Row[T]{n, name, func(t T, b []byte) error {
		var value uint8
		err := get(b, &value)
		*at(t) = value != 0
		return err
	}}
}

// OptionalBool is a Bool that is nil where the kernel does not tell it.
//
//go:noinline
func OptionalBool[T any](n uint16, name string, at func(T) **bool) Row[T] {
	return Bool(n, name, func(t T) *bool {
		value := new(bool)
		*at(t) = value
		return value
	})
}

// Present is a row for an attribute without content, which says yes by being
// there.
//
//go:noinline
func Present[T any](n uint16, name string, at func(T) *bool) Row[T] {
	return Row[T]{n, name, func(t T, _ []byte) error {
		*at(t) = true
		return nil
	}}
}

// Text is a row for a string, with or without its NUL.
//
//go:noinline
func Text[T any](n uint16, name string, at func(T) *string) Row[T] {
	return Row[T]{n, name, func(t T, b []byte) error {
		*at(t) = nlenc.String(b)
		return nil
	}}
}

// Raw is a row for bytes as they are.
//
//go:noinline
func Raw[T any](n uint16, name string, at func(T) *[]byte) Row[T] {
	return Row[T]{n, name, func(t T, b []byte) error {
		*at(t) = b
		return nil
	}}
}

// Nested is a row for attributes within an attribute.
//
//go:noinline
func Nested[U, T any](n uint16, name string, rows Table[U], at func(T) U) Row[T] {
	return Row[T]{n, name, func(t T, b []byte) error { return rows.Decode(at(t), b) }}
}

func get[N Integer](b []byte, to *N) error {
	if want := binary.Size(*to); len(b) != want {
		return fmt.Errorf("%d bytes instead of %d", len(b), want)
	}
	_, err := binary.Decode(b, binary.NativeEndian, to)
	return err
}
