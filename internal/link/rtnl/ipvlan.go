package rtnl

import "golang.org/x/sys/unix"

// IPVLAN is the data of the kinds "ipvlan" and "ipvtap". The link below is the
// Parent of the Link.
type IPVLAN struct {
	Mode  *Named[ipvlanModes] `json:"mode,omitempty"`
	Flags *Bits[ipvlanBits]   `json:"flags,omitempty"`
}

// enum ipvlan_mode, linux/if_link.h.
type ipvlanModes struct{}

func (ipvlanModes) names() []string { return []string{"l2", "l3", "l3s"} }

// IPVLAN_F_…, linux/if_link.h.
type ipvlanBits struct{}

func (ipvlanBits) names() []string { return []string{"private", "vepa"} }

var ipvlanTable = table[IPVLAN]{
	named[uint16](unix.IFLA_IPVLAN_MODE, "IFLA_IPVLAN_MODE", func(i *IPVLAN) **Named[ipvlanModes] { return &i.Mode }),
	bits[uint16](unix.IFLA_IPVLAN_FLAGS, "IFLA_IPVLAN_FLAGS", func(i *IPVLAN) **Bits[ipvlanBits] { return &i.Flags }),
}
