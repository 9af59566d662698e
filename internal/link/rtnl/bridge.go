package rtnl

import (
	"encoding/binary"
	"encoding/json"
	"net/netip"

	"golang.org/x/sys/unix"
)

// BridgeSTPState says who runs the spanning tree (BR_NO_STP, BR_KERNEL_STP,
// BR_USER_STP, net/bridge/br_private.h).
type BridgeSTPState = Named[bridgeSTPStates]

// The states of BridgeSTPState.
const (
	STPDisabled BridgeSTPState = iota
	STPKernel
	STPUser
)

// MulticastRouter says whether multicast routers are taken to be behind a
// bridge or a port (MDB_RTR_TYPE_…, linux/if_bridge.h).
type MulticastRouter = Named[multicastRouters]

type (
	bridgeSTPStates  struct{}
	multicastRouters struct{}
)

func (bridgeSTPStates) names() []string  { return []string{"disabled", "kernel_stp", "user_stp"} }
func (multicastRouters) names() []string { return []string{"disabled", "temp_query", "perm", "temp"} }

// Bridge is the data of kind "bridge" (IFLA_BR_…, linux/if_link.h). Times and
// timers are in USER_HZ, 1/100 s, as the kernel has them; nil is not mentioned.
type Bridge struct {
	ForwardDelay           *uint32         `json:"forward_delay,omitempty"`
	HelloTime              *uint32         `json:"hello_time,omitempty"`
	MaxAge                 *uint32         `json:"max_age,omitempty"`
	AgeingTime             *uint32         `json:"ageing_time,omitempty"`
	STPState               *BridgeSTPState `json:"stp_state,omitempty"`
	Priority               *uint16         `json:"priority,omitempty"`
	VLANFiltering          *bool           `json:"vlan_filtering,omitempty"`
	VLANProtocol           *VLANProtocol   `json:"vlan_protocol,omitempty"`
	GroupForwardMask       *uint16         `json:"group_fwd_mask,omitempty"`
	RootID                 *BridgeID       `json:"root_id,omitempty"`
	BridgeID               *BridgeID       `json:"bridge_id,omitempty"`
	RootPort               *uint16         `json:"root_port,omitempty"` // number of the port
	RootPathCost           *uint32         `json:"root_path_cost,omitempty"`
	TopologyChange         *bool           `json:"topology_change,omitempty"`
	TopologyChangeDetected *bool           `json:"topology_change_detected,omitempty"`
	HelloTimer             *uint64         `json:"hello_timer,omitempty"`
	TCNTimer               *uint64         `json:"tcn_timer,omitempty"`
	TopologyChangeTimer    *uint64         `json:"topology_change_timer,omitempty"`
	GCTimer                *uint64         `json:"gc_timer,omitempty"`
	GroupAddress           HardwareAddress `json:"group_addr,omitempty"`
	FDBFlush               bool            `json:"-"` // request: forget what was learned
	NFCallIPTables         *bool           `json:"nf_call_iptables,omitempty"`
	NFCallIP6Tables        *bool           `json:"nf_call_ip6tables,omitempty"`
	NFCallARPTables        *bool           `json:"nf_call_arptables,omitempty"`
	DefaultPVID            *uint16         `json:"default_pvid,omitempty"`
	VLANStats              *bool           `json:"vlan_stats_enabled,omitempty"`
	VLANStatsPerPort       *bool           `json:"vlan_stats_per_host,omitempty"` // the name is nispor's
	Options                *BridgeOptions  `json:"multi_bool_opt,omitempty"`
	FDBLearned             *uint32         `json:"fdb_n_learned,omitempty"`
	FDBMaxLearned          *uint32         `json:"fdb_max_learned,omitempty"` // 0 is no limit

	MulticastRouter                *MulticastRouter  `json:"multicast_router,omitempty"`
	MulticastSnooping              *bool             `json:"multicast_snooping,omitempty"`
	MulticastQueryUseIfaddr        *bool             `json:"multicast_query_use_ifaddr,omitempty"`
	MulticastQuerier               *bool             `json:"multicast_querier,omitempty"`
	MulticastStats                 *bool             `json:"multicast_stats_enabled,omitempty"`
	MulticastHashElasticity        *uint32           `json:"multicast_hash_elasticity,omitempty"`
	MulticastHashMax               *uint32           `json:"multicast_hash_max,omitempty"`
	MulticastLastMemberCount       *uint32           `json:"multicast_last_member_count,omitempty"`
	MulticastLastMemberInterval    *uint64           `json:"multicast_last_member_interval,omitempty"`
	MulticastStartupQueryCount     *uint32           `json:"multicast_startup_query_count,omitempty"`
	MulticastMembershipInterval    *uint64           `json:"multicast_membership_interval,omitempty"`
	MulticastQuerierInterval       *uint64           `json:"multicast_querier_interval,omitempty"`
	MulticastQueryInterval         *uint64           `json:"multicast_query_interval,omitempty"`
	MulticastQueryResponseInterval *uint64           `json:"multicast_query_response_interval,omitempty"`
	MulticastStartupQueryInterval  *uint64           `json:"multicast_startup_query_interval,omitempty"`
	MulticastIGMPVersion           *uint8            `json:"multicast_igmp_version,omitempty"`
	MulticastMLDVersion            *uint8            `json:"multicast_mld_version,omitempty"`
	MulticastQuerierState          *MulticastQuerier `json:"mcast_querier_state,omitempty"`
}

// BridgeOptions are bits of BR_BOOLOPT_… (struct br_boolopt_multi,
// linux/if_bridge.h). In JSON they are one number, as nispor has it: Value in
// the lower 32 bits, Mask in the upper.
type BridgeOptions struct {
	Value uint32
	Mask  uint32 // which bits Value means
}

// MarshalJSON gives one number.
func (o BridgeOptions) MarshalJSON() ([]byte, error) {
	return json.Marshal(uint64(o.Mask)<<32 | uint64(o.Value))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (o *BridgeOptions) UnmarshalJSON(b []byte) error {
	var both uint64
	if err := json.Unmarshal(b, &both); err != nil {
		return err
	}
	*o = BridgeOptions{Value: uint32(both), Mask: uint32(both >> 32)}
	return nil
}

// MulticastQuerier is who asks for the members of multicast groups
// (BRIDGE_QUERIER_…, linux/if_bridge.h).
type MulticastQuerier struct {
	Address        netip.Addr `json:"ip_address,omitzero"`
	Port           *uint32    `json:"-"` // index of the link that it is behind
	OtherTimer     *uint64    `json:"ip_other_timer,omitempty"`
	IPv6Address    netip.Addr `json:"ipv6_address,omitzero"`
	IPv6Port       *uint32    `json:"-"` // likewise
	IPv6OtherTimer *uint64    `json:"ipv6_other_timer,omitempty"`
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

var multicastQuerierTable = table[MulticastQuerier]{
	addressOf(attributeQuerierIPAddress, "BRIDGE_QUERIER_IP_ADDRESS", 4, func(q *MulticastQuerier) *netip.Addr { return &q.Address }),
	optional(attributeQuerierIPPort, "BRIDGE_QUERIER_IP_PORT", func(q *MulticastQuerier) **uint32 { return &q.Port }),
	optional(attributeQuerierIPOtherTimer, "BRIDGE_QUERIER_IP_OTHER_TIMER", func(q *MulticastQuerier) **uint64 { return &q.OtherTimer }),
	addressOf(attributeQuerierIPv6Address, "BRIDGE_QUERIER_IPV6_ADDRESS", 16, func(q *MulticastQuerier) *netip.Addr { return &q.IPv6Address }),
	optional(attributeQuerierIPv6Port, "BRIDGE_QUERIER_IPV6_PORT", func(q *MulticastQuerier) **uint32 { return &q.IPv6Port }),
	optional(attributeQuerierIPv6OtherTimer, "BRIDGE_QUERIER_IPV6_OTHER_TIMER", func(q *MulticastQuerier) **uint64 { return &q.IPv6OtherTimer }),
}

var bridgeTable = table[Bridge]{
	optional(unix.IFLA_BR_HELLO_TIMER, "IFLA_BR_HELLO_TIMER", func(b *Bridge) **uint64 { return &b.HelloTimer }),
	optional(unix.IFLA_BR_TCN_TIMER, "IFLA_BR_TCN_TIMER", func(b *Bridge) **uint64 { return &b.TCNTimer }),
	optional(unix.IFLA_BR_TOPOLOGY_CHANGE_TIMER, "IFLA_BR_TOPOLOGY_CHANGE_TIMER", func(b *Bridge) **uint64 { return &b.TopologyChangeTimer }),
	optional(unix.IFLA_BR_GC_TIMER, "IFLA_BR_GC_TIMER", func(b *Bridge) **uint64 { return &b.GCTimer }),
	optional(unix.IFLA_BR_FORWARD_DELAY, "IFLA_BR_FORWARD_DELAY", func(b *Bridge) **uint32 { return &b.ForwardDelay }),
	optional(unix.IFLA_BR_HELLO_TIME, "IFLA_BR_HELLO_TIME", func(b *Bridge) **uint32 { return &b.HelloTime }),
	optional(unix.IFLA_BR_MAX_AGE, "IFLA_BR_MAX_AGE", func(b *Bridge) **uint32 { return &b.MaxAge }),
	optional(unix.IFLA_BR_AGEING_TIME, "IFLA_BR_AGEING_TIME", func(b *Bridge) **uint32 { return &b.AgeingTime }),
	named[uint32](unix.IFLA_BR_STP_STATE, "IFLA_BR_STP_STATE", func(b *Bridge) **BridgeSTPState { return &b.STPState }),
	optional(unix.IFLA_BR_PRIORITY, "IFLA_BR_PRIORITY", func(b *Bridge) **uint16 { return &b.Priority }),
	flag(unix.IFLA_BR_VLAN_FILTERING, "IFLA_BR_VLAN_FILTERING", func(b *Bridge) **bool { return &b.VLANFiltering }),
	optional(unix.IFLA_BR_GROUP_FWD_MASK, "IFLA_BR_GROUP_FWD_MASK", func(b *Bridge) **uint16 { return &b.GroupForwardMask }),
	structure(unix.IFLA_BR_BRIDGE_ID, "IFLA_BR_BRIDGE_ID", binary.BigEndian, func(b *Bridge) **BridgeID { return &b.BridgeID }),
	structure(unix.IFLA_BR_ROOT_ID, "IFLA_BR_ROOT_ID", binary.BigEndian, func(b *Bridge) **BridgeID { return &b.RootID }),
	optional(unix.IFLA_BR_ROOT_PORT, "IFLA_BR_ROOT_PORT", func(b *Bridge) **uint16 { return &b.RootPort }),
	optional(unix.IFLA_BR_ROOT_PATH_COST, "IFLA_BR_ROOT_PATH_COST", func(b *Bridge) **uint32 { return &b.RootPathCost }),
	flag(unix.IFLA_BR_TOPOLOGY_CHANGE, "IFLA_BR_TOPOLOGY_CHANGE", func(b *Bridge) **bool { return &b.TopologyChange }),
	flag(unix.IFLA_BR_TOPOLOGY_CHANGE_DETECTED, "IFLA_BR_TOPOLOGY_CHANGE_DETECTED", func(b *Bridge) **bool { return &b.TopologyChangeDetected }),
	ethernetAddress(unix.IFLA_BR_GROUP_ADDR, "IFLA_BR_GROUP_ADDR", func(b *Bridge) *HardwareAddress { return &b.GroupAddress }),
	structure(unix.IFLA_BR_MULTI_BOOLOPT, "IFLA_BR_MULTI_BOOLOPT", binary.NativeEndian, func(b *Bridge) **BridgeOptions { return &b.Options }),
	optional(unix.IFLA_BR_FDB_N_LEARNED, "IFLA_BR_FDB_N_LEARNED", func(b *Bridge) **uint32 { return &b.FDBLearned }),
	optional(unix.IFLA_BR_FDB_MAX_LEARNED, "IFLA_BR_FDB_MAX_LEARNED", func(b *Bridge) **uint32 { return &b.FDBMaxLearned }),
	bigEndian(unix.IFLA_BR_VLAN_PROTOCOL, "IFLA_BR_VLAN_PROTOCOL", func(b *Bridge) **VLANProtocol { return &b.VLANProtocol }),
	optional(unix.IFLA_BR_VLAN_DEFAULT_PVID, "IFLA_BR_VLAN_DEFAULT_PVID", func(b *Bridge) **uint16 { return &b.DefaultPVID }),
	flag(unix.IFLA_BR_VLAN_STATS_ENABLED, "IFLA_BR_VLAN_STATS_ENABLED", func(b *Bridge) **bool { return &b.VLANStats }),
	flag(unix.IFLA_BR_VLAN_STATS_PER_PORT, "IFLA_BR_VLAN_STATS_PER_PORT", func(b *Bridge) **bool { return &b.VLANStatsPerPort }),
	named[uint8](unix.IFLA_BR_MCAST_ROUTER, "IFLA_BR_MCAST_ROUTER", func(b *Bridge) **MulticastRouter { return &b.MulticastRouter }),
	flag(unix.IFLA_BR_MCAST_SNOOPING, "IFLA_BR_MCAST_SNOOPING", func(b *Bridge) **bool { return &b.MulticastSnooping }),
	flag(unix.IFLA_BR_MCAST_QUERY_USE_IFADDR, "IFLA_BR_MCAST_QUERY_USE_IFADDR", func(b *Bridge) **bool { return &b.MulticastQueryUseIfaddr }),
	flag(unix.IFLA_BR_MCAST_QUERIER, "IFLA_BR_MCAST_QUERIER", func(b *Bridge) **bool { return &b.MulticastQuerier }),
	flag(unix.IFLA_BR_MCAST_STATS_ENABLED, "IFLA_BR_MCAST_STATS_ENABLED", func(b *Bridge) **bool { return &b.MulticastStats }),
	optional(unix.IFLA_BR_MCAST_HASH_ELASTICITY, "IFLA_BR_MCAST_HASH_ELASTICITY", func(b *Bridge) **uint32 { return &b.MulticastHashElasticity }),
	optional(unix.IFLA_BR_MCAST_HASH_MAX, "IFLA_BR_MCAST_HASH_MAX", func(b *Bridge) **uint32 { return &b.MulticastHashMax }),
	optional(unix.IFLA_BR_MCAST_LAST_MEMBER_CNT, "IFLA_BR_MCAST_LAST_MEMBER_CNT", func(b *Bridge) **uint32 { return &b.MulticastLastMemberCount }),
	optional(unix.IFLA_BR_MCAST_STARTUP_QUERY_CNT, "IFLA_BR_MCAST_STARTUP_QUERY_CNT", func(b *Bridge) **uint32 { return &b.MulticastStartupQueryCount }),
	optional(unix.IFLA_BR_MCAST_IGMP_VERSION, "IFLA_BR_MCAST_IGMP_VERSION", func(b *Bridge) **uint8 { return &b.MulticastIGMPVersion }),
	optional(unix.IFLA_BR_MCAST_MLD_VERSION, "IFLA_BR_MCAST_MLD_VERSION", func(b *Bridge) **uint8 { return &b.MulticastMLDVersion }),
	optionalNested(unix.IFLA_BR_MCAST_QUERIER_STATE, "IFLA_BR_MCAST_QUERIER_STATE", multicastQuerierTable, func(b *Bridge) **MulticastQuerier { return &b.MulticastQuerierState }),
	optional(unix.IFLA_BR_MCAST_LAST_MEMBER_INTVL, "IFLA_BR_MCAST_LAST_MEMBER_INTVL", func(b *Bridge) **uint64 { return &b.MulticastLastMemberInterval }),
	optional(unix.IFLA_BR_MCAST_MEMBERSHIP_INTVL, "IFLA_BR_MCAST_MEMBERSHIP_INTVL", func(b *Bridge) **uint64 { return &b.MulticastMembershipInterval }),
	optional(unix.IFLA_BR_MCAST_QUERIER_INTVL, "IFLA_BR_MCAST_QUERIER_INTVL", func(b *Bridge) **uint64 { return &b.MulticastQuerierInterval }),
	optional(unix.IFLA_BR_MCAST_QUERY_INTVL, "IFLA_BR_MCAST_QUERY_INTVL", func(b *Bridge) **uint64 { return &b.MulticastQueryInterval }),
	optional(unix.IFLA_BR_MCAST_QUERY_RESPONSE_INTVL, "IFLA_BR_MCAST_QUERY_RESPONSE_INTVL", func(b *Bridge) **uint64 { return &b.MulticastQueryResponseInterval }),
	optional(unix.IFLA_BR_MCAST_STARTUP_QUERY_INTVL, "IFLA_BR_MCAST_STARTUP_QUERY_INTVL", func(b *Bridge) **uint64 { return &b.MulticastStartupQueryInterval }),
	flag(unix.IFLA_BR_NF_CALL_IPTABLES, "IFLA_BR_NF_CALL_IPTABLES", func(b *Bridge) **bool { return &b.NFCallIPTables }),
	flag(unix.IFLA_BR_NF_CALL_IP6TABLES, "IFLA_BR_NF_CALL_IP6TABLES", func(b *Bridge) **bool { return &b.NFCallIP6Tables }),
	flag(unix.IFLA_BR_NF_CALL_ARPTABLES, "IFLA_BR_NF_CALL_ARPTABLES", func(b *Bridge) **bool { return &b.NFCallARPTables }),
	present(unix.IFLA_BR_FDB_FLUSH, "IFLA_BR_FDB_FLUSH", func(b *Bridge) *bool { return &b.FDBFlush }),
}
