package openwrt

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/netconnectd/netconnectd/internal/network"
)

const (
	page        = "../../docs/openwrt.md"
	tablesBegin = "<!-- tables: made from the rows of internal/network and internal/openwrt -->\n"
	tablesEnd   = "<!-- end of tables -->\n"
)

// netifd has the options of netifd's sections, and of its protocols static and dhcp.
var netifd = []struct{ title, kind, options string }{
	{"`config interface`", network.KindInterface, `device ifname type proto disabled auto zone force_link carrier_loss_delay metric defaultroute peerdns dns dns_search
dns_metric ip4table ip6table renew interface delegate ip6assign ip6hint ip6class ip6ifaceid ip6weight tags jail jail_device host_device
ipaddr netmask broadcast ptpaddr gateway ip6addr ip6gw ip6prefix ip6deprecated
hostname clientid vendorid reqopts defaultreqopts sendopts norelease customroutes classlessroute`},
	{"`config device`", network.KindDevice, `name type enabled mtu mtu6 macaddr txqueuelen promisc multicast ipv6 ip6segmentrouting rpfilter acceptlocal sendredirects
arp_accept drop_gratuitous_arp drop_unsolicited_na drop_v4_unicast_in_l2_multicast drop_v6_unicast_in_l2_multicast igmpversion mldversion
neighreachabletime neighgcstaletime neighlocktime dadtransmits
ports bridge_empty stp stp_kernel stp_proto forward_delay hello_time max_age ageing_time priority vlan_filtering igmp_snooping multicast_querier hash_max
robustness query_interval query_response_interval last_member_interval
learning unicast_flood broadcast_flood isolate multicast_to_unicast multicast_router multicast_fast_leave
ifname vid ingress_qos_mapping egress_qos_mapping mode peer_name peer_macaddr table
policy xmit_hash_policy all_ports_active min_links ad_actor_system ad_actor_sys_prio ad_select lacp_rate packets_per_port lp_interval dynamic_lb resend_igmp
num_peer_notif primary primary_reselect failover_mac monitor_mode monitor_interval arp_target arp_all_targets arp_validate use_carrier updelay downdelay
vlan auth auth_vlan tags conduit speed duplex autoneg pause asym_pause rxpause txpause gro eee pse pse_podl pse_power_limit pse_priority`},
	{"`config route` and `route6`", network.KindRoute, "interface target netmask gateway metric mtu table source onlink type proto valid disabled"},
	{"`config rule` and `rule6`", network.KindRule, "in out src dest invert priority tos mark uidrange ipproto sport dport lookup suppress_prefixlength goto action disabled"},
	{"`config neighbor` and `neighbor6`", network.KindNeighbour, "interface ipaddr mac proxy router"},
	{"`config globals`", "globals", "ula_prefix tcp_l3mdev udp_l3mdev packet_steering steering_flows dhcp_default_duid"},
}

// differs has what options mean that both have.
var differs = map[string]string{
	"interface.device":      "`@lan` stands for the device of `lan`, and does not follow whether `lan` is up",
	"interface.type":        "`bridge` makes a bridge `br-NAME` of the devices; any other is left out",
	"interface.proto":       "`none`, `static` and `dhcp`; an interface of another protocol stays down with the error `INVALID_PROTO`",
	"interface.ip4table":    "names of tables are those of `/etc/iproute2/rt_tables`; a name that is not there is an error",
	"interface.ip6table":    "as `ip4table`",
	"interface.broadcast":   "of `static` only; a DHCP server answers by unicast",
	"interface.gateway":     "has to be in a network of the device",
	"interface.ip6gw":       "as `gateway`",
	"interface.ipaddr":      "the same address twice on a device is an error",
	"interface.ip6addr":     "as `ipaddr`",
	"device.name":           "`lo` is left out; a name is declared once",
	"device.type":           "a device of another type than those of [the declared network](network.md) is left out",
	"device.vlan_filtering": "a bridge with sections `bridge-vlan` is left out",
	"device.igmp_snooping":  "netifd turns it off where the option is missing; here it stays as the kernel has it",
	"device.ifname":         "`@lan` as in an interface",
	"device.ports":          "`@lan` as in an interface; ports that other programs add stay",
	"device.vid":            "has no default",
	"device.table":          "names of tables as in an interface",
	"route.source":          "of IPv4 only; a `route6` with it is left out",
	"route.table":           "names of tables as in an interface; with a name that is not there the route is left out",
	"route.interface":       "a route of an interface that is not there is left out",
	"rule.lookup":           "names of tables as in an interface; with a name that is not there the rule is left out",
	"rule.in":               "a rule of an interface that is not there is left out",
	"rule.out":              "as `in`",
	"neighbour.interface":   "a neighbour of an interface that is not there is left out",
}

// here returns whether netconnectd has an option, and what differs or why it is absent.
func here(t *testing.T, kind, name string) (answer, meaning string) {
	known, _ := network.Has(kind, name, "")
	known = known || kind == network.KindInterface && name == "type"
	key := kind + "." + name
	switch {
	case known && reasonOf(kind, name) != "":
		t.Errorf("%s has a row, and a reason to be absent", key)
	case known && differs[key] != "":
		return "differs", differs[key]
	case known:
		return "same", ""
	case reasonOf(kind, name) == "":
		t.Errorf("%s has neither a row nor a reason to be absent", key)
	}
	return "absent", reasonOf(kind, name)
}

// tables returns the tables of the page.
func tables(t *testing.T) string {
	var b strings.Builder
	for _, section := range netifd {
		fmt.Fprintf(&b, "\n### %s\n\n| option | here | what differs, or why it is absent |\n|---|---|---|\n", section.title)
		listed := strings.Fields(section.options)
		for _, name := range listed {
			answer, meaning := here(t, section.kind, name)
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, answer, meaning)
		}
		var own []string
		for _, o := range network.Options(section.kind) {
			if !slices.ContainsFunc(append(o.Others, o.Name), func(name string) bool { return slices.Contains(listed, name) }) && !slices.Contains(own, "`"+o.Name+"`") {
				own = append(own, "`"+o.Name+"`")
			}
		}
		if len(own) > 0 {
			fmt.Fprintf(&b, "\nOptions that only netconnectd has, some of them under a name that a protocol of OpenWrt uses: %s.\n", strings.Join(own, ", "))
		}
	}
	return b.String()
}

// TestPage: docs/openwrt.md says of each option of netifd whether it is here; -update
// writes the tables.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), tablesBegin)
	_, foot, ok2 := strings.Cut(rest, tablesEnd)
	if !ok || !ok2 {
		t.Fatalf("%s does not have the marks of the tables", page)
	}
	want := head + tablesBegin + tables(t) + "\n" + tablesEnd + foot
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(text) {
		t.Errorf("%s does not have the options that there are; write it by: go test ./internal/openwrt -update", page)
	}
}

// TestReasons: each reason is about an option that netifd has, and says something.
func TestReasons(t *testing.T) {
	listed := map[string]bool{}
	for _, section := range netifd {
		for _, name := range strings.Fields(section.options) {
			if key := section.kind + "." + name; listed[key] {
				t.Errorf("%s is listed twice", key)
			} else {
				listed[key] = true
			}
		}
	}
	for key := range differs {
		if !listed[key] {
			t.Errorf("%s is not an option of netifd's", key)
		}
	}
	for _, a := range absent {
		for _, name := range strings.Fields(a.options) {
			if key := a.kind + "." + name; !listed[key] || a.reason == "" || reasonOf(a.kind, name) != a.reason {
				t.Errorf("%s: %q", key, a.reason)
			}
		}
	}
}
