package state

import "fmt"

// VLAN is an interface for one VLAN of another interface (IFLA_VLAN_…,
// linux/if_link.h).
type VLAN struct {
	BaseIface string        `json:"base_iface"`
	ID        *uint16       `json:"vlan_id,omitempty"`
	Protocol  *VLANProtocol `json:"protocol,omitempty"`

	// These are VLAN_FLAG_… of linux/if_vlan.h; a request changes the fields that are
	// not nil.
	ReorderHeader *bool `json:"is_reorder_hdr,omitempty"`
	GVRP          *bool `json:"is_gvrp,omitempty"`
	LooseBinding  *bool `json:"is_loose_binding,omitempty"`
	MVRP          *bool `json:"is_mvrp,omitempty"`
	BridgeBinding *bool `json:"is_bridge_binding,omitempty"`

	IngressQoS []VLANQoS `json:"ingress_qos_map,omitempty"` // from the tag's priority to the packet's
	EgressQoS  []VLANQoS `json:"egress_qos_map,omitempty"`  // from the packet's priority to the tag's
}

// VLANQoS maps one priority to another (struct ifla_vlan_qos_mapping).
type VLANQoS struct {
	From uint32 `json:"from"`
	To   uint32 `json:"to"`
}

// VLANProtocol is the EtherType of a VLAN's tag. Its text is "802.1q", "802.1ad"
// or the number, e.g. "0x9100".
type VLANProtocol uint16

// The protocols that the kernel supports (linux/if_ether.h).
const (
	VLAN8021Q  VLANProtocol = 0x8100
	VLAN8021AD VLANProtocol = 0x88a8
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

// MarshalText returns the String.
func (p VLANProtocol) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the text that MarshalText returns.
func (p *VLANProtocol) UnmarshalText(b []byte) error {
	for _, known := range []VLANProtocol{VLAN8021Q, VLAN8021AD} {
		if known.String() == string(b) {
			*p = known
			return nil
		}
	}
	return parseUint16(b, (*uint16)(p))
}
