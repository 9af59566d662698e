package rtnl

import (
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/netnstest"

	"github.com/netconnectd/netconnectd/state"
)

// ip runs one ip(8) command for each line.
func ip(t *testing.T, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if out, err := exec.Command("ip", fields...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", strings.TrimSpace(line), err, out)
		}
	}
}

func showAll(t *testing.T, name string) map[string]any {
	t.Helper()
	out, err := exec.Command("ip", "-d", "-j", "-s", "link", "show", "dev", name).Output()
	var links []map[string]any
	if err == nil {
		err = json.Unmarshal(out, &links)
	}
	if err != nil || len(links) != 1 {
		t.Fatalf("ip link show dev %s: %v in %s", name, err, out)
	}
	return links[0]
}

// TestLinkParity compares what every link has with what ip(8) shows. What
// belongs to the kinds is in TestKindParity.
func TestLinkParity(t *testing.T) {
	netnstest.Thread(t)
	k := dialKernel(t)
	ip(t, `
		link set lo up
		link add v0 type veth peer name v1
		link add away type veth peer name far
		link set far netns `+netnstest.Another(t).String()+`
		link property add dev v0 altname a-name-that-is-longer-than-fifteen-bytes altname short
		link set v0 alias words group 7 txqueuelen 123 promisc on allmulticast on mtu 1400
		link add br0 mtu 1300 type bridge
		link set v1 master br0 mode dormant
		link set br0 up
		token set ::7 dev br0
		link set br0 addrgenmode random
		link add ifb0 type ifb
		tuntap add tun0 mode tun
		tuntap add tap0 mode tap multi_queue
		link add mv0 link v0 numtxqueues 3 numrxqueues 2 gso_max_size 5000 gso_max_segs 40 type macvlan
		link set mv0 protodown on`)
	conn, err := net.Dial("udp", "127.0.0.1:9")
	if err == nil {
		_, err = conn.Write([]byte("some traffic"))
		_ = conn.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lo", "v0", "v1", "away", "br0", "ifb0", "tun0", "tap0", "mv0"} {
		compareLink(t, k, name)
	}
	if got := k.link("br0").IPv6.Token.String(); got != "::7" {
		t.Errorf("the token of br0 is %s", got)
	}
	if l := k.link("lo"); l.Stats.RxBytes == 0 {
		t.Error("lo has seen no packet, so that the statistics show nothing")
	}
}

// compareLink looks again when counters moved between both looks.
func compareLink(t *testing.T, k kernel, name string) {
	t.Helper()
	var diff string
	for range 20 {
		theirs, ours := showAll(t, name), asIP(t, k, k.link(name))
		for _, key := range []string{"flags", "linkinfo", "link_type"} {
			delete(theirs, key)
		}
		if diff = cmp.Diff(theirs, ours); diff == "" {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%s (-ip +read):\n%s", name, diff)
}

// asIP writes a link as ip(8) does.
func asIP(t *testing.T, k kernel, l *Link) map[string]any {
	t.Helper()
	s := l.Stats
	out := map[string]any{
		"ifindex": l.Index, "ifname": l.Name, "mtu": l.MTU, "qdisc": l.Qdisc, "txqlen": l.TxQueueLength,
		"operstate": []string{"UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"}[l.OperState],
		"linkmode":  []string{"DEFAULT", "DORMANT"}[*l.LinkMode], "group": map[uint32]string{0: "default", 7: "7"}[*l.Group],
		"promiscuity": l.Promiscuity, "allmulti": l.AllMulticast, "min_mtu": l.MinMTU, "max_mtu": l.MaxMTU,
		"inet6_addr_gen_mode": []string{"eui64", "none", "stable_secret", "random"}[*l.IPv6.AddrGenMode],
		"num_tx_queues":       l.NumTxQueues, "num_rx_queues": l.NumRxQueues,
		"gso_max_size": l.GSOMaxSize, "gso_max_segs": l.GSOMaxSegments, "gro_max_size": l.GROMaxSize,
		"tso_max_size": l.TSOMaxSize, "tso_max_segs": l.TSOMaxSegments,
		"stats64": map[string]any{
			"rx": map[string]any{"bytes": s.RxBytes, "packets": s.RxPackets, "errors": s.RxErrors, "dropped": s.RxDropped, "over_errors": s.RxOverErrors, "multicast": s.Multicast},
			"tx": map[string]any{"bytes": s.TxBytes, "packets": s.TxPackets, "errors": s.TxErrors, "dropped": s.TxDropped, "carrier_errors": s.TxCarrierErrors, "collisions": s.Collisions},
		},
	}
	where(t, k, l, out)
	optionals := map[string]any{
		"address": state.HardwareAddress(l.MAC), "broadcast": state.HardwareAddress(l.Broadcast), "ifalias": orEmpty(l.Alias), "altnames": l.AltNames,
	}
	for key, value := range optionals {
		if reflect.ValueOf(value).Len() > 0 {
			out[key] = value
		}
	}
	if *l.ProtoDown {
		out["proto_down"] = true
	}
	return asJSON(t, out).(map[string]any)
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// where adds what is below and above a link.
func where(t *testing.T, k kernel, l *Link, out map[string]any) {
	t.Helper()
	switch {
	case l.LinkNetnsID != nil:
		out["link_index"], out["link_netnsid"] = l.ParentIndex(), l.LinkNetnsID
	case l.ParentIndex() != 0:
		out["link"] = k.name(l.ParentIndex())
	}
	if l.MasterIndex() != 0 {
		out["master"] = k.name(l.MasterIndex())
	}
}

func (k kernel) name(index uint32) string {
	k.t.Helper()
	for _, name := range []string{"v0", "v1", "br0"} {
		if l := k.link(name); l.Index == int32(index) {
			return name
		}
	}
	return fmt.Sprint("index ", index)
}

// bit is for one flag of a number.
func bit(v any) any {
	if v == true {
		return 1.0
	}
	return 0.0
}

// joined is for lists, in their order.
func joined(v any) any { return fmt.Sprint(v) }

var macvlanWitnesses = []witness{
	{"mode", "mode", same},
	{"nopromisc", "flags:0", bit},
	{"nodst", "flags:1", bit},
	{"macaddr_count", "macaddr_count", same},
	{"macaddr_data", "allowed_mac_addresses", joined},
	{"bcqueuelen", "bc_queue_len", same},
	{"usedbcqueuelen", "bc_queue_len_used", same},
}

var tunWitnesses = []witness{
	{"type", "mode", same},
	{"user", "owner", same},
	{"group", "group", same},
	{"pi", "pi", same},
	{"vnet_hdr", "vnet_hdr", same},
	{"multi_queue", "multi_queue", same},
	{"persist", "persist", same},
	{"numqueues", "num_queues", same},
	{"numdisabled", "num_disabled_queues", same},
}

// TestKindParity makes links, macvlans by what we write, and compares what
// ip(8) shows of their kinds with what we read.
func TestKindParity(t *testing.T) {
	netnstest.Thread(t)
	k := dialKernel(t)
	ip(t, `
		link add v0 type veth peer name v1
		tuntap add tun0 mode tun user 4242 group 4243
		tuntap add tap0 mode tap multi_queue vnet_hdr pi
		link add ifb0 type ifb`)
	below := uint32(k.link("v0").Index)
	allowed := []state.HardwareAddress{{0, 0x23, 0x45, 0x67, 0x89, 0x1a}, {0, 0x23, 0x45, 0x67, 0x89, 0x1b}}
	made := map[string]*state.MACVLAN{
		"source": {Mode: new(state.MACVLANMode(16)), Flags: new(uint16(2)), Allowed: allowed, AllowedChange: new(state.MACVLANChange(3)), BroadcastQueue: new(uint32(2000))},
		"bridge": {Mode: new(state.MACVLANMode(4)), BroadcastQueue: new(uint32(500)), BroadcastCutoff: new(int32(-1))},
		"vepa":   {Mode: new(state.MACVLANMode(2))},
	}
	k.add(&Link{Name: "source", Parent: &below, Info: LinkInfo{Kind: "macvlan", Data: made["source"]}})
	k.add(&Link{Name: "bridge", Parent: &below, Info: LinkInfo{Kind: "macvlan", Data: made["bridge"]}})
	k.add(&Link{Name: "vepa", Parent: &below, Info: LinkInfo{Kind: "macvtap", Data: made["vepa"]}})
	k.add(&Link{Name: "passthru", Parent: new(uint32(k.link("v1").Index)), Info: LinkInfo{Kind: "macvlan",
		Data: &state.MACVLAN{Mode: new(state.MACVLANMode(8)), Flags: new(uint16(1))}}})

	tests := []struct {
		name, kind string
		witnesses  []witness
	}{
		{"source", "macvlan", macvlanWitnesses},
		{"bridge", "macvlan", macvlanWitnesses},
		{"passthru", "macvlan", macvlanWitnesses},
		{"vepa", "macvtap", macvlanWitnesses},
		{"tun0", "tun", tunWitnesses},
		{"tap0", "tun", tunWitnesses},
		{"ifb0", "ifb", nil},
	}
	for _, test := range tests {
		shown, read := showLink(t, test.name), k.link(test.name)
		if read.Info.Kind != test.kind || shown.Info.Kind != test.kind {
			t.Errorf("%s is %q, ip shows %q, want %q", test.name, read.Info.Kind, shown.Info.Kind, test.kind)
		}
		ours := map[string]any{}
		if read.Info.Data != nil {
			ours = flat(t, read.Info.Data)
		}
		if addresses, ok := ours["allowed_mac_addresses"]; ok {
			ours["allowed_mac_addresses"] = joined(addresses)
		}
		compareWithIP(t, test.name, test.witnesses, shown.Info.Data, ours)
		if set, ok := made[test.name]; ok {
			set.Allowed, set.AllowedChange = nil, nil // ip has shown them, and there is no order in them
			compareWithSettings(t, test.name, flat(t, set), ours)
		}
		if len(shown.Info.Data) == 0 != (read.Info.Data == nil) {
			t.Errorf("%s has %v, ip shows %v", test.name, read.Info.Data, shown.Info.Data)
		}
	}
	if got := k.link("source").Info.Data.(*state.MACVLAN).Allowed; len(got) != len(allowed) {
		t.Errorf("source allows %v, want %v", got, allowed)
	}
}
