package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/shown"
	"github.com/netconnectd/netconnectd/state"
)

// tunnel is what the options of a tunnel say, whatever its kind.
type tunnel struct {
	local, remote netip.Addr
	ttl, tos      *uint8
	df            *bool
	mark          *uint32
	protocol      *state.TunnelProtocol

	in, out direction // of GRE and VTI

	limit *uint8 // of tunnels over IPv6; noLimit for none

	prefix   netip.Prefix // of 6rd
	relayLen *uint16
}

// direction is what a GRE tunnel has for packets of one direction.
type direction struct {
	key           *uint32
	csum, ordered *bool
}

// Bits of a GRE header, in the order of the kernel's GRE_CSUM and so on (linux/if_tunnel.h).
const (
	greChecksum = 1 << 15
	greKey      = 1 << 13
	greSequence = 1 << 12
)

// flags returns the bits of the header, nil if no option says anything of them.
func (d direction) flags() *state.GREFlags {
	if d.key == nil && d.csum == nil && d.ordered == nil {
		return nil
	}
	var f state.GREFlags
	if d.key != nil {
		f |= greKey
	}
	if d.csum != nil && *d.csum {
		f |= greChecksum
	}
	if d.ordered != nil && *d.ordered {
		f |= greSequence
	}
	return &f
}

// noLimit stands for no limit of encapsulations.
const noLimit = 255

// limitFlags returns what says that there is no limit of encapsulations, nil if no option
// says anything of the limit.
func (t *tunnel) limitFlags() (limit *uint8, flags *state.IP6TunnelFlags) {
	const ignoresLimit = 1 // IP6_TNL_F_IGN_ENCAP_LIMIT, linux/ip6_tunnel.h
	switch {
	case t.limit == nil:
		return nil, nil
	case *t.limit == noLimit:
		f := state.IP6TunnelFlags(ignoresLimit)
		return nil, &f
	}
	return t.limit, new(state.IP6TunnelFlags)
}

// flowInfo returns the type of service as IPv6 has it in a header.
func (t *tunnel) flowInfo() *uint32 {
	if t.tos == nil {
		return nil
	}
	class := uint32(*t.tos) << 20
	return &class
}

// data returns the data of link.LinkSpec for a type of tunnel.
func (t *tunnel) data(of string) any {
	limit, limitFlags := t.limitFlags()
	switch of {
	case typeGRE, typeGRETAP:
		return &rtnl.GRE{GRE: state.GRE{Local: t.local, Remote: t.remote, TTL: t.ttl, TOS: t.tos, PMTUDiscovery: t.df, FirewallMark: t.mark,
			InFlags: t.in.flags(), OutFlags: t.out.flags(), InKey: t.in.key, OutKey: t.out.key}}
	case typeIP6GRE, typeIP6GRETAP:
		return &rtnl.GRE{GRE: state.GRE{Local: t.local, Remote: t.remote, TTL: t.ttl, FlowInfo: t.flowInfo(), FirewallMark: t.mark,
			InFlags: t.in.flags(), OutFlags: t.out.flags(), InKey: t.in.key, OutKey: t.out.key, EncapLimit: limit, Flags: limitFlags}}
	case typeIP6TNL:
		return &rtnl.IP6Tunnel{IP6Tunnel: state.IP6Tunnel{Local: t.local, Remote: t.remote, TTL: t.ttl, FlowInfo: t.flowInfo(), FirewallMark: t.mark,
			Protocol: t.protocol, EncapLimit: limit, Flags: limitFlags}}
	case typeVTI, typeVTI6:
		return &rtnl.VTI{VTI: state.VTI{Local: t.local, Remote: t.remote, InKey: t.in.key, OutKey: t.out.key, FirewallMark: t.mark}}
	}
	return t.overIPv4()
}

// overIPv4 returns the data of an ipip or a sit.
func (t *tunnel) overIPv4() any {
	out := &rtnl.IPTunnel{IPTunnel: state.IPTunnel{Local: t.local, Remote: t.remote, TTL: t.ttl, TOS: t.tos, PMTUDiscovery: t.df, FirewallMark: t.mark, Protocol: t.protocol}}
	if !t.prefix.IsValid() {
		return out
	}
	length := uint16(t.prefix.Bits())
	out.SixRDPrefix, out.SixRDLength, out.SixRDRelayLen = t.prefix.Masked().Addr(), &length, t.relayLen
	if t.relayLen != nil && t.local.IsValid() {
		out.SixRDRelay = netip.PrefixFrom(t.local, int(*t.relayLen)).Masked().Addr()
	}
	return out
}

// Numbers of the protocols inside of a tunnel (linux/in.h).
var tunnelModes = map[string]uint32{"any": 0, "ipip": 4, "ip6ip": 41, "ipip6": 4, "ip6ip6": 41, "mplsip": 137}

// onTunnel is a row whose value goes to a field of a tunnel.
//
//go:noinline
func onTunnel[V any](name string, f form[V], at func(t *tunnel) **V, doc string, of ...string) *option[*device] {
	return field(name, f, func(d *device) **V { return at(d.tunnel) }, doc).only(of...)
}

var (
	key = number[uint32](0, 1<<32-1)
	ttl = number[uint8](0, 255)
)

// onMode is a row of what packets are inside of a tunnel.
//
//go:noinline
func onMode(of string, words ...string) *option[*device] {
	return row("mode", word(tunnelModes, words...), func(d *device, n uint32) { d.tunnel.protocol = new(state.TunnelProtocol(n)) }, "What packets are inside.").only(of)
}

var tunnelOptions = slices.Concat([]*option[*device]{
	row("peeraddr", host, func(d *device, v netip.Addr) { d.tunnel.remote = v }, "Address of the other end.").also("remote", "peer6addr").only(typesOfTunnel...).without("any"),
	row("ipaddr", host, func(d *device, v netip.Addr) { d.tunnel.local = v }, "Address of this end.").also("local", "ip6addr").only(typesOfTunnel...).without("any"),
	row("tunlink", linkName, func(d *device, v string) { d.Parent = v }, "Name of the device that the tunnel goes through.").also("link").only(typesOfTunnel...).without("routes decide"),
	onTunnel("ttl", ttl, func(t *tunnel) **uint8 { return &t.ttl }, "Hops that the outer packets may go; 0: as many as the inner packet.", without(typesOfTunnel, typesOfVTI)...),
	onTunnel("tos", typeOfService, func(t *tunnel) **uint8 { return &t.tos }, "Type of service of the outer packets.", without(typesOverIPv4, typesOfVTI)...),
	onTunnel("tos", bits[uint8](0, 255), func(t *tunnel) **uint8 { return &t.tos }, "Traffic class of the outer packets.", without(typesOverIPv6, typesOfVTI)...),
	onTunnel("df", boolean, func(t *tunnel) **bool { return &t.df }, "Whether routers may not split the outer packets.", without(typesOverIPv4, typesOfVTI)...),
	onTunnel("encaplimit", encapLimit, func(t *tunnel) **uint8 { return &t.limit }, "How often the packets may be put into another tunnel (RFC 2473).", without(typesOverIPv6, typesOfVTI)...),
	onTunnel("fwmark", bits[uint32](0, 1<<32-1), func(t *tunnel) **uint32 { return &t.mark }, "Mark of the outer packets, by which rules choose their route.", typesOfTunnel...),
	onTunnel("ikey", key, func(t *tunnel) **uint32 { return &t.in.key }, "Key that packets of the other end have.", slices.Concat(typesOfGRE, typesOfVTI)...),
	onTunnel("okey", key, func(t *tunnel) **uint32 { return &t.out.key }, "Key of the packets to the other end.", slices.Concat(typesOfGRE, typesOfVTI)...),
	onTunnel("icsum", boolean, func(t *tunnel) **bool { return &t.in.csum }, "Whether packets of the other end need a checksum.", typesOfGRE...),
	onTunnel("ocsum", boolean, func(t *tunnel) **bool { return &t.out.csum }, "Whether packets to the other end have a checksum.", typesOfGRE...),
	onTunnel("iseqno", boolean, func(t *tunnel) **bool { return &t.in.ordered }, "Whether packets of the other end need a sequence number.", typesOfGRE...),
	onTunnel("oseqno", boolean, func(t *tunnel) **bool { return &t.out.ordered }, "Whether packets to the other end have a sequence number.", typesOfGRE...),
	onMode(typeIPIP, "ipip", "mplsip", "any"),
	onMode(typeSIT, "ip6ip", "ipip", "mplsip", "any"),
	onMode(typeIP6TNL, "ip6ip6", "ipip6", "any"),
	row("ip6prefix", network6, func(d *device, v netip.Prefix) { d.tunnel.prefix = v }, "IPv6 network of 6rd, by which the other end of a packet is found.").only(typeSIT),
	onTunnel("ip4prefixlen", number[uint16](0, 32), func(t *tunnel) **uint16 { return &t.relayLen }, "Length of the prefix that the IPv4 addresses of all ends have in common.", typeSIT),
}, geneveOptions)

// onGeneve is a row whose value goes to a field of a Geneve tunnel.
//
//go:noinline
func onGeneve[V any](name string, f form[V], at func(g *state.Geneve) **V, doc string) *option[*device] {
	return field(name, f, func(d *device) **V { return at(d.geneve) }, doc).only(typeGeneve)
}

var geneveOptions = []*option[*device]{
	onGeneve("vid", number[uint32](0, 1<<24-1), func(g *state.Geneve) **uint32 { return &g.ID }, "Network identifier (VNI).").also("id").without("required"),
	row("peeraddr", host, func(d *device, v netip.Addr) { d.geneve.Remote = v }, "Address of the other end.").also("remote", "peer6addr").only(typeGeneve).without("required"),
	onGeneve("port", number[uint16](1, 65535), func(g *state.Geneve) **uint16 { return &g.Port }, "UDP port of the other end.").without("6081"),
	onGeneve("ttl", ttl, func(g *state.Geneve) **uint8 { return &g.TTL }, "Hops that the outer packets may go; 0: as many as the system has set."),
	onGeneve("tos", typeOfService, func(g *state.Geneve) **uint8 { return &g.TOS }, "Type of service of the outer packets."),
	row("df", indexed("unset", "set", "inherit"), func(d *device, n uint32) { d.geneve.DF = new(state.GeneveDF(n)) }, "Whether routers may not split the outer packets; inherit: as the inner packet has it.").only(typeGeneve),
	row("txcsum", boolean, func(d *device, v bool) { d.geneve.UDPChecksum, d.geneve.UDPZeroChecksumTX = &v, not(v) }, "Whether outer packets are sent with a UDP checksum.").only(typeGeneve),
	row("rxcsum", boolean, func(d *device, v bool) { d.geneve.UDPZeroChecksumRX = not(v) }, "Whether outer IPv6 packets need a UDP checksum.").only(typeGeneve),
}

// without returns the types that are not among others.
func without(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return slices.Contains(others, one) })
}

// encapLimit takes the limit of RFC 2473.
var encapLimit = form[uint8]{"0 to 254, or none", func(text string) (uint8, error) {
	if text == "none" || text == "ignore" { // as ip(8) and netifd have it
		return noLimit, nil
	}
	return parseNumber[uint8](text, 10, 0, noLimit-1)
}}

// network6 takes a network of IPv6.
var network6 = form[netip.Prefix]{"an IPv6 network, e.g. 2001:db8::/32", func(text string) (netip.Prefix, error) {
	p, err := parsePrefix(text)
	if err == nil && (!p.Is6() || p.bits == noBits) {
		err = fmt.Errorf("%s is not an IPv6 network, e.g. 2001:db8::/32", shown.Text(text))
	}
	return p.whole(), err
}}
