package rtnl

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// The bytes are composed by hand after linux/rtnetlink.h, fib_rules.h,
// nexthop.h and neighbour.h, little endian.
var routingExamples = []struct {
	name    string
	message message
	bytes   string
}{
	{"route through a nexthop object", &Route{Family: unix.AF_INET, Table: 254, Type: 1, NexthopID: 7, Realm: 3<<16 | 4},
		"02 00 00 00 fe 00 00 01 00000000  0800 0f00 fe000000  0800 1e00 07000000  0800 0b00 04000300"},
	{"IPv6 route that expires", &Route{Family: unix.AF_INET6, Preference: 1, Cache: &RouteCache{References: 1, LastUse: 2, Expires: -3, Error: 4, Used: 5, ID: 6, Timestamp: 7, TSAge: 8}},
		`0a 00 00 00 00 00 00 00 00000000
		 2400 0c00 01000000 02000000 fdffffff 04000000 05000000 06000000 07000000 08000000  0500 1400 01 000000`},
	{"what few routes have", &Route{Family: unix.AF_INET, SourceLength: 8, Details: &RouteDetails{Source: netip.MustParseAddr("10.0.0.0"), InIndex: new(uint32(0)),
		Mark: new(uint32(5)), UID: new(uint32(0)), Expires: new(uint32(60)), EncapType: new(uint16(2))}},
		`02 00 08 00 00 00 00 00 00000000  0800 0200 0a000000  0800 0300 00000000  0800 1000 05000000
		 0800 1900 00000000  0800 1700 3c000000  0600 1500 0200 0000`},
	{"metrics", &Route{Family: unix.AF_INET, Details: &RouteDetails{Metrics: &state.Metrics{Lock: 4, MTU: 1400, Window: 3, RTT: 4, RTTVar: 5, SSThresh: 6, Cwnd: 7, AdvMSS: 8,
		Reordering: 9, HopLimit: 10, InitCwnd: 11, Features: 12, RTOMin: 13, InitRwnd: 14, QuickAck: 15, CCAlgo: "cubic", FastOpenNoCookie: 17}}},
		`02 00 00 00 00 00 00 00 00000000  9000 0880  0800 0100 04000000  0800 0200 78050000  0800 0300 03000000  0800 0400 04000000
		 0800 0500 05000000  0800 0600 06000000  0800 0700 07000000  0800 0800 08000000  0800 0900 09000000  0800 0a00 0a000000
		 0800 0b00 0b000000  0800 0c00 0c000000  0800 0d00 0d000000  0800 0e00 0e000000  0800 0f00 0f000000
		 0a00 1000 637562696300 0000  0800 1100 11000000`},
	{"metrics of which none is there", &Route{Family: unix.AF_INET, Details: &RouteDetails{Metrics: &state.Metrics{}}},
		"02 00 00 00 00 00 00 00 00000000  0400 0880"},
	{"hops with realms and encapsulation", &Route{Family: unix.AF_INET, Hops: []Hop{{Index: 3, Realm: 5, EncapType: 1}}},
		"02 00 00 00 00 00 00 00 00000000  1c00 0900  1800 00 00 03000000  0800 0b00 05000000  0600 1500 0100 0000"},
	{"rule of all selectors", &Rule{Family: unix.AF_INET6, DestinationLength: 16, SourceLength: 8, TOS: 0x10, Action: 1, Flags: 2, Table: 1000, Priority: 999,
		Destination: netip.MustParseAddr("fd00::"), Source: netip.MustParseAddr("fe00::"), InName: "v0", OutName: "v1", Mark: new(uint32(16)), MarkMask: new(uint32(255)),
		Realm: 4, TunnelID: new(uint64(55)), L3MDev: new(true), Protocol: new(uint8(78)), IPProtocol: 6, UIDs: &IDs{0, 200}, SourcePorts: &Ports{80, 80}, DestPorts: &Ports{1000, 2000},
		SourceMask: new(uint16(0xffff)), DestMask: new(uint16(0)), DSCP: new(uint8(10)), DSCPMask: new(uint8(63)), FlowLabel: new(uint32(1)), FlowMask: new(uint32(0xfffff)),
		SuppressPrefixLength: new(uint32(0)), SuppressInterfaceGroup: new(uint32(NoSuppression))},
		`0a 10 08 10 fc 0000 01 02000000  0800 0f00 e8030000  0800 0e00 00000000  0500 1500 4e 000000  0700 0300 763000 00  0700 1100 763100 00
		 0800 0600 e7030000  0800 0a00 10000000  0800 1000 ff000000  0500 1300 01 000000  0c00 0c00 0000000000000037
		 0c00 1400 00000000 c8000000  0500 1600 06 000000  0800 1700 5000 5000  0600 1c00 ffff 0000  0800 1800 e803 d007  0600 1d00 0000 0000
		 0800 0d00 ffffffff  1400 0100 fd000000000000000000000000000000  1400 0200 fe000000000000000000000000000000  0800 0b00 04000000
		 0500 1900 0a 000000  0500 1e00 3f 000000  0800 1a00 00000001  0800 1b00 000fffff`},
	{"rule that jumps", &Rule{Family: unix.AF_INET, Action: 2, Goto: 2000},
		"02 00 00 00 00 0000 02 00000000  0800 0400 d0070000"},
	{"nexthop", &Nexthop{Family: unix.AF_INET, Scope: 253, Protocol: 78, Flags: 4, ID: 7, OutIndex: 3, Gateway: netip.MustParseAddr("192.0.2.7"), EncapType: new(uint16(1))},
		"02 fd 4e 00 04000000  0800 0100 07000000  0800 0500 03000000  0800 0600 c0000207  0600 0700 0100 0000"},
	{"group of nexthops", &Nexthop{ID: 9, Group: []NexthopMember{{7, 2}, {8, 0x1ff}}, GroupType: new(uint16(1)),
		Resilient: &ResilientGroup{Buckets: 16, IdleTimer: 12000, UnbalancedTimer: 100, UnbalancedTime: 1 << 32}},
		`00 00 00 00 00000000  0800 0100 09000000  1400 0200 07000000 02 00 0000 08000000 ff 01 0000  0600 0300 0100 0000
		 2800 0c80 0600 0100 1000 0000  0800 0200 e02e0000  0800 0300 64000000  0c00 0400 0000000001000000`},
	{"blackhole, for a forwarding table, asked for groups under a link", &Nexthop{Blackhole: true, FDB: true, Groups: true, Master: new(uint32(0))},
		"00 00 00 00 00000000  0400 0400  0400 0b00  0400 0900  0800 0a00 00000000"},
	{"neighbour with all that the kernel adds", &Neighbour{Family: unix.AF_INET, Index: 3, ExtendedFlags: 1, Probes: new(uint32(0)), Cache: &NeighbourCache{1, 2, 3, 4}, Details: &NeighbourDetails{Protocol: new(uint8(78))}},
		`02 00 0000 03000000 0000 00 00  0800 0400 00000000  1400 0300 01000000 02000000 03000000 04000000
		 0800 0f00 01000000  0500 0c00 4e 000000`},
	{"forwarding entry", &Neighbour{Family: unix.AF_BRIDGE, Index: 3, State: unix.NUD_NOARP, Master: 5, NexthopID: 12, Details: &NeighbourDetails{VLAN: new(uint16(10)), Port: new(uint16(4789)),
		VNI: new(uint32(43)), SourceVNI: new(uint32(0)), Through: new(uint32(2)), NetNSID: new(int32(0)), FDB: &FDBActivity{Notify: new(uint8(1)), DontRefresh: true}}},
		`07 00 0000 03000000 4000 00 00  0800 0900 05000000  0800 0d00 0c000000  0600 0500 0a00 0000  0600 0600 12b5 0000  0800 0700 2b000000
		 0800 0b00 00000000  0800 0800 02000000  0800 0a00 00000000  1000 0e80 0500 0100 01 000000 0400 0200`},
	{"address with the time it was made", &Address{Family: unix.AF_INET6, Index: 3, Created: 5, Updated: 6},
		`0a 00 00 00 03000000  1400 0600 00000000 00000000 05000000 06000000`},
}

func TestRoutingBothWays(t *testing.T) {
	for _, example := range routingExamples {
		t.Run(example.name, func(t *testing.T) { checkBothWays(t, example.message, example.bytes) })
	}
}

// TestLongerStructures: a newer kernel adds members at the end.
func TestLongerStructures(t *testing.T) {
	tests := []struct {
		name    string
		message message
		bytes   string
		read    func(m message) bool
	}{
		{"rta_cacheinfo", &Route{}, "0a 00 00 00 00 00 00 00 00000000  2800 0c00" + strings.Repeat(" 01000000", 9),
			func(m message) bool { return m.(*Route).Cache.TSAge == 1 }},
		{"nda_cacheinfo", &Neighbour{}, "02 00 0000 03000000 0000 00 00  1800 0300" + strings.Repeat(" 01000000", 5),
			func(m message) bool { return *m.(*Neighbour).Cache == NeighbourCache{1, 1, 1, 1} }},
		{"fib_rule_uid_range", &Rule{}, "02 00 00 00 00 0000 01 00000000  1000 1400" + strings.Repeat(" 01000000", 3),
			func(m message) bool { return *m.(*Rule).UIDs == IDs{1, 1} }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := test.message.UnmarshalBinary(unhex(t, test.bytes)); err != nil || !test.read(test.message) {
				t.Errorf("got %+v, %v", test.message, err)
			}
		})
	}
}

func TestRoutingReadRefuses(t *testing.T) {
	const route, rule, nexthop, neighbour = "02 00 00 00 00 00 00 00 00000000 ", "02 00 00 00 00 0000 01 00000000 ", "02 00 00 00 00000000 ", "02 00 0000 03000000 0000 00 00 "
	tests := []struct {
		name    string
		message message
		bytes   string
		text    string
	}{
		{"short route cache", &Route{}, route + "0800 0c00 00000000", "RTA_CACHEINFO: too short"},
		{"metric of two bytes", &Route{}, route + "0c00 0880 0600 0200 7805 0000", "RTA_METRICS: attribute RTAX_MTU: 2 bytes instead of 4"},
		{"three bytes after the last attribute", &Route{}, route + "0800 0400 03000000 000000", "3 bytes are too short for an attribute"},
		{"rule without a header", &Rule{}, "02 00 00 00", "read rule message: 4 bytes are too short for a header of 12"},
		{"ports of two bytes", &Rule{}, rule + "0600 1700 5000 0000", "FRA_SPORT_RANGE: 2 bytes instead of 4"},
		{"tunnel ID of four bytes", &Rule{}, rule + "0800 0c00 00000037", "FRA_TUN_ID: 4 bytes instead of 8"},
		{"nexthop without a header", &Nexthop{}, "02", "read nexthop message: 1 bytes are too short for a header of 8"},
		{"group of half a member", &Nexthop{}, nexthop + "0800 0200 07000000", "NHA_GROUP: 4 bytes are no members of 8 each"},
		{"group of none", &Nexthop{}, nexthop + "0400 0200", "NHA_GROUP: 0 bytes"},
		{"short neighbour cache", &Neighbour{}, neighbour + "0800 0300 00000000", "NDA_CACHEINFO: 4 bytes instead of 16"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.message.UnmarshalBinary(unhex(t, test.bytes))
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want …%s…", err, test.text)
			}
		})
	}
}

// TestNothingBehind: an attribute that says what an absent one says takes no
// room either, also when it comes after one that says more.
func TestNothingBehind(t *testing.T) {
	for _, attributes := range []string{"0500 3800 00 000000", "0800 3800 61626300  0500 3800 00 000000"} { // IFLA_PARENT_DEV_NAME
		var l Link
		if err := l.UnmarshalBinary(unhex(t, "00 00 0000 00000000 00000000 00000000 "+attributes)); err != nil || l.Hardware != nil {
			t.Errorf("%s: got %+v, %v", attributes, l.Hardware, err)
		}
	}
}

// TestReadKeepsNothing: a message lives in the receiver's buffer, with many
// others, which it must not hold in memory or see change.
func TestReadKeepsNothing(t *testing.T) {
	written, err := (&Neighbour{MAC: []byte{2, 0, 0, 0, 0, 1}}).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var n Neighbour
	if err := n.UnmarshalBinary(written); err != nil {
		t.Fatal(err)
	}
	clear(written)
	if !slices.Equal(n.MAC, []byte{2, 0, 0, 0, 0, 1}) {
		t.Errorf("MAC is now %x", n.MAC)
	}
}

// TestOrderOfAttributes: any order reads the same, whatever that of the rows.
func TestOrderOfAttributes(t *testing.T) {
	attributes := []string{"0800 0f00 e8030000", "0800 0100 0a000000", "0800 ff00 00000000", "0800 0400 03000000", "0800 0600 58020000"}
	want := Route{Family: unix.AF_INET, Table: 1000, Destination: netip.MustParseAddr("10.0.0.0"), OutIndex: 3, Metric: 600}
	for _, first := range attributes {
		for _, last := range attributes {
			rest := slices.DeleteFunc(slices.Clone(attributes), func(a string) bool { return a == first || a == last })
			order := strings.Join(append(append([]string{first}, rest...), last), " ")
			var got Route
			if err := got.UnmarshalBinary(unhex(t, "02 00 00 00 fc 00 00 00 00000000 "+order)); err != nil || got.Key() != want.Key() {
				t.Errorf("%s: got %+v, %v", order, got, err)
			}
		}
	}
}

// TestRouteIsSmall: a program may hold a million of them.
func TestRouteIsSmall(t *testing.T) {
	const most = 240
	if size := unsafe.Sizeof(Route{}) + unsafe.Sizeof(RouteCache{}); size > most {
		t.Errorf("a plain route takes %d bytes, more than %d", size, most)
	}
	var r Route
	if err := r.UnmarshalBinary(plainRoute); err != nil {
		t.Fatal(err)
	}
	if r.Details != nil || r.Hops != nil || r.Cache != nil {
		t.Errorf("a plain route has more than itself: %+v", r)
	}
}

// plainRoute is a route as the kernel sends it, in its order.
var plainRoute = func() []byte {
	b := []byte{2, 32, 0, 0, tableCompat, 186, 0, 1, 0, 0, 0, 0}
	add := func(number uint16, payload ...byte) {
		b = binary.NativeEndian.AppendUint16(b, uint16(headerSize+len(payload)))
		b = append(binary.NativeEndian.AppendUint16(b, number), payload...)
	}
	word := func(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }
	add(unix.RTA_TABLE, word(1000)...)
	add(unix.RTA_DST, 10, 1, 2, 3)
	add(unix.RTA_PRIORITY, word(20)...)
	add(unix.RTA_PREFSRC, 192, 0, 2, 1)
	add(unix.RTA_GATEWAY, 192, 0, 2, 2)
	add(unix.RTA_OIF, word(3)...)
	return b
}()

func BenchmarkRouteDecode(b *testing.B) {
	b.ReportAllocs()
	var r Route
	for b.Loop() {
		if err := r.UnmarshalBinary(plainRoute); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRouteKey(b *testing.B) {
	b.ReportAllocs()
	var r Route
	if err := r.UnmarshalBinary(plainRoute); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if r.Key() == (RouteKey{}) {
			b.Fatal("no key")
		}
	}
}
