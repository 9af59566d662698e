package state

import (
	"encoding/hex"
	"fmt"
	"strconv"
)

// BridgeID identifies a bridge in the spanning tree (struct ifla_bridge_id). Its text
// is that of sysfs, e.g. "8000.00234567891c".
type BridgeID struct {
	Priority uint16
	Address  [6]byte
}

func (id BridgeID) String() string { return fmt.Sprintf("%04x.%x", id.Priority, id.Address) }

// MarshalText returns the String.
func (id BridgeID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the text that MarshalText returns.
func (id *BridgeID) UnmarshalText(b []byte) error {
	if len(b) == 17 && b[4] == '.' {
		priority, err := strconv.ParseUint(string(b[:4]), 16, 16)
		address, addressErr := hex.DecodeString(string(b[5:]))
		if err == nil && addressErr == nil {
			*id = BridgeID{uint16(priority), [6]byte(address)}
			return nil
		}
	}
	return fmt.Errorf("%q is no bridge ID like 8000.00234567891c", b)
}

// BridgePortID holds a port's priority in the upper four bits, and the port's number.
// Its text is that of sysfs, e.g. "0x8001".
type BridgePortID uint16

func (id BridgePortID) String() string { return fmt.Sprintf("0x%04x", uint16(id)) }

// MarshalText returns the String.
func (id BridgePortID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the text that MarshalText returns.
func (id *BridgePortID) UnmarshalText(b []byte) error { return parseUint16(b, (*uint16)(id)) }

// BridgePortNumber is a port's number in its bridge, from 1 on. Its text is that of
// sysfs, e.g. "0x1".
type BridgePortNumber uint16

func (n BridgePortNumber) String() string { return fmt.Sprintf("0x%x", uint16(n)) }

// MarshalText returns the String.
func (n BridgePortNumber) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads the text that MarshalText returns.
func (n *BridgePortNumber) UnmarshalText(b []byte) error { return parseUint16(b, (*uint16)(n)) }

func parseUint16(b []byte, to *uint16) error {
	value, err := strconv.ParseUint(string(b), 0, 16)
	if err != nil {
		return fmt.Errorf("%q is no number of 16 bits", b)
	}
	*to = uint16(value)
	return nil
}
