package rtnl

import (
	"encoding/binary"
	"maps"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

var macvlanTable = table[*state.MACVLAN]{
	named[uint32](unix.IFLA_MACVLAN_MODE, "IFLA_MACVLAN_MODE", func(m *state.MACVLAN) **state.MACVLANMode { return &m.Mode }),
	optional(unix.IFLA_MACVLAN_FLAGS, "IFLA_MACVLAN_FLAGS", func(m *state.MACVLAN) **uint16 { return &m.Flags }),
	readOnly(named[uint32](unix.IFLA_MACVLAN_MACADDR_MODE, "IFLA_MACVLAN_MACADDR_MODE", func(m *state.MACVLAN) **state.MACVLANChange { return &m.AllowedChange })),
	readOnly(ethernetAddress(unix.IFLA_MACVLAN_MACADDR, "IFLA_MACVLAN_MACADDR", func(m *state.MACVLAN) *state.HardwareAddress { return &m.ChangedMAC })),
	allowedMACs(list(unix.IFLA_MACVLAN_MACADDR_DATA, "IFLA_MACVLAN_MACADDR_DATA", func(m *state.MACVLAN) *[]state.HardwareAddress { return &m.Allowed },
		ethernetAddress(unix.IFLA_MACVLAN_MACADDR, "IFLA_MACVLAN_MACADDR", func(a *state.HardwareAddress) *state.HardwareAddress { return a }))),
	readOnly(optional(unix.IFLA_MACVLAN_MACADDR_COUNT, "IFLA_MACVLAN_MACADDR_COUNT", func(m *state.MACVLAN) **uint32 { return &m.AllowedCount })),
	optional(unix.IFLA_MACVLAN_BC_QUEUE_LEN, "IFLA_MACVLAN_BC_QUEUE_LEN", func(m *state.MACVLAN) **uint32 { return &m.BroadcastQueue }),
	readOnly(optional(unix.IFLA_MACVLAN_BC_QUEUE_LEN_USED, "IFLA_MACVLAN_BC_QUEUE_LEN_USED", func(m *state.MACVLAN) **uint32 { return &m.BroadcastQueueNow })),
	absentIs(binary.NativeEndian.AppendUint32(nil, 1), optional(unix.IFLA_MACVLAN_BC_CUTOFF, "IFLA_MACVLAN_BC_CUTOFF", func(m *state.MACVLAN) **int32 { return &m.BroadcastCutoff })),
}

// allowedMACs compares sets, which the kernel shows in an order of its own. It takes a
// list only together with an order what to do with it.
func allowedMACs(row *attribute[*state.MACVLAN]) *attribute[*state.MACVLAN] {
	const set = 3 // MACVLAN_MACADDR_SET, linux/if_link.h
	row.beside = []fixed{{unix.IFLA_MACVLAN_MACADDR_MODE, binary.NativeEndian.AppendUint32(nil, set)}}
	row.compare = func(have, want []byte) []byte {
		before, wanted := attributeSet(have), attributeSet(want)
		if !maps.Equal(before, wanted) {
			return want
		}
		return nil
	}
	return row
}

// attributeSet is the attributes of a list, whatever their order.
func attributeSet(list []byte) map[string]bool {
	out := map[string]bool{}
	for len(list) > 0 {
		_, payload, rest, err := cutAttribute(list)
		if err != nil {
			break // of our own encoding, so this does not happen
		}
		out[string(payload)] = true
		list = rest
	}
	return out
}

// macvlanPair: the kernel refuses to change to or from passthru (EINVAL).
func macvlanPair(have, want *state.MACVLAN) Class {
	const passthru = 8 // MACVLAN_MODE_PASSTHRU, linux/if_link.h
	if have.Mode != nil && want.Mode != nil && *have.Mode != *want.Mode && (*have.Mode == passthru || *want.Mode == passthru) {
		return Recreate
	}
	return InPlace
}
