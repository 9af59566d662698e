package kernel

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

// TestNeighbours compares every field with ip(8)'s output for the same neighbours.
func TestNeighbours(t *testing.T) {
	cable(t)
	netnstest.Lines(t, `
		ip neigh add 192.0.2.50 lladdr 02:00:00:00:00:0A dev v0 nud permanent
		ip neigh add 192.0.2.51 lladdr 02:00:00:00:00:0b dev v0 nud reachable protocol zebra
		ip neigh add 192.0.2.54 lladdr 02:00:00:00:00:0e dev v0 nud none
		ip neigh add 192.0.2.55 lladdr 02:00:00:00:00:0f dev v0 nud stale extern_learn
		ip neigh add 192.0.2.56 dev v0 nud failed
		ip neigh add 2001:db8::9 lladdr 02:00:00:00:00:0c dev v0 nud stale router
		ip neigh add 2001:db8::a lladdr 02:00:00:00:00:0c dev v0 nud permanent managed`)
	var got []shape
	for _, n := range observe(t, state.PartNeighbours, func(s *state.State) []state.Neighbour { return s.Neighbours }) {
		got = append(got, ipNeighbour(n))
	}
	sameSet(t, withoutTimes(witness(t, "ip", "-j", "-d", "-s", "neigh", "show", "nud", "all")), got)
}

// TestNeighboursThatNobodyIs compares the neighbours that Read leaves out.
func TestNeighboursThatNobodyIs(t *testing.T) {
	cable(t)
	netnstest.Lines(t, `
		ip neigh add 192.0.2.53 lladdr 02:00:00:00:00:0d dev v0 nud noarp
		ip neigh add proxy 192.0.2.60 dev v0
		ip neigh add proxy 2001:db8::60 dev v1`)
	want := slices.Concat(
		withoutTimes(witness(t, "ip", "-j", "-d", "-s", "-4", "neigh", "show", "nud", "noarp")),
		witness(t, "ip", "-j", "-d", "neigh", "show", "proxy"))
	var got []shape
	for _, n := range slices.Concat(dumpNeighbours(t, &rtnl.Neighbour{Family: unix.AF_INET}), dumpNeighbours(t, &rtnl.Neighbour{Flags: unix.NTF_PROXY})) {
		got = append(got, ipNeighbour(newNeighbour(&n, func(index uint32) string {
			link, err := net.InterfaceByIndex(int(index))
			if err != nil {
				t.Fatal(err)
			}
			return link.Name
		})))
	}
	sameSet(t, want, got)
}

func dumpNeighbours(t *testing.T, request *rtnl.Neighbour) []rtnl.Neighbour {
	t.Helper()
	c, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	b, err := request.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	messages, err := c.Execute(netlink.Message{Header: netlink.Header{Type: unix.RTM_GETNEIGH, Flags: netlink.Request | netlink.Dump}, Data: b})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]rtnl.Neighbour, len(messages))
	for i, m := range messages {
		if err := out[i].UnmarshalBinary(m.Data); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// withoutTimes removes times, which pass between the witness and us, and multicast
// entries, which the kernel adds at times of its own.
func withoutTimes(all []shape) []shape {
	for _, one := range all {
		for _, key := range []string{"used", "confirmed", "updated"} {
			delete(one, key)
		}
	}
	return slices.DeleteFunc(all, func(s shape) bool { return strings.HasPrefix(fmt.Sprint(s["dst"]), "ff") })
}

// ipNeighbour writes a neighbour as ip(8) does.
func ipNeighbour(n state.Neighbour) shape {
	s := shape{"dst": n.Address.String(), "dev": n.Iface}
	put := func(key string, there bool, value any) {
		if there {
			s[key] = value
		}
	}
	put("lladdr", n.HardwareAddress != nil && n.State != 0, n.HardwareAddress)
	put("proxy", n.Proxy, nil)
	put("router", n.Router, nil)
	put("extern_learn", slices.Contains(n.Flags.Names(), "extern_learn"), nil)
	put("managed", slices.Contains(n.ExtFlags.Names(), "managed"), nil)
	put("protocol", n.Protocol != nil, n.Protocol)
	put("probes", n.Probes != nil, n.Probes)
	put("refcnt", n.References != nil && *n.References != 0, n.References)
	put("state", n.State != 0, strings.Fields(strings.ToUpper(strings.Join(n.State.Names(), " "))))
	return s
}

// TestNeighbourTimes checks that a neighbour that was just added was updated just
// now.
func TestNeighbourTimes(t *testing.T) {
	cable(t)
	netnstest.Run(t, "ip", "neigh", "add", "192.0.2.50", "lladdr", "02:00:00:00:00:0A", "dev", "v0", "nud", "reachable")
	for _, n := range observe(t, state.PartNeighbours, func(s *state.State) []state.Neighbour { return s.Neighbours }) {
		if n.Address != netip.MustParseAddr("192.0.2.50") {
			continue
		}
		for _, ago := range []*uint32{n.Used, n.Updated, n.Confirmed} {
			if ago == nil || *ago > 5 {
				t.Errorf("got %+v", n)
			}
		}
		return
	}
	t.Error("not there")
}

// TestFDB compares every field with bridge(8)'s output for the same entries.
func TestFDB(t *testing.T) {
	cable(t)
	netnstest.Lines(t, `
		ip link add br0 type bridge
		ip link add vx0 type vxlan id 42 local 192.0.2.1 dstport 4789
		ip link add vx1 type vxlan external dstport 4790
		ip link set vx0 addrgenmode none master br0
		ip link set br0 addrgenmode none up
		ip link set vx0 up
		ip link set vx1 addrgenmode none up
		ip nexthop add id 12 via 192.0.2.12 fdb
		ip nexthop add id 15 group 12 fdb
		bridge fdb add 02:00:00:00:01:01 dev vx0 dst 192.0.2.99 vni 43 via v0 port 8472
		bridge fdb add 02:00:00:00:01:02 dev vx0 master static
		bridge fdb add 02:00:00:00:01:03 dev br0 self
		bridge fdb add 02:00:00:00:01:04 dev vx0 master dynamic sticky
		bridge fdb add 02:00:00:00:01:05 dev v0 self
		bridge fdb add 02:00:00:00:01:06 dev vx0 nhid 15
		bridge fdb add 02:00:00:00:01:07 dev vx0 master extern_learn dynamic
		bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.0.2.98
		bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.0.2.97
		bridge fdb add 02:00:00:00:01:08 dev vx1 src_vni 7 dst 192.0.2.96 vni 8 dynamic`)
	t.Cleanup(func() { netnstest.Lines(t, "ip link del vx0\nip link del vx1\nip link del br0") })
	want := withoutTimes(witness(t, "bridge", "-j", "-d", "-s", "fdb"))
	for _, e := range want {
		delete(e, "nh_info") // belongs to the nexthop object
	}
	var got []shape
	for _, e := range observe(t, state.PartFDB, func(s *state.State) []state.FDBEntry { return s.FDB }) {
		got = append(got, bridgeEntry(e))
	}
	sameSet(t, want, got)
}

// bridgeEntry writes a forwarding entry as bridge(8) does.
func bridgeEntry(e state.FDBEntry) shape {
	state := e.State
	if state == "dynamic" {
		state = ""
	}
	s := shape{"mac": e.MAC.String(), "ifname": e.Iface, "flags": append(e.Flags.Names(), e.ExtFlags.Names()...), "state": state}
	put := func(key string, there bool, value any) {
		if there {
			s[key] = value
		}
	}
	put("master", e.Controller != "", e.Controller)
	put("dst", e.Remote.IsValid(), e.Remote)
	put("vlan", e.VLAN != nil, e.VLAN)
	put("vni", e.VNI != nil, e.VNI)
	put("src_vni", e.SourceVNI != nil, e.SourceVNI)
	put("port", e.Port != nil, e.Port)
	put("viaIf", e.Through != "", e.Through)
	put("linkNetNsId", e.NetNSID != nil, e.NetNSID)
	put("nhid", e.NexthopID != 0, e.NexthopID)
	return s
}

// TestNeighbourJSON checks that a neighbour is read back from its JSON unchanged. The
// messages contain values that this machine's kernel does not send.
func TestNeighbourJSON(t *testing.T) {
	neighbour := newNeighbour(&rtnl.Neighbour{
		Family: unix.AF_INET6, Index: 3, State: unix.NUD_STALE, Flags: unix.NTF_ROUTER, ExtendedFlags: 1, Address: netip.MustParseAddr("fe80::1"), MAC: []byte{2, 0, 0, 0, 0, 10},
		Cache: &rtnl.NeighbourCache{Confirmed: 100, Used: 250, Updated: 399, References: 4}, Probes: new(uint32(0)), Details: &rtnl.NeighbourDetails{Protocol: new(uint8(2))},
	}, always("eth0"))
	learned := newFDBEntry(&rtnl.Neighbour{
		Family: unix.AF_BRIDGE, Index: 3, State: unix.NUD_REACHABLE, Master: 5, ExtendedFlags: 2, MAC: []byte{2, 0, 0, 0, 0, 10}, Cache: &rtnl.NeighbourCache{Used: 250, Updated: 399},
		Details: &rtnl.NeighbourDetails{VLAN: new(uint16(10)), FDB: &rtnl.FDBActivity{Notify: new(uint8(1))}},
	}, always("eth0"))
	far := newFDBEntry(&rtnl.Neighbour{
		Family: unix.AF_BRIDGE, Index: 3, State: unix.NUD_DELAY, Flags: unix.NTF_SELF, NexthopID: 7, Address: netip.MustParseAddr("192.0.2.1"), MAC: []byte{2, 0, 0, 0, 0, 10},
		Details: &rtnl.NeighbourDetails{Port: new(uint16(4789)), VNI: new(uint32(0)), SourceVNI: new(uint32(7)), Through: new(uint32(9)), NetNSID: new(int32(0)), Protocol: new(uint8(186))},
	}, func(index uint32) string { return map[uint32]string{3: "vx0", 9: "wrong: in another namespace"}[index] })
	tests := []struct {
		name   string
		object any
		text   string
	}{
		{"neighbour", neighbour, `{"address_family":"ipv6","dst":"fe80::1","iface":"eth0","lladdr":"02:00:00:00:00:0a","state":["stale"],"flags":["router"],"ext_flags":["managed"],` +
			`"router":true,"proxy":false,"protocol":"kernel","probes":0,"confirmed":1,"used":2,"updated":3,"refcnt":4}`},
		{"unresolved neighbour", newNeighbour(&rtnl.Neighbour{Family: unix.AF_INET, Index: 3, State: unix.NUD_INCOMPLETE, Address: netip.MustParseAddr("10.0.0.1")}, always("eth0")),
			`{"address_family":"ipv4","dst":"10.0.0.1","iface":"eth0","state":["incomplete"],"flags":[],"router":false,"proxy":false}`},
		{"entry of a bridge", learned, `{"mac":"02:00:00:00:00:0a","iface":"eth0","controller":"eth0","vlan":10,"flags":[],"ext_flags":["locked"],"state":"dynamic","activity_notify":1,"used":2,"updated":3}`},
		{"entry of a VXLAN", far, `{"mac":"02:00:00:00:00:0a","iface":"vx0","dst":"192.0.2.1","vni":0,"src_vni":7,"port":4789,"via":"9","link_netnsid":0,"nexthop_id":7,"flags":["self"],"state":"8","protocol":"bgp"}`},
		{"nexthop", newNexthop(&rtnl.Nexthop{Family: unix.AF_INET, Scope: 253, Protocol: 78, ID: 7, OutIndex: 3, EncapType: new(uint16(4))}, always("eth0")),
			`{"id":7,"address_family":"ipv4","scope":"link","protocol":"78","flags":[],"oif":"eth0","blackhole":false,"fdb":false,"encap":"ip6"}`},
		{"group of nexthops", newNexthop(&rtnl.Nexthop{ID: 9, Group: []rtnl.NexthopMember{{ID: 7, Weight: 1<<16 - 1}}, GroupType: new(uint16(1)),
			Resilient: &rtnl.ResilientGroup{Buckets: 16, IdleTimer: 150, UnbalancedTimer: 100, UnbalancedTime: 1}}, func(uint32) string { return "" }),
			`{"id":9,"scope":"universe","protocol":"unspec","flags":[],"blackhole":false,"fdb":false,"group":[{"id":7,"weight":65536}],"group_type":"resilient",` +
				`"resilient":{"buckets":16,"idle_timer":1.5,"unbalanced_timer":1,"unbalanced_time":0.01}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b, err := json.Marshal(test.object)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.text, string(b)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again := reflect.New(reflect.TypeOf(test.object))
			if err := json.Unmarshal(b, again.Interface()); err != nil || !reflect.DeepEqual(test.object, again.Elem().Interface()) {
				t.Errorf("read back: %+v, %v", again.Elem(), err)
			}
		})
	}
}
