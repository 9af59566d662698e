package rtnl

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// Bridge is the data of kind "bridge" (IFLA_BR_…, linux/if_link.h).
type Bridge struct {
	state.Bridge
	Querier  *MulticastQuerier // instead of the public shape's MulticastQuerierState
	FDBFlush bool              // request: forget what was learned
}

// MulticastQuerier is BRIDGE_QUERIER_…, linux/if_bridge.h, with the indexes of the
// links that the queriers are behind.
type MulticastQuerier struct {
	state.MulticastQuerier
	Port     *uint32
	IPv6Port *uint32
}

// BRIDGE_QUERIER_…, linux/if_bridge.h since 5.15; golang.org/x/sys has none.
const (
	attributeQuerierIPAddress      = 1
	attributeQuerierIPPort         = 2
	attributeQuerierIPOtherTimer   = 3
	attributeQuerierIPv6Address    = 5
	attributeQuerierIPv6Port       = 6
	attributeQuerierIPv6OtherTimer = 7
)

var multicastQuerierTable = table[*MulticastQuerier]{
	addressOf(attributeQuerierIPAddress, "BRIDGE_QUERIER_IP_ADDRESS", 4, func(q *MulticastQuerier) *netip.Addr { return &q.Address }),
	optional(attributeQuerierIPPort, "BRIDGE_QUERIER_IP_PORT", func(q *MulticastQuerier) **uint32 { return &q.Port }),
	optional(attributeQuerierIPOtherTimer, "BRIDGE_QUERIER_IP_OTHER_TIMER", func(q *MulticastQuerier) **uint64 { return &q.OtherTimer }),
	addressOf(attributeQuerierIPv6Address, "BRIDGE_QUERIER_IPV6_ADDRESS", 16, func(q *MulticastQuerier) *netip.Addr { return &q.IPv6Address }),
	optional(attributeQuerierIPv6Port, "BRIDGE_QUERIER_IPV6_PORT", func(q *MulticastQuerier) **uint32 { return &q.IPv6Port }),
	optional(attributeQuerierIPv6OtherTimer, "BRIDGE_QUERIER_IPV6_OTHER_TIMER", func(q *MulticastQuerier) **uint64 { return &q.IPv6OtherTimer }),
}

var bridgeTable = table[*Bridge]{
	readOnly(optional(unix.IFLA_BR_HELLO_TIMER, "IFLA_BR_HELLO_TIMER", func(b *Bridge) **uint64 { return &b.HelloTimer })),
	readOnly(optional(unix.IFLA_BR_TCN_TIMER, "IFLA_BR_TCN_TIMER", func(b *Bridge) **uint64 { return &b.TCNTimer })),
	readOnly(optional(unix.IFLA_BR_TOPOLOGY_CHANGE_TIMER, "IFLA_BR_TOPOLOGY_CHANGE_TIMER", func(b *Bridge) **uint64 { return &b.TopologyChangeTimer })),
	readOnly(optional(unix.IFLA_BR_GC_TIMER, "IFLA_BR_GC_TIMER", func(b *Bridge) **uint64 { return &b.GCTimer })),
	ticks(optional(unix.IFLA_BR_FORWARD_DELAY, "IFLA_BR_FORWARD_DELAY", func(b *Bridge) **uint32 { return &b.ForwardDelay })),
	ticks(optional(unix.IFLA_BR_HELLO_TIME, "IFLA_BR_HELLO_TIME", func(b *Bridge) **uint32 { return &b.HelloTime })),
	ticks(optional(unix.IFLA_BR_MAX_AGE, "IFLA_BR_MAX_AGE", func(b *Bridge) **uint32 { return &b.MaxAge })),
	ticks(optional(unix.IFLA_BR_AGEING_TIME, "IFLA_BR_AGEING_TIME", func(b *Bridge) **uint32 { return &b.AgeingTime })),
	named[uint32](unix.IFLA_BR_STP_STATE, "IFLA_BR_STP_STATE", func(b *Bridge) **state.BridgeSTPState { return &b.STPState }),
	optional(unix.IFLA_BR_PRIORITY, "IFLA_BR_PRIORITY", func(b *Bridge) **uint16 { return &b.Priority }),
	flag(unix.IFLA_BR_VLAN_FILTERING, "IFLA_BR_VLAN_FILTERING", func(b *Bridge) **bool { return &b.VLANFiltering }),
	optional(unix.IFLA_BR_GROUP_FWD_MASK, "IFLA_BR_GROUP_FWD_MASK", func(b *Bridge) **uint16 { return &b.GroupForwardMask }),
	readOnly(structure(unix.IFLA_BR_BRIDGE_ID, "IFLA_BR_BRIDGE_ID", binary.BigEndian, func(b *Bridge) **state.BridgeID { return &b.BridgeID })),
	readOnly(structure(unix.IFLA_BR_ROOT_ID, "IFLA_BR_ROOT_ID", binary.BigEndian, func(b *Bridge) **state.BridgeID { return &b.RootID })),
	readOnly(optional(unix.IFLA_BR_ROOT_PORT, "IFLA_BR_ROOT_PORT", func(b *Bridge) **uint16 { return &b.RootPort })),
	readOnly(optional(unix.IFLA_BR_ROOT_PATH_COST, "IFLA_BR_ROOT_PATH_COST", func(b *Bridge) **uint32 { return &b.RootPathCost })),
	readOnly(flag(unix.IFLA_BR_TOPOLOGY_CHANGE, "IFLA_BR_TOPOLOGY_CHANGE", func(b *Bridge) **bool { return &b.TopologyChange })),
	readOnly(flag(unix.IFLA_BR_TOPOLOGY_CHANGE_DETECTED, "IFLA_BR_TOPOLOGY_CHANGE_DETECTED", func(b *Bridge) **bool { return &b.TopologyChangeDetected })),
	ethernetAddress(unix.IFLA_BR_GROUP_ADDR, "IFLA_BR_GROUP_ADDR", func(b *Bridge) *state.HardwareAddress { return &b.GroupAddress }),
	masked(structure(unix.IFLA_BR_MULTI_BOOLOPT, "IFLA_BR_MULTI_BOOLOPT", binary.NativeEndian, func(b *Bridge) **state.BridgeOptions { return &b.Options })),
	readOnly(optional(unix.IFLA_BR_FDB_N_LEARNED, "IFLA_BR_FDB_N_LEARNED", func(b *Bridge) **uint32 { return &b.FDBLearned })),
	optional(unix.IFLA_BR_FDB_MAX_LEARNED, "IFLA_BR_FDB_MAX_LEARNED", func(b *Bridge) **uint32 { return &b.FDBMaxLearned }),
	bigEndian(unix.IFLA_BR_VLAN_PROTOCOL, "IFLA_BR_VLAN_PROTOCOL", func(b *Bridge) **state.VLANProtocol { return &b.VLANProtocol }),
	optional(unix.IFLA_BR_VLAN_DEFAULT_PVID, "IFLA_BR_VLAN_DEFAULT_PVID", func(b *Bridge) **uint16 { return &b.DefaultPVID }),
	flag(unix.IFLA_BR_VLAN_STATS_ENABLED, "IFLA_BR_VLAN_STATS_ENABLED", func(b *Bridge) **bool { return &b.VLANStats }),
	noPorts(flag(unix.IFLA_BR_VLAN_STATS_PER_PORT, "IFLA_BR_VLAN_STATS_PER_PORT", func(b *Bridge) **bool { return &b.VLANStatsPerPort })),
	named[uint8](unix.IFLA_BR_MCAST_ROUTER, "IFLA_BR_MCAST_ROUTER", func(b *Bridge) **state.MulticastRouter { return &b.MulticastRouter }),
	flag(unix.IFLA_BR_MCAST_SNOOPING, "IFLA_BR_MCAST_SNOOPING", func(b *Bridge) **bool { return &b.MulticastSnooping }),
	flag(unix.IFLA_BR_MCAST_QUERY_USE_IFADDR, "IFLA_BR_MCAST_QUERY_USE_IFADDR", func(b *Bridge) **bool { return &b.MulticastQueryUseIfaddr }),
	flag(unix.IFLA_BR_MCAST_QUERIER, "IFLA_BR_MCAST_QUERIER", func(b *Bridge) **bool { return &b.MulticastQuerier }),
	flag(unix.IFLA_BR_MCAST_STATS_ENABLED, "IFLA_BR_MCAST_STATS_ENABLED", func(b *Bridge) **bool { return &b.MulticastStats }),
	readOnly(optional(unix.IFLA_BR_MCAST_HASH_ELASTICITY, "IFLA_BR_MCAST_HASH_ELASTICITY", func(b *Bridge) **uint32 { return &b.MulticastHashElasticity })),
	optional(unix.IFLA_BR_MCAST_HASH_MAX, "IFLA_BR_MCAST_HASH_MAX", func(b *Bridge) **uint32 { return &b.MulticastHashMax }),
	optional(unix.IFLA_BR_MCAST_LAST_MEMBER_CNT, "IFLA_BR_MCAST_LAST_MEMBER_CNT", func(b *Bridge) **uint32 { return &b.MulticastLastMemberCount }),
	optional(unix.IFLA_BR_MCAST_STARTUP_QUERY_CNT, "IFLA_BR_MCAST_STARTUP_QUERY_CNT", func(b *Bridge) **uint32 { return &b.MulticastStartupQueryCount }),
	optional(unix.IFLA_BR_MCAST_IGMP_VERSION, "IFLA_BR_MCAST_IGMP_VERSION", func(b *Bridge) **uint8 { return &b.MulticastIGMPVersion }),
	optional(unix.IFLA_BR_MCAST_MLD_VERSION, "IFLA_BR_MCAST_MLD_VERSION", func(b *Bridge) **uint8 { return &b.MulticastMLDVersion }),
	readOnly(optionalNested(unix.IFLA_BR_MCAST_QUERIER_STATE, "IFLA_BR_MCAST_QUERIER_STATE", multicastQuerierTable, func(b *Bridge) **MulticastQuerier { return &b.Querier })),
	ticks(optional(unix.IFLA_BR_MCAST_LAST_MEMBER_INTVL, "IFLA_BR_MCAST_LAST_MEMBER_INTVL", func(b *Bridge) **uint64 { return &b.MulticastLastMemberInterval })),
	ticks(optional(unix.IFLA_BR_MCAST_MEMBERSHIP_INTVL, "IFLA_BR_MCAST_MEMBERSHIP_INTVL", func(b *Bridge) **uint64 { return &b.MulticastMembershipInterval })),
	ticks(optional(unix.IFLA_BR_MCAST_QUERIER_INTVL, "IFLA_BR_MCAST_QUERIER_INTVL", func(b *Bridge) **uint64 { return &b.MulticastQuerierInterval })),
	ticks(optional(unix.IFLA_BR_MCAST_QUERY_INTVL, "IFLA_BR_MCAST_QUERY_INTVL", func(b *Bridge) **uint64 { return &b.MulticastQueryInterval })),
	ticks(optional(unix.IFLA_BR_MCAST_QUERY_RESPONSE_INTVL, "IFLA_BR_MCAST_QUERY_RESPONSE_INTVL", func(b *Bridge) **uint64 { return &b.MulticastQueryResponseInterval })),
	ticks(optional(unix.IFLA_BR_MCAST_STARTUP_QUERY_INTVL, "IFLA_BR_MCAST_STARTUP_QUERY_INTVL", func(b *Bridge) **uint64 { return &b.MulticastStartupQueryInterval })),
	flag(unix.IFLA_BR_NF_CALL_IPTABLES, "IFLA_BR_NF_CALL_IPTABLES", func(b *Bridge) **bool { return &b.NFCallIPTables }),
	flag(unix.IFLA_BR_NF_CALL_IP6TABLES, "IFLA_BR_NF_CALL_IP6TABLES", func(b *Bridge) **bool { return &b.NFCallIP6Tables }),
	flag(unix.IFLA_BR_NF_CALL_ARPTABLES, "IFLA_BR_NF_CALL_ARPTABLES", func(b *Bridge) **bool { return &b.NFCallARPTables }),
	readOnly(present(unix.IFLA_BR_FDB_FLUSH, "IFLA_BR_FDB_FLUSH", func(b *Bridge) *bool { return &b.FDBFlush })),
}
