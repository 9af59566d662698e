package rtnl

import (
	"fmt"

	"github.com/mdlayher/netlink"
)

// list is a row for an attribute with any number of the same attribute within,
// each an element; left out when nil. An empty list is written as one without
// elements.
//
//go:noinline
func list[E, T any](n uint16, name string, at func(T) *[]E, element *attribute[*E]) *attribute[T] {
	return &attribute[T]{
		number: n, name: name, flags: netlink.Nested,
		decode: func(t T, b []byte) error {
			elements := table[*[]E]{{
				number: element.number, name: element.name,
				decode: func(all *[]E, b []byte) error {
					var e E
					err := element.decode(&e, b)
					*all = append(*all, e)
					return err
				},
			}}
			*at(t) = nil
			return elements.decode(at(t), b)
		},
		encode: func(t T) ([]byte, error) {
			if *at(t) == nil {
				return nil, nil
			}
			attributes := netlink.NewAttributeEncoder()
			for i := range *at(t) {
				b, err := element.encode(&(*at(t))[i])
				if err != nil {
					return nil, err
				}
				attributes.Bytes(element.number|element.flags, b)
			}
			b, err := attributes.Encode()
			return append([]byte{}, b...), err
		},
		absent: []byte{},
		show:   func(t T) string { return fmt.Sprint(*at(t)) },
	}
}
