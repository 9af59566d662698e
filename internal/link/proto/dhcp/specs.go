package dhcp

import (
	"net/netip"
	"slices"

	"github.com/netconnectd/netconnectd/internal/link"
)

// AddressSpec returns the leased address, with its end and without a metric.
func (l Lease) AddressSpec() link.AddressSpec {
	spec := link.AddressSpec{Prefix: l.Address}
	if l.Expire > 0 {
		spec.Until = l.Acquired.Add(l.Expire)
	}
	return spec
}

// RouteSpecs returns the routes of the lease, the default route included, without a
// metric. A gateway outside the leased subnet is reached on the link.
func (l Lease) RouteSpecs() []link.RouteSpec {
	routes := slices.Clone(l.Routes)
	if l.Router.IsValid() {
		routes = append(routes, Route{Destination: everywhere(l.Router), Gateway: l.Router})
	}
	var specs []link.RouteSpec
	for _, route := range routes {
		specs = append(specs, link.RouteSpec{
			Destination: route.Destination, Gateway: route.Gateway, Source: l.source(),
			OnLink: route.Gateway.IsValid() && !l.Address.Masked().Contains(route.Gateway),
		})
	}
	return specs
}

// source returns the source address of the routes. For IPv6 the kernel has to choose:
// it refuses an address that is still tentative, as each new address is for a second
// (RFC 4862, duplicate address detection).
func (l Lease) source() netip.Addr {
	if l.Address.Addr().Is6() {
		return netip.Addr{}
	}
	return l.Address.Addr()
}

// everywhere returns the destination of a default route of the gateway's family.
func everywhere(gateway netip.Addr) netip.Prefix {
	if gateway.Is4() {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}
