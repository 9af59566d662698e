package rtnl

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// attributeBondBroadcastNeigh is IFLA_BOND_BROADCAST_NEIGH, linux/if_link.h
// since 6.17.
const attributeBondBroadcastNeigh = 33

// Bond is the data of kind "bond" (IFLA_BOND_…, linux/if_link.h), with the
// indexes of the links that the public shape names.
type Bond struct {
	state.Bond
	ActivePort   *uint32 // index of the link that is in use
	PrimaryIndex *uint32 // index of the link that is preferred
}

var bondTable = table[*Bond]{
	noPortsDown(named[uint8](unix.IFLA_BOND_MODE, "IFLA_BOND_MODE", func(b *Bond) **state.BondMode { return &b.Mode })),
	zeroAbsent(4, optional(unix.IFLA_BOND_ACTIVE_SLAVE, "IFLA_BOND_ACTIVE_SLAVE", func(b *Bond) **uint32 { return &b.ActivePort })),
	optional(unix.IFLA_BOND_MIIMON, "IFLA_BOND_MIIMON", func(b *Bond) **uint32 { return &b.MIIMonitor }),
	optional(unix.IFLA_BOND_UPDELAY, "IFLA_BOND_UPDELAY", func(b *Bond) **uint32 { return &b.UpDelay }),
	optional(unix.IFLA_BOND_DOWNDELAY, "IFLA_BOND_DOWNDELAY", func(b *Bond) **uint32 { return &b.DownDelay }),
	optional(unix.IFLA_BOND_PEER_NOTIF_DELAY, "IFLA_BOND_PEER_NOTIF_DELAY", func(b *Bond) **uint32 { return &b.PeerNotifyDelay }),
	flag(unix.IFLA_BOND_USE_CARRIER, "IFLA_BOND_USE_CARRIER", func(b *Bond) **bool { return &b.UseCarrier }),
	optional(unix.IFLA_BOND_ARP_INTERVAL, "IFLA_BOND_ARP_INTERVAL", func(b *Bond) **uint32 { return &b.ARPInterval }),
	addresses(unix.IFLA_BOND_ARP_IP_TARGET, "IFLA_BOND_ARP_IP_TARGET", 4, func(b *Bond) *state.AddressList { return &b.ARPTargets }),
	named[uint32](unix.IFLA_BOND_ARP_VALIDATE, "IFLA_BOND_ARP_VALIDATE", func(b *Bond) **state.BondARPValidate { return &b.ARPValidate }),
	named[uint32](unix.IFLA_BOND_ARP_ALL_TARGETS, "IFLA_BOND_ARP_ALL_TARGETS", func(b *Bond) **state.BondARPTargets { return &b.ARPAllTargets }),
	addresses(unix.IFLA_BOND_NS_IP6_TARGET, "IFLA_BOND_NS_IP6_TARGET", 16, func(b *Bond) *[]netip.Addr { return &b.NSTargets }),
	zeroAbsent(4, optional(unix.IFLA_BOND_PRIMARY, "IFLA_BOND_PRIMARY", func(b *Bond) **uint32 { return &b.PrimaryIndex })),
	named[uint8](unix.IFLA_BOND_PRIMARY_RESELECT, "IFLA_BOND_PRIMARY_RESELECT", func(b *Bond) **state.BondReselect { return &b.PrimaryReselect }),
	noPorts(named[uint8](unix.IFLA_BOND_FAIL_OVER_MAC, "IFLA_BOND_FAIL_OVER_MAC", func(b *Bond) **state.BondFailOverMAC { return &b.FailOverMAC })),
	named[uint8](unix.IFLA_BOND_XMIT_HASH_POLICY, "IFLA_BOND_XMIT_HASH_POLICY", func(b *Bond) **state.BondHashPolicy { return &b.TransmitHashPolicy }),
	optional(unix.IFLA_BOND_RESEND_IGMP, "IFLA_BOND_RESEND_IGMP", func(b *Bond) **uint32 { return &b.ResendIGMP }),
	optional(unix.IFLA_BOND_NUM_PEER_NOTIF, "IFLA_BOND_NUM_PEER_NOTIF", func(b *Bond) **uint8 { return &b.PeerNotifications }),
	named[uint8](unix.IFLA_BOND_ALL_SLAVES_ACTIVE, "IFLA_BOND_ALL_SLAVES_ACTIVE", func(b *Bond) **state.BondAllActive { return &b.AllPortsActive }),
	optional(unix.IFLA_BOND_MIN_LINKS, "IFLA_BOND_MIN_LINKS", func(b *Bond) **uint32 { return &b.MinLinks }),
	optional(unix.IFLA_BOND_LP_INTERVAL, "IFLA_BOND_LP_INTERVAL", func(b *Bond) **uint32 { return &b.LearningInterval }),
	optional(unix.IFLA_BOND_PACKETS_PER_SLAVE, "IFLA_BOND_PACKETS_PER_SLAVE", func(b *Bond) **uint32 { return &b.PacketsPerPort }),
	linkDown(named[uint8](unix.IFLA_BOND_AD_LACP_RATE, "IFLA_BOND_AD_LACP_RATE", func(b *Bond) **state.BondLACPRate { return &b.LACPRate })),
	linkDown(named[uint8](unix.IFLA_BOND_AD_SELECT, "IFLA_BOND_AD_SELECT", func(b *Bond) **state.BondADSelect { return &b.ADSelect })),
	linkDown(flag(unix.IFLA_BOND_TLB_DYNAMIC_LB, "IFLA_BOND_TLB_DYNAMIC_LB", func(b *Bond) **bool { return &b.TLBDynamic })),
	linkDown(flag(unix.IFLA_BOND_AD_LACP_ACTIVE, "IFLA_BOND_AD_LACP_ACTIVE", func(b *Bond) **bool { return &b.LACPActive })),
	optional(unix.IFLA_BOND_MISSED_MAX, "IFLA_BOND_MISSED_MAX", func(b *Bond) **uint8 { return &b.ARPMissedMax }),
	linkDown(flag(unix.IFLA_BOND_COUPLED_CONTROL, "IFLA_BOND_COUPLED_CONTROL", func(b *Bond) **bool { return &b.CoupledControl })),
	flag(attributeBondBroadcastNeigh, "IFLA_BOND_BROADCAST_NEIGH", func(b *Bond) **bool { return &b.BroadcastNeighbour }),
	optional(unix.IFLA_BOND_AD_ACTOR_SYS_PRIO, "IFLA_BOND_AD_ACTOR_SYS_PRIO", func(b *Bond) **uint16 { return &b.ADActorSystemPriority }),
	linkDown(optional(unix.IFLA_BOND_AD_USER_PORT_KEY, "IFLA_BOND_AD_USER_PORT_KEY", func(b *Bond) **uint16 { return &b.ADUserPortKey })),
	ethernetAddress(unix.IFLA_BOND_AD_ACTOR_SYSTEM, "IFLA_BOND_AD_ACTOR_SYSTEM", func(b *Bond) *state.HardwareAddress { return &b.ADActorSystem }),
	readOnly(optionalNested(unix.IFLA_BOND_AD_INFO, "IFLA_BOND_AD_INFO", bondADInfoTable, func(b *Bond) **state.BondADInfo { return &b.ADInfo })),
}

var bondADInfoTable = table[*state.BondADInfo]{
	number(unix.IFLA_BOND_AD_INFO_AGGREGATOR, "IFLA_BOND_AD_INFO_AGGREGATOR", func(i *state.BondADInfo) *uint16 { return &i.Aggregator }),
	number(unix.IFLA_BOND_AD_INFO_NUM_PORTS, "IFLA_BOND_AD_INFO_NUM_PORTS", func(i *state.BondADInfo) *uint16 { return &i.Ports }),
	number(unix.IFLA_BOND_AD_INFO_ACTOR_KEY, "IFLA_BOND_AD_INFO_ACTOR_KEY", func(i *state.BondADInfo) *uint16 { return &i.ActorKey }),
	number(unix.IFLA_BOND_AD_INFO_PARTNER_KEY, "IFLA_BOND_AD_INFO_PARTNER_KEY", func(i *state.BondADInfo) *uint16 { return &i.PartnerKey }),
	ethernetAddress(unix.IFLA_BOND_AD_INFO_PARTNER_MAC, "IFLA_BOND_AD_INFO_PARTNER_MAC", func(i *state.BondADInfo) *state.HardwareAddress { return &i.PartnerMAC }),
}
