package network

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// samples are options in sections that are right, and what is around them. The last
// section is the one that has the option.
var samples = []struct{ around, section, options string }{
	{"device name=p", "device name=eth0",
		"mtu=1400 macaddr=02:00:00:00:00:01 txqueuelen=0 promisc=0 multicast=off match.mac=02:00:00:00:00:02 enabled=no type=dummy"},
	{"", "device name=eth0", "ipv6=0 ipv6=1 mtu6=1280 rpfilter=strict rpfilter=loose rpfilter=0 acceptlocal=1 sendredirects=0 arp_accept=1"},
	{"", "device name=eth0", "drop_gratuitous_arp=1 drop_unsolicited_na=1 drop_v4_unicast_in_l2_multicast=1 drop_v6_unicast_in_l2_multicast=1 ip6segmentrouting=1"},
	{"", "device name=eth0", "igmpversion=2 mldversion=1 neighreachabletime=30000 neighgcstaletime=60 neighlocktime=100 dadtransmits=0"},
	{"", "device name=br0 type=bridge", "ports=[eth1,eth2] ports=eth1_eth2 ifname=eth1_eth2 ports=[] bridge_empty=1 stp=1 stp=0 forward_delay=4 hello_time=2 max_age=20 ageing_time=300"},
	{"", "device name=br0 type=bridge", "priority=32767 vlan_filtering=1 igmp_snooping=0 multicast_querier=1 hash_max=512"},
	{"", "device name=br0 type=bridge", "robustness=3 query_interval=6000 query_interval=200 query_response_interval=500 last_member_interval=50"},
	{"device name=br0 type=bridge ports=eth1", "device name=eth1", "learning=0 unicast_flood=0 broadcast_flood=0 isolate=1 multicast_to_unicast=1 multicast_router=2 multicast_fast_leave=1"},
	{"", "device name=v0 type=veth", "peer_name=v1 peer_macaddr=02:00:00:00:00:03"},
	{"", "device name=m0 type=macvlan ifname=eth0", "mode=private mode=vepa mode=bridge mode=passthru"},
	{"", "device name=m0 type=macvlan", "parent=eth0"},
	{"", "device name=v0 type=8021q ifname=eth0", "vid=10 id=10"},
	{"", "device name=v0 type=8021ad vid=10", "ifname=eth0"},
	{"", "device name=v0 type=8021q ifname=eth0 vid=10", "ingress_qos_mapping=[1:2,3:4] egress_qos_mapping=5:6 reorder_hdr=0 gvrp=1 mvrp=1 loose_binding=1 bridge_binding=1"},
	{"", "device name=b0 type=bonding", "ports=[eth0,eth1] slaves=eth0_eth1 ifname=eth0"},
	{"", "device name=b0 type=bonding ports=[eth0,eth1]", "policy=balance-rr policy=broadcast mode=active-backup monitor_interval=100 miimon=100 use_carrier=0"},
	{"", "device name=b0 type=bonding ports=[eth0,eth1] monitor_interval=100", "updelay=200 downdelay=300 peer_notif_delay=100"},
	{"", "device name=b0 type=bonding ports=eth0 monitor_interval=100 arp_target=192.0.2.1", "monitor_mode=arp monitor_mode=mii"},
	{"", "device name=b0 type=bonding ports=eth0 monitor_interval=100 monitor_mode=arp arp_target=192.0.2.1", "ns_ip6_target=2001:db8::1 arp_all_targets=all arp_validate=filter arp_missed_max=3"},
	{"", "device name=b0 type=bonding ports=eth0", "arp_target=[192.0.2.1,192.0.2.2] arp_ip_target=192.0.2.1"},
	{"", "device name=b0 type=bonding ports=[eth0,eth1] policy=active-backup", "primary=eth0 primary_reselect=failure failover_mac=active fail_over_mac=follow all_ports_active=1 all_slaves_active=0"},
	{"", "device name=b0 type=bonding ports=[eth0,eth1] policy=active-backup", "resend_igmp=2 num_peer_notif=2 num_grat_arp=2 lp_interval=5"},
	{"", "device name=b0 type=bonding ports=[eth0,eth1]", "packets_per_port=5 packets_per_slave=0 min_links=1"},
	{"", "device name=b0 type=bonding ports=[eth0,eth1] policy=balance-tlb", "dynamic_lb=0 tlb_dynamic_lb=1"},
	{"", "device name=b0 type=bonding ports=[eth0,eth1] policy=802.3ad", "xmit_hash_policy=layer3+4 xmit_hash_policy=vlan+srcmac lacp_rate=fast lacp_active=0 ad_select=bandwidth"},
	{"", "device name=b0 type=bonding ports=[eth0,eth1] policy=802.3ad", "ad_actor_sys_prio=100 ad_actor_system=02:00:00:00:00:05 ad_user_port_key=7 coupled_control=0 broadcast_neighbor=1"},
	{"", "device name=r0 type=vrf", "table=10 table=main"},
	{"", "device name=r0 type=vrf table=10", "ports=[eth0,eth1] ifname=eth0"},
	{"", "device name=m0 type=macvtap ifname=eth0", "mode=bridge"},
	{"", "device name=i0 type=ipvlan ifname=eth0", "mode=l2 mode=l3 mode=l3s flags=bridge flags=private flags=vepa"},
	{"", "device name=t0 type=gre ipaddr=192.0.2.1", "peeraddr=192.0.2.2 remote=192.0.2.2 tunlink=eth0 link=eth0 ttl=64 tos=0x10 tos=inherit df=0 df=1 fwmark=0x5"},
	{"", "device name=t0 type=gretap peeraddr=192.0.2.2", "ipaddr=192.0.2.1 local=192.0.2.1 ikey=1 okey=2 icsum=1 ocsum=0 iseqno=1 oseqno=1"},
	{"", "device name=t0 type=ip6gre peeraddr=2001:db8::2", "ip6addr=2001:db8::1 tos=0x10 encaplimit=4 encaplimit=none okey=7"},
	{"", "device name=t0 type=ip6gretap ipaddr=2001:db8::1", "peer6addr=2001:db8::2 ttl=9"},
	{"", "device name=t0 type=ip6tnl ipaddr=2001:db8::1", "mode=any mode=ip6ip6 mode=ipip6 tos=32 encaplimit=none fwmark=1"},
	{"", "device name=t0 type=ipip ipaddr=192.0.2.1", "mode=ipip mode=any mode=mplsip"},
	{"", "device name=t0 type=sit ipaddr=192.0.2.1", "mode=ip6ip mode=any ip6prefix=2001:db8::/32"},
	{"", "device name=t0 type=sit ipaddr=192.0.2.1 ip6prefix=2001:db8::/32", "ip4prefixlen=24"},
	{"", "device name=t0 type=vti ipaddr=192.0.2.1", "ikey=1 okey=2 fwmark=3"},
	{"", "device name=t0 type=vti6 ipaddr=2001:db8::1", "ikey=1"},
	{"", "device name=g0 type=geneve peeraddr=192.0.2.1", "vid=5 id=5"},
	{"", "device name=g0 type=geneve vid=5", "peeraddr=192.0.2.1 remote=2001:db8::1 peer6addr=2001:db8::1"},
	{"", "device name=g0 type=geneve vid=5 peeraddr=192.0.2.1", "port=6082 ttl=64 tos=16 tos=inherit df=set df=inherit txcsum=1 rxcsum=0"},
	{"", "device name=f0", "type=ifb"},
	{"", "device name=x0 type=vxlan", "vid=42 id=42"},
	{"", "device name=x0 type=vxlan vid=42", "peeraddr=192.0.2.1 remote=2001:db8::1 peer6addr=2001:db8::1 ipaddr=192.0.2.2 local=192.0.2.2 ip6addr=2001:db8::2 tunlink=eth0 link=eth0"},
	{"", "device name=x0 type=vxlan vid=42", "port=8472 ttl=64 tos=0x10 tos=inherit learning=0 ageing=60 maxaddress=10 proxy=1 rsc=1 l2miss=1 l3miss=1 gbp=1 txcsum=0 rxcsum=0"},
	{"", "device name=x0 type=vxlan vid=42 srcportmax=2000", "srcportmin=1000"},
	{"", "device name=x0 type=vxlan vid=42 srcportmin=1000", "srcportmax=2000"},
	{"device name=br0 type=bridge ports=x0", "device name=x0 type=vxlan vid=42", "port_learning=0"},

	{"", "device mtu=1400", "name=eth0"},
	{"", "interface device=eth0", "name=lan"},
	{"", "interface name=lan", "device=eth0 ifname=eth0"},
	{"", "interface name=lan device=eth0", "proto=dhcp proto=none disabled=1 auto=0 force_link=1 carrier_loss_delay=5 metric=10 defaultroute=0 peerdns=0 ip4table=100 ip4table=local ip6table=100"},
	{"", "interface name=lan device=eth0", "dns=192.0.2.53_2001:db8::53 dns=[127.0.0.1] dns_search=[example.org] dns_metric=5"},
	{"", "interface name=lan device=eth0 proto=static ip6addr=2001:db8::7/64", "ipaddr=[192.0.2.7/24,198.51.100.7/255.255.255.0] force_link=0"},
	{"", "interface name=lan device=eth0 proto=static ipaddr=192.0.2.7", "netmask=255.255.255.0 netmask=24"},
	{"", "interface name=lan device=eth0 proto=static ipaddr=192.0.2.7/24", "ip6addr=2001:db8::7/64 ip6addr=2001:db8::7 broadcast=192.0.2.255 broadcast=255.255.255.255 ptpaddr=198.51.100.1 gateway=192.0.2.1"},
	{"", "interface name=lan device=eth0 proto=static ip6addr=2001:db8::7/64", "ip6gw=2001:db8::1 ip6gw=fe80::1"},
	{"", "interface name=loopback device=lo proto=static netmask=255.0.0.0", "ipaddr=127.0.0.1"},
	{"", "interface name=wan device=eth0 proto=dhcp", "hostname=printer hostname=* clientid=0102Ff vendorid=a_b"},

	{"interface name=lan device=eth0 proto=none metric=7 ip4table=100 ip6table=200", "route target=10.0.0.0/8", "interface=lan"},
	{"interface name=lan device=eth0 proto=none metric=7 ip4table=100 ip6table=200", "route interface=lan", "target=10.1.2.3/8 target=10.0.0.1 target=0.0.0.0/0 target=2001:db8::/32 target=::/0"},
	{"interface name=lan device=eth0 proto=none", "route interface=lan target=10.0.0.0", "netmask=255.0.0.0 netmask=8"},
	{"interface name=lan device=eth0 proto=none", "route interface=lan target=10.0.0.0/8", "gateway=192.0.2.1 metric=0 metric=5 mtu=1400 table=main table=10 source=192.0.2.7 type=blackhole type=unicast type=local type=broadcast type=anycast type=multicast type=unreachable type=prohibit type=throw disabled=1"},
	{"interface name=lan device=eth0 proto=none", "route interface=lan target=10.0.0.0/8 gateway=192.0.2.1", "onlink=1"},

	{"interface name=lan device=eth0", "rule lookup=100", "in=lan out=lan src=192.0.2.0/24 src=2001:db8::1 dest=10.0.0.1/8 dest=0.0.0.0/0 family=ipv6 family=ipv4 invert=1 priority=0 priority=999 tos=0x10 tos=16"},
	{"", "rule lookup=100", "mark=0x1/0xff mark=5 uidrange=1000-2000 uidrange=0 ipproto=tcp ipproto=89 sport=80 sport=1024-2048 dport=53 suppress_prefixlength=0 disabled=1"},
	{"rule lookup=100\nrule lookup=100 family=ipv6", "rule", "lookup=main lookup=1000 goto=30000 action=prohibit action=unreachable action=blackhole"},

	{"interface name=lan device=eth0", "neighbour ipaddr=192.0.2.9 mac=02:00:00:00:00:09", "interface=lan"},
	{"interface name=lan device=eth0", "neighbour interface=lan mac=02:00:00:00:00:09", "ipaddr=192.0.2.9 ipaddr=2001:db8::9"},
	{"interface name=lan device=eth0", "neighbour interface=lan ipaddr=192.0.2.9 proxy=1", "mac=02:00:00:00:00:09"},
	{"interface name=lan device=eth0", "neighbour interface=lan ipaddr=192.0.2.9 mac=02:00:00:00:00:09", "proxy=1 router=1 disabled=1"},
}

// TestEveryOption: what each option sets stands in testdata/options.golden, which a person
// has looked through; -update writes it.
func TestEveryOption(t *testing.T) {
	var b strings.Builder
	tried := map[string]bool{}
	for _, sample := range samples {
		kind, _, _ := strings.Cut(sample.section, " ")
		before, _ := Read(parse(sample.around + "\n" + sample.section))
		for _, option := range strings.Fields(sample.options) {
			name, _, _ := strings.Cut(option, "=")
			tried[kind+" "+name] = true
			after := mustRead(t, sample.around+"\n"+sample.section+" "+option)
			fmt.Fprintf(&b, "%s | %s\n", sample.section, option)
			had := lines(before)
			for _, line := range lines(after) {
				if !slices.Contains(had, line) {
					b.WriteString("\t" + line + "\n")
				}
			}
			for _, line := range had {
				if !slices.Contains(lines(after), line) {
					b.WriteString("\tno longer " + line + "\n")
				}
			}
		}
	}
	for _, part := range parts {
		for _, o := range Options(part.kind) {
			for _, name := range append([]string{o.Name}, o.Others...) {
				if !tried[part.kind+" "+name] {
					t.Errorf("no sample has the option %s of a %s", name, part.kind)
				}
			}
		}
	}
	golden := filepath.Join("testdata", "options.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("-golden +read:\n%s", diff)
	}
}
