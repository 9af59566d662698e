//go:build lab

package lab

// kindsToMake is a batch of ip(8). It creates the kinds of links that few kernels
// have, with settings that differ from the kernel's defaults, and objects that refer
// to them.
const kindsToMake = `
	link add d0 type dummy
	link add d1 type dummy
	link add d2 type dummy
	link add d3 type dummy
	link add d4 type dummy
	link set d0 up
	link set d1 up
	link set d2 up
	link set d3 up
	address add 192.0.2.1/24 dev d0
	address add fd00::1/64 dev d0 nodad

	link add p1 type veth peer name q1
	link add p2 type veth peer name q2
	link add p3 type veth peer name q3
	link add p4 type veth peer name q4
	link add name active-backup type bond mode active-backup miimon 100 updelay 200 downdelay 300 peer_notify_delay 400 use_carrier 0 primary_reselect failure fail_over_mac active num_grat_arp 3 resend_igmp 2 all_slaves_active 1 min_links 1 lp_interval 9
	link set p1 master active-backup
	link set p2 master active-backup
	link set active-backup type bond primary p1
	link set p1 type bond_slave queue_id 2 prio 7
	link add name arp-monitor type bond mode active-backup arp_interval 500 arp_ip_target 192.0.2.9,192.0.2.10 arp_validate filter_backup arp_all_targets all arp_missed_max 4 ns_ip6_target fd00::9,fd00::10
	link add name lacp type bond mode 802.3ad miimon 50 lacp_rate fast ad_select bandwidth ad_actor_sys_prio 100 ad_user_port_key 7 ad_actor_system 02:00:00:00:00:01 xmit_hash_policy layer3+4 lacp_active off
	link set p3 master lacp
	link set p4 master lacp
	link add name round-robin type bond mode balance-rr packets_per_slave 5
	link add name xor type bond mode balance-xor xmit_hash_policy vlan+srcmac
	link add name broadcast type bond mode broadcast
	link add name tlb type bond mode balance-tlb tlb_dynamic_lb 0
	link add name alb type bond mode balance-alb
	link set q1 up
	link set q2 up
	link set q3 up
	link set q4 up
	link set active-backup up
	link set lacp up

	link add e1 type veth peer name f1
	link add e2 type veth peer name f2
	link add name br0 type bridge vlan_filtering 1 vlan_default_pvid 5 vlan_stats_enabled 1 vlan_stats_per_port 1
	link add name br1 type bridge vlan_filtering 1 vlan_protocol 802.1ad
	link set e1 master br0
	link set e2 master br0
	link set e1 up
	link set e2 up
	link set br0 up

	link add link d0 name v10 type vlan id 10 reorder_hdr off gvrp on loose_binding on ingress-qos-map 1:2 3:4 egress-qos-map 5:6 0:7
	link add link d0 name v20 type vlan proto 802.1ad id 20 mvrp on
	link add link br0 name v30 type vlan id 30 bridge_binding on

	link add red type vrf table 1010
	link set d1 master red
	link set red up

	link add link d0 name ipvlan type ipvlan mode l3s vepa
	link add link d2 name ipvtap type ipvtap mode l2 private

	link add gre1 type gre local 192.0.2.1 remote 192.0.2.2 dev d0 ttl 64 tos 0x10 ikey 1 okey 3221225985 icsum oseq fwmark 9
	link add gre2 type gre key 5 iseq ocsum nopmtudisc tos inherit
	link add gretap1 type gretap local 192.0.2.1 remote 192.0.2.3 encap fou encap-sport auto encap-dport 5555 encap-csum nopmtudisc ignore-df
	link add gretap2 type gretap external
	link add gre6 type ip6gre local fd00::1 remote fd00::2 dev d0 hoplimit 9 encaplimit 5 tclass 0x20 flowlabel 0x12345 key 7
	link add gretap6 type ip6gretap local fd00::1 remote fd00::3 hoplimit 10 encaplimit none tclass inherit flowlabel inherit dscp inherit fwmark inherit allow-localremote
	link add erspan1 type erspan local 192.0.2.1 remote 192.0.2.4 seq key 30 erspan_ver 1 erspan 123
	link add erspan6 type ip6erspan local fd00::1 remote fd00::4 seq key 31 erspan_ver 2 erspan_dir egress erspan_hwid 17
	link add ipip1 type ipip local 192.0.2.1 remote 192.0.2.5 dev d0 ttl 5 tos inherit encap gue encap-sport 7000 encap-dport 6080 encap-remcsum
	link add ipip2 type ipip external
	link add ipip3 type ipip mode any local 192.0.2.1 remote 192.0.2.50 nopmtudisc
	link add ipip4 type ipip mode mplsip local 192.0.2.1 remote 192.0.2.51
	link add sit1 type sit local 192.0.2.1 remote 192.0.2.6 mode ip6ip ttl 64 fwmark 3
	link add sit2 type sit local 192.0.2.1 6rd-prefix 2001:db8::/32 6rd-relay_prefix 192.0.0.0/8
	link add sit3 type sit local 192.0.2.11 isatap
	link add tnl1 type ip6tnl mode ip6ip6 local fd00::1 remote fd00::5 dev d0 hoplimit 7 encaplimit 3 tclass 0x10 flowlabel 0x54321 fwmark 4
	link add tnl2 type ip6tnl mode ipip6 local fd00::1 remote fd00::6 encaplimit none tclass inherit flowlabel inherit dscp inherit allow-localremote fwmark inherit encap fou encap-sport auto encap-dport 5556 encap-csum encap-remcsum
	link add tnl3 type ip6tnl external
	link add vti1 type vti local 192.0.2.1 remote 192.0.2.7 dev d0 ikey 1 okey 2 fwmark 5
	link add vti2 type vti6 local fd00::1 remote fd00::7 key 3
	link add xfrm1 type xfrm dev d0 if_id 42
	link add xfrm2 type xfrm external
	link add geneve1 type geneve id 5 remote 192.0.2.8 ttl 7 tos 0x20 dstport 6082 noudpcsum df set
	link add geneve2 type geneve id 6 remote fd00::8 ttl inherit flowlabel 0x123 udp6zerocsumtx udp6zerocsumrx innerprotoinherit
	link add geneve3 type geneve external dstport 6083
	link add link d3 name macsec1 type macsec port 11 cipher gcm-aes-256 icvlen 12 encrypt on send_sci off end_station on encodingsa 2 validate check replay on window 32
	link add link d4 name macsec2 type macsec sci 02000000000a0007 protect off validate disabled
	macsec add macsec1 tx sa 0 pn 1 on key 01 ` + macsecKey + `
	link add ifb1 type ifb
	link add vcan1 type vcan
	link add wg0 type wireguard
	link add wg1 type wireguard

	nexthop add id 5 via fd00::70 dev d0
	nexthop add id 6 via 192.0.2.71 dev d0 onlink
	nexthop add id 7 via 192.0.2.70 dev d0
	nexthop add id 8 group 7,3/6,5
	nexthop add id 9 blackhole
	nexthop add id 10 group 7/6 type resilient buckets 8 idle_timer 60 unbalanced_timer 300
	route add 203.0.113.0/24 nhid 8
	route add 203.0.114.0/24 nhid 7
	route add fd01::/64 nhid 5
	route add 198.51.100.0/24 dev d1 vrf red
	route add unreachable default metric 4278198272 vrf red
	route add 198.51.102.0/24 nexthop via 192.0.2.72 dev d0 weight 256 nexthop dev d2
	route add fd02::/64 encap seg6 mode encap segs fd00::90 dev d0
	rule add l3mdev priority 1500
	rule add iif red priority 1600 unreachable
	rule add from 192.0.2.0/24 to 198.51.100.7 oif red lookup 1010 priority 1700
`

// vlansToMake is a batch of bridge(8).
const vlansToMake = `
	vlan add dev e1 vid 2-4094
	vlan add dev e1 vid 10 pvid untagged
	vlan add dev e2 vid 7
	vlan add dev br0 vid 11 self
	vlan add dev br0 vid 20-30 self
`

// These keys must not be shown anywhere. A public key belongs to the private one.
const (
	macsecKey           = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
	wireguardPrivateKey = "QMfzxdQ6kZNzYbZGIFmq1tVY2hj/Cm7G3sgQxYVLn1E="
	wireguardSharedKey  = "c2hhcmVkIGtleSB0aGF0IGhhcyAzMiBieXRlcyBpbmM="
	wireguardPeerKey    = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
)

// wireguardPeer holds the arguments of wg(8) behind the keys.
const wireguardPeer = "allowed-ips 10.0.0.0/8,fd00:a::/64 endpoint 192.0.2.99:51821 persistent-keepalive 25"
