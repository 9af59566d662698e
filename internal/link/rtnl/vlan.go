package rtnl

import (
	"encoding/binary"
	"fmt"
	"sort"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

var vlanTable = table[*state.VLAN]{
	recreate(bigEndian(unix.IFLA_VLAN_PROTOCOL, "IFLA_VLAN_PROTOCOL", func(v *state.VLAN) **state.VLANProtocol { return &v.Protocol })),
	recreate(optional(unix.IFLA_VLAN_ID, "IFLA_VLAN_ID", func(v *state.VLAN) **uint16 { return &v.ID })),
	absentIs(noVLANFlags, masked(&attribute[*state.VLAN]{number: unix.IFLA_VLAN_FLAGS, name: "IFLA_VLAN_FLAGS", decode: decodeVLANFlags, encode: encodeVLANFlags, show: showVLANFlags})),
	qosMap(list(unix.IFLA_VLAN_INGRESS_QOS, "IFLA_VLAN_INGRESS_QOS", func(v *state.VLAN) *[]state.VLANQoS { return &v.IngressQoS }, vlanQoSMapping)),
	qosMap(list(unix.IFLA_VLAN_EGRESS_QOS, "IFLA_VLAN_EGRESS_QOS", func(v *state.VLAN) *[]state.VLANQoS { return &v.EgressQoS }, vlanQoSMapping)),
}

// noVLANFlags is a struct ifla_vlan_flags in which all are off, which the kernel does not
// show.
var noVLANFlags = []byte{0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}

// vlanFlags are the fields of the bits of VLAN_FLAG_…, from the lowest on.
func vlanFlags(v *state.VLAN) []**bool {
	return []**bool{&v.ReorderHeader, &v.GVRP, &v.LooseBinding, &v.MVRP, &v.BridgeBinding}
}

// decodeVLANFlags reads a struct ifla_vlan_flags: values, and which of them
// are meant. The kernel means all.
func decodeVLANFlags(v *state.VLAN, b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("%d bytes instead of 8", len(b))
	}
	values, mask := binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:])
	for bit, at := range vlanFlags(v) {
		*at = nil
		if mask>>bit&1 != 0 {
			set := values>>bit&1 != 0
			*at = &set
		}
	}
	return nil
}

func encodeVLANFlags(v *state.VLAN) ([]byte, error) {
	var values, mask uint32
	for bit, at := range vlanFlags(v) {
		if *at == nil {
			continue
		}
		mask |= 1 << bit
		if **at {
			values |= 1 << bit
		}
	}
	if mask == 0 {
		return nil, nil
	}
	return binary.Append(nil, binary.NativeEndian, []uint32{values, mask})
}

func showVLANFlags(v *state.VLAN) string {
	var out []string
	for bit, at := range vlanFlags(v) {
		if *at != nil {
			out = append(out, []string{"reorder_hdr", "gvrp", "loose_binding", "mvrp", "bridge_binding"}[bit]+" "+onOff(**at))
		}
	}
	return strings.Join(out, " ")
}

// qosMap compares maps of priorities. The kernel adds what a message has to what there
// is, and forgets what a message maps to 0.
//
//go:noinline
func qosMap(row *attribute[*state.VLAN]) *attribute[*state.VLAN] {
	row.compare = func(have, want []byte) []byte {
		before, wanted := readQoS(have), readQoS(want)
		var due []state.VLANQoS
		for from, to := range wanted {
			if before[from] != to {
				due = append(due, state.VLANQoS{From: from, To: to})
			}
		}
		for from, to := range before {
			if _, keep := wanted[from]; !keep && to != 0 {
				due = append(due, state.VLANQoS{From: from})
			}
		}
		sort.Slice(due, func(i, j int) bool { return due[i].From < due[j].From })
		return writeQoS(due)
	}
	return row
}

func readQoS(list []byte) map[uint32]uint32 {
	out := map[uint32]uint32{}
	for len(list) > 0 {
		_, payload, rest, err := cutAttribute(list)
		if err != nil {
			return out // of our own encoding, so this does not happen
		}
		var m state.VLANQoS
		if vlanQoSMapping.decode(&m, payload) == nil {
			out[m.From] = m.To
		}
		list = rest
	}
	return out
}

// writeQoS returns nil for no mapping.
func writeQoS(mappings []state.VLANQoS) []byte {
	if len(mappings) == 0 {
		return nil
	}
	attributes := netlink.NewAttributeEncoder()
	for _, m := range mappings {
		attributes.Bytes(vlanQoSMapping.number, binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, m.From), m.To))
	}
	b, _ := attributes.Encode() // of numbers, which always fit
	return b
}

// vlanQoSMapping is an element of both lists.
var vlanQoSMapping = &attribute[*state.VLANQoS]{
	number: unix.IFLA_VLAN_QOS_MAPPING, name: "IFLA_VLAN_QOS_MAPPING",
	decode: func(m *state.VLANQoS, b []byte) error {
		if want := binary.Size(m); len(b) < want {
			return fmt.Errorf("%d bytes instead of %d", len(b), want)
		}
		_, err := binary.Decode(b, binary.NativeEndian, m)
		return err
	},
	encode: func(m *state.VLANQoS) ([]byte, error) { return binary.Append(nil, binary.NativeEndian, m) },
}
