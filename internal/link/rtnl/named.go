package rtnl

import (
	"encoding/binary"
	"fmt"
)

// named is a row for an enumeration or a field of flags, of which the kernel's
// number has the width of N, left out when nil.
//
//go:noinline
func named[N integer, E ~uint32, T any](n uint16, name string, at func(T) **E) *attribute[T] {
	return orderedNamed[N](binary.NativeEndian, n, name, at)
}

// namedBigEndian is named for numbers in network byte order.
//
//go:noinline
func namedBigEndian[N integer, E ~uint32, T any](n uint16, name string, at func(T) **E) *attribute[T] {
	return orderedNamed[N](binary.BigEndian, n, name, at)
}

//go:noinline
func orderedNamed[N integer, E ~uint32, T any](order byteOrder, n uint16, name string, at func(T) **E) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error {
			var value N
			if want := binary.Size(value); len(b) != want {
				return fmt.Errorf("%d bytes instead of %d", len(b), want)
			}
			_, err := binary.Decode(b, order, &value)
			*at(t) = new(E(value))
			return err
		},
		encode: func(t T) ([]byte, error) {
			if *at(t) == nil {
				return nil, nil
			}
			value := N(**at(t))
			if E(value) != **at(t) {
				return nil, fmt.Errorf("%v does not fit", **at(t))
			}
			return binary.Append(nil, order, value)
		},
		show: func(t T) string { return fmt.Sprint(**at(t)) },
	}
}

// flag is a row for a byte that is 0 or 1, left out when nil.
//
//go:noinline
func flag[T any](n uint16, name string, at func(T) **bool) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error {
			var value uint8
			if err := getInteger(b, &value); err != nil {
				return err
			}
			set := value != 0
			*at(t) = &set
			return nil
		},
		encode: func(t T) ([]byte, error) {
			switch value := *at(t); {
			case value == nil:
				return nil, nil
			case *value:
				return []byte{1}, nil
			default:
				return []byte{0}, nil
			}
		},
		show: func(t T) string { return onOff(**at(t)) },
	}
}

// present is a row for an attribute without content, which means yes by being
// there.
//
//go:noinline
func present[T any](n uint16, name string, at func(T) *bool) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error {
			*at(t) = true
			return nil
		},
		encode: func(t T) ([]byte, error) {
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
func port[T any](n uint16, name string, at func(T) **uint16) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error {
			if len(b) != 2 {
				return fmt.Errorf("%d bytes instead of 2", len(b))
			}
			value := binary.BigEndian.Uint16(b)
			*at(t) = &value
			return nil
		},
		encode: func(t T) ([]byte, error) {
			if *at(t) == nil {
				return nil, nil
			}
			return binary.BigEndian.AppendUint16(nil, **at(t)), nil
		},
		show: func(t T) string { return fmt.Sprint(**at(t)) },
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
