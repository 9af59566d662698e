package rtnl

import "golang.org/x/sys/unix"

// MACVLAN is the data of the kinds "macvlan" and "macvtap". The link below is
// the Parent of the Link.
type MACVLAN struct {
	Mode              *Named[macvlanModes]    `json:"mode,omitempty"`
	Flags             *uint16                 `json:"flags,omitempty"`                 // MACVLAN_FLAG_…: 1 nopromisc, 2 nodst
	Allowed           []HardwareAddress       `json:"allowed_mac_addresses,omitempty"` // of mode source
	AllowedCount      *uint32                 `json:"macaddr_count,omitempty"`
	AllowedChange     *Named[macvlanMACModes] `json:"macaddr_mode,omitempty"` // request: what to do with Allowed, or with ChangedMAC
	ChangedMAC        HardwareAddress         `json:"macaddr,omitempty"`      // request: the one to add or to delete
	BroadcastQueue    *uint32                 `json:"bc_queue_len,omitempty"` // wanted; the kernel uses the largest of all on one parent
	BroadcastQueueNow *uint32                 `json:"bc_queue_len_used,omitempty"`
	BroadcastCutoff   *int32                  `json:"bc_cutoff,omitempty"` // links; -1: never
}

// enum macvlan_mode, linux/if_link.h.
type macvlanModes struct{}

func (macvlanModes) names() []string {
	return []string{1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"}
}

// enum macvlan_macaddr_mode, linux/if_link.h.
type macvlanMACModes struct{}

func (macvlanMACModes) names() []string { return []string{"add", "del", "flush", "set"} }

var macvlanTable = table[MACVLAN]{
	named[uint32](unix.IFLA_MACVLAN_MODE, "IFLA_MACVLAN_MODE", func(m *MACVLAN) **Named[macvlanModes] { return &m.Mode }),
	optional(unix.IFLA_MACVLAN_FLAGS, "IFLA_MACVLAN_FLAGS", func(m *MACVLAN) **uint16 { return &m.Flags }),
	named[uint32](unix.IFLA_MACVLAN_MACADDR_MODE, "IFLA_MACVLAN_MACADDR_MODE", func(m *MACVLAN) **Named[macvlanMACModes] { return &m.AllowedChange }),
	ethernetAddress(unix.IFLA_MACVLAN_MACADDR, "IFLA_MACVLAN_MACADDR", func(m *MACVLAN) *HardwareAddress { return &m.ChangedMAC }),
	list(unix.IFLA_MACVLAN_MACADDR_DATA, "IFLA_MACVLAN_MACADDR_DATA", func(m *MACVLAN) *[]HardwareAddress { return &m.Allowed },
		ethernetAddress(unix.IFLA_MACVLAN_MACADDR, "IFLA_MACVLAN_MACADDR", func(a *HardwareAddress) *HardwareAddress { return a })),
	optional(unix.IFLA_MACVLAN_MACADDR_COUNT, "IFLA_MACVLAN_MACADDR_COUNT", func(m *MACVLAN) **uint32 { return &m.AllowedCount }),
	optional(unix.IFLA_MACVLAN_BC_QUEUE_LEN, "IFLA_MACVLAN_BC_QUEUE_LEN", func(m *MACVLAN) **uint32 { return &m.BroadcastQueue }),
	optional(unix.IFLA_MACVLAN_BC_QUEUE_LEN_USED, "IFLA_MACVLAN_BC_QUEUE_LEN_USED", func(m *MACVLAN) **uint32 { return &m.BroadcastQueueNow }),
	optional(unix.IFLA_MACVLAN_BC_CUTOFF, "IFLA_MACVLAN_BC_CUTOFF", func(m *MACVLAN) **int32 { return &m.BroadcastCutoff }),
}
