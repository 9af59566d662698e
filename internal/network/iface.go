package network

import (
	"net/netip"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
)

// iface is an Interface while its Section is read.
type iface struct {
	Interface
	given
	ipaddr, ip6addr []placed
	netmask         int // noBits: not given
	broadcast, peer netip.Addr
	addressPlaces   []Place // of Addresses
}

// placed is an address as it was typed, and its place.
type placed struct {
	prefix
	at Place
}

// newInterface returns an interface with what holds without options.
func newInterface(s *Section) *iface {
	i := &iface{netmask: noBits, Interface: Interface{
		Place: s.Place, Name: s.Name, Proto: ProtoNone, Auto: true, DefaultRoute: true, PeerDNS: true,
	}}
	switch proto := s.value("proto"); proto {
	case "":
		if s.Foreign != "" {
			i.Proto = s.Foreign
		}
	case ProtoNone, ProtoStatic, ProtoDHCP:
		i.Proto = proto
	default:
		i.Proto = wrong
	}
	i.ForceLink = i.Proto == ProtoStatic
	return i
}

// any32 takes every number of 32 bits.
var any32 = number[uint32](0, 1<<32-1)

var interfaceOptions = []*option[*iface]{
	row("name", interfaceName, func(i *iface, v string) { i.Name = v }, "Name of the interface, for other sections and for people.").without("required"),
	row("device", linkName, func(i *iface, v string) { i.Device = v },
		"Name of a declared device, or of a link that exists by itself.").also("ifname").without("required"),
	row("proto", oneOf(ProtoNone, ProtoStatic, ProtoDHCP), func(*iface, string) {},
		"Where addresses come from: nowhere (none), this file (static) or a server (dhcp).").without("none"),
	row("disabled", boolean, func(i *iface, v bool) { i.Disabled = v }, "Whether the interface is left alone.").without("false"),
	row("auto", boolean, func(i *iface, v bool) { i.Auto = v },
		"Whether the interface comes up as soon as its device is present; otherwise somebody has to ask for it.").without("true"),
	row("force_link", boolean, func(i *iface, v bool) { i.ForceLink = v },
		"Whether the interface is up without a carrier.").without("true with static, else false"),
	row("carrier_loss_delay", seconds(0, 3600), func(i *iface, v time.Duration) { i.CarrierLossDelay = v },
		"For how long the carrier may be lost before the interface goes down.").without("0"),
	row("metric", any32, func(i *iface, v uint32) { i.Metric = v }, "Metric of the interface's routes; the lowest wins.").without("0"),
	row("defaultroute", boolean, func(i *iface, v bool) { i.DefaultRoute = v }, "Whether the interface makes a default route.").without("true"),
	row("peerdns", boolean, func(i *iface, v bool) { i.PeerDNS = v }, "Whether the name servers of the protocol are used.").without("true"),
	row("ip4table", table, func(i *iface, v uint32) { i.IP4Table = v }, "Routing table of the interface's IPv4 routes.").without("main"),
	row("ip6table", table, func(i *iface, v uint32) { i.IP6Table = v }, "Routing table of the interface's IPv6 routes.").without("main"),
	rows("dns", host, func(i *iface, v netip.Addr) { i.DNS = append(i.DNS, v) }, "Name servers, beside those of the protocol.").without("none"),
	rows("dns_search", domainName, func(i *iface, v string) { i.DNSSearch = append(i.DNSSearch, v) }, "Domains in which names are looked for.").without("none"),
	row("dns_metric", any32, func(i *iface, v uint32) { i.DNSMetric = v }, "Which interface's name servers are asked first; the lowest wins.").without("0"),

	placedRow("ipaddr", address4, func(i *iface, v prefix, at Place) { i.ipaddr = append(i.ipaddr, placed{v, at}) },
		"IPv4 addresses. An address without a length has that of netmask.").many().only(ProtoStatic).without("none"),
	row("netmask", netmask, func(i *iface, v int) { i.netmask = v }, "Netmask of each IPv4 address without a length.").only(ProtoStatic).without("32"),
	row("broadcast", broadcast, func(i *iface, v netip.Addr) { i.broadcast = v }, "Broadcast address of the IPv4 addresses.").only(ProtoStatic).without("the last of the network"),
	row("ptpaddr", host4, func(i *iface, v netip.Addr) { i.peer = v }, "IPv4 address of the other end of a link between two hosts.").only(ProtoStatic).without("none"),
	placedRow("ip6addr", address6, func(i *iface, v prefix, at Place) { i.ip6addr = append(i.ip6addr, placed{v, at}) },
		"IPv6 addresses. An address without a length has 128.").many().only(ProtoStatic).without("none"),
	row("gateway", host4, func(i *iface, v netip.Addr) { i.Gateway = v }, "IPv4 router for everything else.").only(ProtoStatic).without("none"),
	row("ip6gw", host6, func(i *iface, v netip.Addr) { i.Gateway6 = v }, "IPv6 router for everything else.").only(ProtoStatic).without("none"),

	row("hostname", hostname, func(i *iface, v string) { i.Hostname = v }, "Name that the DHCP server is told.").only(ProtoDHCP).without("that of the device"),
	row("clientid", hexadecimal, func(i *iface, v string) { i.ClientID = v }, "Identifier by which the DHCP server knows the device.").only(ProtoDHCP),
	row("vendorid", vendorText, func(i *iface, v string) { i.VendorID = v }, "Vendor class that the DHCP server is told.").only(ProtoDHCP).without("none"),
}

// finish makes the addresses of what the options say.
func (i *iface) finish() {
	for _, p := range append(append([]placed{}, i.ipaddr...), i.ip6addr...) {
		if p.Is4() && p.bits == noBits {
			p.bits = i.netmask
		}
		a := link.AddressSpec{Prefix: p.whole(), Path: p.at.Where()}
		if p.Is4() {
			a.Broadcast, a.Peer = i.broadcast, i.peer
		}
		i.Addresses, i.addressPlaces = append(i.Addresses, a), append(i.addressPlaces, p.at)
	}
}
