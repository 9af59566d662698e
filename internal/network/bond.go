package network

import (
	"net"
	"net/netip"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// bond is what the options of a bond say.
type bond struct {
	rtnl.Bond
	arp      bool // the bond asks neighbours instead of looking at the carrier
	interval *uint32
}

// data returns the data for the kernel. Of the two ways to watch the ports one is off.
func (b *bond) data() *rtnl.Bond {
	out := b.Bond
	if b.interval != nil {
		off := uint32(0)
		out.MIIMonitor, out.ARPInterval = b.interval, &off
		if b.arp {
			out.MIIMonitor, out.ARPInterval = &off, b.interval
		}
	}
	return &out
}

// onBond is a row whose value goes to a field of a bond.
//
//go:noinline
func onBond[V any](name string, f form[V], at func(b *bond) **V, doc string) *option[*device] {
	return field(name, f, func(d *device) **V { return at(d.bond) }, doc).only(typeBonding)
}

// onBondWord is a row of one of several words.
//
//go:noinline
func onBondWord(name string, f form[uint32], put func(b *bond, n uint32), doc string) *option[*device] {
	return row(name, f, func(d *device, n uint32) { put(d.bond, n) }, doc).only(typeBonding)
}

var bondPolicies = []string{"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"}

const longestMonitor = 1<<31 - 1 // milliseconds that the kernel keeps as an int

var milliseconds = number[uint32](0, longestMonitor)

var bondOptions = []*option[*device]{
	rows("ports", linkName, addPort, "Names of the devices that are ports of the bond. Ports that other programs add stay.").also("slaves", "ifname").only(typeBonding).without("none"),
	onBondWord("policy", indexed(bondPolicies...), func(b *bond, n uint32) { b.Mode = new(state.BondMode(n)) }, "How the bond uses its ports (mode).").also("mode"),
	row("monitor_mode", oneOf("mii", "arp"), func(d *device, v string) { d.bond.arp = v == "arp" },
		"How a port is watched: by its carrier (mii), or by asking neighbours (arp).").only(typeBonding).without("mii"),
	onBond("monitor_interval", milliseconds, func(b *bond) **uint32 { return &b.interval }, "Milliseconds between two looks at a port; 0: never.").also("miimon"),
	onBond("updelay", milliseconds, func(b *bond) **uint32 { return &b.UpDelay }, "Milliseconds after which a port with a carrier is used, a multiple of monitor_interval."),
	onBond("downdelay", milliseconds, func(b *bond) **uint32 { return &b.DownDelay }, "Milliseconds after which a port without a carrier is not used, a multiple of monitor_interval."),
	onBond("use_carrier", boolean, func(b *bond) **bool { return &b.UseCarrier }, "Whether the driver is believed when it tells of the carrier. New kernels always believe it."),
	rows("arp_target", host4, func(d *device, v netip.Addr) { d.bond.ARPTargets = append(d.bond.ARPTargets, v) },
		"IPv4 addresses of the neighbours that are asked, up to 16.").also("arp_ip_target").only(typeBonding),
	rows("ns_ip6_target", host6, func(d *device, v netip.Addr) { d.bond.NSTargets = append(d.bond.NSTargets, v) },
		"IPv6 addresses of the neighbours that are asked, up to 16.").only(typeBonding),
	onBondWord("arp_all_targets", indexed("any", "all"), func(b *bond, n uint32) { b.ARPAllTargets = new(state.BondARPTargets(n)) }, "How many of these neighbours have to answer."),
	onBondWord("arp_validate", indexed("none", "active", "backup", "all", "filter", "filter_active", "filter_backup"), func(b *bond, n uint32) { b.ARPValidate = new(state.BondARPValidate(n)) },
		"On which ports the bond looks whether an answer is one of these neighbours'."),
	onBond("arp_missed_max", number[uint8](1, 255), func(b *bond) **uint8 { return &b.ARPMissedMax }, "How many answers may be missing before a port counts as broken."),
	row("primary", linkName, func(d *device, v string) { d.bond.Primary = v }, "Name of the port that is used whenever it can be.").only(typeBonding),
	onBondWord("primary_reselect", indexed("always", "better", "failure"), func(b *bond, n uint32) { b.PrimaryReselect = new(state.BondReselect(n)) }, "When the primary port takes over again."),
	onBondWord("failover_mac", indexed("none", "active", "follow"), func(b *bond, n uint32) { b.FailOverMAC = new(state.BondFailOverMAC(n)) },
		"Whose hardware address the bond has: none: one that all ports get; active: that of the port in use; follow: the port in use gets that of the bond.").also("fail_over_mac"),
	onBondWord("xmit_hash_policy", indexed("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"), func(b *bond, n uint32) { b.TransmitHashPolicy = new(state.BondHashPolicy(n)) },
		"By what in a packet its port is chosen."),
	row("all_ports_active", boolean, func(d *device, v bool) {
		d.bond.AllPortsActive = new(state.BondAllActive(0))
		if v {
			*d.bond.AllPortsActive = 1
		}
	}, "Whether packets that arrive at a port that is not in use are taken.").also("all_slaves_active").only(typeBonding),
	onBond("min_links", number[uint32](0, 1<<31-1), func(b *bond) **uint32 { return &b.MinLinks }, "How many ports need a carrier for the bond to have one."),
	onBond("packets_per_port", number[uint32](0, 65535), func(b *bond) **uint32 { return &b.PacketsPerPort }, "Packets in a row that go through one port; 0: the port is random.").also("packets_per_slave"),
	onBond("lp_interval", number[uint32](1, 1<<31-1), func(b *bond) **uint32 { return &b.LearningInterval }, "Seconds between two packets by which the bond tells switches where it is."),
	onBond("dynamic_lb", boolean, func(b *bond) **bool { return &b.TLBDynamic }, "Whether connections move to other ports by the load of these.").also("tlb_dynamic_lb"),
	onBond("resend_igmp", number[uint32](0, 255), func(b *bond) **uint32 { return &b.ResendIGMP }, "How often multicast routers are told of the bond's groups after a change of the port."),
	onBond("num_peer_notif", number[uint8](0, 255), func(b *bond) **uint8 { return &b.PeerNotifications }, "How often neighbours are told of the bond after a change of the port.").also("num_grat_arp"),
	onBond("peer_notif_delay", milliseconds, func(b *bond) **uint32 { return &b.PeerNotifyDelay }, "Milliseconds between two of these messages, a multiple of monitor_interval."),
	onBondWord("lacp_rate", indexed("slow", "fast"), func(b *bond, n uint32) { b.LACPRate = new(state.BondLACPRate(n)) }, "How often the other end sends its state: every 30 s (slow) or every second (fast)."),
	onBond("lacp_active", boolean, func(b *bond) **bool { return &b.LACPActive }, "Whether the bond sends LACP messages before the other end does."),
	onBondWord("ad_select", indexed("stable", "bandwidth", "count"), func(b *bond, n uint32) { b.ADSelect = new(state.BondADSelect(n)) },
		"Which group of ports is used: the first (stable), the fastest (bandwidth), or that with most ports (count)."),
	onBond("ad_actor_sys_prio", number[uint16](1, 65535), func(b *bond) **uint16 { return &b.ADActorSystemPriority }, "Priority of this end in LACP."),
	row("ad_actor_system", hardwareAddress, func(d *device, v net.HardwareAddr) { d.bond.ADActorSystem = state.HardwareAddress(v) }, "Hardware address of this end in LACP.").only(typeBonding).without("that of the bond"),
	onBond("ad_user_port_key", number[uint16](0, 1023), func(b *bond) **uint16 { return &b.ADUserPortKey }, "Upper bits of the key of each port in LACP."),
	onBond("coupled_control", boolean, func(b *bond) **bool { return &b.CoupledControl }, "Whether a port sends and receives at the same time in LACP. Kernels from 6.9 on."),
	onBond("broadcast_neighbor", boolean, func(b *bond) **bool { return &b.BroadcastNeighbour }, "Whether messages that look for neighbours go through all ports. Kernels from 6.17 on."),
}

// policiesOf are those of the bonds that have an option; what is not here all have
// (bond_opts, drivers/net/bonding).
var policiesOf = map[string][]state.BondMode{
	"packets_per_port":   {state.BondBalanceRR},
	"primary":            {state.BondActiveBackup, state.BondBalanceTLB, state.BondBalanceALB},
	"dynamic_lb":         {state.BondBalanceTLB, state.BondBalanceALB},
	"lacp_rate":          {state.Bond8023AD},
	"lacp_active":        {state.Bond8023AD},
	"ad_actor_sys_prio":  {state.Bond8023AD},
	"ad_actor_system":    {state.Bond8023AD},
	"ad_user_port_key":   {state.Bond8023AD},
	"coupled_control":    {state.Bond8023AD},
	"broadcast_neighbor": {state.Bond8023AD},
	"arp_validate":       policiesWithARP,
	"arp_missed_max":     policiesWithARP,
}

// policiesWithARP are those of the bonds that can ask neighbours.
var policiesWithARP = []state.BondMode{state.BondBalanceRR, state.BondActiveBackup, state.BondBalanceXOR, state.BondBroadcast}
