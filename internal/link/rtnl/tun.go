package rtnl

import "golang.org/x/sys/unix"

// Tun is the data of kind "tun", which tap interfaces have, too.
type Tun struct {
	Mode           *Named[tunModes] `json:"mode,omitempty"`
	Owner          *uint32          `json:"owner,omitempty"` // user
	Group          *uint32          `json:"group,omitempty"`
	PacketInfo     *bool            `json:"pi,omitempty"` // a header before each packet, struct tun_pi
	VNetHeader     *bool            `json:"vnet_hdr,omitempty"`
	MultiQueue     *bool            `json:"multi_queue,omitempty"`
	Persist        *bool            `json:"persist,omitempty"`
	Queues         *uint32          `json:"num_queues,omitempty"` // of MultiQueue: those that are open
	DisabledQueues *uint32          `json:"num_disabled_queues,omitempty"`
}

// IFF_TUN and IFF_TAP, linux/if_tun.h.
type tunModes struct{}

func (tunModes) names() []string { return []string{1: "tun", 2: "tap"} }

var tunTable = table[Tun]{
	named[uint8](unix.IFLA_TUN_TYPE, "IFLA_TUN_TYPE", func(t *Tun) **Named[tunModes] { return &t.Mode }),
	optional(unix.IFLA_TUN_OWNER, "IFLA_TUN_OWNER", func(t *Tun) **uint32 { return &t.Owner }),
	optional(unix.IFLA_TUN_GROUP, "IFLA_TUN_GROUP", func(t *Tun) **uint32 { return &t.Group }),
	flag(unix.IFLA_TUN_PI, "IFLA_TUN_PI", func(t *Tun) **bool { return &t.PacketInfo }),
	flag(unix.IFLA_TUN_VNET_HDR, "IFLA_TUN_VNET_HDR", func(t *Tun) **bool { return &t.VNetHeader }),
	flag(unix.IFLA_TUN_MULTI_QUEUE, "IFLA_TUN_MULTI_QUEUE", func(t *Tun) **bool { return &t.MultiQueue }),
	flag(unix.IFLA_TUN_PERSIST, "IFLA_TUN_PERSIST", func(t *Tun) **bool { return &t.Persist }),
	optional(unix.IFLA_TUN_NUM_QUEUES, "IFLA_TUN_NUM_QUEUES", func(t *Tun) **uint32 { return &t.Queues }),
	optional(unix.IFLA_TUN_NUM_DISABLED_QUEUES, "IFLA_TUN_NUM_DISABLED_QUEUES", func(t *Tun) **uint32 { return &t.DisabledQueues }),
}
