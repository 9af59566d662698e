package state

import "net/netip"

// VXLAN is a tunnel for Ethernet over UDP (IFLA_VXLAN_…, linux/if_link.h).
type VXLAN struct {
	BaseIface        string             `json:"base_iface"`         // "": the routes decide
	ID               *uint32            `json:"vxlan_id,omitempty"` // VNI, 24 bits
	Remote           netip.Addr         `json:"remote"`             // a unicast address or a multicast group; zero: none
	Local            netip.Addr         `json:"local"`              // zero: any
	TTL              *uint8             `json:"ttl,omitempty"`
	TOS              *uint8             `json:"tos,omitempty"`
	Learning         *bool              `json:"learning,omitempty"`
	Ageing           *uint32            `json:"ageing,omitempty"`      // seconds
	MaxAddresses     *uint32            `json:"max_address,omitempty"` // 0: no limit
	*VXLANPorts                         // source ports
	Proxy            *bool              `json:"proxy,omitempty"`
	RSC              *bool              `json:"rsc,omitempty"`
	L2Miss           *bool              `json:"l2miss,omitempty"`
	L3Miss           *bool              `json:"l3miss,omitempty"`
	Port             *uint16            `json:"dst_port,omitempty"`
	UDPChecksum      *bool              `json:"udp_check_sum,omitempty"`
	UDP6ZeroTX       *bool              `json:"udp6_zero_check_sum_tx,omitempty"`
	UDP6ZeroRX       *bool              `json:"udp6_zero_check_sum_rx,omitempty"`
	RemoteChecksumTX *bool              `json:"remote_check_sum_tx,omitempty"`
	RemoteChecksumRX *bool              `json:"remote_check_sum_rx,omitempty"`
	GBP              bool               `json:"gbp"`
	RemoteNoPartial  bool               `json:"remote_check_sum_no_partial"`
	CollectMetadata  *bool              `json:"collect_metadata,omitempty"`
	Label            *uint32            `json:"label,omitempty"` // IPv6 flow label, 20 bits
	GPE              bool               `json:"gpe"`
	TTLInherit       bool               `json:"ttl_inherit"`
	DontFragment     *uint8             `json:"df,omitempty"` // VXLAN_DF_…: 0 unset, 1 set, 2 inherit
	VNIFilter        *bool              `json:"vnifilter,omitempty"`
	LocalBypass      *bool              `json:"localbypass,omitempty"`
	LabelPolicy      *uint32            `json:"label_policy,omitempty"` // VXLAN_LABEL_…: 0 fixed, 1 inherit
	ReservedBits     *VXLANReservedBits `json:"reserved_bits,omitempty"`
	MulticastRouting *bool              `json:"mc_route,omitempty"`
}

// VXLANPorts is a range of UDP ports; 0 in both means the system's range (struct
// ifla_vxlan_port_range).
type VXLANPorts struct {
	Min uint16 `json:"src_port_min"`
	Max uint16 `json:"src_port_max"`
}

// VXLANReservedBits holds the bits of a received header that are ignored (struct
// vxlanhdr).
type VXLANReservedBits struct {
	Flags uint32 `json:"flags"`
	VNI   uint32 `json:"vni"`
}
