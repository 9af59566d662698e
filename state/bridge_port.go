package state

// BridgePort describes an interface as a port of a bridge (IFLA_BRPORT_…,
// linux/if_link.h). Timers hold their remaining time in USER_HZ, 1/100 s.
type BridgePort struct {
	VLANs []BridgeVLAN `json:"vlans,omitempty"`

	State              *BridgePortState  `json:"stp_state,omitempty"`
	Priority           *uint16           `json:"stp_priority,omitempty"`
	PathCost           *uint32           `json:"stp_path_cost,omitempty"`
	Hairpin            *bool             `json:"hairpin_mode,omitempty"`
	BPDUGuard          *bool             `json:"bpdu_guard,omitempty"`
	RootBlock          *bool             `json:"root_block,omitempty"`
	FastLeave          *bool             `json:"multicast_fast_leave,omitempty"`
	Learning           *bool             `json:"learning,omitempty"`
	LearningSync       *bool             `json:"learning_sync,omitempty"`
	UnicastFlood       *bool             `json:"unicast_flood,omitempty"`
	ProxyARP           *bool             `json:"proxyarp,omitempty"`
	ProxyARPWiFi       *bool             `json:"proxyarp_wifi,omitempty"`
	DesignatedRoot     *BridgeID         `json:"designated_root,omitempty"`
	DesignatedBridge   *BridgeID         `json:"designated_bridge,omitempty"`
	DesignatedPort     *uint16           `json:"designated_port,omitempty"`
	DesignatedCost     *uint16           `json:"designated_cost,omitempty"`
	ID                 *BridgePortID     `json:"port_id,omitempty"`
	Number             *BridgePortNumber `json:"port_no,omitempty"`
	TopologyChangeAck  *bool             `json:"change_ack,omitempty"`
	ConfigPending      *bool             `json:"config_pending,omitempty"`
	MessageAgeTimer    *uint64           `json:"message_age_timer,omitempty"`
	ForwardDelayTimer  *uint64           `json:"forward_delay_timer,omitempty"`
	HoldTimer          *uint64           `json:"hold_timer,omitempty"`
	MulticastRouter    *MulticastRouter  `json:"multicast_router,omitempty"`
	MulticastFlood     *bool             `json:"multicast_flood,omitempty"`
	MulticastToUnicast *bool             `json:"multicast_to_unicast,omitempty"`
	VLANTunnel         *bool             `json:"vlan_tunnel,omitempty"`
	BroadcastFlood     *bool             `json:"broadcast_flood,omitempty"`
	GroupForwardMask   *uint16           `json:"group_fwd_mask,omitempty"`
	NeighbourSuppress  *bool             `json:"neigh_suppress,omitempty"`
	Isolated           *bool             `json:"isolated,omitempty"`
	MRPRingOpen        *bool             `json:"mrp_ring_open,omitempty"`
	MRPInOpen          *bool             `json:"mrp_in_open,omitempty"`
	EHTHostsLimit      *uint32           `json:"mcast_eht_hosts_limit,omitempty"`
	EHTHosts           *uint32           `json:"mcast_eht_hosts_cnt,omitempty"`
	Locked             *bool             `json:"locked,omitempty"`
	MAB                *bool             `json:"mac_authentication_bypass,omitempty"`
	MulticastGroups    *uint32           `json:"multicast_n_groups,omitempty"`
	MulticastMaxGroups *uint32           `json:"multicast_max_groups,omitempty"`
	// The name has nispor's spelling.
	NeighbourVLANSuppress *bool   `json:"neigh_vlan_supress,omitempty"`
	BackupNexthop         *uint32 `json:"backup_nexthop_id,omitempty"`

	BackupPort string `json:"backup_port,omitempty"` // the port used while this one has no carrier
}

// BridgePortState is "disabled", "listening", "learning", "forwarding" or
// "blocking" (BR_STATE_…, linux/if_bridge.h).
type BridgePortState = Named[bridgePortStates]

type bridgePortStates struct{}

func (bridgePortStates) names() []string {
	return []string{"disabled", "listening", "learning", "forwarding", "blocking"}
}

// BridgeVLAN is a VLAN, or a range of VLANs, of a bridge or of a bridge's port.
// Either VID or VIDRange is present.
type BridgeVLAN struct {
	VID              *uint16    `json:"vid,omitempty"`
	VIDRange         *[2]uint16 `json:"vid_range,omitempty"` // first and last
	IsPVID           bool       `json:"is_pvid"`             // packets that arrive without a tag belong to this VLAN
	IsEgressUntagged bool       `json:"is_egress_untagged"`
}
