package rtnl

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// Not in golang.org/x/sys yet (linux/if_link.h).
const (
	attributeBondPortPriority     = 10 // IFLA_BOND_SLAVE_ACTOR_PORT_PRIO, since 6.18
	attributeBondPortActorChurn   = 11 // IFLA_BOND_SLAVE_AD_CHURN_ACTOR_STATE
	attributeBondPortPartnerChurn = 12 // IFLA_BOND_SLAVE_AD_CHURN_PARTNER_STATE
)

var bondPortTable = table[*state.BondPort]{
	readOnly(named[uint8](unix.IFLA_BOND_SLAVE_STATE, "IFLA_BOND_SLAVE_STATE", func(p *state.BondPort) **state.BondPortState { return &p.State })),
	readOnly(named[uint8](unix.IFLA_BOND_SLAVE_MII_STATUS, "IFLA_BOND_SLAVE_MII_STATUS", func(p *state.BondPort) **state.BondMIIState { return &p.MIIStatus })),
	readOnly(optional(unix.IFLA_BOND_SLAVE_LINK_FAILURE_COUNT, "IFLA_BOND_SLAVE_LINK_FAILURE_COUNT", func(p *state.BondPort) **uint32 { return &p.LinkFailures })),
	readOnly(raw(unix.IFLA_BOND_SLAVE_PERM_HWADDR, "IFLA_BOND_SLAVE_PERM_HWADDR", func(p *state.BondPort) *state.HardwareAddress { return &p.PermanentMAC })),
	optional(unix.IFLA_BOND_SLAVE_QUEUE_ID, "IFLA_BOND_SLAVE_QUEUE_ID", func(p *state.BondPort) **uint16 { return &p.QueueID }),
	optional(unix.IFLA_BOND_SLAVE_PRIO, "IFLA_BOND_SLAVE_PRIO", func(p *state.BondPort) **int32 { return &p.Priority }),
	readOnly(optional(unix.IFLA_BOND_SLAVE_AD_AGGREGATOR_ID, "IFLA_BOND_SLAVE_AD_AGGREGATOR_ID", func(p *state.BondPort) **uint16 { return &p.ADAggregatorID })),
	readOnly(optional(unix.IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE, "IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE", func(p *state.BondPort) **uint8 { return &p.ADActorState })),
	readOnly(optional(unix.IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE, "IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE", func(p *state.BondPort) **uint16 { return &p.ADPartnerState })),
	readOnly(optional(attributeBondPortActorChurn, "IFLA_BOND_SLAVE_AD_CHURN_ACTOR_STATE", func(p *state.BondPort) **uint8 { return &p.ADActorChurn })),
	readOnly(optional(attributeBondPortPartnerChurn, "IFLA_BOND_SLAVE_AD_CHURN_PARTNER_STATE", func(p *state.BondPort) **uint8 { return &p.ADPartnerChurn })),
	optional(attributeBondPortPriority, "IFLA_BOND_SLAVE_ACTOR_PORT_PRIO", func(p *state.BondPort) **uint16 { return &p.ActorPortPriority }),
}
