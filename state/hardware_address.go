package state

import (
	"encoding/hex"
	"fmt"
	"net"
	"strings"
)

// HardwareAddress is a link-layer address, whose length depends on the kind of link.
// Its text is in lower case, e.g. "00:23:45:67:89:1c".
type HardwareAddress []byte

func (a HardwareAddress) String() string { return net.HardwareAddr(a).String() }

// MarshalText returns the String.
func (a HardwareAddress) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the text that MarshalText returns.
func (a *HardwareAddress) UnmarshalText(b []byte) error {
	read, err := hex.DecodeString(strings.ReplaceAll(string(b), ":", ""))
	if err != nil || !strings.EqualFold(HardwareAddress(read).String(), string(b)) {
		return fmt.Errorf("%q is no hardware address like 00:23:45:67:89:1c", b)
	}
	*a = read
	return nil
}
