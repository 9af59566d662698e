package rtnl

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

var vlanTable = table[state.VLAN]{
	bigEndian(unix.IFLA_VLAN_PROTOCOL, "IFLA_VLAN_PROTOCOL", func(v *state.VLAN) **state.VLANProtocol { return &v.Protocol }),
	optional(unix.IFLA_VLAN_ID, "IFLA_VLAN_ID", func(v *state.VLAN) **uint16 { return &v.ID }),
	{number: unix.IFLA_VLAN_FLAGS, name: "IFLA_VLAN_FLAGS", decode: decodeVLANFlags, encode: encodeVLANFlags},
	list(unix.IFLA_VLAN_INGRESS_QOS, "IFLA_VLAN_INGRESS_QOS", func(v *state.VLAN) *[]state.VLANQoS { return &v.IngressQoS }, vlanQoSMapping),
	list(unix.IFLA_VLAN_EGRESS_QOS, "IFLA_VLAN_EGRESS_QOS", func(v *state.VLAN) *[]state.VLANQoS { return &v.EgressQoS }, vlanQoSMapping),
}

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

// vlanQoSMapping is an element of both lists.
var vlanQoSMapping = attribute[state.VLANQoS]{
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
