package network

import (
	"net"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// device is a Device while its Section is read.
type device struct {
	Device
	given
	kindData

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
	if d.Type != "" && !slices.Contains(types, d.Type) {
		d.Type = wrong
	}
	d.kindData = newKindData(d.Type)
	return d
}

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
var deviceOptions = slices.Concat(generalOptions, settingOptions, bridgeOptions, portOptions, vlanOptions, bondOptions, pairOptions, vxlanOptions, tunnelOptions)

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

// finish puts what the options say where link and the other sections look for it.
func (d *device) finish() {
	l := &d.Link
	l.Name, l.Path, l.Kind = d.Name, d.Where(), kindOf(d.Type)
	if d.Parent != "" {
		parent := d.Parent
		l.Parent = &parent
	}
	if d.bridge != nil {
		d.query.apply(d.bridge)
	}
	l.Data = d.kindData.data(d.Type)
	if d.peerMAC != nil {
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
