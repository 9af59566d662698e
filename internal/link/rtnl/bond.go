package rtnl

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// attributeBondBroadcastNeigh is IFLA_BOND_BROADCAST_NEIGH, linux/if_link.h
// since 6.17.
const attributeBondBroadcastNeigh = 33

// BondMode is how a bond uses its ports (BOND_MODE_…, linux/if_bonding.h).
type BondMode = Named[bondModes]

// The modes of a bond.
const (
	BondBalanceRR BondMode = iota
	BondActiveBackup
	BondBalanceXOR
	BondBroadcast
	Bond8023AD
	BondBalanceTLB
	BondBalanceALB
)

type bondModes struct{}

func (bondModes) names() []string {
	return []string{"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"}
}

// The values of net/bonding.h and net/bond_options.h that no header for
// programs has.
type (
	bondARPTargets  struct{}
	bondARPValidate struct{}
	bondReselect    struct{}
	bondFailOverMAC struct{}
	bondHashPolicy  struct{}
	bondAllActive   struct{}
	bondLACPRate    struct{}
	bondADSelect    struct{}
)

func (bondARPTargets) names() []string { return []string{"any", "all"} }

func (bondARPValidate) names() []string {
	// "filter_backkup" is how nispor 1.x spells it.
	return []string{"none", "active", "backup", "all", "filter", "filter_active", "filter_backkup"}
}

func (bondReselect) names() []string    { return []string{"always", "better", "failure"} }
func (bondFailOverMAC) names() []string { return []string{"none", "active", "follow"} }
func (bondHashPolicy) names() []string {
	return []string{"layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"}
}
func (bondAllActive) names() []string { return []string{"dropped", "delivered"} }
func (bondLACPRate) names() []string  { return []string{"slow", "fast"} }
func (bondADSelect) names() []string  { return []string{"stable", "bandwidth", "count"} }

// Bond is the data of kind "bond" (IFLA_BOND_…, linux/if_link.h). The kernel
// shows all of it in every mode. Times are in milliseconds, except where noted.
type Bond struct {
	Mode                  *BondMode               `json:"mode,omitempty"`
	ActivePort            *uint32                 `json:"-"` // index of the link that is in use
	MIIMonitor            *uint32                 `json:"miimon,omitempty"`
	UpDelay               *uint32                 `json:"updelay,omitempty"`
	DownDelay             *uint32                 `json:"downdelay,omitempty"`
	UseCarrier            *bool                   `json:"use_carrier,omitempty"`
	ARPInterval           *uint32                 `json:"arp_interval,omitempty"`
	ARPTargets            AddressList             `json:"arp_ip_target,omitempty"` // IPv4
	ARPValidate           *Named[bondARPValidate] `json:"arp_validate,omitempty"`
	ARPAllTargets         *Named[bondARPTargets]  `json:"arp_all_targets,omitempty"`
	Primary               *uint32                 `json:"-"` // index of the link that is preferred
	PrimaryReselect       *Named[bondReselect]    `json:"primary_reselect,omitempty"`
	FailOverMAC           *Named[bondFailOverMAC] `json:"fail_over_mac,omitempty"`
	TransmitHashPolicy    *Named[bondHashPolicy]  `json:"xmit_hash_policy,omitempty"`
	ResendIGMP            *uint32                 `json:"resend_igmp,omitempty"`
	PeerNotifications     *uint8                  `json:"num_grat_arp,omitempty"` // of ARP and of IPv6: both of nispor's num_grat_arp, num_unsol_na
	AllPortsActive        *Named[bondAllActive]   `json:"all_subordinates_active,omitempty"`
	MinLinks              *uint32                 `json:"min_links,omitempty"`
	LearningInterval      *uint32                 `json:"lp_interval,omitempty"` // s
	PacketsPerPort        *uint32                 `json:"packets_per_subordinate,omitempty"`
	LACPRate              *Named[bondLACPRate]    `json:"lacp_rate,omitempty"`
	ADSelect              *Named[bondADSelect]    `json:"ad_select,omitempty"`
	ADInfo                *BondADInfo             `json:"ad_info,omitempty"` // only in mode 802.3ad
	ADActorSystemPriority *uint16                 `json:"ad_actor_sys_prio,omitempty"`
	ADUserPortKey         *uint16                 `json:"ad_user_port_key,omitempty"`
	ADActorSystem         HardwareAddress         `json:"ad_actor_system,omitempty"`
	TLBDynamic            *bool                   `json:"tlb_dynamic_lb,omitempty"`
	PeerNotifyDelay       *uint32                 `json:"peer_notif_delay,omitempty"`
	LACPActive            *bool                   `json:"lacp_active,omitempty"`
	ARPMissedMax          *uint8                  `json:"arp_missed_max,omitempty"`
	NSTargets             []netip.Addr            `json:"ns_ip6_target,omitempty"` // IPv6
	CoupledControl        *bool                   `json:"coupled_control,omitempty"`
	BroadcastNeighbour    *bool                   `json:"broadcast_neigh,omitempty"`
}

// BondADInfo is the state of the active aggregator of a bond with LACP
// (IFLA_BOND_AD_INFO).
type BondADInfo struct {
	Aggregator uint16          `json:"aggregator"`
	Ports      uint16          `json:"num_ports"`
	ActorKey   uint16          `json:"actor_key"`
	PartnerKey uint16          `json:"partner_key"`
	PartnerMAC HardwareAddress `json:"partner_mac"`
}

// AddressList is written as one text, e.g. "192.0.2.1,192.0.2.2".
type AddressList []netip.Addr

func (l AddressList) String() string {
	texts := make([]string, len(l))
	for i, a := range l {
		texts[i] = a.String()
	}
	return strings.Join(texts, ",")
}

// MarshalText gives the String.
func (l AddressList) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (l *AddressList) UnmarshalText(b []byte) error {
	list := AddressList{}
	for text := range strings.SplitSeq(string(b), ",") {
		if len(b) == 0 {
			break
		}
		a, err := netip.ParseAddr(text)
		if err != nil {
			return fmt.Errorf("read list of addresses: %w", err)
		}
		list = append(list, a)
	}
	*l = list
	return nil
}

var bondTable = table[Bond]{
	named[uint8](unix.IFLA_BOND_MODE, "IFLA_BOND_MODE", func(b *Bond) **BondMode { return &b.Mode }),
	optional(unix.IFLA_BOND_ACTIVE_SLAVE, "IFLA_BOND_ACTIVE_SLAVE", func(b *Bond) **uint32 { return &b.ActivePort }),
	optional(unix.IFLA_BOND_MIIMON, "IFLA_BOND_MIIMON", func(b *Bond) **uint32 { return &b.MIIMonitor }),
	optional(unix.IFLA_BOND_UPDELAY, "IFLA_BOND_UPDELAY", func(b *Bond) **uint32 { return &b.UpDelay }),
	optional(unix.IFLA_BOND_DOWNDELAY, "IFLA_BOND_DOWNDELAY", func(b *Bond) **uint32 { return &b.DownDelay }),
	optional(unix.IFLA_BOND_PEER_NOTIF_DELAY, "IFLA_BOND_PEER_NOTIF_DELAY", func(b *Bond) **uint32 { return &b.PeerNotifyDelay }),
	flag(unix.IFLA_BOND_USE_CARRIER, "IFLA_BOND_USE_CARRIER", func(b *Bond) **bool { return &b.UseCarrier }),
	optional(unix.IFLA_BOND_ARP_INTERVAL, "IFLA_BOND_ARP_INTERVAL", func(b *Bond) **uint32 { return &b.ARPInterval }),
	addresses(unix.IFLA_BOND_ARP_IP_TARGET, "IFLA_BOND_ARP_IP_TARGET", 4, func(b *Bond) *AddressList { return &b.ARPTargets }),
	named[uint32](unix.IFLA_BOND_ARP_VALIDATE, "IFLA_BOND_ARP_VALIDATE", func(b *Bond) **Named[bondARPValidate] { return &b.ARPValidate }),
	named[uint32](unix.IFLA_BOND_ARP_ALL_TARGETS, "IFLA_BOND_ARP_ALL_TARGETS", func(b *Bond) **Named[bondARPTargets] { return &b.ARPAllTargets }),
	addresses(unix.IFLA_BOND_NS_IP6_TARGET, "IFLA_BOND_NS_IP6_TARGET", 16, func(b *Bond) *[]netip.Addr { return &b.NSTargets }),
	optional(unix.IFLA_BOND_PRIMARY, "IFLA_BOND_PRIMARY", func(b *Bond) **uint32 { return &b.Primary }),
	named[uint8](unix.IFLA_BOND_PRIMARY_RESELECT, "IFLA_BOND_PRIMARY_RESELECT", func(b *Bond) **Named[bondReselect] { return &b.PrimaryReselect }),
	named[uint8](unix.IFLA_BOND_FAIL_OVER_MAC, "IFLA_BOND_FAIL_OVER_MAC", func(b *Bond) **Named[bondFailOverMAC] { return &b.FailOverMAC }),
	named[uint8](unix.IFLA_BOND_XMIT_HASH_POLICY, "IFLA_BOND_XMIT_HASH_POLICY", func(b *Bond) **Named[bondHashPolicy] { return &b.TransmitHashPolicy }),
	optional(unix.IFLA_BOND_RESEND_IGMP, "IFLA_BOND_RESEND_IGMP", func(b *Bond) **uint32 { return &b.ResendIGMP }),
	optional(unix.IFLA_BOND_NUM_PEER_NOTIF, "IFLA_BOND_NUM_PEER_NOTIF", func(b *Bond) **uint8 { return &b.PeerNotifications }),
	named[uint8](unix.IFLA_BOND_ALL_SLAVES_ACTIVE, "IFLA_BOND_ALL_SLAVES_ACTIVE", func(b *Bond) **Named[bondAllActive] { return &b.AllPortsActive }),
	optional(unix.IFLA_BOND_MIN_LINKS, "IFLA_BOND_MIN_LINKS", func(b *Bond) **uint32 { return &b.MinLinks }),
	optional(unix.IFLA_BOND_LP_INTERVAL, "IFLA_BOND_LP_INTERVAL", func(b *Bond) **uint32 { return &b.LearningInterval }),
	optional(unix.IFLA_BOND_PACKETS_PER_SLAVE, "IFLA_BOND_PACKETS_PER_SLAVE", func(b *Bond) **uint32 { return &b.PacketsPerPort }),
	named[uint8](unix.IFLA_BOND_AD_LACP_RATE, "IFLA_BOND_AD_LACP_RATE", func(b *Bond) **Named[bondLACPRate] { return &b.LACPRate }),
	named[uint8](unix.IFLA_BOND_AD_SELECT, "IFLA_BOND_AD_SELECT", func(b *Bond) **Named[bondADSelect] { return &b.ADSelect }),
	flag(unix.IFLA_BOND_TLB_DYNAMIC_LB, "IFLA_BOND_TLB_DYNAMIC_LB", func(b *Bond) **bool { return &b.TLBDynamic }),
	flag(unix.IFLA_BOND_AD_LACP_ACTIVE, "IFLA_BOND_AD_LACP_ACTIVE", func(b *Bond) **bool { return &b.LACPActive }),
	optional(unix.IFLA_BOND_MISSED_MAX, "IFLA_BOND_MISSED_MAX", func(b *Bond) **uint8 { return &b.ARPMissedMax }),
	flag(unix.IFLA_BOND_COUPLED_CONTROL, "IFLA_BOND_COUPLED_CONTROL", func(b *Bond) **bool { return &b.CoupledControl }),
	flag(attributeBondBroadcastNeigh, "IFLA_BOND_BROADCAST_NEIGH", func(b *Bond) **bool { return &b.BroadcastNeighbour }),
	optional(unix.IFLA_BOND_AD_ACTOR_SYS_PRIO, "IFLA_BOND_AD_ACTOR_SYS_PRIO", func(b *Bond) **uint16 { return &b.ADActorSystemPriority }),
	optional(unix.IFLA_BOND_AD_USER_PORT_KEY, "IFLA_BOND_AD_USER_PORT_KEY", func(b *Bond) **uint16 { return &b.ADUserPortKey }),
	ethernetAddress(unix.IFLA_BOND_AD_ACTOR_SYSTEM, "IFLA_BOND_AD_ACTOR_SYSTEM", func(b *Bond) *HardwareAddress { return &b.ADActorSystem }),
	optionalNested(unix.IFLA_BOND_AD_INFO, "IFLA_BOND_AD_INFO", bondADInfoTable, func(b *Bond) **BondADInfo { return &b.ADInfo }),
}

var bondADInfoTable = table[BondADInfo]{
	number(unix.IFLA_BOND_AD_INFO_AGGREGATOR, "IFLA_BOND_AD_INFO_AGGREGATOR", func(i *BondADInfo) *uint16 { return &i.Aggregator }),
	number(unix.IFLA_BOND_AD_INFO_NUM_PORTS, "IFLA_BOND_AD_INFO_NUM_PORTS", func(i *BondADInfo) *uint16 { return &i.Ports }),
	number(unix.IFLA_BOND_AD_INFO_ACTOR_KEY, "IFLA_BOND_AD_INFO_ACTOR_KEY", func(i *BondADInfo) *uint16 { return &i.ActorKey }),
	number(unix.IFLA_BOND_AD_INFO_PARTNER_KEY, "IFLA_BOND_AD_INFO_PARTNER_KEY", func(i *BondADInfo) *uint16 { return &i.PartnerKey }),
	ethernetAddress(unix.IFLA_BOND_AD_INFO_PARTNER_MAC, "IFLA_BOND_AD_INFO_PARTNER_MAC", func(i *BondADInfo) *HardwareAddress { return &i.PartnerMAC }),
}
