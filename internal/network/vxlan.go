package network

import (
	"net/netip"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// onVXLAN is a row of a VXLAN.
//
//go:noinline
func onVXLAN[V any](name string, f form[V], put func(x *rtnl.VXLAN, v V), doc string) *option[*device] {
	return row(name, f, func(d *device, v V) { put(d.vxlan, v) }, doc).only(typeVXLAN)
}

var vxlanOptions = []*option[*device]{
	onVXLAN("vid", number[uint32](0, 1<<24-1), func(x *rtnl.VXLAN, v uint32) { x.ID = &v }, "Network identifier (VNI).").also("id").without("required"),
	onVXLAN("peeraddr", far, func(x *rtnl.VXLAN, v netip.Addr) { x.Remote = v },
		"Address of the other end, or of a multicast group of ends.").also("remote", "peer6addr"),
	onVXLAN("ipaddr", host, func(x *rtnl.VXLAN, v netip.Addr) { x.Local = v },
		"Address of this end.").also("local", "ip6addr").without("the route to the other end decides"),
	row("tunlink", linkName, func(d *device, v string) { d.Parent = v },
		"Name of the device that the tunnel goes through.").also("link").only(typeVXLAN).without("routes decide"),
	onVXLAN("port", number[uint16](1, 65535), func(x *rtnl.VXLAN, v uint16) { x.Port = &v }, "UDP port of the other end.").without("4789"),
	onVXLAN("srcportmin", number[uint16](1, 65535), func(x *rtnl.VXLAN, v uint16) { ports(x).Min = v }, "First UDP port of this end.").without("the system's range"),
	onVXLAN("srcportmax", number[uint16](1, 65535), func(x *rtnl.VXLAN, v uint16) { ports(x).Max = v }, "Last UDP port of this end.").without("the system's range"),
	onVXLAN("ttl", number[uint8](0, 255), func(x *rtnl.VXLAN, v uint8) { x.TTL = &v }, "Hops that the outer packets may go; 0: as many as the system has set."),
	onVXLAN("tos", typeOfService, func(x *rtnl.VXLAN, v uint8) { x.TOS = &v }, "Type of service of the outer packets."),
	onVXLAN("learning", boolean, func(x *rtnl.VXLAN, v bool) { x.Learning = &v }, "Whether the device learns behind which end a hardware address is."),
	onVXLAN("ageing", number[uint32](0, 1<<32-1), func(x *rtnl.VXLAN, v uint32) { x.Ageing = &v }, "Seconds after which what was learned is forgotten."),
	onVXLAN("maxaddress", number[uint32](0, 1<<32-1), func(x *rtnl.VXLAN, v uint32) { x.MaxAddresses = &v }, "How many hardware addresses are learned; 0: no limit."),
	onVXLAN("proxy", boolean, func(x *rtnl.VXLAN, v bool) { x.Proxy = &v }, "Whether the device answers ARP requests for hosts behind other ends."),
	onVXLAN("rsc", boolean, func(x *rtnl.VXLAN, v bool) { x.RSC = &v }, "Whether packets to a router on the other side of the tunnel take the short way."),
	onVXLAN("l2miss", boolean, func(x *rtnl.VXLAN, v bool) { x.L2Miss = &v }, "Whether programs are told of hardware addresses that are not known."),
	onVXLAN("l3miss", boolean, func(x *rtnl.VXLAN, v bool) { x.L3Miss = &v }, "Whether programs are told of IP addresses that are not known."),
	onVXLAN("gbp", boolean, func(x *rtnl.VXLAN, v bool) { x.GBP = v }, "Whether packets carry a group policy.").without("false"),
	onVXLAN("txcsum", boolean, func(x *rtnl.VXLAN, v bool) { x.UDPChecksum, x.UDP6ZeroTX = &v, not(v) }, "Whether outer packets are sent with a UDP checksum."),
	onVXLAN("rxcsum", boolean, func(x *rtnl.VXLAN, v bool) { x.UDP6ZeroRX = not(v) }, "Whether outer IPv6 packets need a UDP checksum."),
}

func not(v bool) *bool { v = !v; return &v }

func ports(x *rtnl.VXLAN) *state.VXLANPorts {
	if x.VXLANPorts == nil {
		x.VXLANPorts = &state.VXLANPorts{}
	}
	return x.VXLANPorts
}
