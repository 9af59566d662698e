// Package mptcp reads the path manager of Multipath TCP: the addresses that it
// may use or announce, and its limits (family mptcp_pm, linux/mptcp_pm.h).
package mptcp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/mdlayher/genetlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
)

// State is the path manager of one network namespace.
type State struct {
	Enabled              bool      `json:"enabled"` // new sockets may use MPTCP
	AddAddrAcceptedLimit *uint32   `json:"add_addr_accepted_limit,omitempty"`
	SubflowsLimit        *uint32   `json:"subflows_limit,omitempty"`
	Addresses            []Address `json:"addresses,omitempty"`
}

// Address is an endpoint.
type Address struct {
	Address netip.Addr `json:"address"`
	ID      *uint8     `json:"id,omitempty"`
	Port    *uint16    `json:"port,omitempty"`
	Flags   []string   `json:"flags,omitempty"` // of flagNames, others as e.g. "0x40"
	Iface   string     `json:"iface,omitempty"` // name of Index, which Read leaves to the caller
	Index   int32      `json:"-"`               // of the link; 0: none
}

// enabled is net.mptcp.enabled of the calling thread's namespace.
const enabled = "/proc/sys/net/mptcp/enabled"

// Numbers of linux/mptcp_pm.h.
const (
	familyName = "mptcp_pm"

	cmdGetAddr   = 3 // MPTCP_PM_CMD_GET_ADDR
	cmdGetLimits = 6 // MPTCP_PM_CMD_GET_LIMITS

	attrAddr        = 1 // MPTCP_PM_ATTR_ADDR
	attrRcvAddAddrs = 2 // MPTCP_PM_ATTR_RCV_ADD_ADDRS
	attrSubflows    = 3 // MPTCP_PM_ATTR_SUBFLOWS

	addrID    = 2 // MPTCP_PM_ADDR_ATTR_ID
	addrAddr4 = 3 // MPTCP_PM_ADDR_ATTR_ADDR4
	addrAddr6 = 4 // MPTCP_PM_ADDR_ATTR_ADDR6
	addrPort  = 5 // MPTCP_PM_ADDR_ATTR_PORT
	addrFlags = 6 // MPTCP_PM_ADDR_ATTR_FLAGS
	addrIfIdx = 7 // MPTCP_PM_ADDR_ATTR_IF_IDX
)

// flagNames are the bits MPTCP_PM_ADDR_FLAG_… from the lowest on.
var flagNames = []string{"signal", "subflow", "backup", "fullmesh", "implicit", "laminar"}

// Read reads the network namespace of the calling thread. A kernel without
// MPTCP has it not enabled. Newer kernels tell addresses to CAP_NET_ADMIN only:
// without it there are none.
func Read(ctx context.Context) (State, error) {
	state := State{Enabled: readEnabled()}
	conn, err := genl.Dial(ctx, familyName)
	if errors.Is(err, genl.ErrNoFamily) {
		return state, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("read MPTCP: %w", err)
	}
	defer conn.Close()
	if err := state.read(conn); err != nil {
		return State{}, fmt.Errorf("read MPTCP: %w", err)
	}
	return state, nil
}

func readEnabled() bool {
	b, err := os.ReadFile(enabled)
	b = bytes.TrimSpace(b)
	return err == nil && len(b) > 0 && string(b) != "0"
}

func (s *State) read(conn *genl.Conn) error {
	for _, part := range []struct {
		name string
		ask  func(command uint8, attributes []byte) ([]genetlink.Message, error)
		cmd  uint8
		add  func([]byte) error
	}{
		{"limits", conn.Get, cmdGetLimits, s.addLimits},
		{"addresses", conn.Dump, cmdGetAddr, s.addAddress},
	} {
		replies, err := part.ask(part.cmd, nil)
		if errors.Is(err, unix.EPERM) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		for _, reply := range replies {
			if err := part.add(reply.Data); err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
		}
	}
	return nil
}

var limitRows = genl.Table[State]{
	genl.Optional(attrRcvAddAddrs, "MPTCP_PM_ATTR_RCV_ADD_ADDRS", func(s *State) **uint32 { return &s.AddAddrAcceptedLimit }),
	genl.Optional(attrSubflows, "MPTCP_PM_ATTR_SUBFLOWS", func(s *State) **uint32 { return &s.SubflowsLimit }),
}

func (s *State) addLimits(b []byte) error { return limitRows.Decode(s, b) }

var messageRows = genl.Table[Address]{
	genl.Nested(attrAddr, "MPTCP_PM_ATTR_ADDR", addressRows, func(a *Address) *Address { return a }),
}

var addressRows = genl.Table[Address]{
	genl.Optional(addrID, "MPTCP_PM_ADDR_ATTR_ID", func(a *Address) **uint8 { return &a.ID }),
	{Number: addrAddr4, Name: "MPTCP_PM_ADDR_ATTR_ADDR4", Decode: addressOf(4)},
	{Number: addrAddr6, Name: "MPTCP_PM_ADDR_ATTR_ADDR6", Decode: addressOf(16)},
	// Unlike most ports in netlink this one is in the machine's byte order.
	genl.Optional(addrPort, "MPTCP_PM_ADDR_ATTR_PORT", func(a *Address) **uint16 { return &a.Port }),
	{Number: addrFlags, Name: "MPTCP_PM_ADDR_ATTR_FLAGS", Decode: decodeFlags},
	genl.Number(addrIfIdx, "MPTCP_PM_ADDR_ATTR_IF_IDX", func(a *Address) *int32 { return &a.Index }),
}

func (s *State) addAddress(b []byte) error {
	var address Address
	if err := messageRows.Decode(&address, b); err != nil {
		return err
	}
	if !address.Address.IsValid() {
		return errors.New("endpoint without an address")
	}
	if address.Port != nil && *address.Port == 0 {
		address.Port = nil
	}
	s.Addresses = append(s.Addresses, address)
	return nil
}

func addressOf(size int) func(*Address, []byte) error {
	return func(a *Address, b []byte) error {
		if len(b) != size {
			return fmt.Errorf("%d bytes instead of %d", len(b), size)
		}
		a.Address, _ = netip.AddrFromSlice(b)
		return nil
	}
}

func decodeFlags(a *Address, b []byte) error {
	if len(b) != 4 {
		return fmt.Errorf("%d bytes instead of 4", len(b))
	}
	a.Flags = nil
	for flags, bit := binary.NativeEndian.Uint32(b), 0; flags != 0; flags, bit = flags>>1, bit+1 {
		switch {
		case flags&1 == 0:
		case bit < len(flagNames):
			a.Flags = append(a.Flags, flagNames[bit])
		default:
			a.Flags = append(a.Flags, fmt.Sprintf("%#x", uint32(1)<<bit))
		}
	}
	return nil
}
