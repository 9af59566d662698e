package rtnl

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

var tunTable = table[state.Tun]{
	named[uint8](unix.IFLA_TUN_TYPE, "IFLA_TUN_TYPE", func(t *state.Tun) **state.TunMode { return &t.Mode }),
	optional(unix.IFLA_TUN_OWNER, "IFLA_TUN_OWNER", func(t *state.Tun) **uint32 { return &t.Owner }),
	optional(unix.IFLA_TUN_GROUP, "IFLA_TUN_GROUP", func(t *state.Tun) **uint32 { return &t.Group }),
	flag(unix.IFLA_TUN_PI, "IFLA_TUN_PI", func(t *state.Tun) **bool { return &t.PacketInfo }),
	flag(unix.IFLA_TUN_VNET_HDR, "IFLA_TUN_VNET_HDR", func(t *state.Tun) **bool { return &t.VNetHeader }),
	flag(unix.IFLA_TUN_MULTI_QUEUE, "IFLA_TUN_MULTI_QUEUE", func(t *state.Tun) **bool { return &t.MultiQueue }),
	flag(unix.IFLA_TUN_PERSIST, "IFLA_TUN_PERSIST", func(t *state.Tun) **bool { return &t.Persist }),
	optional(unix.IFLA_TUN_NUM_QUEUES, "IFLA_TUN_NUM_QUEUES", func(t *state.Tun) **uint32 { return &t.Queues }),
	optional(unix.IFLA_TUN_NUM_DISABLED_QUEUES, "IFLA_TUN_NUM_DISABLED_QUEUES", func(t *state.Tun) **uint32 { return &t.DisabledQueues }),
}
