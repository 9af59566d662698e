package state

// VRF is a routing domain (IFLA_VRF_…, linux/if_link.h).
type VRF struct {
	Subordinates []string `json:"subordinates"` // names of its ports
	Table        *uint32  `json:"table_id,omitempty"`
}

// VRFPort describes an interface as a port of a VRF (IFLA_VRF_PORT_…).
type VRFPort struct {
	Table *uint32 `json:"table_id,omitempty"`
}
