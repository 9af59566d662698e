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
	"github.com/netconnectd/netconnectd/state"
)

// State is the path manager of one network namespace. Its endpoints have the
// indexes of their links; Named returns them with names.
type State struct {
	state.MPTCP // without Addresses
	Endpoints   []Endpoint
}

// Endpoint is an address without the name of its link.
type Endpoint struct {
	state.MPTCPAddress
	Index int32 // of the link; 0: none
}

// Named returns s as others see it. name returns the name of the link of an index.
func (s *State) Named(name func(index uint32) string) state.MPTCP {
	out := s.MPTCP
	for _, e := range s.Endpoints {
		e.Iface = name(uint32(e.Index))
		out.Addresses = append(out.Addresses, e.MPTCPAddress)
	}
	return out
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
	found := State{MPTCP: state.MPTCP{Enabled: readEnabled()}}
	conn, err := genl.Dial(ctx, familyName)
	if errors.Is(err, genl.ErrNoFamily) {
		return found, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("read MPTCP: %w", err)
	}
	defer conn.Close()
	if err := found.read(conn); err != nil {
		return State{}, fmt.Errorf("read MPTCP: %w", err)
	}
	return found, nil
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

var limitRows = genl.Table[*State]{
	genl.Optional(attrRcvAddAddrs, "MPTCP_PM_ATTR_RCV_ADD_ADDRS", func(s *State) **uint32 { return &s.AddAddrAcceptedLimit }),
	genl.Optional(attrSubflows, "MPTCP_PM_ATTR_SUBFLOWS", func(s *State) **uint32 { return &s.SubflowsLimit }),
}

func (s *State) addLimits(b []byte) error { return limitRows.Decode(s, b) }

var messageRows = genl.Table[*Endpoint]{
	genl.Nested(attrAddr, "MPTCP_PM_ATTR_ADDR", addressRows, func(e *Endpoint) *Endpoint { return e }),
}

var addressRows = genl.Table[*Endpoint]{
	genl.Optional(addrID, "MPTCP_PM_ADDR_ATTR_ID", func(e *Endpoint) **uint8 { return &e.ID }),
	{Number: addrAddr4, Name: "MPTCP_PM_ADDR_ATTR_ADDR4", Decode: addressOf(4)},
	{Number: addrAddr6, Name: "MPTCP_PM_ADDR_ATTR_ADDR6", Decode: addressOf(16)},
	// Unlike most ports in netlink this one is in the machine's byte order.
	genl.Optional(addrPort, "MPTCP_PM_ADDR_ATTR_PORT", func(e *Endpoint) **uint16 { return &e.Port }),
	{Number: addrFlags, Name: "MPTCP_PM_ADDR_ATTR_FLAGS", Decode: decodeFlags},
	genl.Number(addrIfIdx, "MPTCP_PM_ADDR_ATTR_IF_IDX", func(e *Endpoint) *int32 { return &e.Index }),
}

func (s *State) addAddress(b []byte) error {
	var e Endpoint
	if err := messageRows.Decode(&e, b); err != nil {
		return err
	}
	if !e.Address.IsValid() {
		return errors.New("endpoint without an address")
	}
	if e.Port != nil && *e.Port == 0 {
		e.Port = nil
	}
	s.Endpoints = append(s.Endpoints, e)
	return nil
}

func addressOf(size int) func(*Endpoint, []byte) error {
	return func(e *Endpoint, b []byte) error {
		if len(b) != size {
			return fmt.Errorf("%d bytes instead of %d", len(b), size)
		}
		e.Address, _ = netip.AddrFromSlice(b)
		return nil
	}
}

func decodeFlags(e *Endpoint, b []byte) error {
	if len(b) != 4 {
		return fmt.Errorf("%d bytes instead of 4", len(b))
	}
	e.Flags = nil
	for flags, bit := binary.NativeEndian.Uint32(b), 0; flags != 0; flags, bit = flags>>1, bit+1 {
		switch {
		case flags&1 == 0:
		case bit < len(flagNames):
			e.Flags = append(e.Flags, flagNames[bit])
		default:
			e.Flags = append(e.Flags, fmt.Sprintf("%#x", uint32(1)<<bit))
		}
	}
	return nil
}
