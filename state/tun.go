package state

// Tun is an interface whose packets a program handles, with whole packets (tun) or
// with Ethernet frames (tap).
type Tun struct {
	Mode           *TunMode `json:"mode,omitempty"`
	Owner          *uint32  `json:"owner,omitempty"` // the number of a user
	Group          *uint32  `json:"group,omitempty"`
	PacketInfo     *bool    `json:"pi,omitempty"` // each packet has a header, struct tun_pi
	VNetHeader     *bool    `json:"vnet_hdr,omitempty"`
	MultiQueue     *bool    `json:"multi_queue,omitempty"`
	Persist        *bool    `json:"persist,omitempty"`
	Queues         *uint32  `json:"num_queues,omitempty"` // the number of open queues; only with MultiQueue
	DisabledQueues *uint32  `json:"num_disabled_queues,omitempty"`
}

// TunMode is "tun" or "tap" (IFF_TUN, IFF_TAP of linux/if_tun.h).
type TunMode = Named[tunModes]

type tunModes struct{}

func (tunModes) names() []string { return []string{1: "tun", 2: "tap"} }
