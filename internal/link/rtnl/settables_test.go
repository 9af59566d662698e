package rtnl

import (
	"net/netip"
	"strings"

	"github.com/netconnectd/netconnectd/state"
)

// kindTable is a link of a kind. What comes behind "link add x" is in with.
func kindTable(kind, with string, remade func(k kernel, field string) *Link) settable {
	return settable{name: kind, kind: kind, make: "link add x " + with + "\nlink set x up\n", indexes: []string{"v0", "v1"}, remade: remade}
}

// called is the same under another name, for a second link of a kind.
func called(name string, s settable) settable {
	s.name = name
	return s
}

// bondOf is a bond with two ports.
func bondOf(name, with string) settable {
	return settable{
		name: name, kind: "bond", ports: []string{"p0", "p1"}, indexes: []string{"p0", "p1"},
		make: `
			link add p0 type veth peer name q0
			link add p1 type veth peer name q1
			link set q0 up
			link set q1 up
			link add x type bond ` + with + `
			link set p0 master x
			link set p1 master x
			link set x up
		`,
	}
}

func newVXLAN(_ kernel, field string) *Link {
	data := &VXLAN{VXLAN: state.VXLAN{ID: new(uint32(9)), Port: new(uint16(4799))}}
	if field == "gpe" || field == "vnifilter" { // which the kernel takes only with these
		data.CollectMetadata, data.Learning = new(true), new(false)
	}
	return &Link{Info: LinkInfo{Kind: "vxlan", Data: data}}
}

func newGeneve(_ kernel, field string) *Link {
	data := &state.Geneve{ID: new(uint32(9)), Port: new(uint16(6099))}
	if field == "collect_metadata" || field == "inner_proto_inherit" {
		data.ID, data.CollectMetadata = nil, true
	}
	if strings.HasPrefix(field, "udp_zero_") { // which are of IPv6
		data.Remote = far6
	}
	return &Link{Info: LinkInfo{Kind: "geneve", Data: data}}
}

// newSIT has the prefix of 6to4, as a SIT that exists.
func newSIT(kernel, string) *Link {
	data := &IPTunnel{IPTunnel: state.IPTunnel{Remote: far4, TTL: new(uint8(9)), SixRDPrefix: netip.MustParseAddr("2002::"), SixRDLength: new(uint16(16))}}
	return &Link{Info: LinkInfo{Kind: "sit", Data: data}}
}

func newXFRM(_ kernel, field string) *Link {
	data := &XFRM{XFRM: state.XFRM{InterfaceID: new(uint32(9))}}
	if field == "collect_metadata" {
		data.InterfaceID = nil
	}
	return &Link{Info: LinkInfo{Kind: "xfrm", Data: data}}
}

// newHSR returns a ring of two links that x does not have.
func newHSR(k kernel, field string) *Link {
	data := &HSR{FirstPort: uint32(k.link("p0").Index), SecondPort: uint32(k.link("p1").Index)}
	if field == "multicast_spec" {
		data.Version = new(uint8(1))
	}
	return &Link{Info: LinkInfo{Kind: "hsr", Data: data}}
}

// Far ends of tunnels that x does not have.
var (
	far4 = netip.MustParseAddr("192.0.2.77")
	far6 = netip.MustParseAddr("fd00::77")
)

// inUDP are options of tunnels whose packets are in UDP.
const inUDP = "encap fou encap-sport 7000 encap-dport 7001"

var settables = []settable{
	{
		name: "bridge", kind: "bridge", ports: []string{"p0"},
		make: `
			link add p0 type veth peer name q0
			link add x type bridge
			link set p0 master x
			link set p0 up
			link set q0 up
			link set x up
		`,
	},
	called("bridge with VLANs", kindTable("bridge", "type bridge vlan_filtering 1", nil)),
	kindTable("vxlan", "type vxlan id 1 dstport 4789 remote 192.0.2.1 local 192.0.2.2 dev v0", newVXLAN),
	called("vxlan over IPv6", kindTable("vxlan", "type vxlan id 2 dstport 4790 remote fd00::1 local fd00::2 dev v0", newVXLAN)),
	kindTable("macvlan", "link v0 type macvlan mode source", remake("macvlan", &state.MACVLAN{})),
	kindTable("macvtap", "link v0 type macvtap mode source", remake("macvtap", &state.MACVLAN{})),
	kindTable("vlan", "link v0 type vlan id 5", remake("vlan", &state.VLAN{ID: new(uint16(77))})),
	called("vlan on bridge", settable{kind: "vlan", make: "link add bridge0 type bridge vlan_filtering 1\nlink add link bridge0 name x type vlan id 5\nlink set bridge0 up\nlink set x up\n"}),
	bondOf("bond", "mode 802.3ad miimon 100"),
	bondOf("bond active-backup", "mode active-backup miimon 100 updelay 100 downdelay 100"),
	bondOf("bond balance-tlb", "mode balance-tlb miimon 100"),
	bondOf("bond balance-rr", "mode balance-rr arp_interval 100 arp_ip_target 192.0.2.1"),
	bondOf("bond with ARP", "mode active-backup arp_interval 100 arp_ip_target 192.0.2.1"),
	kindTable("vrf", "type vrf table 10", remake("vrf", &state.VRF{})),
	kindTable("ipvlan", "link v0 type ipvlan", nil),
	kindTable("ipvtap", "link v0 type ipvtap", nil),
	kindTable("gre", "type gre local 192.0.2.2 remote 192.0.2.3 ttl 9 key 5 "+inUDP, remake("gre", &GRE{GRE: state.GRE{Remote: far4}})),
	called("gre without DF", kindTable("gre", "type gre local 192.0.2.2 remote 192.0.2.3 nopmtudisc key 5 "+inUDP, nil)),
	kindTable("gretap", "type gretap local 192.0.2.2 remote 192.0.2.3 ttl 9 key 5 "+inUDP, remake("gretap", &GRE{GRE: state.GRE{Remote: far4}})),
	called("gretap without DF", kindTable("gretap", "type gretap local 192.0.2.2 remote 192.0.2.3 nopmtudisc key 5 "+inUDP, nil)),
	kindTable("erspan", "type erspan local 192.0.2.2 remote 192.0.2.3 seq key 30 erspan_ver 1 erspan 123 "+inUDP, remake("erspan", &GRE{GRE: state.GRE{Remote: far4}})),
	called("erspan 2", kindTable("erspan", "type erspan local 192.0.2.2 remote 192.0.2.3 nopmtudisc seq key 30 erspan_ver 2 erspan_dir ingress erspan_hwid 5 "+inUDP, nil)),
	kindTable("ip6gre", "type ip6gre local fd00::2 remote fd00::3 key 5 "+inUDP, remake("ip6gre", &GRE{GRE: state.GRE{Remote: far6}})),
	kindTable("ip6gretap", "type ip6gretap local fd00::2 remote fd00::3 key 5 "+inUDP, remake("ip6gretap", &GRE{GRE: state.GRE{Remote: far6}})),
	kindTable("ip6erspan", "type ip6erspan local fd00::2 remote fd00::3 seq key 31 erspan_ver 1 erspan 7 "+inUDP, remake("ip6erspan", &GRE{GRE: state.GRE{Remote: far6}})),
	called("ip6erspan 2", kindTable("ip6erspan", "type ip6erspan local fd00::2 remote fd00::3 seq key 31 erspan_ver 2 erspan_dir ingress erspan_hwid 5 "+inUDP, nil)),
	kindTable("ipip", "type ipip local 192.0.2.2 remote 192.0.2.4 ttl 9 "+inUDP, remake("ipip", &IPTunnel{IPTunnel: state.IPTunnel{Remote: far4, TTL: new(uint8(9))}})),
	called("ipip without a TTL", kindTable("ipip", "type ipip local 192.0.2.2 remote 192.0.2.4 ttl inherit "+inUDP, nil)),
	called("sit to one end", kindTable("sit", "type sit local 192.0.2.2 remote 192.0.2.5 ttl 9 "+inUDP, newSIT)),
	called("sit with 6rd", kindTable("sit", "type sit local 192.0.2.2 ttl inherit 6rd-prefix 2001:db8::/32 6rd-relay_prefix 192.0.0.0/8 "+inUDP, nil)),
	kindTable("ip6tnl", "type ip6tnl mode any local fd00::2 remote fd00::3 "+inUDP, remake("ip6tnl", &IP6Tunnel{IP6Tunnel: state.IP6Tunnel{Remote: far6}})),
	kindTable("vti", "type vti local 192.0.2.2 remote 192.0.2.7 ikey 1 okey 2", remake("vti", &VTI{VTI: state.VTI{Remote: far4}})),
	kindTable("vti6", "type vti6 local fd00::2 remote fd00::7 ikey 1 okey 2", nil),
	kindTable("geneve", "type geneve id 1 remote 192.0.2.6", newGeneve),
	called("geneve over IPv6", kindTable("geneve", "type geneve id 1 remote fd00::6", newGeneve)),
	kindTable("macsec", "link v0 type macsec encrypt on replay on window 32", remake("macsec", &state.MACsec{Port: new(uint16(7))})),
	kindTable("xfrm", "type xfrm dev v0 if_id 1", newXFRM),
	{
		name: "hsr", kind: "hsr", indexes: []string{"p2", "p3"}, remade: newHSR,
		make: `
			link add p0 type veth peer name q0
			link add p1 type veth peer name q1
			link add p2 type veth peer name q2
			link add p3 type veth peer name q3
			link add x type hsr slave1 v0 slave2 v1 supervision 1 version 1
			link set x up
		`,
	},
	{name: "tun", kind: "tun", make: "tuntap add x mode tun\nlink set x up\n"},
	{
		name: "port of bridge", kind: "bridge", port: true, indexes: []string{"other"},
		make: `
			link add bridge0 type bridge vlan_filtering 1
			link set bridge0 up
			link add x type veth peer name far
			link set x master bridge0
			link add other type veth peer name beyond
			link set other master bridge0
			link set x up
			link set far up
		`,
	},
	{
		name: "port of bond", kind: "bond", port: true,
		make: "link add bond0 type bond mode active-backup\nlink add x type veth peer name far\nlink set x master bond0\nlink set bond0 up\nlink set far up\n",
	},
	{
		name: "port of bond with LACP", kind: "bond", port: true,
		make: "link add bond0 type bond mode 802.3ad\nlink add x type veth peer name far\nlink set x master bond0\nlink set bond0 up\nlink set far up\n",
	},
	{name: "port of vrf", kind: "vrf", port: true, make: "link add vrf0 type vrf table 10\nlink add x type veth peer name far\nlink set x master vrf0\nlink set x up\n"},
}

// unsettable are the rows that are settable and of which TestEverySettableRow can write
// no value, with the reason.
var unsettable = map[string]string{
	"bond IFLA_BOND_USE_CARRIER":     "only kernels before 6.18 take it",
	"hsr IFLA_HSR_MULTICAST_SPEC":    "the kernel shows it as the end of the supervision address only",
	"macsec IFLA_MACSEC_PORT":        "the kernel shows it as the end of the SCI only",
	"macsec IFLA_MACSEC_OFFLOAD":     "only few adapters have it",
	"port of bridge IFLA_BRPORT_MAB": "it needs locked, in one message",
}

// otherwise are the fields of which the kernel takes some values for others, without a
// word, with the reason.
var otherwise = map[string]string{
	"bond ActivePort":                         "without one the bond chooses at once (bond_option_active_slave_set)",
	"bond downdelay":                          "it is a multiple of miimon (bond_option_downdelay_set)",
	"bond peer_notif_delay":                   "likewise",
	"bond updelay":                            "likewise",
	"bridge multicast_query_interval":         "it is at least 1 s (br_multicast_set_query_intvl)",
	"bridge multicast_startup_query_interval": "likewise",
	"bridge stp_state":                        "whether a program does STP the kernel decides (br_stp_start)",
	"erspan erspan_dir":                       "only version 2 has it",
	"erspan erspan_hwid":                      "likewise",
	"erspan erspan_index":                     "only version 1 has it",
	"ip6erspan erspan_dir":                    "only version 2 has it",
	"ip6erspan erspan_hwid":                   "likewise",
	"ip6erspan erspan_index":                  "only version 1 has it",
	"erspan oflags":                           "packets of ERSPAN have a key, and no other number (erspan_fill_info)",
	"ip6erspan oflags":                        "likewise",
	"ipip pmtudisc":                           "with a TTL it is on (ip_tunnel_netlink_parms)",
	"sit pmtudisc":                            "likewise",
	"vxlan ageing":                            "0 is the default, 300 s (vxlan_config_apply)",
	"vxlan dst_port":                          "0 is the default",
}

// unseen are the fields that ip(8) of iproute2 6.1 does not show, or does not show as a
// value, with the reason. Our own read is the only witness of them.
var unseen = map[string]string{
	"bond broadcast_neigh":                 "it is newer",
	"bond coupled_control":                 "it is newer",
	"bridge fdb_max_learned":               "it is newer",
	"bridge multi_bool_opt":                "ip shows each bit by itself",
	"erspan encap_flags":                   "likewise",
	"erspan iflags":                        "likewise",
	"erspan oflags":                        "likewise",
	"geneve ttl_inherit":                   "ip shows that there is no ttl",
	"gre encap_flags":                      "ip shows each bit by itself",
	"gre iflags":                           "likewise",
	"gre oflags":                           "likewise",
	"gretap encap_flags":                   "likewise",
	"gretap iflags":                        "likewise",
	"gretap oflags":                        "likewise",
	"ip6erspan encap_flags":                "likewise",
	"ip6erspan flags":                      "likewise",
	"ip6erspan iflags":                     "likewise",
	"ip6erspan oflags":                     "likewise",
	"ip6gre encap_flags":                   "likewise",
	"ip6gre flags":                         "likewise",
	"ip6gre iflags":                        "likewise",
	"ip6gre oflags":                        "likewise",
	"ip6gretap encap_flags":                "likewise",
	"ip6gretap flags":                      "likewise",
	"ip6gretap iflags":                     "likewise",
	"ip6gretap oflags":                     "likewise",
	"ip6tnl encap_flags":                   "likewise",
	"ip6tnl flags":                         "likewise",
	"ipip encap_flags":                     "likewise",
	"ipvlan flags":                         "likewise",
	"ipvtap flags":                         "likewise",
	"macvlan flags":                        "likewise",
	"macvtap flags":                        "likewise",
	"sit encap_flags":                      "likewise",
	"sit to one end 6rd_relay_prefixlen":   "ip shows it beside a relay_prefix only",
	"macvlan bc_cutoff":                    "it is newer",
	"macvtap bc_cutoff":                    "it is newer",
	"port of bond actor_port_prio":         "it is newer",
	"port of bridge backup_nexthop_id":     "it is newer",
	"port of bridge mcast_eht_hosts_limit": "only bridge(8) shows it",
	"port of bridge multicast_max_groups":  "likewise",
	"port of bridge neigh_vlan_supress":    "it is newer",
	"vxlan label_policy":                   "it is newer",
	"vxlan localbypass":                    "it is newer",
}

// bitsOf are the words that ip(8) has in a list while a field is on.
var bitsOf = map[string]string{
	"vlan is_reorder_hdr": "REORDER_HDR", "vlan is_gvrp": "GVRP", "vlan is_mvrp": "MVRP",
	"vlan is_loose_binding": "LOOSE_BINDING", "vlan is_bridge_binding": "BRIDGE_BINDING",
}

// wordsOf are those that ip(8) has for the numbers of a field.
var wordsOf = map[string][]string{
	"bond arp_validate": {"none", "active", "backup", "all", "filter", "filter_active", "filter_backup"},
	"erspan encap_type": {"none", "fou", "gue", ""},
	"gre encap_type":    {"none", "fou", "gue", ""}, // ip does not know mpls
	"gretap encap_type": {"none", "fou", "gue", ""},
	"ipip encap_type":   {"none", "fou", "gue", ""},
	"sit encap_type":    {"none", "fou", "gue", ""},
	"ip6tnl proto":      {0: "any", 4: "ipip6", 41: "ip6ip6"},
	"vxlan df":          {"unset", "set", "inherit"},
}
