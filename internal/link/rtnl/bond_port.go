package rtnl

import "golang.org/x/sys/unix"

// Not in golang.org/x/sys yet (linux/if_link.h).
const (
	attributeBondPortPriority     = 10 // IFLA_BOND_SLAVE_ACTOR_PORT_PRIO, since 6.18
	attributeBondPortActorChurn   = 11 // IFLA_BOND_SLAVE_AD_CHURN_ACTOR_STATE
	attributeBondPortPartnerChurn = 12 // IFLA_BOND_SLAVE_AD_CHURN_PARTNER_STATE
)

type (
	bondPortStates struct{} // BOND_STATE_…, linux/if_bonding.h
	bondMIIStates  struct{} // BOND_LINK_…, linux/if_bonding.h
)

func (bondPortStates) names() []string { return []string{"active", "backup"} }
func (bondMIIStates) names() []string {
	return []string{"link_up", "link_fail", "link_down", "link_back"}
}

// BondPort is the data of a link that is a port of a bond (IFLA_BOND_SLAVE_…,
// linux/if_link.h). What begins with AD is there in mode 802.3ad only.
type BondPort struct {
	State             *Named[bondPortStates] `json:"subordinate_state,omitempty"`
	MIIStatus         *Named[bondMIIStates]  `json:"mii_status,omitempty"`
	LinkFailures      *uint32                `json:"link_failure_count,omitempty"`
	PermanentMAC      HardwareAddress        `json:"perm_hwaddr,omitempty"`
	QueueID           *uint16                `json:"queue_id,omitempty"`
	Priority          *int32                 `json:"prio,omitempty"`
	ADAggregatorID    *uint16                `json:"ad_aggregator_id,omitempty"`
	ADActorState      *uint8                 `json:"ad_actor_oper_port_state,omitempty"`   // bits of IEEE 802.3ad 43.4.2.2
	ADPartnerState    *uint16                `json:"ad_partner_oper_port_state,omitempty"` // likewise
	ActorPortPriority *uint16                `json:"actor_port_prio,omitempty"`
	ADActorChurn      *uint8                 `json:"ad_churn_actor_state,omitempty"`
	ADPartnerChurn    *uint8                 `json:"ad_churn_partner_state,omitempty"`
}

var bondPortTable = table[BondPort]{
	named[uint8](unix.IFLA_BOND_SLAVE_STATE, "IFLA_BOND_SLAVE_STATE", func(p *BondPort) **Named[bondPortStates] { return &p.State }),
	named[uint8](unix.IFLA_BOND_SLAVE_MII_STATUS, "IFLA_BOND_SLAVE_MII_STATUS", func(p *BondPort) **Named[bondMIIStates] { return &p.MIIStatus }),
	optional(unix.IFLA_BOND_SLAVE_LINK_FAILURE_COUNT, "IFLA_BOND_SLAVE_LINK_FAILURE_COUNT", func(p *BondPort) **uint32 { return &p.LinkFailures }),
	raw(unix.IFLA_BOND_SLAVE_PERM_HWADDR, "IFLA_BOND_SLAVE_PERM_HWADDR", func(p *BondPort) *HardwareAddress { return &p.PermanentMAC }),
	optional(unix.IFLA_BOND_SLAVE_QUEUE_ID, "IFLA_BOND_SLAVE_QUEUE_ID", func(p *BondPort) **uint16 { return &p.QueueID }),
	optional(unix.IFLA_BOND_SLAVE_PRIO, "IFLA_BOND_SLAVE_PRIO", func(p *BondPort) **int32 { return &p.Priority }),
	optional(unix.IFLA_BOND_SLAVE_AD_AGGREGATOR_ID, "IFLA_BOND_SLAVE_AD_AGGREGATOR_ID", func(p *BondPort) **uint16 { return &p.ADAggregatorID }),
	optional(unix.IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE, "IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE", func(p *BondPort) **uint8 { return &p.ADActorState }),
	optional(unix.IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE, "IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE", func(p *BondPort) **uint16 { return &p.ADPartnerState }),
	optional(attributeBondPortActorChurn, "IFLA_BOND_SLAVE_AD_CHURN_ACTOR_STATE", func(p *BondPort) **uint8 { return &p.ADActorChurn }),
	optional(attributeBondPortPartnerChurn, "IFLA_BOND_SLAVE_AD_CHURN_PARTNER_STATE", func(p *BondPort) **uint8 { return &p.ADPartnerChurn }),
	optional(attributeBondPortPriority, "IFLA_BOND_SLAVE_ACTOR_PORT_PRIO", func(p *BondPort) **uint16 { return &p.ActorPortPriority }),
}
