package state

import (
	"encoding/json"
	"net/netip"
)

// Bridge describes a bridge (IFLA_BR_…, linux/if_link.h). Times and timers are in
// USER_HZ, 1/100 s, as in the kernel.
type Bridge struct {
	Ports []string `json:"ports"` // names

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
	NFCallIPTables         *bool           `json:"nf_call_iptables,omitempty"`
	NFCallIP6Tables        *bool           `json:"nf_call_ip6tables,omitempty"`
	NFCallARPTables        *bool           `json:"nf_call_arptables,omitempty"`
	DefaultPVID            *uint16         `json:"default_pvid,omitempty"`
	VLANStats              *bool           `json:"vlan_stats_enabled,omitempty"`
	VLANStatsPerPort       *bool           `json:"vlan_stats_per_host,omitempty"` // named as in nispor
	Options                *BridgeOptions  `json:"multi_bool_opt,omitempty"`
	FDBLearned             *uint32         `json:"fdb_n_learned,omitempty"`
	FDBMaxLearned          *uint32         `json:"fdb_max_learned,omitempty"` // 0: no limit

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

// BridgeOptions holds bits of BR_BOOLOPT_… (struct br_boolopt_multi,
// linux/if_bridge.h). Its JSON is one number, as in nispor: Value in the lower 32
// bits, Mask in the upper.
type BridgeOptions struct {
	Value uint32
	Mask  uint32 // the bits that Value defines
}

// MarshalJSON returns one number.
func (o BridgeOptions) MarshalJSON() ([]byte, error) {
	return json.Marshal(uint64(o.Mask)<<32 | uint64(o.Value))
}

// UnmarshalJSON reads the number that MarshalJSON returns.
func (o *BridgeOptions) UnmarshalJSON(b []byte) error {
	var both uint64
	if err := json.Unmarshal(b, &both); err != nil {
		return err
	}
	*o = BridgeOptions{Value: uint32(both), Mask: uint32(both >> 32)}
	return nil
}

// MulticastQuerier is the querier that asks for the members of multicast groups
// (BRIDGE_QUERIER_…, linux/if_bridge.h).
type MulticastQuerier struct {
	Address        netip.Addr `json:"ip_address,omitzero"`
	OtherTimer     *uint64    `json:"ip_other_timer,omitempty"`
	IPv6Address    netip.Addr `json:"ipv6_address,omitzero"`
	IPv6OtherTimer *uint64    `json:"ipv6_other_timer,omitempty"`
}

// BridgeSTPState says what runs the spanning tree (BR_NO_STP, BR_KERNEL_STP,
// BR_USER_STP, net/bridge/br_private.h).
type BridgeSTPState = Named[bridgeSTPStates]

// The states of BridgeSTPState.
const (
	STPDisabled BridgeSTPState = iota
	STPKernel
	STPUser
)

// MulticastRouter says whether a bridge or a port counts as leading to multicast
// routers (MDB_RTR_TYPE_…, linux/if_bridge.h).
type MulticastRouter = Named[multicastRouters]

type (
	bridgeSTPStates  struct{}
	multicastRouters struct{}
)

func (bridgeSTPStates) names() []string { return []string{"disabled", "kernel_stp", "user_stp"} }

func (multicastRouters) names() []string { return []string{"disabled", "temp_query", "perm", "temp"} }
