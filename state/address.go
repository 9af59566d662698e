package state

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// IPv4 holds the IPv4 addresses of an interface.
type IPv4 struct {
	Addresses []Address `json:"addresses,omitempty"`
}

// IPv6 holds the IPv6 addresses of an interface.
type IPv6 struct {
	Addresses []Address  `json:"addresses,omitempty"`
	Token     netip.Addr `json:"token,omitzero"` // lower half of the addresses formed from router advertisements
}

// Address is an IP address of an interface.
type Address struct {
	Address      netip.Addr      `json:"address"`
	PrefixLength uint8           `json:"prefix_len"`
	Peer         netip.Addr      `json:"peer,omitzero"` // the far end of a point-to-point address
	Valid        Lifetime        `json:"valid_lft"`
	Preferred    Lifetime        `json:"preferred_lft"`
	Flags        AddressFlags    `json:"flags"`
	Scope        RouteScope      `json:"scope"`
	Broadcast    netip.Addr      `json:"broadcast,omitzero"`
	Label        string          `json:"label,omitempty"`
	Protocol     AddressProtocol `json:"protocol,omitzero"` // what created it
	Metric       uint32          `json:"metric,omitempty"`  // of the prefix route; 0: the kernel's default
}

// Lifetime is the remaining time of an address: seconds, or Forever. Its text is
// "3600sec" or "forever".
type Lifetime uint32

// Forever is the Lifetime of an address that does not expire.
const Forever Lifetime = 1<<32 - 1 // INFINITY_LIFE_TIME of net/addrconf.h

func (l Lifetime) String() string {
	if l == Forever {
		return "forever"
	}
	return strconv.FormatUint(uint64(l), 10) + "sec"
}

// MarshalText returns the String.
func (l Lifetime) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the text that MarshalText returns.
func (l *Lifetime) UnmarshalText(b []byte) error {
	if string(b) == "forever" {
		*l = Forever
		return nil
	}
	digits, ok := strings.CutSuffix(string(b), "sec")
	seconds, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil {
		return fmt.Errorf("%q is no lifetime like 3600sec or forever", b)
	}
	*l = Lifetime(seconds)
	return nil
}

// Timeless returns a without values that change by time alone: a running lifetime is
// 1.
func (a Address) Timeless() Address {
	for _, left := range []*Lifetime{&a.Valid, &a.Preferred} {
		if *left != Forever && *left != 0 {
			*left = 1
		}
	}
	return a
}
