//go:build lab

package lab

import (
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// row says where our output has a value that ip(8) shows under a key of info_data or
// info_slave_data.
type row struct {
	key  string
	path string // path in our block; "list:word" means whether the list contains the word
	// as translates ip's value into ours; nil: they are equal.
	as func(ip any) any
	// only lists the modes of a bond in which we have the value.
	only []string
	// quiet means that ip does not always show the value, or never does.
	quiet bool
	// why says why we do not have the value; path is "" then.
	why string
}

// shape describes our output for a kind of link.
type shape struct {
	word  any    // our iface_type
	block string // the block's key; "": the kind has no block
	rows  []row
	rest  string // why the other keys are not compared; "": they must be compared
}

// elsewhere is the reason for kinds that every kernel has.
const elsewhere = "compared in internal/link/rtnl, which needs no machine"

func other(kind string) any { return map[string]any{"other": kind} }

// These functions translate values that ip writes differently.

func yes(v any) any { return v == 1.0 }

func on(v any) any { return v == "on" }

func lower(v any) any { return strings.ToLower(v.(string)) }

func words(pairs ...string) func(any) any {
	return func(v any) any {
		text, _ := v.(string)
		if v == nil {
			text = "null"
		}
		if i := slices.Index(pairs, text); i >= 0 && i%2 == 0 {
			return pairs[i+1]
		}
		return v
	}
}

func number(v any) any {
	switch v {
	case "inherit":
		return 1.0
	case "auto":
		return 0.0
	}
	text, ok := v.(string)
	if !ok {
		return v
	}
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return v
	}
	return float64(n)
}

func hexadecimal(v any) any { return number("0x" + v.(string)) }

// key translates keys of tunnels, which ip writes like IPv4 addresses.
func key(v any) any {
	a, err := netip.ParseAddr(v.(string))
	if err != nil {
		return v
	}
	return float64(new(big.Int).SetBytes(a.AsSlice()).Uint64())
}

func commas(v any) any {
	var all []string
	for _, text := range v.([]any) {
		all = append(all, text.(string))
	}
	return strings.Join(all, ",")
}

// nowhere translates the address of a tunnel that is bound to no address.
func nowhere(v any) any {
	if v == "any" {
		return anything{"0.0.0.0", "::", nil}
	}
	return v
}

// anything holds several values with the same meaning.
type anything []any

var (
	primaryModes = []string{"active-backup", "balance-alb", "balance-tlb"}
	hashModes    = []string{"balance-xor", "802.3ad", "balance-tlb"}
	lacpModes    = []string{"802.3ad"}
)

var bondRows = []row{
	{key: "mode", path: "mode"},
	{key: "active_slave", path: "active_subordinate"},
	{key: "miimon", path: "miimon"},
	{key: "updelay", path: "updelay"},
	{key: "downdelay", path: "downdelay"},
	{key: "peer_notify_delay", path: "peer_notif_delay"},
	{key: "use_carrier", path: "use_carrier", as: yes},
	{key: "arp_interval", path: "arp_interval"},
	{key: "arp_missed_max", path: "arp_missed_max", only: []string{"balance-rr", "active-backup", "balance-xor", "broadcast"}},
	{key: "arp_ip_target", path: "arp_ip_target", as: commas},
	{key: "ns_ip6_target", path: "ns_ip6_target"},
	{key: "arp_validate", path: "arp_validate", as: words("null", "none", "filter_backup", "filter_backkup")},
	{key: "arp_all_targets", path: "arp_all_targets"},
	{key: "primary", path: "primary", only: primaryModes},
	{key: "primary_reselect", path: "primary_reselect"},
	{key: "fail_over_mac", path: "fail_over_mac", only: []string{"active-backup"}},
	{key: "xmit_hash_policy", path: "xmit_hash_policy", only: hashModes},
	{key: "resend_igmp", path: "resend_igmp", only: []string{"balance-rr", "active-backup", "balance-tlb", "balance-alb"}},
	{key: "num_peer_notif", path: "num_grat_arp", only: []string{"active-backup"}},
	{key: "all_slaves_active", path: "all_subordinates_active", as: func(v any) any { return []any{"dropped", "delivered"}[int(v.(float64))] }},
	{key: "min_links", path: "min_links"},
	{key: "lp_interval", path: "lp_interval"},
	{key: "packets_per_slave", path: "packets_per_subordinate", only: []string{"balance-rr"}},
	{key: "ad_lacp_active", path: "lacp_active", as: on, only: lacpModes},
	{key: "ad_lacp_rate", path: "lacp_rate", only: lacpModes},
	{key: "ad_select", path: "ad_select", only: lacpModes},
	{key: "ad_info.aggregator", path: "ad_info.aggregator"},
	{key: "ad_info.num_ports", path: "ad_info.num_ports"},
	{key: "ad_info.actor_key", path: "ad_info.actor_key"},
	{key: "ad_info.partner_key", path: "ad_info.partner_key"},
	{key: "ad_info.partner_mac", path: "ad_info.partner_mac"},
	{key: "ad_actor_sys_prio", path: "ad_actor_sys_prio", only: lacpModes},
	{key: "ad_user_port_key", path: "ad_user_port_key", only: lacpModes},
	{key: "ad_actor_system", path: "ad_actor_system", only: lacpModes},
	{key: "tlb_dynamic_lb", path: "tlb_dynamic_lb", as: yes, only: []string{"balance-tlb", "balance-alb"}},
}

var bondPortRows = []row{
	{key: "state", path: "subordinate_state", as: lower},
	{key: "mii_status", path: "mii_status", as: words("UP", "link_up", "GOING_DOWN", "link_fail", "DOWN", "link_down", "GOING_BACK", "link_back")},
	{key: "link_failure_count", path: "link_failure_count"},
	{key: "perm_hwaddr", path: "perm_hwaddr"},
	{key: "queue_id", path: "queue_id"},
	{key: "prio", path: "prio"},
	{key: "ad_aggregator_id", path: "ad_aggregator_id"},
	{key: "ad_actor_oper_port_state", path: "ad_actor_oper_port_state"},
	{key: "ad_partner_oper_port_state", path: "ad_partner_oper_port_state"},
	{key: "ad_actor_oper_port_state_str", why: "the bits of ad_actor_oper_port_state in words"},
	{key: "ad_partner_oper_port_state_str", why: "the bits of ad_partner_oper_port_state in words"},
}

var bridgeRows = []row{
	{key: "vlan_filtering", path: "vlan_filtering", as: yes},
	{key: "vlan_protocol", path: "vlan_protocol", as: lower},
	{key: "vlan_default_pvid", path: "default_pvid"},
	{key: "vlan_stats_enabled", path: "vlan_stats_enabled", as: yes},
	{key: "vlan_stats_per_port", path: "vlan_stats_per_host", as: yes},
}

var vlanRows = []row{
	{key: "protocol", path: "protocol", as: lower},
	{key: "id", path: "vlan_id"},
	{key: "flags.REORDER_HDR", path: "is_reorder_hdr"},
	{key: "flags.GVRP", path: "is_gvrp"},
	{key: "flags.LOOSE_BINDING", path: "is_loose_binding"},
	{key: "flags.MVRP", path: "is_mvrp"},
	{key: "flags.BRIDGE_BINDING", path: "is_bridge_binding"},
	{key: "ingress_qos", path: "ingress_qos_map"},
	{key: "egress_qos", path: "egress_qos_map"},
}

var vrfRows = []row{{key: "table", path: "table_id"}}

var ipvlanRows = []row{
	{key: "mode", path: "mode"},
	{key: "vepa", path: "flags:vepa"},
	{key: "private", path: "flags:private"},
	{key: "bridge", why: "neither vepa nor private"},
}

// These rows apply to all tunnels.
var tunnelRows = []row{
	{key: "local", path: "local", as: nowhere},
	{key: "remote", path: "remote", as: nowhere},
	{key: "link", path: "base_iface"},
	{key: "fwmark", path: "fwmark", as: number},
}

// These rows apply to tunnels over IPv4 and IPv6, except VTI.
var wrappedRows = append([]row{
	{key: "ttl", path: "ttl", as: number},
	{key: "external", path: "collect_metadata"},
	{key: "encap.type", path: "encap_type"},
	{key: "encap.sport", path: "encap_sport", as: number},
	{key: "encap.dport", path: "encap_dport"},
	{key: "encap.csum", path: "encap_flags:csum"},
	{key: "encap.csum6", path: "encap_flags:csum6", quiet: true}, // set even without encapsulation
	{key: "encap.remcsum", path: "encap_flags:remcsum"},
}, tunnelRows...)

var overIPv4Rows = append([]row{
	{key: "tos", path: "tos", as: number},
	{key: "pmtudisc", path: "pmtudisc"},
}, wrappedRows...)

var overIPv6Rows = append([]row{
	{key: "encap_limit", path: "encap_limit", quiet: true},
	{key: "tclass", path: "flowinfo>>20", as: number},
	{key: "flowlabel", path: "flowinfo&0xfffff", as: number},
	{key: "ip6_tnl_f_ign_encap_limit", path: "flags:ign_encap_limit"},
	{key: "ip6_tnl_f_use_orig_tclass", path: "flags:use_orig_tclass"},
	{key: "ip6_tnl_f_use_orig_flowlabel", path: "flags:use_orig_flowlabel"},
	{key: "ip6_tnl_f_rcv_dscp_copy", path: "flags:rcv_dscp_copy"},
	{key: "ip6_tnl_f_use_orig_fwmark", path: "flags:use_orig_fwmark"},
	{key: "ip6_tnl_f_allow_local_remote", path: "flags:allow_local_remote"},
}, wrappedRows...)

var greOnlyRows = []row{
	{key: "ikey", path: "ikey", as: key},
	{key: "okey", path: "okey", as: key},
	{key: "iseq", path: "iflags:seq"},
	{key: "oseq", path: "oflags:seq"},
	{key: "icsum", path: "iflags:csum"},
	{key: "ocsum", path: "oflags:csum"},
	{key: "ignore_df", path: "ignore_df"},
	{key: "erspan_index", path: "erspan_index"},
	{key: "erspan_ver", path: "erspan_ver"},
	{key: "erspan_dir", path: "erspan_dir"},
	{key: "erspan_hwid", path: "erspan_hwid", as: number},
}

var (
	greRows  = append(greOnlyRows, overIPv4Rows...)
	gre6Rows = append(greOnlyRows, overIPv6Rows...)
)

var ipTunnelRows = append([]row{
	{key: "proto", path: "proto", as: words("ip6ip", "ipv6", "ip4ip4", "ipip", "mplsip", "mpls")},
	{key: "prefix", path: "6rd_prefix"},
	{key: "prefixlen", path: "6rd_prefixlen"},
	{key: "relay_prefix", path: "6rd_relay_prefix"},
	{key: "relay_prefixlen", path: "6rd_relay_prefixlen"},
	{key: "isatap", path: "flags:isatap"},
}, overIPv4Rows...)

var ip6TunnelRows = append([]row{
	{key: "proto", path: "proto", as: words("ip6ip6", "ipv6", "ipip6", "ipip")},
}, overIPv6Rows...)

var vtiRows = append([]row{
	{key: "ikey", path: "ikey", as: key},
	{key: "okey", path: "okey", as: key},
}, tunnelRows...)

var xfrmRows = []row{
	{key: "if_id", path: "iface_id", as: number},
	{key: "external", path: "collect_metadata"},
}

var geneveRows = []row{
	{key: "id", path: "id"},
	{key: "remote", path: "remote"},
	{key: "remote6", path: "remote"},
	{key: "ttl", path: "ttl"},
	{key: "tos", path: "tos", as: number},
	{key: "df", path: "df"},
	{key: "label", path: "label", as: number},
	{key: "port", path: "port"},
	{key: "external", path: "collect_metadata"},
	{key: "udp_csum", path: "udp_csum"},
	{key: "udp_zero_csum6_tx", path: "udp_zero_csum6_tx"},
	{key: "udp_zero_csum6_rx", path: "udp_zero_csum6_rx"},
	{key: "inner_proto_inherit", path: "inner_proto_inherit"},
}

var macsecRows = []row{
	{key: "sci", path: "sci", as: hexadecimal},
	{key: "protect", path: "protect"},
	{key: "cipher_suite", path: "cipher", as: words("GCM-AES-128", "gcm-aes128", "GCM-AES-256", "gcm-aes256")},
	{key: "icv_len", path: "icv_len"},
	{key: "encoding_sa", path: "encoding_sa"},
	{key: "validation", path: "validate"},
	{key: "encrypt", path: "encrypt"},
	{key: "inc_sci", path: "send_sci"},
	{key: "es", path: "end_station"},
	{key: "scb", path: "scb"},
	{key: "replay_protect", path: "replay_protect"},
	{key: "window", path: "window"},
	{key: "offload", path: "offload", quiet: true}, // only in kernels since 6.3
}

// shapes holds the shapes by ip's info_kind.
var shapes = map[string]shape{
	"dummy": {word: "dummy"}, "veth": {word: "veth"}, "ifb": {word: "ifb"}, "vcan": {word: other("vcan")},
	"wireguard": {word: "wireguard"},
	"bond":      {word: "bond", block: "bond", rows: bondRows},
	"bridge":    {word: "bridge", block: "bridge", rows: bridgeRows, rest: elsewhere},
	"vlan":      {word: "vlan", block: "vlan", rows: vlanRows},
	"vrf":       {word: "vrf", block: "vrf", rows: vrfRows},
	"ipvlan":    {word: "ip_vlan", block: "ip_vlan", rows: ipvlanRows},
	"ipvtap":    {word: "ip_vtap", block: "ip_vlan", rows: ipvlanRows},
	"gre":       {word: "gre", block: "gre", rows: greRows},
	"gretap":    {word: "gretap", block: "gre", rows: greRows},
	"erspan":    {word: other("erspan"), block: "gre", rows: greRows},
	"ip6gre":    {word: "ip6gre", block: "gre", rows: gre6Rows},
	"ip6gretap": {word: "ip6gretap", block: "gre", rows: gre6Rows},
	"ip6erspan": {word: other("ip6erspan"), block: "gre", rows: gre6Rows},
	"ipip":      {word: "ipip", block: "ip_tunnel", rows: ipTunnelRows},
	"sit":       {word: "sit", block: "ip_tunnel", rows: ipTunnelRows},
	"ip6tnl":    {word: "ip6tnl", block: "ip6_tunnel", rows: ip6TunnelRows},
	"vti":       {word: "vti", block: "vti", rows: vtiRows},
	"vti6":      {word: "vti6", block: "vti", rows: vtiRows},
	"xfrm":      {word: "xfrm", block: "xfrm", rows: xfrmRows},
	"geneve":    {word: "geneve", block: "geneve", rows: geneveRows},
	"macsec":    {word: "mac_sec", block: "macsec", rows: macsecRows},
}

// portShapes holds the shapes of ports by ip's info_slave_kind.
var portShapes = map[string]shape{
	"bond":   {block: "bond_subordinate", rows: bondPortRows},
	"bridge": {block: "bridge_port", rest: elsewhere},
	"vrf":    {block: "vrf_subordinate", rows: vrfRows},
}
