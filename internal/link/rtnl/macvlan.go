package rtnl

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

var macvlanTable = table[state.MACVLAN]{
	named[uint32](unix.IFLA_MACVLAN_MODE, "IFLA_MACVLAN_MODE", func(m *state.MACVLAN) **state.MACVLANMode { return &m.Mode }),
	optional(unix.IFLA_MACVLAN_FLAGS, "IFLA_MACVLAN_FLAGS", func(m *state.MACVLAN) **uint16 { return &m.Flags }),
	named[uint32](unix.IFLA_MACVLAN_MACADDR_MODE, "IFLA_MACVLAN_MACADDR_MODE", func(m *state.MACVLAN) **state.MACVLANChange { return &m.AllowedChange }),
	ethernetAddress(unix.IFLA_MACVLAN_MACADDR, "IFLA_MACVLAN_MACADDR", func(m *state.MACVLAN) *state.HardwareAddress { return &m.ChangedMAC }),
	list(unix.IFLA_MACVLAN_MACADDR_DATA, "IFLA_MACVLAN_MACADDR_DATA", func(m *state.MACVLAN) *[]state.HardwareAddress { return &m.Allowed },
		ethernetAddress(unix.IFLA_MACVLAN_MACADDR, "IFLA_MACVLAN_MACADDR", func(a *state.HardwareAddress) *state.HardwareAddress { return a })),
	optional(unix.IFLA_MACVLAN_MACADDR_COUNT, "IFLA_MACVLAN_MACADDR_COUNT", func(m *state.MACVLAN) **uint32 { return &m.AllowedCount }),
	optional(unix.IFLA_MACVLAN_BC_QUEUE_LEN, "IFLA_MACVLAN_BC_QUEUE_LEN", func(m *state.MACVLAN) **uint32 { return &m.BroadcastQueue }),
	optional(unix.IFLA_MACVLAN_BC_QUEUE_LEN_USED, "IFLA_MACVLAN_BC_QUEUE_LEN_USED", func(m *state.MACVLAN) **uint32 { return &m.BroadcastQueueNow }),
	optional(unix.IFLA_MACVLAN_BC_CUTOFF, "IFLA_MACVLAN_BC_CUTOFF", func(m *state.MACVLAN) **int32 { return &m.BroadcastCutoff }),
}
