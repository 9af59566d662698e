package rtnl

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// IPoIB is the data of kind "ipoib": IP over InfiniBand. The link below is the
// Parent of the Link.
type IPoIB struct {
	PKey   *uint16            `json:"pkey,omitempty"` // partition key
	Mode   *Named[ipoibModes] `json:"mode,omitempty"`
	UMCast *bool              `json:"umcast,omitempty"` // multicast groups made by user space
}

// IPOIB_MODE_…, linux/if_link.h.
type ipoibModes struct{}

func (ipoibModes) names() []string { return []string{"datagram", "connected"} }

var ipoibTable = table[IPoIB]{
	optional(unix.IFLA_IPOIB_PKEY, "IFLA_IPOIB_PKEY", func(i *IPoIB) **uint16 { return &i.PKey }),
	named[uint16](unix.IFLA_IPOIB_MODE, "IFLA_IPOIB_MODE", func(i *IPoIB) **Named[ipoibModes] { return &i.Mode }),
	{number: unix.IFLA_IPOIB_UMCAST, name: "IFLA_IPOIB_UMCAST", decode: decodeUMCast, encode: encodeUMCast},
}

// A flag of 16 bits; all others have 8.
func decodeUMCast(i *IPoIB, b []byte) error {
	var value uint16
	err := getInteger(b, &value)
	i.UMCast = new(value != 0)
	return err
}

func encodeUMCast(i *IPoIB) ([]byte, error) {
	switch {
	case i.UMCast == nil:
		return nil, nil
	case *i.UMCast:
		return binary.NativeEndian.AppendUint16(nil, 1), nil
	}
	return []byte{0, 0}, nil
}
