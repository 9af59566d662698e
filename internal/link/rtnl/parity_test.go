package rtnl

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"

	"github.com/netconnectd/netconnectd/state"
)

// A witness says where what ip(8) shows under a key stands with us, and turns
// ip's value into ours. A key within an object is written "object.key".
type witness struct {
	key, field string
	as         func(ip any) any
}

func same(v any) any { return v }

// yes is for 0 and 1, which we have as a bool.
func yes(v any) any { return v == 1.0 }

// seconds is for timers, which we have in 1/100 s.
func seconds(v any) any { return math.Round(v.(float64) * 100) }

// hexadecimal is for numbers that ip writes as text.
func hexadecimal(v any) any {
	n, _ := strconv.ParseUint(strings.TrimPrefix(v.(string), "0x"), 16, 64)
	return float64(n)
}

// identity is for bridge IDs, in which ip writes colons and no leading zeros.
func identity(v any) any {
	priority, address, _ := strings.Cut(v.(string), ".")
	for part := range strings.SplitSeq(address, ":") {
		priority += strings.Repeat("0", 2-len(part)) + part
	}
	return priority[:4] + "." + priority[4:]
}

// word is for numbers that we have as a name, and for names as a number.
func word(words ...any) func(any) any {
	return func(v any) any {
		if n, ok := v.(float64); ok {
			return words[int(n)]
		}
		return float64(slices.Index(words, v))
	}
}

var multicastRouterWord = word("disabled", "temp_query", "perm", "temp")

var bridgeWitnesses = []witness{
	{"forward_delay", "forward_delay", same},
	{"hello_time", "hello_time", same},
	{"max_age", "max_age", same},
	{"ageing_time", "ageing_time", same},
	{"stp_state", "stp_state", word("disabled", "kernel_stp", "user_stp")},
	{"priority", "priority", same},
	{"vlan_filtering", "vlan_filtering", yes},
	{"vlan_protocol", "vlan_protocol", func(v any) any { return strings.ToLower(v.(string)) }},
	{"vlan_default_pvid", "default_pvid", same},
	{"vlan_stats_enabled", "vlan_stats_enabled", yes},
	{"vlan_stats_per_port", "vlan_stats_per_host", yes},
	{"bridge_id", "bridge_id", identity},
	{"root_id", "root_id", identity},
	{"root_port", "root_port", same},
	{"root_path_cost", "root_path_cost", same},
	{"topology_change", "topology_change", yes},
	{"topology_change_detected", "topology_change_detected", yes},
	{"hello_timer", "hello_timer", seconds},
	{"tcn_timer", "tcn_timer", seconds},
	{"topology_change_timer", "topology_change_timer", seconds},
	{"gc_timer", "gc_timer", seconds},
	{"group_fwd_mask", "group_fwd_mask", hexadecimal},
	{"group_fwd_mask_str", "group_fwd_mask", hexadecimal},
	{"group_addr", "group_addr", same},
	{"mcast_snooping", "multicast_snooping", yes},
	{"no_linklocal_learn", "multi_bool_opt:0", same},
	{"mcast_vlan_snooping", "multi_bool_opt:1", same},
	{"mst_enabled", "multi_bool_opt:2", same},
	{"mcast_router", "multicast_router", multicastRouterWord},
	{"mcast_query_use_ifaddr", "multicast_query_use_ifaddr", yes},
	{"mcast_querier", "multicast_querier", yes},
	{"mcast_hash_elasticity", "multicast_hash_elasticity", same},
	{"mcast_hash_max", "multicast_hash_max", same},
	{"mcast_last_member_cnt", "multicast_last_member_count", same},
	{"mcast_startup_query_cnt", "multicast_startup_query_count", same},
	{"mcast_last_member_intvl", "multicast_last_member_interval", same},
	{"mcast_membership_intvl", "multicast_membership_interval", same},
	{"mcast_querier_intvl", "multicast_querier_interval", same},
	{"mcast_query_intvl", "multicast_query_interval", same},
	{"mcast_query_response_intvl", "multicast_query_response_interval", same},
	{"mcast_startup_query_intvl", "multicast_startup_query_interval", same},
	{"mcast_stats_enabled", "multicast_stats_enabled", yes},
	{"mcast_igmp_version", "multicast_igmp_version", same},
	{"mcast_mld_version", "multicast_mld_version", same},
	{"nf_call_iptables", "nf_call_iptables", yes},
	{"nf_call_ip6tables", "nf_call_ip6tables", yes},
	{"nf_call_arptables", "nf_call_arptables", yes},
}

var bridgePortWitnesses = []witness{
	{"state", "stp_state", same},
	{"priority", "stp_priority", same},
	{"cost", "stp_path_cost", same},
	{"hairpin", "hairpin_mode", same},
	{"guard", "bpdu_guard", same},
	{"root_block", "root_block", same},
	{"fastleave", "multicast_fast_leave", same},
	{"learning", "learning", same},
	{"flood", "unicast_flood", same},
	{"id", "port_id", same},
	{"no", "port_no", same},
	{"designated_port", "designated_port", same},
	{"designated_cost", "designated_cost", same},
	{"bridge_id", "designated_bridge", identity},
	{"root_id", "designated_root", identity},
	{"hold_timer", "hold_timer", seconds},
	{"message_age_timer", "message_age_timer", seconds},
	{"forward_delay_timer", "forward_delay_timer", seconds},
	{"topology_change_ack", "change_ack", yes},
	{"config_pending", "config_pending", yes},
	{"proxy_arp", "proxyarp", same},
	{"proxy_arp_wifi", "proxyarp_wifi", same},
	{"multicast_router", "multicast_router", multicastRouterWord},
	{"mcast_flood", "multicast_flood", same},
	{"bcast_flood", "broadcast_flood", same},
	{"mcast_to_unicast", "multicast_to_unicast", same},
	{"neigh_suppress", "neigh_suppress", same},
	{"group_fwd_mask", "group_fwd_mask", hexadecimal},
	{"group_fwd_mask_str", "group_fwd_mask", hexadecimal},
	{"vlan_tunnel", "vlan_tunnel", same},
	{"isolated", "isolated", same},
	{"locked", "locked", same},
	{"backup_port", "BackupPort", same},
}

var vxlanWitnesses = []witness{
	{"id", "vxlan_id", same},
	{"group", "remote", same},
	{"group6", "remote", same},
	{"remote", "remote", same},
	{"remote6", "remote", same},
	{"local", "local", same},
	{"local6", "local", same},
	{"link", "Link", same},
	{"port_range.low", "src_port_min", same},
	{"port_range.high", "src_port_max", same},
	{"port", "dst_port", same},
	{"learning", "learning", same},
	{"proxy", "proxy", same},
	{"rsc", "rsc", same},
	{"l2miss", "l2miss", same},
	{"l3miss", "l3miss", same},
	{"tos", "tos", hexadecimal},
	{"ttl", "ttl", same},
	{"ttl_inherit", "ttl_inherit", same},
	{"df", "df", word("unset", "set", "inherit")},
	{"label", "label", hexadecimal},
	{"ageing", "ageing", same},
	{"limit", "max_address", same},
	{"udp_csum", "udp_check_sum", same},
	{"udp_zero_csum6_tx", "udp6_zero_check_sum_tx", same},
	{"udp_zero_csum6_rx", "udp6_zero_check_sum_rx", same},
	{"remcsum_tx", "remote_check_sum_tx", same},
	{"remcsum_rx", "remote_check_sum_rx", same},
	{"external", "collect_metadata", same},
	{"vnifilter", "vnifilter", same},
	{"gbp", "gbp", same},
	{"gpe", "gpe", same},
}

// TestParity makes links by what we write, with settings that are not the
// kernel's own, and compares what ip(8) shows with what we read: of what we
// set, and of the rest.
func TestParity(t *testing.T) {
	netnstest.Thread(t)
	k := dialKernel(t)
	makeLinks(k)
	tests := []struct {
		name      string
		port      bool // what the link has as a port
		set       any  // what was asked for
		witnesses []witness
	}{
		{"br", false, bridgeSettings, bridgeWitnesses},
		{"left", true, bridgePortSettings, bridgePortWitnesses},
		{"vx4", false, vxlan4Settings, vxlanWitnesses},
		{"vx6", false, vxlan6Settings, vxlanWitnesses},
		{"vxe", false, vxlanExternalSettings, vxlanWitnesses},
	}
	for _, test := range tests {
		shown, read := showLink(t, test.name), k.link(test.name)
		theirs, ours := shown.Info.Data, read.Info.Data
		if test.port {
			theirs, ours = shown.Info.PortData, read.Info.PortData
		}
		if shown.Info.Kind != read.Info.Kind || shown.Info.PortKind != read.Info.PortKind {
			t.Errorf("%s is %q %q, ip shows %q %q", test.name, read.Info.Kind, read.Info.PortKind, shown.Info.Kind, shown.Info.PortKind)
		}
		if link, ok := theirs["link"]; ok {
			theirs["link"] = float64(showLink(t, link.(string)).Index)
		}
		compareWithIP(t, test.name, test.witnesses, theirs, flat(t, ours))
		compareWithSettings(t, test.name, flat(t, test.set), flat(t, ours))
	}
	compareVeth(t, k)
}

func compareWithIP(t *testing.T, name string, witnesses []witness, theirs, ours map[string]any) {
	t.Helper()
	for key, value := range theirs {
		if object, ok := value.(map[string]any); ok {
			delete(theirs, key)
			for inner, value := range object {
				theirs[key+"."+inner] = value
			}
		}
	}
	for key, value := range theirs {
		i := slices.IndexFunc(witnesses, func(w witness) bool { return w.key == key })
		if i < 0 {
			t.Errorf("%s: ip shows %s, which is in no row: %v", name, key, value)
			continue
		}
		want, got := witnesses[i].as(value), fieldOf(ours, witnesses[i].field)
		if strings.HasSuffix(key, "_timer") && near(want, got) {
			continue
		}
		if want != got {
			t.Errorf("%s: %s is %v, ip shows %s %v", name, witnesses[i].field, got, key, value)
		}
	}
}

// near is for timers, which run between both looks.
func near(a, b any) bool {
	x, okX := a.(float64)
	y, okY := b.(float64)
	return okX && okY && math.Abs(x-y) <= 500
}

func compareWithSettings(t *testing.T, name string, set, ours map[string]any) {
	t.Helper()
	for _, field := range slices.Sorted(maps.Keys(set)) {
		if field == "multi_bool_opt" {
			continue // the kernel shows options that we did not mention; ip has them one by one
		}
		if want, got := set[field], ours[field]; want != got {
			t.Errorf("%s: set %s to %v, got %v", name, field, want, got)
		}
	}
}

// flat returns all that is set, by the names of leaves, with values as JSON has
// them.
func flat(t *testing.T, data any) map[string]any {
	t.Helper()
	out := map[string]any{}
	for name, at := range leaves(reflect.ValueOf(data)) {
		switch v := at(); {
		case (v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice || v.Kind() == reflect.Struct) && v.IsZero():
		default:
			out[name] = asJSON(t, v.Interface())
		}
	}
	return out
}

func asJSON(t *testing.T, v any) (out any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fieldOf finds "name", or one bit of a number by "name:bit".
func fieldOf(ours map[string]any, field string) any {
	name, bit, ok := strings.Cut(field, ":")
	number, isNumber := ours[name].(float64)
	if !ok || !isNumber {
		return ours[name]
	}
	n, _ := strconv.Atoi(bit)
	return float64(uint64(number) >> n & 1)
}

// compareVeth: what was asked for the other end has reached it.
func compareVeth(t *testing.T, k kernel) {
	t.Helper()
	left, right := k.link("left"), k.link("right")
	shown := showLink(t, "right")
	got := []any{right.MTU, state.HardwareAddress(right.MAC).String(), int(right.Index), int(left.ParentIndex()), right.Info.Kind}
	theirs := []any{shown.MTU, shown.MAC, shown.Index, shown.Index, shown.Info.Kind}
	want := []any{uint32(1300), "02:00:00:00:00:0b", int(right.Index), int(right.Index), "veth"}
	if fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(theirs) != fmt.Sprint(want) || shown.Link != "left" {
		t.Errorf("got %v, ip shows %v, want %v", got, theirs, want)
	}
}

func makeLinks(k kernel) {
	k.t.Helper()
	k.add(&Link{Name: "left", MTU: 1400, Info: LinkInfo{Kind: "veth", Data: &Veth{
		Peer: &Link{Name: "right", MTU: 1300, MAC: []byte{2, 0, 0, 0, 0, 0xb}},
	}}})
	k.change(&Link{Name: "right", Flags: unix.IFF_UP, Change: unix.IFF_UP})
	k.add(&Link{Name: "br", Flags: unix.IFF_UP, Change: unix.IFF_UP, Info: LinkInfo{Kind: "bridge", Data: bridgeSettings}})
	k.change(&Link{Name: "left", Flags: unix.IFF_UP, Change: unix.IFF_UP, Master: new(uint32(k.link("br").Index))})
	k.change(&Link{Name: "left", Info: LinkInfo{PortKind: "bridge", PortData: bridgePortSettings}})
	vxlan4Settings.Link = new(uint32(k.link("right").Index))
	k.add(&Link{Name: "vx4", Info: LinkInfo{Kind: "vxlan", Data: vxlan4Settings}})
	k.add(&Link{Name: "vx6", Info: LinkInfo{Kind: "vxlan", Data: vxlan6Settings}})
	k.add(&Link{Name: "vxe", Info: LinkInfo{Kind: "vxlan", Data: vxlanExternalSettings}})
}

// Even times are a whole number of the kernel's ticks, be they of 1/100, 1/250
// or 1/1000 s.
var bridgeSettings = &Bridge{
	Bridge: state.Bridge{ForwardDelay: new(uint32(402)), HelloTime: new(uint32(102)), MaxAge: new(uint32(804)), AgeingTime: new(uint32(6004)),
		STPState: new(state.STPKernel), Priority: new(uint16(0x7000)), GroupForwardMask: new(uint16(0x10)),
		GroupAddress:    state.HardwareAddress{0x01, 0x80, 0xc2, 0, 0, 0x05},
		NFCallIPTables:  new(true),
		NFCallIP6Tables: new(false), NFCallARPTables: new(true), Options: &state.BridgeOptions{Value: 1, Mask: 1},
		FDBMaxLearned:   new(uint32(77)),
		MulticastRouter: new(state.MulticastRouter(2)), MulticastSnooping: new(true),
		MulticastQueryUseIfaddr: new(true), MulticastQuerier: new(true), MulticastStats: new(true),
		MulticastHashMax: new(uint32(512)), MulticastLastMemberCount: new(uint32(5)), MulticastStartupQueryCount: new(uint32(6)),
		MulticastLastMemberInterval: new(uint64(108)), MulticastMembershipInterval: new(uint64(26008)),
		MulticastQuerierInterval: new(uint64(25506)), MulticastQueryInterval: new(uint64(12510)),
		MulticastQueryResponseInterval: new(uint64(1014)), MulticastStartupQueryInterval: new(uint64(3112)),
		MulticastIGMPVersion: new(uint8(3)), MulticastMLDVersion: new(uint8(2))},
}

var bridgePortSettings = &BridgePort{
	BridgePort: state.BridgePort{Priority: new(uint16(12)), PathCost: new(uint32(33)), Hairpin: new(true), BPDUGuard: new(true), RootBlock: new(false),
		FastLeave: new(true), Learning: new(false), UnicastFlood: new(false), ProxyARP: new(true), ProxyARPWiFi: new(false),
		MulticastRouter: new(state.MulticastRouter(2)), MulticastFlood: new(false), MulticastToUnicast: new(true),
		BroadcastFlood: new(false), GroupForwardMask: new(uint16(0x20)), NeighbourSuppress: new(true), Isolated: new(true),
		EHTHostsLimit: new(uint32(99)), Locked: new(true), MulticastMaxGroups: new(uint32(55))},
}

var vxlan4Settings = &VXLAN{
	VXLAN: state.VXLAN{ID: new(uint32(5)), Remote: netip.MustParseAddr("239.1.1.1"), Local: netip.MustParseAddr("192.0.2.1"),
		TTL: new(uint8(9)), TOS: new(uint8(0x20)), Learning: new(false), Ageing: new(uint32(77)), MaxAddresses: new(uint32(88)),
		VXLANPorts: &state.VXLANPorts{Min: 1000, Max: 2000}, Proxy: new(true), RSC: new(true), L2Miss: new(true), L3Miss: new(true),
		Port: new(uint16(4790)), UDPChecksum: new(true), GBP: true, DontFragment: new(uint8(1))},
}

var vxlan6Settings = &VXLAN{
	VXLAN: state.VXLAN{ID: new(uint32(6)), Remote: netip.MustParseAddr("fd00::1"), Local: netip.MustParseAddr("fd00::2"), Port: new(uint16(4791)),
		UDPChecksum: new(false), UDP6ZeroTX: new(true), UDP6ZeroRX: new(true), RemoteChecksumTX: new(true), RemoteChecksumRX: new(true),
		Label: new(uint32(0x12345)), TTLInherit: true, RemoteNoPartial: true, LocalBypass: new(true)},
}

var vxlanExternalSettings = &VXLAN{
	VXLAN: state.VXLAN{Port: new(uint16(4792)), CollectMetadata: new(true), GPE: true, VNIFilter: new(true), LocalBypass: new(false), Learning: new(false)},
}
