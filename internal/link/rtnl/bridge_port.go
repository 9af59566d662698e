package rtnl

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

type bridgePortStates struct{} // BR_STATE_…, linux/if_bridge.h

func (bridgePortStates) names() []string {
	return []string{"disabled", "listening", "learning", "forwarding", "blocking"}
}

// BridgePort is the data of a link that is a port of a bridge (IFLA_BRPORT_…,
// linux/if_link.h). Timers are what is left of them in USER_HZ, 1/100 s.
type BridgePort struct {
	State              *Named[bridgePortStates] `json:"stp_state,omitempty"`
	Priority           *uint16                  `json:"stp_priority,omitempty"`
	PathCost           *uint32                  `json:"stp_path_cost,omitempty"`
	Hairpin            *bool                    `json:"hairpin_mode,omitempty"`
	BPDUGuard          *bool                    `json:"bpdu_guard,omitempty"`
	RootBlock          *bool                    `json:"root_block,omitempty"`
	FastLeave          *bool                    `json:"multicast_fast_leave,omitempty"`
	Learning           *bool                    `json:"learning,omitempty"`
	LearningSync       *bool                    `json:"learning_sync,omitempty"`
	UnicastFlood       *bool                    `json:"unicast_flood,omitempty"`
	ProxyARP           *bool                    `json:"proxyarp,omitempty"`
	ProxyARPWiFi       *bool                    `json:"proxyarp_wifi,omitempty"`
	DesignatedRoot     *BridgeID                `json:"designated_root,omitempty"`
	DesignatedBridge   *BridgeID                `json:"designated_bridge,omitempty"`
	DesignatedPort     *uint16                  `json:"designated_port,omitempty"`
	DesignatedCost     *uint16                  `json:"designated_cost,omitempty"`
	ID                 *BridgePortID            `json:"port_id,omitempty"`
	Number             *BridgePortNumber        `json:"port_no,omitempty"`
	TopologyChangeAck  *bool                    `json:"change_ack,omitempty"`
	ConfigPending      *bool                    `json:"config_pending,omitempty"`
	MessageAgeTimer    *uint64                  `json:"message_age_timer,omitempty"`
	ForwardDelayTimer  *uint64                  `json:"forward_delay_timer,omitempty"`
	HoldTimer          *uint64                  `json:"hold_timer,omitempty"`
	Flush              bool                     `json:"-"` // request: forget what was learned here
	MulticastRouter    *MulticastRouter         `json:"multicast_router,omitempty"`
	MulticastFlood     *bool                    `json:"multicast_flood,omitempty"`
	MulticastToUnicast *bool                    `json:"multicast_to_unicast,omitempty"`
	VLANTunnel         *bool                    `json:"vlan_tunnel,omitempty"`
	BroadcastFlood     *bool                    `json:"broadcast_flood,omitempty"`
	GroupForwardMask   *uint16                  `json:"group_fwd_mask,omitempty"`
	NeighbourSuppress  *bool                    `json:"neigh_suppress,omitempty"`
	Isolated           *bool                    `json:"isolated,omitempty"`
	BackupPort         *uint32                  `json:"-"` // index of the port used while this has no carrier
	MRPRingOpen        *bool                    `json:"mrp_ring_open,omitempty"`
	MRPInOpen          *bool                    `json:"mrp_in_open,omitempty"`
	EHTHostsLimit      *uint32                  `json:"mcast_eht_hosts_limit,omitempty"`
	EHTHosts           *uint32                  `json:"mcast_eht_hosts_cnt,omitempty"`
	Locked             *bool                    `json:"locked,omitempty"`
	MAB                *bool                    `json:"mac_authentication_bypass,omitempty"`
	MulticastGroups    *uint32                  `json:"multicast_n_groups,omitempty"`
	MulticastMaxGroups *uint32                  `json:"multicast_max_groups,omitempty"`
	// The name has nispor's spelling.
	NeighbourVLANSuppress *bool   `json:"neigh_vlan_supress,omitempty"`
	BackupNexthop         *uint32 `json:"backup_nexthop_id,omitempty"`
}

var bridgePortTable = table[BridgePort]{
	named[uint8](unix.IFLA_BRPORT_STATE, "IFLA_BRPORT_STATE", func(p *BridgePort) **Named[bridgePortStates] { return &p.State }),
	optional(unix.IFLA_BRPORT_PRIORITY, "IFLA_BRPORT_PRIORITY", func(p *BridgePort) **uint16 { return &p.Priority }),
	optional(unix.IFLA_BRPORT_COST, "IFLA_BRPORT_COST", func(p *BridgePort) **uint32 { return &p.PathCost }),
	flag(unix.IFLA_BRPORT_MODE, "IFLA_BRPORT_MODE", func(p *BridgePort) **bool { return &p.Hairpin }),
	flag(unix.IFLA_BRPORT_GUARD, "IFLA_BRPORT_GUARD", func(p *BridgePort) **bool { return &p.BPDUGuard }),
	flag(unix.IFLA_BRPORT_PROTECT, "IFLA_BRPORT_PROTECT", func(p *BridgePort) **bool { return &p.RootBlock }),
	flag(unix.IFLA_BRPORT_FAST_LEAVE, "IFLA_BRPORT_FAST_LEAVE", func(p *BridgePort) **bool { return &p.FastLeave }),
	flag(unix.IFLA_BRPORT_MCAST_TO_UCAST, "IFLA_BRPORT_MCAST_TO_UCAST", func(p *BridgePort) **bool { return &p.MulticastToUnicast }),
	flag(unix.IFLA_BRPORT_LEARNING, "IFLA_BRPORT_LEARNING", func(p *BridgePort) **bool { return &p.Learning }),
	flag(unix.IFLA_BRPORT_LEARNING_SYNC, "IFLA_BRPORT_LEARNING_SYNC", func(p *BridgePort) **bool { return &p.LearningSync }),
	flag(unix.IFLA_BRPORT_UNICAST_FLOOD, "IFLA_BRPORT_UNICAST_FLOOD", func(p *BridgePort) **bool { return &p.UnicastFlood }),
	flag(unix.IFLA_BRPORT_MCAST_FLOOD, "IFLA_BRPORT_MCAST_FLOOD", func(p *BridgePort) **bool { return &p.MulticastFlood }),
	flag(unix.IFLA_BRPORT_BCAST_FLOOD, "IFLA_BRPORT_BCAST_FLOOD", func(p *BridgePort) **bool { return &p.BroadcastFlood }),
	flag(unix.IFLA_BRPORT_PROXYARP, "IFLA_BRPORT_PROXYARP", func(p *BridgePort) **bool { return &p.ProxyARP }),
	flag(unix.IFLA_BRPORT_PROXYARP_WIFI, "IFLA_BRPORT_PROXYARP_WIFI", func(p *BridgePort) **bool { return &p.ProxyARPWiFi }),
	structure(unix.IFLA_BRPORT_ROOT_ID, "IFLA_BRPORT_ROOT_ID", binary.BigEndian, func(p *BridgePort) **BridgeID { return &p.DesignatedRoot }),
	structure(unix.IFLA_BRPORT_BRIDGE_ID, "IFLA_BRPORT_BRIDGE_ID", binary.BigEndian, func(p *BridgePort) **BridgeID { return &p.DesignatedBridge }),
	optional(unix.IFLA_BRPORT_DESIGNATED_PORT, "IFLA_BRPORT_DESIGNATED_PORT", func(p *BridgePort) **uint16 { return &p.DesignatedPort }),
	optional(unix.IFLA_BRPORT_DESIGNATED_COST, "IFLA_BRPORT_DESIGNATED_COST", func(p *BridgePort) **uint16 { return &p.DesignatedCost }),
	optional(unix.IFLA_BRPORT_ID, "IFLA_BRPORT_ID", func(p *BridgePort) **BridgePortID { return &p.ID }),
	optional(unix.IFLA_BRPORT_NO, "IFLA_BRPORT_NO", func(p *BridgePort) **BridgePortNumber { return &p.Number }),
	flag(unix.IFLA_BRPORT_TOPOLOGY_CHANGE_ACK, "IFLA_BRPORT_TOPOLOGY_CHANGE_ACK", func(p *BridgePort) **bool { return &p.TopologyChangeAck }),
	flag(unix.IFLA_BRPORT_CONFIG_PENDING, "IFLA_BRPORT_CONFIG_PENDING", func(p *BridgePort) **bool { return &p.ConfigPending }),
	flag(unix.IFLA_BRPORT_VLAN_TUNNEL, "IFLA_BRPORT_VLAN_TUNNEL", func(p *BridgePort) **bool { return &p.VLANTunnel }),
	optional(unix.IFLA_BRPORT_GROUP_FWD_MASK, "IFLA_BRPORT_GROUP_FWD_MASK", func(p *BridgePort) **uint16 { return &p.GroupForwardMask }),
	flag(unix.IFLA_BRPORT_NEIGH_SUPPRESS, "IFLA_BRPORT_NEIGH_SUPPRESS", func(p *BridgePort) **bool { return &p.NeighbourSuppress }),
	flag(unix.IFLA_BRPORT_MRP_RING_OPEN, "IFLA_BRPORT_MRP_RING_OPEN", func(p *BridgePort) **bool { return &p.MRPRingOpen }),
	flag(unix.IFLA_BRPORT_MRP_IN_OPEN, "IFLA_BRPORT_MRP_IN_OPEN", func(p *BridgePort) **bool { return &p.MRPInOpen }),
	flag(unix.IFLA_BRPORT_ISOLATED, "IFLA_BRPORT_ISOLATED", func(p *BridgePort) **bool { return &p.Isolated }),
	flag(unix.IFLA_BRPORT_LOCKED, "IFLA_BRPORT_LOCKED", func(p *BridgePort) **bool { return &p.Locked }),
	flag(unix.IFLA_BRPORT_MAB, "IFLA_BRPORT_MAB", func(p *BridgePort) **bool { return &p.MAB }),
	flag(unix.IFLA_BRPORT_NEIGH_VLAN_SUPPRESS, "IFLA_BRPORT_NEIGH_VLAN_SUPPRESS", func(p *BridgePort) **bool { return &p.NeighbourVLANSuppress }),
	optional(unix.IFLA_BRPORT_MESSAGE_AGE_TIMER, "IFLA_BRPORT_MESSAGE_AGE_TIMER", func(p *BridgePort) **uint64 { return &p.MessageAgeTimer }),
	optional(unix.IFLA_BRPORT_FORWARD_DELAY_TIMER, "IFLA_BRPORT_FORWARD_DELAY_TIMER", func(p *BridgePort) **uint64 { return &p.ForwardDelayTimer }),
	optional(unix.IFLA_BRPORT_HOLD_TIMER, "IFLA_BRPORT_HOLD_TIMER", func(p *BridgePort) **uint64 { return &p.HoldTimer }),
	named[uint8](unix.IFLA_BRPORT_MULTICAST_ROUTER, "IFLA_BRPORT_MULTICAST_ROUTER", func(p *BridgePort) **MulticastRouter { return &p.MulticastRouter }),
	optional(unix.IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT, "IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT", func(p *BridgePort) **uint32 { return &p.EHTHostsLimit }),
	optional(unix.IFLA_BRPORT_MCAST_EHT_HOSTS_CNT, "IFLA_BRPORT_MCAST_EHT_HOSTS_CNT", func(p *BridgePort) **uint32 { return &p.EHTHosts }),
	optional(unix.IFLA_BRPORT_MCAST_N_GROUPS, "IFLA_BRPORT_MCAST_N_GROUPS", func(p *BridgePort) **uint32 { return &p.MulticastGroups }),
	optional(unix.IFLA_BRPORT_MCAST_MAX_GROUPS, "IFLA_BRPORT_MCAST_MAX_GROUPS", func(p *BridgePort) **uint32 { return &p.MulticastMaxGroups }),
	optional(unix.IFLA_BRPORT_BACKUP_PORT, "IFLA_BRPORT_BACKUP_PORT", func(p *BridgePort) **uint32 { return &p.BackupPort }),
	optional(unix.IFLA_BRPORT_BACKUP_NHID, "IFLA_BRPORT_BACKUP_NHID", func(p *BridgePort) **uint32 { return &p.BackupNexthop }),
	present(unix.IFLA_BRPORT_FLUSH, "IFLA_BRPORT_FLUSH", func(p *BridgePort) *bool { return &p.Flush }),
}
