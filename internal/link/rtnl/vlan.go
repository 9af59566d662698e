package rtnl

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// VLANProtocol is the EtherType of a VLAN's tag. Its text is "802.1q", "802.1ad"
// or the number, e.g. "0x9100".
type VLANProtocol uint16

// The protocols that the kernel has (linux/if_ether.h).
const (
	VLAN8021Q  VLANProtocol = unix.ETH_P_8021Q
	VLAN8021AD VLANProtocol = unix.ETH_P_8021AD
)

func (p VLANProtocol) String() string {
	switch p {
	case VLAN8021Q:
		return "802.1q"
	case VLAN8021AD:
		return "802.1ad"
	}
	return fmt.Sprintf("0x%04x", uint16(p))
}

// MarshalText gives the String.
func (p VLANProtocol) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *VLANProtocol) UnmarshalText(b []byte) error {
	for _, known := range []VLANProtocol{VLAN8021Q, VLAN8021AD} {
		if known.String() == string(b) {
			*p = known
			return nil
		}
	}
	return parseUint16(b, (*uint16)(p))
}

// VLAN is the data of kind "vlan" (IFLA_VLAN_…, linux/if_link.h).
type VLAN struct {
	ID       *uint16       `json:"vlan_id,omitempty"`
	Protocol *VLANProtocol `json:"protocol,omitempty"`

	// VLAN_FLAG_…, linux/if_vlan.h; a request changes those that are not nil.
	ReorderHeader *bool `json:"is_reorder_hdr,omitempty"`
	GVRP          *bool `json:"is_gvrp,omitempty"`
	LooseBinding  *bool `json:"is_loose_binding,omitempty"`
	MVRP          *bool `json:"is_mvrp,omitempty"`
	BridgeBinding *bool `json:"is_bridge_binding,omitempty"`

	IngressQoS []VLANQoS `json:"ingress_qos_map,omitempty"` // from the tag's priority to that of the packet
	EgressQoS  []VLANQoS `json:"egress_qos_map,omitempty"`  // from the priority of the packet to the tag's
}

// VLANQoS maps one priority to another (struct ifla_vlan_qos_mapping).
type VLANQoS struct {
	From uint32 `json:"from"`
	To   uint32 `json:"to"`
}

var vlanTable = table[VLAN]{
	bigEndian(unix.IFLA_VLAN_PROTOCOL, "IFLA_VLAN_PROTOCOL", func(v *VLAN) **VLANProtocol { return &v.Protocol }),
	optional(unix.IFLA_VLAN_ID, "IFLA_VLAN_ID", func(v *VLAN) **uint16 { return &v.ID }),
	{number: unix.IFLA_VLAN_FLAGS, name: "IFLA_VLAN_FLAGS", decode: decodeVLANFlags, encode: encodeVLANFlags},
	list(unix.IFLA_VLAN_INGRESS_QOS, "IFLA_VLAN_INGRESS_QOS", func(v *VLAN) *[]VLANQoS { return &v.IngressQoS }, vlanQoSMapping),
	list(unix.IFLA_VLAN_EGRESS_QOS, "IFLA_VLAN_EGRESS_QOS", func(v *VLAN) *[]VLANQoS { return &v.EgressQoS }, vlanQoSMapping),
}

// flags are the fields of the bits of VLAN_FLAG_…, from the lowest on.
func (v *VLAN) flags() []**bool {
	return []**bool{&v.ReorderHeader, &v.GVRP, &v.LooseBinding, &v.MVRP, &v.BridgeBinding}
}

// decodeVLANFlags reads a struct ifla_vlan_flags: values, and which of them
// are meant. The kernel means all.
func decodeVLANFlags(v *VLAN, b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("%d bytes instead of 8", len(b))
	}
	values, mask := binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:])
	for bit, at := range v.flags() {
		*at = nil
		if mask>>bit&1 != 0 {
			set := values>>bit&1 != 0
			*at = &set
		}
	}
	return nil
}

func encodeVLANFlags(v *VLAN) ([]byte, error) {
	var values, mask uint32
	for bit, at := range v.flags() {
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
var vlanQoSMapping = attribute[VLANQoS]{
	number: unix.IFLA_VLAN_QOS_MAPPING, name: "IFLA_VLAN_QOS_MAPPING",
	decode: func(m *VLANQoS, b []byte) error {
		if want := binary.Size(m); len(b) < want {
			return fmt.Errorf("%d bytes instead of %d", len(b), want)
		}
		_, err := binary.Decode(b, binary.NativeEndian, m)
		return err
	},
	encode: func(m *VLANQoS) ([]byte, error) { return binary.Append(nil, binary.NativeEndian, m) },
}
