package rtnl

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

var tunTable = table[*state.Tun]{
	readOnly(named[uint8](unix.IFLA_TUN_TYPE, "IFLA_TUN_TYPE", func(t *state.Tun) **state.TunMode { return &t.Mode })),
	readOnly(optional(unix.IFLA_TUN_OWNER, "IFLA_TUN_OWNER", func(t *state.Tun) **uint32 { return &t.Owner })),
	readOnly(optional(unix.IFLA_TUN_GROUP, "IFLA_TUN_GROUP", func(t *state.Tun) **uint32 { return &t.Group })),
	readOnly(flag(unix.IFLA_TUN_PI, "IFLA_TUN_PI", func(t *state.Tun) **bool { return &t.PacketInfo })),
	readOnly(flag(unix.IFLA_TUN_VNET_HDR, "IFLA_TUN_VNET_HDR", func(t *state.Tun) **bool { return &t.VNetHeader })),
	readOnly(flag(unix.IFLA_TUN_MULTI_QUEUE, "IFLA_TUN_MULTI_QUEUE", func(t *state.Tun) **bool { return &t.MultiQueue })),
	readOnly(flag(unix.IFLA_TUN_PERSIST, "IFLA_TUN_PERSIST", func(t *state.Tun) **bool { return &t.Persist })),
	readOnly(optional(unix.IFLA_TUN_NUM_QUEUES, "IFLA_TUN_NUM_QUEUES", func(t *state.Tun) **uint32 { return &t.Queues })),
	readOnly(optional(unix.IFLA_TUN_NUM_DISABLED_QUEUES, "IFLA_TUN_NUM_DISABLED_QUEUES", func(t *state.Tun) **uint32 { return &t.DisabledQueues })),
}
