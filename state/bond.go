package state

import (
	"fmt"
	"net/netip"
	"strings"
)

// Bond describes a bond. Settings that its mode does not use are absent. Times are in
// milliseconds, except where noted (IFLA_BOND_…, linux/if_link.h).
type Bond struct {
	Subordinates      []string `json:"subordinates"`                 // names of its ports
	Primary           string   `json:"primary,omitempty"`            // the preferred port
	ActiveSubordinate string   `json:"active_subordinate,omitempty"` // the port in use
	NumUnsolicitedNA  *uint8   `json:"num_unsol_na,omitempty"`       // the same number as num_grat_arp

	Mode                  *BondMode        `json:"mode,omitempty"`
	MIIMonitor            *uint32          `json:"miimon,omitempty"`
	UpDelay               *uint32          `json:"updelay,omitempty"`
	DownDelay             *uint32          `json:"downdelay,omitempty"`
	UseCarrier            *bool            `json:"use_carrier,omitempty"`
	ARPInterval           *uint32          `json:"arp_interval,omitempty"`
	ARPTargets            AddressList      `json:"arp_ip_target,omitempty"` // IPv4
	ARPValidate           *BondARPValidate `json:"arp_validate,omitempty"`
	ARPAllTargets         *BondARPTargets  `json:"arp_all_targets,omitempty"`
	PrimaryReselect       *BondReselect    `json:"primary_reselect,omitempty"`
	FailOverMAC           *BondFailOverMAC `json:"fail_over_mac,omitempty"`
	TransmitHashPolicy    *BondHashPolicy  `json:"xmit_hash_policy,omitempty"`
	ResendIGMP            *uint32          `json:"resend_igmp,omitempty"`
	PeerNotifications     *uint8           `json:"num_grat_arp,omitempty"` // for ARP and IPv6: nispor shows it both as num_grat_arp and as num_unsol_na
	AllPortsActive        *BondAllActive   `json:"all_subordinates_active,omitempty"`
	MinLinks              *uint32          `json:"min_links,omitempty"`
	LearningInterval      *uint32          `json:"lp_interval,omitempty"` // seconds
	PacketsPerPort        *uint32          `json:"packets_per_subordinate,omitempty"`
	LACPRate              *BondLACPRate    `json:"lacp_rate,omitempty"`
	ADSelect              *BondADSelect    `json:"ad_select,omitempty"`
	ADInfo                *BondADInfo      `json:"ad_info,omitempty"` // only in mode 802.3ad
	ADActorSystemPriority *uint16          `json:"ad_actor_sys_prio,omitempty"`
	ADUserPortKey         *uint16          `json:"ad_user_port_key,omitempty"`
	ADActorSystem         HardwareAddress  `json:"ad_actor_system,omitempty"`
	TLBDynamic            *bool            `json:"tlb_dynamic_lb,omitempty"`
	PeerNotifyDelay       *uint32          `json:"peer_notif_delay,omitempty"`
	LACPActive            *bool            `json:"lacp_active,omitempty"`
	ARPMissedMax          *uint8           `json:"arp_missed_max,omitempty"`
	NSTargets             []netip.Addr     `json:"ns_ip6_target,omitempty"` // IPv6
	CoupledControl        *bool            `json:"coupled_control,omitempty"`
	BroadcastNeighbour    *bool            `json:"broadcast_neigh,omitempty"`
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

// BondPort describes an interface as a port of a bond (IFLA_BOND_SLAVE_…,
// linux/if_link.h). Fields that begin with AD are present in mode 802.3ad only.
type BondPort struct {
	State             *BondPortState  `json:"subordinate_state,omitempty"`
	MIIStatus         *BondMIIState   `json:"mii_status,omitempty"`
	LinkFailures      *uint32         `json:"link_failure_count,omitempty"`
	PermanentMAC      HardwareAddress `json:"perm_hwaddr,omitempty"`
	QueueID           *uint16         `json:"queue_id,omitempty"`
	Priority          *int32          `json:"prio,omitempty"`
	ADAggregatorID    *uint16         `json:"ad_aggregator_id,omitempty"`
	ADActorState      *uint8          `json:"ad_actor_oper_port_state,omitempty"`   // bits of IEEE 802.3ad 43.4.2.2
	ADPartnerState    *uint16         `json:"ad_partner_oper_port_state,omitempty"` // bits of IEEE 802.3ad 43.4.2.2
	ActorPortPriority *uint16         `json:"actor_port_prio,omitempty"`
	ADActorChurn      *uint8          `json:"ad_churn_actor_state,omitempty"`
	ADPartnerChurn    *uint8          `json:"ad_churn_partner_state,omitempty"`
}

// BondMode says how a bond uses its ports (BOND_MODE_…, linux/if_bonding.h).
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

// Settings of a bond (net/bonding.h, net/bond_options.h) and states of its ports
// (BOND_STATE_…, BOND_LINK_… of linux/if_bonding.h).
type (
	BondARPTargets  = Named[bondARPTargets]  // how many ARP targets must answer: "any" or "all"
	BondARPValidate = Named[bondARPValidate] // which ports check that ARP answers are genuine
	BondReselect    = Named[bondReselect]    // when the primary port takes over again: "always", "better", "failure"
	BondFailOverMAC = Named[bondFailOverMAC] // which port's hardware address the bond has: "none": the same for all, "active", "follow"
	BondHashPolicy  = Named[bondHashPolicy]  // what chooses the port of a packet, e.g. "layer2+3"
	BondAllActive   = Named[bondAllActive]   // what happens to packets that arrive at an inactive port: "dropped" or "delivered"
	BondLACPRate    = Named[bondLACPRate]    // how often the partner sends: "slow" or "fast"
	BondADSelect    = Named[bondADSelect]    // how the aggregator is chosen: "stable", "bandwidth", "count"
	BondPortState   = Named[bondPortStates]  // "active" or "backup"
	BondMIIState    = Named[bondMIIStates]   // "link_up", "link_fail", "link_down", "link_back"
)

type (
	bondARPTargets  struct{}
	bondARPValidate struct{}
	bondReselect    struct{}
	bondFailOverMAC struct{}
	bondHashPolicy  struct{}
	bondAllActive   struct{}
	bondLACPRate    struct{}
	bondADSelect    struct{}
	bondPortStates  struct{}
	bondMIIStates   struct{}
)

func (bondARPTargets) names() []string { return []string{"any", "all"} }
func (bondARPValidate) names() []string {
	// nispor 1.x spells it "filter_backkup".
	return []string{"none", "active", "backup", "all", "filter", "filter_active", "filter_backkup"}
}
func (bondReselect) names() []string    { return []string{"always", "better", "failure"} }
func (bondFailOverMAC) names() []string { return []string{"none", "active", "follow"} }
func (bondHashPolicy) names() []string {
	return []string{"layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"}
}
func (bondAllActive) names() []string  { return []string{"dropped", "delivered"} }
func (bondLACPRate) names() []string   { return []string{"slow", "fast"} }
func (bondADSelect) names() []string   { return []string{"stable", "bandwidth", "count"} }
func (bondPortStates) names() []string { return []string{"active", "backup"} }
func (bondMIIStates) names() []string {
	return []string{"link_up", "link_fail", "link_down", "link_back"}
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

// MarshalText returns the String.
func (l AddressList) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the text that MarshalText returns.
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
