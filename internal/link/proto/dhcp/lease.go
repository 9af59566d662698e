package dhcp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

const (
	// defaultLease is assumed when a server breaks RFC 2131 table 3 and gives
	// no lease time.
	defaultLease = time.Hour
	// minLease keeps a server that grants seconds from making us spin.
	minLease = 10 * time.Second
	// infinite is the lease time that never ends (RFC 2131 3.3).
	infinite = 0xffffffff * time.Second

	// shortestPrefix is the largest network that somebody on the wire may call
	// local, or have us reach another way than the default one: the largest
	// private network (RFC 1918) is 10.0.0.0/8. A server that names half of the
	// Internet wants the packets of other uplinks.
	shortestPrefix = 8

	// A lease keeps no more than this of what a server sends. The C library asks
	// 3 name servers and searches 6 domains (resolv.conf(5), before glibc 2.26).
	maxRoutes     = 32
	maxServers    = 8
	maxSearch     = 32
	maxDomainName = 253 // bytes, RFC 1035 2.3.4
)

// lease reads what an offer or acknowledgement grants.
func lease(m *dhcpv4.DHCPv4, server netip.Addr) (Lease, error) {
	address := unicast(m.YourIPAddr)
	if !address.IsValid() {
		return Lease{}, fmt.Errorf("no host can have the address %s", m.YourIPAddr)
	}
	bits, err := prefixLength(m)
	if err != nil {
		return Lease{}, err
	}
	own := netip.PrefixFrom(address, bits)
	switch {
	case edge(own, address):
		return Lease{}, fmt.Errorf("the address %s is not one of a host", own)
	case !another(own, server):
		return Lease{}, fmt.Errorf("the server cannot be at %s when the address is %s", server, own)
	}
	l := Lease{Address: own, Server: server}
	l.Renew, l.Rebind, l.Expire = times(m)
	l.Router, l.Routes = routes(m, own)
	for _, ip := range m.DNS() {
		if server := unicast(ip); server.IsValid() && len(l.DNS) < maxServers {
			l.DNS = append(l.DNS, server)
		}
	}
	l.Domain, l.Search = domains(m)
	return l, nil
}

// domains are those of options 15 and 119. Some servers put several domains
// into option 15, or end it with NUL.
func domains(m *dhcpv4.DHCPv4) (domain string, search []string) {
	tooLong := func(name string) bool { return len(name) > maxDomainName }
	if names := strings.Fields(strings.TrimRight(m.DomainName(), "\x00")); len(names) > 0 && !tooLong(names[0]) {
		domain = names[0]
	}
	if labels := m.DomainSearch(); labels != nil && len(labels.Labels) > 0 {
		search = slices.DeleteFunc(labels.Labels, tooLong)
		search = slices.Clone(search[:min(len(search), maxSearch)])
	}
	return domain, search
}

// routes reads the ways out of the network. Where there is a usable option 121,
// option 3 does not count (RFC 3442).
func routes(m *dhcpv4.DHCPv4, own netip.Prefix) (router netip.Addr, others []Route) {
	if classless := m.ClasslessStaticRoute(); len(classless) > 0 {
		return classlessRoutes(classless, own)
	}
	for _, ip := range m.Router() {
		if router := unicast(ip); another(own, router) {
			return router, nil
		}
	}
	return netip.Addr{}, nil
}

// classlessRoutes sorts out which routes of option 121 can be used. The first
// of two to the same destination counts.
func classlessRoutes(classless dhcpv4.Routes, own netip.Prefix) (router netip.Addr, others []Route) {
	known := map[netip.Prefix]bool{own.Masked(): true} // which the kernel makes
	for _, offered := range classless {
		r, ok := readRoute(offered, own)
		switch {
		case !ok || known[r.Destination]:
			continue
		case r.Destination.Bits() == 0:
			router = r.Gateway
		case len(others) < maxRoutes:
			others = append(others, r)
		}
		known[r.Destination] = true
	}
	return router, others
}

// readRoute converts a route, and reports whether it can be used. A router of
// 0.0.0.0 says that the destination is on the link (RFC 3442), which cannot be
// so of all addresses.
func readRoute(offered *dhcpv4.Route, own netip.Prefix) (Route, bool) {
	destination, ok := netip.AddrFromSlice(offered.Dest.IP.To4())
	if !ok {
		return Route{}, false
	}
	bits, _ := offered.Dest.Mask.Size()
	// Bits beyond the prefix are not zero with every server; RFC 3442 has the client clear them.
	r := Route{Destination: netip.PrefixFrom(destination, bits).Masked(), Gateway: unicast(offered.Router)}
	switch {
	case r.Gateway.IsValid() && !another(own, r.Gateway), !r.Gateway.IsValid() && !offered.Router.IsUnspecified():
		return Route{}, false
	case bits == 0:
		return r, r.Gateway.IsValid()
	}
	usable := bits >= shortestPrefix && unicast(r.Destination.Addr().AsSlice()).IsValid() &&
		!(bits == 32 && r.Destination.Addr() == own.Addr())
	return r, usable
}

// prefixLength is that of option 1, or of the address class (RFC 950) when
// the option is absent or no mask.
func prefixLength(m *dhcpv4.DHCPv4) (int, error) {
	if ones, bits := m.SubnetMask().Size(); bits == 32 {
		if ones < shortestPrefix {
			return 0, fmt.Errorf("the subnet mask %s makes too much of the Internet local", net.IP(m.SubnetMask()))
		}
		return ones, nil
	}
	mask := m.YourIPAddr.DefaultMask()
	if mask == nil {
		return 0, errors.New("there is no subnet mask")
	}
	ones, _ := mask.Size()
	return ones, nil
}

// times gives T1, T2 and the length of the lease; zeros for an infinite one.
// T1 and T2 that are absent or out of order are replaced by the defaults of
// RFC 2131 4.4.5.
func times(m *dhcpv4.DHCPv4) (renew, rebind, expire time.Duration) {
	expire = max(m.IPAddressLeaseTime(defaultLease), minLease)
	if expire == infinite {
		return 0, 0, 0
	}
	half, most := expire/2, expire/8*7 // 7 times a lease of 42 years is more than a Duration holds
	renew, rebind = m.IPAddressRenewalTime(half), m.IPAddressRebindingTime(most)
	if renew < minLease/2 || renew >= rebind || rebind >= expire {
		renew, rebind = half, most
	}
	return renew, rebind, expire
}

// unicast converts an address that a host on a network can have; zero for
// others: those of "this network" (0.0.0.0/8), of the host itself
// (127.0.0.0/8), multicast, reserved ones and broadcast (RFC 6890).
func unicast(ip net.IP) netip.Addr {
	address, ok := netip.AddrFromSlice(ip.To4())
	if !ok {
		return netip.Addr{}
	}
	if first := address.As4()[0]; first == 0 || first == 127 || first >= 224 {
		return netip.Addr{}
	}
	return address
}

// another reports whether a host other than the one with the address own can
// have the address.
func another(own netip.Prefix, address netip.Addr) bool {
	return address.IsValid() && address != own.Addr() && !edge(own, address)
}

// edge reports whether an address is the first or last of the network, which
// are the network's and the broadcast address (RFC 922). Networks of two
// addresses or of one have neither (RFC 3021).
func edge(network netip.Prefix, address netip.Addr) bool {
	if network.Bits() >= 31 || !network.Contains(address) {
		return false
	}
	return !network.Contains(address.Prev()) || !network.Contains(address.Next())
}
