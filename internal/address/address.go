// Package address says which addresses a cell of a network, and a device on one, can
// have. Every package that receives such an address from a person or from a file
// checks it here, so that all of them refuse the same addresses.
package address

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// cellSize is the length of a BSSID in bytes (IEEE 802.11, 9.2.4.3.4).
const cellSize = 6

// ParseCell reads the address of a cell (BSSID).
func ParseCell(text string) (net.HardwareAddr, error) {
	bssid, err := net.ParseMAC(text)
	if err != nil || len(bssid) != cellSize {
		return nil, errors.New("is an address such as 02:00:00:00:01:00")
	}
	if err := CheckCell(bssid); err != nil {
		return nil, err
	}
	return bssid, nil
}

// CheckCell reports why no cell can have an address, or nil. A cell sends from its
// BSSID, so a BSSID is the address of one station (IEEE 802.11, 9.2.4.3.4).
func CheckCell(bssid net.HardwareAddr) error {
	switch text := strings.ToUpper(bssid.String()); {
	case len(bssid) != cellSize:
		return fmt.Errorf("has %d bytes, not %d", len(bssid), cellSize)
	case bssid[0]&1 != 0:
		return fmt.Errorf("%s is a group of stations, no cell", text)
	case bytes.Equal(bssid, make([]byte, cellSize)):
		return fmt.Errorf("%s is the address of no cell", text)
	}
	return nil
}

// Static is a static address, for a network without DHCP and router advertisements.
// Its names in JSON are those of the socket's protocol.
type Static struct {
	Address netip.Prefix `json:"address"`          // of the device, e.g. 192.0.2.7/24
	Gateway netip.Addr   `json:"gateway,omitzero"` // within Address, or IPv6 link-local; zero: the network leads nowhere
	DNS     []netip.Addr `json:"dns,omitempty"`
}

// ParseStatic reads a static address and checks it. An empty gateway is none.
func ParseStatic(address, gateway string, dns []string) (*Static, error) {
	var s Static
	var err error
	if s.Address, err = netip.ParsePrefix(address); err != nil {
		return nil, errors.New("address is an address with the length of its prefix, such as 192.0.2.7/24")
	}
	if gateway != "" {
		if s.Gateway, err = netip.ParseAddr(gateway); err != nil {
			return nil, errors.New("gateway is not an address")
		}
	}
	for _, text := range dns {
		server, err := netip.ParseAddr(text)
		if err != nil {
			return nil, errors.New("dns has something that is not an address")
		}
		s.DNS = append(s.DNS, server)
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return &s, nil
}

// Check says what is wrong with an address, or nil.
func (s *Static) Check() error {
	if !s.Address.IsValid() {
		return errors.New("addressing wants an address with the length of its prefix, such as 192.0.2.7/24")
	}
	if err := CheckDevice(s.Address); err != nil {
		return fmt.Errorf("address %w", err)
	}
	if err := s.checkGateway(); err != nil {
		return err
	}
	for _, server := range s.DNS {
		if !server.IsValid() || server.IsUnspecified() {
			return errors.New("a DNS server has no address")
		}
		if err := checkHost(server, s.Address); err != nil {
			return fmt.Errorf("DNS server %w", err)
		}
	}
	return nil
}

func (s *Static) checkGateway() error {
	if !s.Gateway.IsValid() {
		return nil
	}
	if !s.Address.Masked().Contains(s.Gateway) && !s.onLink() || s.Gateway == s.Address.Addr() {
		return fmt.Errorf("gateway %v is not another address of %v", s.Gateway, s.Address.Masked())
	}
	if err := checkHost(s.Gateway, s.Address); err != nil {
		return fmt.Errorf("gateway %w", err)
	}
	return nil
}

// onLink reports whether the gateway is on the link whatever the prefix is: IPv6
// routers use link-local addresses, e.g. fe80::1.
func (s *Static) onLink() bool {
	return s.Address.Addr().Is6() && s.Gateway.Is6() && s.Gateway.IsLinkLocalUnicast() && s.Gateway.Zone() == ""
}

// CheckDevice reports why no device can have an address on the network of its
// prefix, or nil.
func CheckDevice(own netip.Prefix) error {
	if a := own.Addr(); a.IsUnspecified() || a.Unmap().IsLoopback() || a.Zone() != "" {
		return fmt.Errorf("%v cannot be the address of a device", own)
	}
	return checkHost(own.Addr(), own)
}

// checkHost reports why an address cannot be that of one host, seen from a network.
// The network's own address and its broadcast address are none (RFC 1122, 3.2.1.3),
// nor is the anycast address of all routers (RFC 4291, 2.6.1). Links between two
// hosts have neither (RFC 3021, RFC 6164).
func checkHost(address netip.Addr, network netip.Prefix) error {
	switch inside := network.Masked().Contains(address) && network.Bits() < address.BitLen()-1; {
	case address.IsMulticast():
		return fmt.Errorf("%v is a multicast address", address)
	case address.Is4In6():
		return fmt.Errorf("%v is IPv4: write it as %v", address, address.Unmap())
	case address.Is4() && (address.As4()[0] == 0 || address.As4()[0] >= 240):
		return fmt.Errorf("%v is reserved", address)
	case inside && address == network.Masked().Addr():
		return fmt.Errorf("%v is the network itself, not a host of %v", address, network.Masked())
	case inside && address.Is4() && !network.Contains(address.Next()):
		return fmt.Errorf("%v is the broadcast address of %v", address, network.Masked())
	}
	return nil
}

// CheckHost reports why no other host that this device sends to can have an address, or
// nil. A loopback address is right, since a server may run on the device itself.
func CheckHost(address netip.Addr) error {
	switch {
	case !address.IsValid() || address.IsUnspecified():
		return errors.New("is the address of no host")
	case address.Zone() != "":
		return fmt.Errorf("%v names an interface; leave %%%s out", address, address.Zone())
	}
	return checkHost(address, netip.Prefix{})
}

// CheckHostOf reports why an address cannot be that of one host, seen from a network, or
// nil.
func CheckHostOf(address netip.Addr, network netip.Prefix) error { return checkHost(address, network) }
