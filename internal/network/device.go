package network

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// Types of devices that are made. A device without a type exists by itself.
const (
	typeBridge  = "bridge"
	typeVeth    = "veth"
	typeMACVLAN = "macvlan"
	typeVXLAN   = "vxlan"
	typeDummy   = "dummy"
)

var types = []string{typeBridge, typeVeth, typeMACVLAN, typeVXLAN, typeDummy}

// device is a Device while its Section is read.
type device struct {
	Device
	given

	bridge  *rtnl.Bridge   // of typeBridge, else nil
	vxlan   *rtnl.VXLAN    // of typeVXLAN, else nil
	macvlan *state.MACVLAN // of typeMACVLAN, else nil
	peerMAC net.HardwareAddr
	port    *rtnl.BridgePort  // nil: no option of a port is given
	sysctls map[string]string // by paths with * for the name, e.g. "ipv4/conf/*/rp_filter"
	mtu6    uint32
	ipv6    bool
	query   query
}

// newDevice returns a device with what holds without options.
func newDevice(s *Section) *device {
	d := &device{Device: Device{Place: s.Place, Type: s.value("type"), Enabled: true}, ipv6: true}
	switch d.Type {
	case typeBridge:
		d.bridge = &rtnl.Bridge{}
	case typeMACVLAN:
		d.macvlan = &state.MACVLAN{}
	case typeVXLAN:
		// The kernel's own default is not the port that IANA has assigned (RFC 7348, 8).
		port := uint16(4789)
		d.vxlan = &rtnl.VXLAN{VXLAN: state.VXLAN{Port: &port}}
	case "", typeVeth, typeDummy:
	default:
		d.Type = wrong
	}
	return d
}

// Values of modes, enum macvlan_mode of linux/if_link.h.
var macvlanModes = map[string]state.MACVLANMode{"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}

// reversePaths are the values of rp_filter (ip-sysctl.rst).
var reversePaths = map[string]string{
	"0": "0", "false": "0", "no": "0", "off": "0", "strict": "1", "1": "1", "true": "1", "yes": "1", "on": "1", "loose": "2",
}

var reversePath = form[string]{"strict, loose or false", func(text string) (string, error) {
	if value := reversePaths[strings.ToLower(text)]; value != "" {
		return value, nil
	}
	return oneOf("strict", "loose", "false").parse(text)
}}

// setting is a row of a device that stands below /proc/sys/net. The paths have * for the
// device's name.
//
//go:noinline
func setting[V any](name string, f form[V], text func(V) string, doc string, paths ...string) *option[*device] {
	return row(name, f, func(d *device, v V) {
		for _, path := range paths {
			d.sysctl(path, text(v))
		}
	}, doc)
}

func digit(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

func negated(on bool) string { return digit(!on) }

func same(text string) string { return text }

// deviceOptions are the options of devices. Of two rows with the same name each is of
// other types.
var deviceOptions = slices.Concat(generalOptions, settingOptions, bridgeOptions, portOptions, pairOptions, vxlanOptions)

var generalOptions = []*option[*device]{
	row("name", linkName, func(d *device, v string) { d.Name = v },
		"Name of the kernel's link. With match.mac it is only what other sections call the device.").without("required"),
	row("type", oneOf(types...), func(*device, string) {},
		"What is made. Without a type the link exists by itself, and is waited for."),
	row("enabled", boolean, func(d *device, v bool) { d.Enabled = v },
		"A device that is not enabled counts as absent.").without("true"),
	row("match.mac", hardwareAddress, func(d *device, v net.HardwareAddr) { d.MAC = v },
		"Permanent hardware address by which a link that exists by itself is found, for adapters whose names change.").only(""),
	row("mtu", number[uint32](68, 65535), func(d *device, v uint32) { d.Link.MTU = &v },
		"Bytes of the largest packet. Below 1280 the device has no IPv6."),
	row("macaddr", hardwareAddress, func(d *device, v net.HardwareAddr) { d.Link.MAC = v },
		"Hardware address."),
	row("txqueuelen", number[uint32](0, 1<<32-1), func(d *device, v uint32) { d.Link.TxQueueLength = &v },
		"Packets that wait to be sent."),
	row("promisc", boolean, func(d *device, v bool) { d.Link.Promiscuous = &v },
		"Whether the device takes packets that are for other hardware addresses."),
	row("multicast", boolean, func(d *device, v bool) { d.Link.Multicast = &v },
		"Whether the device sends and takes multicast packets."),
}

const longest = 1<<31 - 1 // of the settings that the kernel keeps as an int

var settingOptions = []*option[*device]{
	row("ipv6", boolean, func(d *device, v bool) { d.ipv6 = v }, "Whether the device has IPv6."),
	row("mtu6", number[uint32](1280, 65535), func(d *device, v uint32) { d.mtu6 = v }, "Bytes of the largest IPv6 packet."),
	setting("rpfilter", reversePath, same,
		"Whether a packet is dropped whose sender is not reached through the device (strict) or not at all (loose).", "ipv4/conf/*/rp_filter"),
	setting("acceptlocal", boolean, digit,
		"Whether packets are taken whose sender has an address of this machine.", "ipv4/conf/*/accept_local"),
	setting("sendredirects", boolean, digit,
		"Whether other hosts are told of a shorter way.", "ipv4/conf/*/send_redirects"),
	setting("arp_accept", boolean, digit,
		"Whether an ARP message that nobody asked for makes a neighbour.", "ipv4/conf/*/arp_accept"),
	setting("drop_gratuitous_arp", boolean, digit,
		"Whether ARP messages that nobody asked for are dropped.", "ipv4/conf/*/drop_gratuitous_arp"),
	setting("drop_unsolicited_na", boolean, digit,
		"Whether neighbour advertisements that nobody asked for are dropped.", "ipv6/conf/*/drop_unsolicited_na"),
	setting("drop_v4_unicast_in_l2_multicast", boolean, digit,
		"Whether IPv4 packets for one host in frames for many are dropped.", "ipv4/conf/*/drop_unicast_in_l2_multicast"),
	setting("drop_v6_unicast_in_l2_multicast", boolean, digit,
		"Whether IPv6 packets for one host in frames for many are dropped.", "ipv6/conf/*/drop_unicast_in_l2_multicast"),
	setting("ip6segmentrouting", boolean, digit,
		"Whether packets with a segment routing header are taken.", "ipv6/conf/*/seg6_enabled"),
	setting("igmpversion", number[uint32](1, 3), decimal, "Version of IGMP that is spoken.", "ipv4/conf/*/force_igmp_version"),
	setting("mldversion", number[uint32](1, 2), decimal, "Version of MLD that is spoken.", "ipv6/conf/*/force_mld_version"),
	setting("neighreachabletime", number[uint32](1, longest), decimal,
		"Milliseconds for which a neighbour that answered counts as reachable.", "ipv4/neigh/*/base_reachable_time_ms", "ipv6/neigh/*/base_reachable_time_ms"),
	setting("neighgcstaletime", number[uint32](0, longest/1000), decimal,
		"Seconds after which a neighbour that nobody uses is forgotten.", "ipv4/neigh/*/gc_stale_time", "ipv6/neigh/*/gc_stale_time"),
	setting("neighlocktime", number[uint32](0, longest/1000), decimal,
		"Hundredths of a second for which an answer to an ARP request is not replaced by another.", "ipv4/neigh/*/locktime"),
	setting("dadtransmits", number[uint32](0, longest), decimal,
		"How often the network is asked whether another host has an IPv6 address; 0: never.", "ipv6/conf/*/dad_transmits"),
}

// pairOptions are those of a veth and of a MACVLAN.
var pairOptions = []*option[*device]{
	row("peer_name", linkName, func(d *device, v string) { d.Link.Peer = v },
		"Name of the other end of the veth.").only(typeVeth).without("the kernel chooses"),
	row("peer_macaddr", hardwareAddress, func(d *device, v net.HardwareAddr) { d.peerMAC = v },
		"Hardware address of the other end.").only(typeVeth),
	row("ifname", linkName, func(d *device, v string) { d.Parent = v },
		"Name of the device below the MACVLAN.").also("parent").only(typeMACVLAN).without("required"),
	row("mode", word(macvlanModes, "private", "vepa", "bridge", "passthru"), func(d *device, v state.MACVLANMode) {
		if d.macvlan != nil {
			d.macvlan.Mode = &v
		}
	}, "How MACVLANs on one device reach each other.").only(typeMACVLAN),
}

// onVXLAN is a row of a VXLAN, whose data may be missing only while the type is wrong.
//
//go:noinline
func onVXLAN[V any](name string, f form[V], put func(x *rtnl.VXLAN, v V), doc string) *option[*device] {
	return row(name, f, func(d *device, v V) {
		if d.vxlan != nil {
			put(d.vxlan, v)
		}
	}, doc).only(typeVXLAN)
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

// finish puts what the options say where link and the other sections look for it.
func (d *device) finish() {
	l := &d.Link
	l.Name, l.Path, l.Kind = d.Name, d.Where(), d.Type
	if d.Parent != "" {
		parent := d.Parent
		l.Parent = &parent
	}
	switch {
	case d.bridge != nil:
		d.query.apply(d.bridge)
		l.Data = d.bridge
	case d.vxlan != nil:
		l.Data = d.vxlan
	case d.macvlan != nil:
		l.Data = d.macvlan
	case d.peerMAC != nil:
		l.Data = &rtnl.Veth{Peer: &rtnl.Link{Name: l.Peer, MAC: d.peerMAC}}
	}
	if d.port != nil {
		l.PortData = d.port
	}
	if d.has("ipv6") {
		d.sysctl("ipv6/conf/*/disable_ipv6", negated(d.ipv6))
	}
	if d.mtu6 != 0 {
		d.sysctl("ipv6/conf/*/mtu", decimal(d.mtu6))
	}
	if len(d.sysctls) > 0 {
		l.Sysctls = make(map[string]string, len(d.sysctls))
	}
	for path, value := range d.sysctls {
		l.Sysctls[strings.Replace(path, "*", d.Name, 1)] = value
	}
}

func (d *device) sysctl(path, value string) {
	if d.sysctls == nil {
		d.sysctls = map[string]string{}
	}
	d.sysctls[path] = value
}

// On returns the settings of the device for a link of another name, which is that of the
// link that MAC has found.
func (d *Device) On(name string) link.LinkSpec {
	l := d.Link
	l.Name = name
	if l.Sysctls == nil || name == d.Name {
		return l
	}
	l.Sysctls = make(map[string]string, len(d.Link.Sysctls))
	for path, value := range d.Link.Sysctls {
		parts := strings.Split(path, "/") // family, folder, name, file; no name has a slash
		parts[2] = name
		l.Sysctls[strings.Join(parts, "/")] = value
	}
	return l
}

func (g given) has(name string) bool {
	_, there := g[name]
	return there
}
