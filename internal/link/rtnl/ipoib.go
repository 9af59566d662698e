package rtnl

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

var ipoibTable = table[*state.IPoIB]{
	recreate(optional(unix.IFLA_IPOIB_PKEY, "IFLA_IPOIB_PKEY", func(i *state.IPoIB) **uint16 { return &i.PKey })),
	named[uint16](unix.IFLA_IPOIB_MODE, "IFLA_IPOIB_MODE", func(i *state.IPoIB) **state.IPoIBMode { return &i.Mode }),
	{number: unix.IFLA_IPOIB_UMCAST, name: "IFLA_IPOIB_UMCAST", decode: decodeUMCast, encode: encodeUMCast},
}

// A flag of 16 bits; all others have 8.
func decodeUMCast(i *state.IPoIB, b []byte) error {
	var value uint16
	err := getInteger(b, &value)
	i.UMCast = new(value != 0)
	return err
}

func encodeUMCast(i *state.IPoIB) ([]byte, error) {
	switch {
	case i.UMCast == nil:
		return nil, nil
	case *i.UMCast:
		return binary.NativeEndian.AppendUint16(nil, 1), nil
	}
	return []byte{0, 0}, nil
}
