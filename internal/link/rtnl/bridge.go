package rtnl

import "golang.org/x/sys/unix"

// Bridge is the data of kind "bridge". Times are in USER_HZ, 1/100 s, as the
// kernel has them; nil is not mentioned.
type Bridge struct {
	ForwardDelay  *uint32
	HelloTime     *uint32
	MaxAge        *uint32
	AgeingTime    *uint32
	STPState      *uint32 // 0 off, 1 kernel, 2 user space
	Priority      *uint16
	VLANFiltering *uint8
}

var bridgeTable = table[Bridge]{
	optional(unix.IFLA_BR_FORWARD_DELAY, "IFLA_BR_FORWARD_DELAY", func(b *Bridge) **uint32 { return &b.ForwardDelay }),
	optional(unix.IFLA_BR_HELLO_TIME, "IFLA_BR_HELLO_TIME", func(b *Bridge) **uint32 { return &b.HelloTime }),
	optional(unix.IFLA_BR_MAX_AGE, "IFLA_BR_MAX_AGE", func(b *Bridge) **uint32 { return &b.MaxAge }),
	optional(unix.IFLA_BR_AGEING_TIME, "IFLA_BR_AGEING_TIME", func(b *Bridge) **uint32 { return &b.AgeingTime }),
	optional(unix.IFLA_BR_STP_STATE, "IFLA_BR_STP_STATE", func(b *Bridge) **uint32 { return &b.STPState }),
	optional(unix.IFLA_BR_PRIORITY, "IFLA_BR_PRIORITY", func(b *Bridge) **uint16 { return &b.Priority }),
	optional(unix.IFLA_BR_VLAN_FILTERING, "IFLA_BR_VLAN_FILTERING", func(b *Bridge) **uint8 { return &b.VLANFiltering }),
}
