package rtnl

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

var ipvlanTable = table[*state.IPVLAN]{
	named[uint16](unix.IFLA_IPVLAN_MODE, "IFLA_IPVLAN_MODE", func(i *state.IPVLAN) **state.IPVLANMode { return &i.Mode }),
	named[uint16](unix.IFLA_IPVLAN_FLAGS, "IFLA_IPVLAN_FLAGS", func(i *state.IPVLAN) **state.IPVLANFlags { return &i.Flags }),
}
