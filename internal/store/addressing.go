package store

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Addressing is a static address, for a network that gives none. Its names in
// JSON are those of the socket's protocol.
type Addressing struct {
	Address netip.Prefix `json:"address"`          // of the device, e.g. 192.0.2.7/24
	Gateway netip.Addr   `json:"gateway,omitzero"` // within Address, or IPv6 link-local; zero: the network leads nowhere
	DNS     []netip.Addr `json:"dns,omitempty"`
}

// Check says what is wrong with an address, or nil.
func (a *Addressing) Check() error {
	switch {
	case !a.Address.IsValid():
		return errors.New("addressing wants an address with the length of its prefix, such as 192.0.2.7/24")
	case a.Address.Addr().IsUnspecified(), a.Address.Addr().IsMulticast(), a.Address.Addr().IsLoopback(), a.Address.Addr().Zone() != "":
		return fmt.Errorf("%v cannot be the address of a device", a.Address)
	case !a.Gateway.IsValid():
	case !a.Address.Masked().Contains(a.Gateway) && !a.onLink(), a.Gateway == a.Address.Addr():
		return fmt.Errorf("gateway %v is not another address of %v", a.Gateway, a.Address.Masked())
	}
	if slices.ContainsFunc(a.DNS, func(server netip.Addr) bool { return !server.IsValid() || server.IsUnspecified() }) {
		return errors.New("a DNS server has no address")
	}
	return nil
}

// onLink: IPv6 routers call themselves by a link-local address, e.g. fe80::1,
// which is on the link whatever its prefixes are.
func (a *Addressing) onLink() bool {
	return a.Address.Addr().Is6() && a.Gateway.Is6() && a.Gateway.IsLinkLocalUnicast() && a.Gateway.Zone() == ""
}
