package network

import (
	"slices"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// Types of devices that are made, by netifd's names where it has one, and else by the
// kernel's. A device without a type exists by itself.
const (
	typeBridge    = "bridge"
	type8021Q     = "8021q"
	type8021AD    = "8021ad"
	typeBonding   = "bonding"
	typeVRF       = "vrf"
	typeVeth      = "veth"
	typeMACVLAN   = "macvlan"
	typeMACVTAP   = "macvtap"
	typeIPVLAN    = "ipvlan"
	typeVXLAN     = "vxlan"
	typeGeneve    = "geneve"
	typeGRE       = "gre"
	typeGRETAP    = "gretap"
	typeIP6GRE    = "ip6gre"
	typeIP6GRETAP = "ip6gretap"
	typeIPIP      = "ipip"
	typeSIT       = "sit"
	typeIP6TNL    = "ip6tnl"
	typeVTI       = "vti"
	typeVTI6      = "vti6"
	typeDummy     = "dummy"
	typeIFB       = "ifb"
)

var types = []string{
	typeBridge, type8021Q, type8021AD, typeBonding, typeVRF, typeVeth, typeMACVLAN, typeMACVTAP, typeIPVLAN, typeVXLAN, typeGeneve,
	typeGRE, typeGRETAP, typeIP6GRE, typeIP6GRETAP, typeIPIP, typeSIT, typeIP6TNL, typeVTI, typeVTI6, typeDummy, typeIFB,
}

// Types returns the types of devices that are made.
func Types() []string { return types }

// Types that have options in common.
var (
	typesOfVLAN    = []string{type8021Q, type8021AD}
	typesOfMACVLAN = []string{typeMACVLAN, typeMACVTAP}
	typesOfGRE     = []string{typeGRE, typeGRETAP, typeIP6GRE, typeIP6GRETAP}
	typesOverIPv4  = []string{typeGRE, typeGRETAP, typeIPIP, typeSIT, typeVTI}
	typesOverIPv6  = []string{typeIP6GRE, typeIP6GRETAP, typeIP6TNL, typeVTI6}
	typesOfTunnel  = slices.Concat(typesOverIPv4, typesOverIPv6)
	typesOfVTI     = []string{typeVTI, typeVTI6}
	typesOnAnother = slices.Concat(typesOfVLAN, typesOfMACVLAN, []string{typeIPVLAN}) // one device below each of them
	typesWithPorts = []string{typeBridge, typeBonding, typeVRF}
)

// allTypesBut returns the types of devices, with that of those that exist by themselves.
func allTypesBut(of string) []string {
	return slices.DeleteFunc(append([]string{""}, types...), func(one string) bool { return one == of })
}

// kindOf returns the kernel's name of a type.
func kindOf(of string) string {
	switch of {
	case type8021Q, type8021AD:
		return "vlan"
	case typeBonding:
		return "bond"
	}
	return of
}

// kindData is what the options of a type say. Of the pointers only that of the type is
// not nil, or all are if the type is wrong, so that its options can be read.
type kindData struct {
	bridge  *rtnl.Bridge
	vlan    *state.VLAN
	bond    *bond
	vrf     *state.VRF
	macvlan *state.MACVLAN
	ipvlan  *state.IPVLAN
	vxlan   *rtnl.VXLAN
	geneve  *state.Geneve
	tunnel  *tunnel
}

// newKindData returns what holds without options.
func newKindData(of string) (k kindData) {
	is := func(all ...string) bool { return of == wrong || slices.Contains(all, of) }
	if is(typeBridge) {
		k.bridge = &rtnl.Bridge{}
	}
	if is(typesOfVLAN...) {
		protocol := state.VLAN8021Q
		if of == type8021AD {
			protocol = state.VLAN8021AD
		}
		k.vlan = &state.VLAN{Protocol: &protocol}
	}
	if is(typeBonding) {
		k.bond = &bond{}
	}
	if is(typeVRF) {
		k.vrf = &state.VRF{}
	}
	if is(typesOfMACVLAN...) {
		k.macvlan = &state.MACVLAN{}
	}
	if is(typeIPVLAN) {
		k.ipvlan = &state.IPVLAN{}
	}
	if is(typeVXLAN) {
		// The kernel's own default is not the port that IANA has assigned (RFC 7348, 8).
		port := uint16(4789)
		k.vxlan = &rtnl.VXLAN{VXLAN: state.VXLAN{Port: &port}}
	}
	if is(typeGeneve) {
		k.geneve = &state.Geneve{}
	}
	if is(typesOfTunnel...) {
		k.tunnel = &tunnel{}
	}
	return k
}

// data returns the data of link.LinkSpec for a type, nil if the type has none.
func (k kindData) data(of string) any {
	switch of {
	case typeBridge:
		return k.bridge
	case type8021Q, type8021AD:
		return k.vlan
	case typeBonding:
		return k.bond.data()
	case typeVRF:
		return k.vrf
	case typeMACVLAN, typeMACVTAP:
		return k.macvlan
	case typeIPVLAN:
		return k.ipvlan
	case typeVXLAN:
		return k.vxlan
	case typeGeneve:
		return k.geneve
	}
	if k.tunnel != nil && of != wrong {
		return k.tunnel.data(of)
	}
	return nil
}

// field is a row whose value goes to a field of the kind's data.
//
//go:noinline
func field[V any](name string, f form[V], at func(d *device) **V, doc string) *option[*device] {
	return row(name, f, func(d *device, v V) { *at(d) = &v }, doc)
}

// indexed takes one of several words, and returns its place among them.
func indexed(words ...string) form[uint32] {
	numbers := make(map[string]uint32, len(words))
	for i, text := range words {
		numbers[text] = uint32(i)
	}
	return word(numbers, words...)
}
