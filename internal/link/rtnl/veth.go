package rtnl

import "encoding"

// attributeVethPeer is VETH_INFO_PEER, linux/veth.h.
const attributeVethPeer = 1

// Veth is the data of kind "veth" in a request. The kernel shows none: it
// reports the other end as the link below, Link.Parent.
type Veth struct {
	Peer *Link // the other end; nil lets the kernel choose all of it
}

var vethTable = table[*Veth]{
	recreate(nestedMessage(attributeVethPeer, "VETH_INFO_PEER", func(v *Veth) **Link { return &v.Peer })),
}

// binaryMessage is a *M that reads and writes a message. That it is an
// interface here breaks the circle of tables: a link has data, of which that of
// a veth has a link.
type binaryMessage[M any] interface {
	*M
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// nestedMessage is a row for a message within an attribute, left out when nil.
func nestedMessage[M any, P binaryMessage[M], T any](n uint16, name string, at func(T) *P) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error {
			*at(t) = new(M)
			return (*at(t)).UnmarshalBinary(b)
		},
		encode: func(t T) ([]byte, error) {
			if *at(t) == nil {
				return nil, nil
			}
			return (*at(t)).MarshalBinary()
		},
	}
}
