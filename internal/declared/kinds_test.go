package declared

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/network"
)

// declaredKinds are devices x, each with what ip(8) shows of it, and what it shows of x
// when another option is declared.
var declaredKinds = []struct {
	options string // of x, with "; " between
	shows   string // the link below, kind and data as ip has them
	change  string // one option that differs
	then    string
}{
	{"type: 8021q; ifname: v0; vid: 10; egress_qos_mapping: 1:2; reorder_hdr: 0",
		`v0 vlan {"egress_qos":[{"from":1,"to":2}],"flags":null,"id":10,"protocol":"802.1Q"}`,
		"egress_qos_mapping: 1:3", `v0 vlan {"egress_qos":[{"from":1,"to":3}],"flags":null,"id":10,"protocol":"802.1Q"}`},
	{"type: 8021ad; ifname: v0; vid: 11", `v0 vlan {"id":11,"protocol":"802.1ad"}`, "vid: 12", `v0 vlan {"id":12,"protocol":"802.1ad"}`},
	{"type: bonding; ports: v0 w0; policy: active-backup; monitor_interval: 100; updelay: 200; primary: v0",
		`- bond {"miimon":100,"mode":"active-backup","primary":"v0","updelay":200}`,
		"primary: w0", `- bond {"miimon":100,"mode":"active-backup","primary":"w0","updelay":200}`},
	{"type: bonding; ports: v0 w0; policy: 802.3ad; lacp_rate: fast; ad_select: count; min_links: 1; ad_actor_sys_prio: 9; xmit_hash_policy: layer3+4",
		`- bond {"ad_actor_sys_prio":9,"ad_lacp_rate":"fast","ad_select":"count","min_links":1,"mode":"802.3ad","xmit_hash_policy":"layer3+4"}`,
		"lacp_rate: slow", `- bond {"ad_actor_sys_prio":9,"ad_lacp_rate":"slow","ad_select":"count","min_links":1,"mode":"802.3ad","xmit_hash_policy":"layer3+4"}`},
	{"type: bonding; ports: v0 w0; policy: balance-xor; monitor_mode: arp; monitor_interval: 100; arp_target: 192.0.2.8 192.0.2.9",
		`- bond {"arp_interval":100,"arp_ip_target":["192.0.2.8","192.0.2.9"],"mode":"balance-xor"}`,
		"policy: broadcast", `- bond {"arp_interval":100,"arp_ip_target":["192.0.2.8","192.0.2.9"],"mode":"broadcast"}`},
	{"type: vrf; table: 10; ports: v0", `- vrf {"table":10}`, "table: 11", `- vrf {"table":11}`},
	{"type: macvtap; ifname: v0; mode: vepa", `v0 macvtap {"mode":"vepa"}`, "mode: bridge", `v0 macvtap {"mode":"bridge"}`},
	{"type: ipvlan; ifname: v0; mode: l3; flags: private", `v0 ipvlan {"mode":"l3","private":true}`, "mode: l2", `v0 ipvlan {"mode":"l2","private":true}`},
	{"type: gre; ipaddr: 192.0.2.1; peeraddr: 192.0.2.2; ttl: 64; ikey: 5; ocsum: 1; tunlink: v0",
		`v0 gre {"ikey":"0.0.0.5","local":"192.0.2.1","ocsum":true,"remote":"192.0.2.2","ttl":64}`,
		"peeraddr: 192.0.2.3", `v0 gre {"ikey":"0.0.0.5","local":"192.0.2.1","ocsum":true,"remote":"192.0.2.3","ttl":64}`},
	{"type: gretap; ipaddr: 192.0.2.1; peeraddr: 192.0.2.2; okey: 7", `- gretap {"local":"192.0.2.1","okey":"0.0.0.7","remote":"192.0.2.2"}`,
		"okey: 8", `- gretap {"local":"192.0.2.1","okey":"0.0.0.8","remote":"192.0.2.2"}`},
	{"type: ip6gre; ipaddr: 2001:db8::1; peeraddr: 2001:db8::2; ttl: 9; encaplimit: none", `- ip6gre {"ign_encap_limit":null,"local":"2001:db8::1","remote":"2001:db8::2","ttl":9}`,
		"ttl: 8", `- ip6gre {"ign_encap_limit":null,"local":"2001:db8::1","remote":"2001:db8::2","ttl":8}`},
	{"type: ip6gretap; ipaddr: 2001:db8::1; peeraddr: 2001:db8::2; encaplimit: 3", `- ip6gretap {"encap_limit":3,"local":"2001:db8::1","remote":"2001:db8::2"}`,
		"encaplimit: 2", `- ip6gretap {"encap_limit":2,"local":"2001:db8::1","remote":"2001:db8::2"}`},
	{"type: ipip; ipaddr: 192.0.2.1; peeraddr: 192.0.2.2; mode: any; tos: 0x10", `- ipip {"local":"192.0.2.1","proto":"any","remote":"192.0.2.2","tos":"0x10"}`,
		"mode: ipip", `- ipip {"local":"192.0.2.1","proto":"ipip","remote":"192.0.2.2","tos":"0x10"}`},
	{"type: sit; ipaddr: 192.0.2.1; ip6prefix: 2001:db8::/32; ip4prefixlen: 24",
		`- sit {"local":"192.0.2.1","prefix":"2001:db8::","prefixlen":32,"relay_prefix":"192.0.2.0","relay_prefixlen":24}`,
		"ip6prefix: 2001:db9::/32", `- sit {"local":"192.0.2.1","prefix":"2001:db9::","prefixlen":32,"relay_prefix":"192.0.2.0","relay_prefixlen":24}`},
	{"type: ip6tnl; ipaddr: 2001:db8::1; peeraddr: 2001:db8::2; mode: ipip6", `- ip6tnl {"local":"2001:db8::1","proto":"ipip6","remote":"2001:db8::2"}`,
		"mode: any", `- ip6tnl {"local":"2001:db8::1","proto":"any","remote":"2001:db8::2"}`},
	{"type: vti; ipaddr: 192.0.2.1; peeraddr: 192.0.2.2; ikey: 1; okey: 2", `- vti {"ikey":"0.0.0.1","local":"192.0.2.1","okey":"0.0.0.2","remote":"192.0.2.2"}`,
		"okey: 3", `- vti {"ikey":"0.0.0.1","local":"192.0.2.1","okey":"0.0.0.3","remote":"192.0.2.2"}`},
	{"type: vti6; ipaddr: 2001:db8::1; peeraddr: 2001:db8::2; ikey: 1", `- vti6 {"ikey":"0.0.0.1","local":"2001:db8::1","remote":"2001:db8::2"}`,
		"ikey: 2", `- vti6 {"ikey":"0.0.0.2","local":"2001:db8::1","remote":"2001:db8::2"}`},
	{"type: geneve; vid: 5; peeraddr: 192.0.2.2; ttl: 7; df: set", `- geneve {"df":"set","id":5,"remote":"192.0.2.2","ttl":7}`,
		"vid: 6", `- geneve {"df":"set","id":6,"remote":"192.0.2.2","ttl":7}`},
	{"type: ifb", `- ifb {}`, "txqueuelen: 50", `- ifb {}`},
}

// TestEveryKind: a device of each type is made, up, and as ip(8) shows it. What differs in
// the next declaration is changed, and what is declared no longer goes.
func TestEveryKind(t *testing.T) {
	for _, tt := range declaredKinds {
		kind := strings.Fields(tt.shows)[1]
		t.Run(tt.options[:strings.Index(tt.options+";", ";")], func(t *testing.T) {
			netnstest.Need(t)
			netnstest.NeedKind(t, kind)
			d := newDevice(t)
			cables := []network.Section{section("device", "v0", "type: veth", "peer_name: v1"), section("device", "w0", "type: veth", "peer_name: w1"),
				section("interface", "far", "device: v1", "proto: none"), section("interface", "beyond", "device: w1", "proto: none")}
			declare := func(options string) {
				t.Helper()
				d.declare(append(cables, section("device", "x", strings.Split(options, "; ")...),
					section("interface", "lan", "device: x", "proto: static", "ipaddr: 198.51.100.1/24", "force_link: 1"))...)
				d.await("lan", true, "x", "198.51.100.1/24")
			}
			declare(tt.options)
			checkData(t, "x", tt.shows)
			var options []string
			name, _, _ := strings.Cut(tt.change, ":")
			for _, option := range strings.Split(tt.options, "; ") {
				if !strings.HasPrefix(option, name+":") {
					options = append(options, option)
				}
			}
			declare(strings.Join(append(options, tt.change), "; "))
			checkData(t, "x", tt.then)
			d.declare(cables...)
			awaitGone(t, "x")
		})
	}
}

// checkData compares what ip(8) shows of a link, as far as want has keys of it.
func checkData(t *testing.T, name, want string) {
	t.Helper()
	var all []struct {
		Link string `json:"link"`
		Info struct {
			Kind string         `json:"info_kind"`
			Data map[string]any `json:"info_data"`
		} `json:"linkinfo"`
	}
	out, err := exec.Command("ip", "-d", "-j", "link", "show", "dev", name).Output()
	if err == nil {
		err = json.Unmarshal(out, &all)
	}
	if err != nil || len(all) != 1 {
		t.Fatalf("%v in %s", err, out)
	}
	words := strings.SplitN(want, " ", 3)
	var keys map[string]any
	if err := json.Unmarshal([]byte(words[2]), &keys); err != nil {
		t.Fatal(err)
	}
	shown := map[string]any{}
	for key := range keys {
		shown[key] = all[0].Info.Data[key]
	}
	below := all[0].Link
	if below == "" {
		below = "-"
	}
	data, err := json.Marshal(shown)
	if got := fmt.Sprintf("%s %s %s", below, all[0].Info.Kind, data); err != nil || got != want {
		t.Errorf("ip shows\n%s\nwant\n%s\nof %s", got, want, out)
	}
}

// awaitGone waits at most a second until ip(8) does not show a link any more.
func awaitGone(t *testing.T, name string) {
	t.Helper()
	for end := time.Now().Add(time.Second); shown(t, name).Name != ""; {
		if time.Now().After(end) {
			t.Fatalf("%s is still there", name)
		}
	}
}

// TestVLANByItsName: the VLANs of names such as v0.10 and v0.10.20 are made by
// themselves, and go when nothing names them any longer.
func TestVLANByItsName(t *testing.T) {
	netnstest.Need(t)
	netnstest.NeedKind(t, "vlan")
	d := newDevice(t)
	cable := section("device", "v0", "type: veth", "peer_name: v1")
	d.declare(cable, section("interface", "far", "device: v1", "proto: none"),
		section("interface", "inner", "device: v0.10.20", "proto: static", "ipaddr: 198.51.100.1/24"))
	d.await("inner", true, "v0.10.20", "198.51.100.1/24")
	checkData(t, "v0.10.20", `v0.10 vlan {"id":20,"protocol":"802.1Q"}`)
	checkData(t, "v0.10", `v0 vlan {"id":10,"protocol":"802.1Q"}`)
	d.declare(cable, section("interface", "outer", "device: v0.10", "proto: static", "ipaddr: 198.51.100.2/24"))
	d.await("outer", true, "v0.10", "198.51.100.2/24")
	awaitGone(t, "v0.10.20")
}
