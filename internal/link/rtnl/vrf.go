package rtnl

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

var vrfTable = table[*state.VRF]{
	recreate(optional(unix.IFLA_VRF_TABLE, "IFLA_VRF_TABLE", func(v *state.VRF) **uint32 { return &v.Table })),
}

var vrfPortTable = table[*state.VRFPort]{
	readOnly(optional(unix.IFLA_VRF_PORT_TABLE, "IFLA_VRF_PORT_TABLE", func(p *state.VRFPort) **uint32 { return &p.Table })),
}
