package rtnl

import "golang.org/x/sys/unix"

// XFRM is the data of kind "xfrm": the traffic of some IPsec policies.
type XFRM struct {
	Parent          uint32  `json:"-"` // index of the link below
	InterfaceID     *uint32 `json:"iface_id,omitempty"`
	CollectMetadata bool    `json:"collect_metadata,omitempty"`
}

var xfrmTable = table[XFRM]{
	number(unix.IFLA_XFRM_LINK, "IFLA_XFRM_LINK", func(x *XFRM) *uint32 { return &x.Parent }),
	optional(unix.IFLA_XFRM_IF_ID, "IFLA_XFRM_IF_ID", func(x *XFRM) **uint32 { return &x.InterfaceID }),
	present(unix.IFLA_XFRM_COLLECT_METADATA, "IFLA_XFRM_COLLECT_METADATA", func(x *XFRM) *bool { return &x.CollectMetadata }),
}
