package rtnl

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Spelling lists the names of the numbers of one of the kernel's
// enumerations; "" where a number has none.
type Spelling interface{ names() []string }

// Named is a number of the kernel's that people know by its name. Its text is
// the name, or the number in decimal where there is none: every kernel brings
// new ones.
type Named[S Spelling] uint32

func (n Named[S]) String() string {
	var s S
	if names := s.names(); int64(n) < int64(len(names)) && names[n] != "" {
		return names[n]
	}
	return strconv.FormatUint(uint64(n), 10)
}

// MarshalText gives the String.
func (n Named[S]) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (n *Named[S]) UnmarshalText(b []byte) error {
	var s S
	if i := slices.Index(s.names(), string(b)); i >= 0 && len(b) > 0 {
		*n = Named[S](i)
		return nil
	}
	number, err := strconv.ParseUint(string(b), 10, 32)
	if err != nil {
		return fmt.Errorf("%q is neither a number nor one of %s", b, strings.Join(n.Words(), ", "))
	}
	*n = Named[S](number)
	return nil
}

// Words lists the names that the text may be beside a number.
func (Named[S]) Words() []string { return words[S]() }

func words[S Spelling]() []string {
	var s S
	return slices.DeleteFunc(slices.Clone(s.names()), func(name string) bool { return name == "" })
}

// named is a row for an enumeration of which the kernel's number has the width
// of N, left out when nil.
//
//go:noinline
func named[N integer, S Spelling, T any](n uint16, name string, at func(*T) **Named[S]) attribute[T] {
	return attribute[T]{
		number: n, name: name,
		decode: func(t *T, b []byte) error {
			var value N
			if err := getInteger(b, &value); err != nil {
				return err
			}
			known := Named[S](value)
			*at(t) = &known
			return nil
		},
		encode: func(t *T) ([]byte, error) {
			if *at(t) == nil {
				return nil, nil
			}
			value := N(**at(t))
			if Named[S](value) != **at(t) {
				return nil, fmt.Errorf("%v does not fit", **at(t))
			}
			return binary.Append(nil, binary.NativeEndian, value)
		},
	}
}

// flag is a row for a byte that is 0 or 1, left out when nil.
//
//go:noinline
func flag[T any](n uint16, name string, at func(*T) **bool) attribute[T] {
	return attribute[T]{
		number: n, name: name,
		decode: func(t *T, b []byte) error {
			var value uint8
			if err := getInteger(b, &value); err != nil {
				return err
			}
			set := value != 0
			*at(t) = &set
			return nil
		},
		encode: func(t *T) ([]byte, error) {
			switch value := *at(t); {
			case value == nil:
				return nil, nil
			case *value:
				return []byte{1}, nil
			default:
				return []byte{0}, nil
			}
		},
	}
}

// present is a row for an attribute without content, which says yes by being
// there.
//
//go:noinline
func present[T any](n uint16, name string, at func(*T) *bool) attribute[T] {
	return attribute[T]{
		number: n, name: name,
		decode: func(t *T, b []byte) error {
			*at(t) = true
			return nil
		},
		encode: func(t *T) ([]byte, error) {
			if !*at(t) {
				return nil, nil
			}
			return []byte{}, nil
		},
	}
}

// port is a row for a number of 16 bits in network byte order, left out when
// nil.
//
//go:noinline
func port[T any](n uint16, name string, at func(*T) **uint16) attribute[T] {
	return attribute[T]{
		number: n, name: name,
		decode: func(t *T, b []byte) error {
			if len(b) != 2 {
				return fmt.Errorf("%d bytes instead of 2", len(b))
			}
			value := binary.BigEndian.Uint16(b)
			*at(t) = &value
			return nil
		},
		encode: func(t *T) ([]byte, error) {
			if *at(t) == nil {
				return nil, nil
			}
			return binary.BigEndian.AppendUint16(nil, **at(t)), nil
		},
	}
}
