package rtnl

import "golang.org/x/sys/unix"

// VRF is the data of kind "vrf" (IFLA_VRF_…, linux/if_link.h).
type VRF struct {
	Table *uint32 `json:"table_id,omitempty"`
}

// VRFPort is the data of a link that is a port of a VRF (IFLA_VRF_PORT_…).
type VRFPort struct {
	Table *uint32 `json:"table_id,omitempty"`
}

var vrfTable = table[VRF]{
	optional(unix.IFLA_VRF_TABLE, "IFLA_VRF_TABLE", func(v *VRF) **uint32 { return &v.Table }),
}

var vrfPortTable = table[VRFPort]{
	optional(unix.IFLA_VRF_PORT_TABLE, "IFLA_VRF_PORT_TABLE", func(p *VRFPort) **uint32 { return &p.Table }),
}
