package rtnl

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// BridgePort is the data of a link that is a port of a bridge (IFLA_BRPORT_…,
// linux/if_link.h).
type BridgePort struct {
	state.BridgePort
	BackupIndex *uint32 // of the port used while this one has no carrier
	Flush       bool    // request: forget what was learned here
}

var bridgePortTable = table[*BridgePort]{
	// Without STP the bridge takes a state, and sets its own at once.
	readOnly(named[uint8](unix.IFLA_BRPORT_STATE, "IFLA_BRPORT_STATE", func(p *BridgePort) **state.BridgePortState { return &p.State })),
	optional(unix.IFLA_BRPORT_PRIORITY, "IFLA_BRPORT_PRIORITY", func(p *BridgePort) **uint16 { return &p.Priority }),
	optional(unix.IFLA_BRPORT_COST, "IFLA_BRPORT_COST", func(p *BridgePort) **uint32 { return &p.PathCost }),
	flag(unix.IFLA_BRPORT_MODE, "IFLA_BRPORT_MODE", func(p *BridgePort) **bool { return &p.Hairpin }),
	flag(unix.IFLA_BRPORT_GUARD, "IFLA_BRPORT_GUARD", func(p *BridgePort) **bool { return &p.BPDUGuard }),
	flag(unix.IFLA_BRPORT_PROTECT, "IFLA_BRPORT_PROTECT", func(p *BridgePort) **bool { return &p.RootBlock }),
	flag(unix.IFLA_BRPORT_FAST_LEAVE, "IFLA_BRPORT_FAST_LEAVE", func(p *BridgePort) **bool { return &p.FastLeave }),
	flag(unix.IFLA_BRPORT_MCAST_TO_UCAST, "IFLA_BRPORT_MCAST_TO_UCAST", func(p *BridgePort) **bool { return &p.MulticastToUnicast }),
	flag(unix.IFLA_BRPORT_LEARNING, "IFLA_BRPORT_LEARNING", func(p *BridgePort) **bool { return &p.Learning }),
	readOnly(flag(unix.IFLA_BRPORT_LEARNING_SYNC, "IFLA_BRPORT_LEARNING_SYNC", func(p *BridgePort) **bool { return &p.LearningSync })),
	flag(unix.IFLA_BRPORT_UNICAST_FLOOD, "IFLA_BRPORT_UNICAST_FLOOD", func(p *BridgePort) **bool { return &p.UnicastFlood }),
	flag(unix.IFLA_BRPORT_MCAST_FLOOD, "IFLA_BRPORT_MCAST_FLOOD", func(p *BridgePort) **bool { return &p.MulticastFlood }),
	flag(unix.IFLA_BRPORT_BCAST_FLOOD, "IFLA_BRPORT_BCAST_FLOOD", func(p *BridgePort) **bool { return &p.BroadcastFlood }),
	flag(unix.IFLA_BRPORT_PROXYARP, "IFLA_BRPORT_PROXYARP", func(p *BridgePort) **bool { return &p.ProxyARP }),
	flag(unix.IFLA_BRPORT_PROXYARP_WIFI, "IFLA_BRPORT_PROXYARP_WIFI", func(p *BridgePort) **bool { return &p.ProxyARPWiFi }),
	readOnly(structure(unix.IFLA_BRPORT_ROOT_ID, "IFLA_BRPORT_ROOT_ID", binary.BigEndian, func(p *BridgePort) **state.BridgeID { return &p.DesignatedRoot })),
	readOnly(structure(unix.IFLA_BRPORT_BRIDGE_ID, "IFLA_BRPORT_BRIDGE_ID", binary.BigEndian, func(p *BridgePort) **state.BridgeID { return &p.DesignatedBridge })),
	readOnly(optional(unix.IFLA_BRPORT_DESIGNATED_PORT, "IFLA_BRPORT_DESIGNATED_PORT", func(p *BridgePort) **uint16 { return &p.DesignatedPort })),
	readOnly(optional(unix.IFLA_BRPORT_DESIGNATED_COST, "IFLA_BRPORT_DESIGNATED_COST", func(p *BridgePort) **uint16 { return &p.DesignatedCost })),
	readOnly(optional(unix.IFLA_BRPORT_ID, "IFLA_BRPORT_ID", func(p *BridgePort) **state.BridgePortID { return &p.ID })),
	readOnly(optional(unix.IFLA_BRPORT_NO, "IFLA_BRPORT_NO", func(p *BridgePort) **state.BridgePortNumber { return &p.Number })),
	readOnly(flag(unix.IFLA_BRPORT_TOPOLOGY_CHANGE_ACK, "IFLA_BRPORT_TOPOLOGY_CHANGE_ACK", func(p *BridgePort) **bool { return &p.TopologyChangeAck })),
	readOnly(flag(unix.IFLA_BRPORT_CONFIG_PENDING, "IFLA_BRPORT_CONFIG_PENDING", func(p *BridgePort) **bool { return &p.ConfigPending })),
	flag(unix.IFLA_BRPORT_VLAN_TUNNEL, "IFLA_BRPORT_VLAN_TUNNEL", func(p *BridgePort) **bool { return &p.VLANTunnel }),
	optional(unix.IFLA_BRPORT_GROUP_FWD_MASK, "IFLA_BRPORT_GROUP_FWD_MASK", func(p *BridgePort) **uint16 { return &p.GroupForwardMask }),
	flag(unix.IFLA_BRPORT_NEIGH_SUPPRESS, "IFLA_BRPORT_NEIGH_SUPPRESS", func(p *BridgePort) **bool { return &p.NeighbourSuppress }),
	readOnly(flag(unix.IFLA_BRPORT_MRP_RING_OPEN, "IFLA_BRPORT_MRP_RING_OPEN", func(p *BridgePort) **bool { return &p.MRPRingOpen })),
	readOnly(flag(unix.IFLA_BRPORT_MRP_IN_OPEN, "IFLA_BRPORT_MRP_IN_OPEN", func(p *BridgePort) **bool { return &p.MRPInOpen })),
	flag(unix.IFLA_BRPORT_ISOLATED, "IFLA_BRPORT_ISOLATED", func(p *BridgePort) **bool { return &p.Isolated }),
	flag(unix.IFLA_BRPORT_LOCKED, "IFLA_BRPORT_LOCKED", func(p *BridgePort) **bool { return &p.Locked }),
	flag(unix.IFLA_BRPORT_MAB, "IFLA_BRPORT_MAB", func(p *BridgePort) **bool { return &p.MAB }),
	flag(unix.IFLA_BRPORT_NEIGH_VLAN_SUPPRESS, "IFLA_BRPORT_NEIGH_VLAN_SUPPRESS", func(p *BridgePort) **bool { return &p.NeighbourVLANSuppress }),
	readOnly(optional(unix.IFLA_BRPORT_MESSAGE_AGE_TIMER, "IFLA_BRPORT_MESSAGE_AGE_TIMER", func(p *BridgePort) **uint64 { return &p.MessageAgeTimer })),
	readOnly(optional(unix.IFLA_BRPORT_FORWARD_DELAY_TIMER, "IFLA_BRPORT_FORWARD_DELAY_TIMER", func(p *BridgePort) **uint64 { return &p.ForwardDelayTimer })),
	readOnly(optional(unix.IFLA_BRPORT_HOLD_TIMER, "IFLA_BRPORT_HOLD_TIMER", func(p *BridgePort) **uint64 { return &p.HoldTimer })),
	named[uint8](unix.IFLA_BRPORT_MULTICAST_ROUTER, "IFLA_BRPORT_MULTICAST_ROUTER", func(p *BridgePort) **state.MulticastRouter { return &p.MulticastRouter }),
	optional(unix.IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT, "IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT", func(p *BridgePort) **uint32 { return &p.EHTHostsLimit }),
	readOnly(optional(unix.IFLA_BRPORT_MCAST_EHT_HOSTS_CNT, "IFLA_BRPORT_MCAST_EHT_HOSTS_CNT", func(p *BridgePort) **uint32 { return &p.EHTHosts })),
	readOnly(optional(unix.IFLA_BRPORT_MCAST_N_GROUPS, "IFLA_BRPORT_MCAST_N_GROUPS", func(p *BridgePort) **uint32 { return &p.MulticastGroups })),
	optional(unix.IFLA_BRPORT_MCAST_MAX_GROUPS, "IFLA_BRPORT_MCAST_MAX_GROUPS", func(p *BridgePort) **uint32 { return &p.MulticastMaxGroups }),
	zeroAbsent(4, optional(unix.IFLA_BRPORT_BACKUP_PORT, "IFLA_BRPORT_BACKUP_PORT", func(p *BridgePort) **uint32 { return &p.BackupIndex })),
	zeroAbsent(4, optional(unix.IFLA_BRPORT_BACKUP_NHID, "IFLA_BRPORT_BACKUP_NHID", func(p *BridgePort) **uint32 { return &p.BackupNexthop })),
	readOnly(present(unix.IFLA_BRPORT_FLUSH, "IFLA_BRPORT_FLUSH", func(p *BridgePort) *bool { return &p.Flush })),
}
