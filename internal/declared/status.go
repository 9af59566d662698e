package declared

import (
	"net/netip"
	"slices"
	"sort"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/resolver"
)

// Dump returns the state of all declared interfaces, in the order of their
// declarations.
func (n *Network) Dump() client.NetworkDump {
	dump := client.NetworkDump{Interfaces: []client.NetworkInterface{}}
	for _, s := range n.State().Interfaces() {
		shown := show(s, time.Now())
		shown.Interface = s.Name
		dump.Interfaces = append(dump.Interfaces, shown)
	}
	return dump
}

// Status returns the state of a declared interface. Its error is for the client.
func (n *Network) Status(name string) (client.NetworkInterface, error) {
	for _, s := range n.State().Interfaces() {
		if s.Name == name {
			return show(s, time.Now()), nil
		}
	}
	return client.NetworkInterface{}, notDeclared(name)
}

// NameServers returns the name servers and search domains of each link of the kernel on
// which declared interfaces are up, the lowest dns_metric first.
func (n *Network) NameServers() []resolver.Link {
	all := slices.DeleteFunc(n.State().Interfaces(), func(s network.Status) bool { return s.Phase != network.Up || len(s.DNS)+len(s.Search) == 0 })
	sort.SliceStable(all, func(i, j int) bool { return all[i].DNSMetric < all[j].DNSMetric })
	var links []resolver.Link
	for _, s := range all {
		at := slices.IndexFunc(links, func(l resolver.Link) bool { return l.Interface == s.Link })
		if at < 0 {
			at, links = len(links), append(links, resolver.Link{Interface: s.Link})
		}
		links[at].Servers, links[at].Search = append(links[at].Servers, s.DNS...), append(links[at].Search, s.Search...)
	}
	return links
}

// show returns the state of an interface in netifd's shape.
func show(s network.Status, now time.Time) client.NetworkInterface {
	out := client.NetworkInterface{
		Up: s.Phase == network.Up, Pending: s.Phase == network.Setup, Available: s.Available, Autostart: s.Autostart,
		Proto: s.Proto, Device: s.Device, Metric: s.Metric, DNSMetric: s.DNSMetric, IP4Table: s.IP4Table, IP6Table: s.IP6Table,
		IPv4Addresses: []client.NetworkAddress{}, IPv6Addresses: []client.NetworkAddress{}, Routes: []client.NetworkRoute{},
		DNSServers: []string{}, DNSSearch: append([]string{}, s.Search...),
	}
	if out.Up {
		out.Uptime, out.L3Device = int64(now.Sub(s.Since).Seconds()), s.Link
	}
	for _, a := range s.Addresses {
		to := &out.IPv6Addresses
		if a.Prefix.Addr().Is4() {
			to = &out.IPv4Addresses
		}
		*to = append(*to, showAddress(a, now))
	}
	for _, r := range s.Routes {
		out.Routes = append(out.Routes, showRoute(r))
	}
	for _, server := range s.DNS {
		out.DNSServers = append(out.DNSServers, server.String())
	}
	if s.Error != "" && !out.Up {
		out.Errors = []client.NetworkError{{Subsystem: "interface", Code: s.Error}}
		if s.Error == network.InvalidProto {
			out.Errors[0].Subsystem = "proto" // as netifd has it
		}
		if s.Refusal != "" {
			out.Errors[0].Data = []string{s.Refusal}
		}
	}
	return out
}

func showAddress(a link.AddressSpec, now time.Time) client.NetworkAddress {
	out := client.NetworkAddress{Address: a.Prefix.Addr().String(), Mask: a.Prefix.Bits()}
	if a.Peer.IsValid() {
		out.PtP = a.Peer.String()
	}
	if !a.Until.IsZero() {
		out.Valid = max(int64(a.Until.Sub(now).Seconds()), 1)
	}
	return out
}

func showRoute(r link.RouteSpec) client.NetworkRoute {
	none := netip.IPv4Unspecified()
	if r.Destination.Addr().Is6() {
		none = netip.IPv6Unspecified()
	}
	out := client.NetworkRoute{
		Target: r.Destination.Addr().String(), Mask: r.Destination.Bits(), Nexthop: none.String(),
		Metric: r.Metric, Table: r.Table, MTU: r.MTU, Source: netip.PrefixFrom(none, 0).String(),
	}
	if r.Gateway.IsValid() {
		out.Nexthop = r.Gateway.String()
	}
	if r.Source.IsValid() {
		out.Source = netip.PrefixFrom(r.Source, r.Source.BitLen()).String()
	}
	return out
}
