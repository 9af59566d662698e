package network

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/netconnectd/netconnectd/internal/shown"
	"github.com/netconnectd/netconnectd/state"
)

// Numbers that a VLAN can have (IEEE 802.1Q, 9.6).
const firstVLAN, lastVLAN = 1, 4094

// vlanOptions are those of a VLAN.
var vlanOptions = []*option[*device]{
	field("vid", number[uint16](firstVLAN, lastVLAN), func(d *device) **uint16 { return &d.vlan.ID }, "Number of the VLAN.").also("id").only(typesOfVLAN...).without("required"),
	rows("ingress_qos_mapping", qosMapping(7, 1<<32-1), func(d *device, v state.VLANQoS) { d.vlan.IngressQoS = append(d.vlan.IngressQoS, v) },
		"Which priority a packet gets, by that of its tag.").only(typesOfVLAN...),
	rows("egress_qos_mapping", qosMapping(1<<32-1, 7), func(d *device, v state.VLANQoS) { d.vlan.EgressQoS = append(d.vlan.EgressQoS, v) },
		"Which priority a tag gets, by that of the packet.").only(typesOfVLAN...),
	field("reorder_hdr", boolean, func(d *device) **bool { return &d.vlan.ReorderHeader }, "Whether programs that look at packets see them without the tag.").only(typesOfVLAN...),
	field("gvrp", boolean, func(d *device) **bool { return &d.vlan.GVRP }, "Whether switches are told of the VLAN by GVRP.").only(typesOfVLAN...),
	field("mvrp", boolean, func(d *device) **bool { return &d.vlan.MVRP }, "Whether switches are told of the VLAN by MVRP.").only(typesOfVLAN...),
	field("loose_binding", boolean, func(d *device) **bool { return &d.vlan.LooseBinding }, "Whether the VLAN stays up while the device below is down.").only(typesOfVLAN...),
	field("bridge_binding", boolean, func(d *device) **bool { return &d.vlan.BridgeBinding },
		"Whether the VLAN of a bridge has a carrier only while a port of the bridge in this VLAN has one.").only(typesOfVLAN...),
}

// qosMapping takes two priorities, e.g. 1:2.
func qosMapping(from, to uint32) form[state.VLANQoS] {
	return form[state.VLANQoS]{"two priorities, e.g. 1:2", func(text string) (m state.VLANQoS, err error) {
		first, second, two := strings.Cut(text, ":")
		if !two {
			return m, fmt.Errorf("%s is not two priorities such as 1:2", shown.Text(text))
		}
		if m.From, err = parseNumber(first, 10, 0, from); err == nil {
			m.To, err = parseNumber(second, 10, 0, to)
		}
		return m, err
	}}
}

// VLANByName returns the VLAN that netifd makes for a name, e.g. number 10 on eth0 for
// eth0.10.
func VLANByName(name string) (below string, id uint16, ok bool) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 1 {
		return "", 0, false
	}
	digits := name[dot+1:]
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n < firstVLAN || n > lastVLAN || digits[0] == '0' {
		return "", 0, false
	}
	return name[:dot], uint16(n), true
}

// impliedVLAN returns the device that is made for the name of a VLAN that is only
// referred to.
func impliedVLAN(name string, at Place) (d Device, ok bool) {
	below, id, ok := VLANByName(name)
	if !ok {
		return d, false
	}
	d = Device{Place: at, Name: name, Type: type8021Q, Parent: below, Enabled: true}
	protocol := state.VLAN8021Q
	d.Link.Name, d.Link.Path, d.Link.Kind = name, at.Where(), kindOf(type8021Q)
	d.Link.Parent, d.Link.Data = &below, &state.VLAN{ID: &id, Protocol: &protocol}
	return d, true
}

// Values of modes, enum macvlan_mode of linux/if_link.h.
var macvlanModes = map[string]uint32{"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}

// pairOptions are those of a veth, of a VRF, and of what stands on another device.
var pairOptions = []*option[*device]{
	row("peer_name", linkName, func(d *device, v string) { d.Link.Peer = v },
		"Name of the other end of the veth.").only(typeVeth).without("the kernel chooses"),
	row("peer_macaddr", hardwareAddress, func(d *device, v net.HardwareAddr) { d.peerMAC = v },
		"Hardware address of the other end.").only(typeVeth),
	row("ifname", linkName, func(d *device, v string) { d.Parent = v },
		"Name of the device below.").also("parent").only(typesOnAnother...).without("required"),
	row("mode", word(macvlanModes, "private", "vepa", "bridge", "passthru"), func(d *device, n uint32) { d.macvlan.Mode = new(state.MACVLANMode(n)) },
		"How such devices on one device reach each other.").only(typesOfMACVLAN...),
	row("mode", indexed("l2", "l3", "l3s"), func(d *device, n uint32) { d.ipvlan.Mode = new(state.IPVLANMode(n)) },
		"Whether packets are switched (l2) or routed (l3; l3s: through the packet filter).").only(typeIPVLAN),
	row("flags", indexed("bridge", "private", "vepa"), func(d *device, n uint32) { d.ipvlan.Flags = new(state.IPVLANFlags(n)) },
		"How such devices on one device reach each other.").only(typeIPVLAN),
	field("table", table, func(d *device) **uint32 { return &d.vrf.Table }, "Routing table of the VRF.").only(typeVRF).without("required"),
	rows("ports", linkName, addPort, "Names of the devices that belong to the VRF.").also("ifname").only(typeVRF).without("none"),
}
