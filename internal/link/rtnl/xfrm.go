package rtnl

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// XFRM is the data of kind "xfrm".
type XFRM struct {
	state.XFRM
	Parent *uint32 // index of the link below; 0: none
}

var xfrmTable = table[*XFRM]{
	recreate(optional(unix.IFLA_XFRM_LINK, "IFLA_XFRM_LINK", func(x *XFRM) **uint32 { return &x.Parent })),
	optional(unix.IFLA_XFRM_IF_ID, "IFLA_XFRM_IF_ID", func(x *XFRM) **uint32 { return &x.InterfaceID }),
	recreate(present(unix.IFLA_XFRM_COLLECT_METADATA, "IFLA_XFRM_COLLECT_METADATA", func(x *XFRM) *bool { return &x.CollectMetadata })),
}
