package link

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Spec is what a link should be. A link with a Spec is ours: addresses that
// the Spec does not name are removed, whoever made them, but for IPv6
// link-local ones. Of its routes only those with our own protocol number are.
type Spec struct {
	Name      string // e.g. "wlan0"
	Up        bool
	Addresses []AddressSpec
	Routes    []RouteSpec

	// Autoconf leaves the IPv6 addresses and routes alone that the kernel made from
	// router advertisements. An access point has none, a station wants them.
	Autoconf bool
}

// AddressSpec is an address that a link should have.
type AddressSpec struct {
	Prefix    netip.Prefix  // the address itself with its prefix length, e.g. 10.250.250.1/24
	Broadcast netip.Addr    // IPv4; zero: the last address of the prefix when it is added
	Valid     time.Duration // from Apply on; 0, or longer than LongestLifetime: does not expire
	Preferred time.Duration // from Apply on; 0: as Valid
	Metric    uint32        // of the prefix route (IFA_RT_PRIORITY), 0 is the kernel's default

	// Of a Desired only.
	Peer  netip.Addr // of a point-to-point address, else zero
	Path  string     // what declares the address, for errors
	Until time.Time  // the end of the address, for whoever sets Valid; zero: none
}

// RouteSpec is a route of the main table that should go out through the link.
type RouteSpec struct {
	Destination netip.Prefix // 0.0.0.0/0 is the IPv4 default route
	Gateway     netip.Addr   // zero: on-link
	Metric      uint32       // 0 is the kernel's default (IPv4 0, IPv6 1024)
	Source      netip.Addr   // preferred source address, may be zero
	OnLink      bool         // reach the gateway although no prefix of the link holds it (RTNH_F_ONLINK)

	// Of a Desired only.
	Table uint32 // 0: main
	MTU   uint32 // bytes of a packet to there; 0: that of the link
	Type  uint8  // RTN_…; 0: unicast
	Path  string // what declares the route, for errors
}

// lifetimes returns valid and preferred lifetime without the special zeros.
func (s AddressSpec) lifetimes() (valid, preferred time.Duration) {
	valid, preferred = s.Valid, s.Preferred
	if valid == 0 {
		valid = Forever
	}
	if preferred == 0 {
		preferred = valid
	}
	return valid, preferred
}

func (s RouteSpec) table() uint32 { return cmp.Or(s.Table, unix.RT_TABLE_MAIN) }

func (s RouteSpec) kind() uint8 { return cmp.Or(s.Type, unix.RTN_UNICAST) }

func (s Spec) check() error {
	problems := append(checkAddresses(s.Addresses), checkRoutes(s.Routes)...)
	if !s.Up && len(s.Routes) > 0 {
		problems = append(problems, errors.New("routes need the link to be up"))
	}
	if len(problems) > 0 {
		return fmt.Errorf("spec of %s: %w", s.Name, errors.Join(problems...))
	}
	return nil
}

func checkAddresses(all []AddressSpec) (problems []error) {
	for _, a := range all {
		if !a.Prefix.IsValid() || a.Prefix.Addr().IsUnspecified() {
			problems = append(problems, fmt.Errorf("address %v is not an address with a prefix length", a.Prefix))
		}
		if valid, preferred := a.lifetimes(); preferred > valid || preferred < 0 {
			problems = append(problems, fmt.Errorf("address %v: preferred lifetime %v is not in 0..%v", a.Prefix, preferred, valid))
		}
	}
	return problems
}

func checkRoutes(all []RouteSpec) (problems []error) {
	for _, r := range all {
		if !r.Destination.IsValid() || r.Destination != r.Destination.Masked() {
			problems = append(problems, fmt.Errorf("route to %v: bits are set beyond the prefix", r.Destination))
		}
		if r.Gateway.IsValid() && r.Gateway.Is4() != r.Destination.Addr().Is4() {
			problems = append(problems, fmt.Errorf("route to %v: gateway %v is of the other family", r.Destination, r.Gateway))
		}
		if r.kind() != unix.RTN_UNICAST && r.Gateway.IsValid() {
			problems = append(problems, fmt.Errorf("route to %v: a route of this type has no gateway, here %v", r.Destination, r.Gateway))
		}
	}
	return problems
}
