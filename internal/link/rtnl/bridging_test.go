package rtnl

import (
	"encoding"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

const (
	noHeader     = "00 00 0000 00000000 00000000 00000000 "
	bridgeHeader = "07 00 0000 00000000 00000000 00000000 "
)

// bridgingExamples are composed by hand after linux/if_link.h, if_bridge.h and
// veth.h, in little endian.
var bridgingExamples = []struct {
	name  string
	link  *Link
	bytes string
}{
	{"802.1ad VLAN with some flags and QoS", &Link{Info: LinkInfo{Kind: "vlan", Data: &state.VLAN{
		ID: new(uint16(42)), Protocol: new(state.VLAN8021AD), ReorderHeader: new(false), GVRP: new(true), BridgeBinding: new(true),
		IngressQoS: []state.VLANQoS{{From: 1, To: 2}}, EgressQoS: []state.VLANQoS{{From: 3, To: 4}, {From: 5, To: 6}},
	}}}, noHeader + `5c00 1280 0900 0100 766c616e00 000000
		4c00 0200 0600 0500 88a8 0000  0600 0100 2a00 0000  0c00 0200 12000000 13000000
		1000 0480 0c00 0100 01000000 02000000  1c00 0380 0c00 0100 03000000 04000000 0c00 0100 05000000 06000000`},
	{"bond with targets", &Link{Info: LinkInfo{Kind: "bond", Data: &Bond{
		Bond: state.Bond{Mode: new(state.BondActiveBackup), ARPTargets: state.AddressList{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")},
			NSTargets: []netip.Addr{netip.MustParseAddr("fd00::1")}},
	}}}, noHeader + `4800 1280 0900 0100 626f6e6400 000000
		3800 0200 0500 0100 01 000000  1400 0880 0800 0000 c0000201 0800 0100 c0000202
		1800 1f80 1400 0000 fd000000000000000000000000000001`},
	{"targets of a bond taken away", &Link{Info: LinkInfo{Kind: "bond", Data: &Bond{Bond: state.Bond{ARPTargets: state.AddressList{}}}}},
		noHeader + "1800 1280 0900 0100 626f6e6400 000000  0800 0200 0400 0880"},
	{"VXLAN", &Link{Info: LinkInfo{Kind: "vxlan", Data: &VXLAN{
		VXLAN: state.VXLAN{Remote: netip.MustParseAddr("239.1.1.1"), VXLANPorts: &state.VXLANPorts{Min: 1000, Max: 2000}, Port: new(uint16(4789)), Label: new(uint32(0x12345)),
			TTLInherit: true},
	}}}, noHeader + `3800 1280 0a00 0100 76786c616e00 0000
		2800 0200 0800 0200 ef010101  0400 1c00  0800 1a00 00012345  0600 0f00 12b5 0000  0800 0a00 03e8 07d0`},
	{"veth with the other end", &Link{Name: "a", Info: LinkInfo{Kind: "veth", Data: &Veth{Peer: &Link{Index: 9, Name: "b"}}}},
		noHeader + "0600 0300 6100 0000  3000 1280 0900 0100 7665746800 000000  2000 0200 1c00 0100 0000 0000 09000000 00000000 00000000 0600 0300 6200 0000"},
	{"port of a bridge", &Link{Info: LinkInfo{PortKind: "bridge", PortData: &BridgePort{
		BridgePort: state.BridgePort{State: new(state.BridgePortState(3)), DesignatedRoot: &state.BridgeID{Priority: 0x8001, Address: [6]byte{2, 0, 0, 0, 0, 9}}, ID: new(state.BridgePortID(0x8002)), HoldTimer: new(uint64(7))},
	}}}, noHeader + `3c00 1280 0b00 0400 62726964676500 00
		2c00 0500 0500 0100 03 000000  0c00 0d00 8001 020000000009  0600 1100 0280 0000  0c00 1700 0700000000000000`},
	{"VLANs of a bridge", &Link{Family: unix.AF_BRIDGE, BridgeVLANs: []state.BridgeVLAN{
		{VID: new(uint16(1)), IsPVID: true, IsEgressUntagged: true}, {VIDRange: &[2]uint16{2, 4094}}, {VIDRange: &[2]uint16{10, 11}, IsEgressUntagged: true},
	}}, bridgeHeader + `2c00 1a80 0800 0200 0600 0100  0800 0200 0800 0200  0800 0200 1000 fe0f  0800 0200 0c00 0a00  0800 0200 1400 0b00`},
}

func TestBridgingBothWays(t *testing.T) {
	for _, example := range bridgingExamples {
		t.Run(example.name, func(t *testing.T) { checkBothWays(t, example.link, example.bytes) })
	}
}

// TestBridgingLongerStructures: what a newer kernel adds to a struct is no error.
func TestBridgingLongerStructures(t *testing.T) {
	tests := []struct {
		name, bytes string
		want        any
	}{
		{"flags of a VLAN", "1000 0200 01000000 ffffffff aabbccdd", &state.VLAN{
			ReorderHeader: new(true), GVRP: new(false), LooseBinding: new(false), MVRP: new(false), BridgeBinding: new(false)}},
		{"priority of a VLAN", "1400 0480 1000 0100 01000000 02000000 aabbccdd", &state.VLAN{IngressQoS: []state.VLANQoS{{From: 1, To: 2}}}},
		{"options of a bridge", "1000 2e00 01000000 07000000 aabbccdd", &Bridge{Bridge: state.Bridge{Options: &state.BridgeOptions{Value: 1, Mask: 7}}}},
		{"range of ports", "0c00 0a00 0001 0002 aabbccdd", &VXLAN{VXLAN: state.VXLAN{VXLANPorts: &state.VXLANPorts{Min: 1, Max: 2}}}},
	}
	codecs := map[reflect.Type]dataCodec{
		reflect.TypeFor[*state.VLAN](): kinds["vlan"], reflect.TypeFor[*Bridge](): kinds["bridge"], reflect.TypeFor[*VXLAN](): kinds["vxlan"],
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := codecs[reflect.TypeOf(test.want)].decode(unhex(t, test.bytes))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestBridgingReadRefuses(t *testing.T) {
	tests := []struct {
		name string
		of   map[string]dataCodec
		kind string
		data string
		text string
	}{
		{"boolean of two bytes", kinds, "bridge", "0600 0700 0100 0000", "IFLA_BR_VLAN_FILTERING: 2 bytes instead of 1"},
		{"protocol of four bytes", kinds, "bridge", "0800 0800 81000000", "IFLA_BR_VLAN_PROTOCOL: 4 bytes instead of 2"},
		{"short bridge ID", kinds, "bridge", "0800 0a00 80000200", "IFLA_BR_ROOT_ID: 4 bytes instead of 8"},
		{"long group address", kinds, "bridge", "0c00 1400 0180c20000000000", "IFLA_BR_GROUP_ADDR: 8 bytes instead of 6"},
		{"querier", kinds, "bridge", "0c00 2f80 0800 0300 01000000", "IFLA_BR_MCAST_QUERIER_STATE: attribute BRIDGE_QUERIER_IP_OTHER_TIMER: 4 bytes instead of 8"},
		{"short flags", kinds, "vlan", "0800 0200 01000000", "IFLA_VLAN_FLAGS: 4 bytes instead of 8"},
		{"short priority", kinds, "vlan", "0c00 0480 0800 0100 01000000", "IFLA_VLAN_INGRESS_QOS: attribute IFLA_VLAN_QOS_MAPPING: 4 bytes instead of 8"},
		{"IPv6 target as IPv4", kinds, "bond", "1800 0880 1400 0300 fd000000000000000000000000000001", "IFLA_BOND_ARP_IP_TARGET: address 3: 16 bytes instead of 4"},
		{"target cut off", kinds, "bond", "0700 0880 080000 00", "IFLA_BOND_ARP_IP_TARGET: 3 bytes are too short"},
		{"state of LACP", kinds, "bond", "0c00 1780 0800 0100 01000000", "IFLA_BOND_AD_INFO: attribute IFLA_BOND_AD_INFO_AGGREGATOR: 4 bytes instead of 2"},
		{"IPv4 group of 16 bytes", kinds, "vxlan", "1400 0200 fd000000000000000000000000000001", "IFLA_VXLAN_GROUP: 16 bytes instead of 4"},
		{"inherited TTL of two bytes", kinds, "vxlan", "0600 1c00 0100 0000", "IFLA_VXLAN_TTL_INHERIT: 2 bytes instead of 1"},
		{"other end of a veth", kinds, "veth", "0800 0100 00000000", "VETH_INFO_PEER: read link message: 4 bytes are too short"},
		{"table", portKinds, "vrf", "0600 0100 0100 0000", "IFLA_VRF_PORT_TABLE: 2 bytes instead of 4"},
		{"port", portKinds, "bridge", "0500 1100 01 000000", "IFLA_BRPORT_ID: 1 bytes instead of 2"},
		{"bond port", portKinds, "bond", "0600 0900 0100 0000", "IFLA_BOND_SLAVE_PRIO: 2 bytes instead of 4"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.of[test.kind].decode(unhex(t, test.data))
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want …%s…", err, test.text)
			}
		})
	}
}

func TestBridgeVLANsRefused(t *testing.T) {
	read := []struct{ name, bytes, text string }{
		{"too short", "0600 0200 0600 0000", "IFLA_BRIDGE_VLAN_INFO: 2 bytes instead of 4"},
		{"range without a beginning", "0800 0200 1000 0500", "VLAN 5 with flags 0x10 is not in the order of a range"},
		{"range without an end", "0800 0200 0800 0500", "range of VLANs from 5 has no end"},
		{"VLAN within a range", "0800 0200 0800 0500  0800 0200 0000 0600", "VLAN 6 with flags 0x0 is not"},
		{"range within a range", "0800 0200 0800 0500  0800 0200 0800 0600", "VLAN 6 with flags 0x8 is not"},
		{"beginning and end at once", "0800 0200 1800 0500", "VLAN 5 with flags 0x18 is not"},
	}
	for _, test := range read {
		t.Run(test.name, func(t *testing.T) {
			var l Link
			err := decodeBridgeVLANs(&l, unhex(t, test.bytes))
			if err == nil || !strings.Contains(err.Error(), test.text) || l.BridgeVLANs != nil {
				t.Errorf("got %v, %+v, want …%s…", err, l.BridgeVLANs, test.text)
			}
		})
	}
	for _, vlan := range []state.BridgeVLAN{{IsPVID: true}, {VID: new(uint16(1)), VIDRange: &[2]uint16{1, 2}}} {
		if _, err := encodeBridgeVLANs(&Link{BridgeVLANs: []state.BridgeVLAN{vlan}}); err == nil {
			t.Errorf("%+v was written", vlan)
		}
	}
}

// TestWriteRefusesTargets: an address of the other family is not left out in
// silence.
func TestWriteRefusesTargets(t *testing.T) {
	b := &Bond{Bond: state.Bond{ARPTargets: state.AddressList{netip.MustParseAddr("fd00::1")}}}
	if _, err := kinds["bond"].encode(b); err == nil || !strings.Contains(err.Error(), "IFLA_BOND_ARP_IP_TARGET: fd00::1 is not of 4 bytes") {
		t.Errorf("got %v", err)
	}
}

// textual reads and writes itself.
type textual interface {
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}

// TestTexts has nispor's words for values.
func TestTexts(t *testing.T) {
	tests := []struct {
		value textual
		text  string
	}{
		{&state.BridgeID{Priority: 0x8000, Address: [6]byte{0, 0x23, 0x45, 0x67, 0x89, 0x1c}}, "8000.00234567891c"},
		{new(state.BridgePortID(0x8001)), "0x8001"},
		{new(state.BridgePortID(1)), "0x0001"},
		{new(state.BridgePortNumber(1)), "0x1"},
		{&state.HardwareAddress{0, 0x23, 0x45, 0x67, 0x89, 0x1c}, "00:23:45:67:89:1c"},
		{&state.HardwareAddress{192, 0, 2, 1}, "c0:00:02:01"},
		{&state.AddressList{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}, "192.0.2.1,192.0.2.2"},
		{&state.AddressList{}, ""},
		{new(state.VLAN8021Q), "802.1q"},
		{new(state.VLAN8021AD), "802.1ad"},
		{new(state.VLANProtocol(0x9100)), "0x9100"},
		{new(state.Bond8023AD), "802.3ad"},
		{new(state.BondBalanceALB), "balance-alb"},
		{new(state.BondMode(7)), "7"},
		{new(state.BondARPTargets(1)), "all"},
		{new(state.BondARPValidate(5)), "filter_active"},
		{new(state.BondReselect(2)), "failure"},
		{new(state.BondFailOverMAC(2)), "follow"},
		{new(state.BondHashPolicy(5)), "vlan+srcmac"},
		{new(state.BondAllActive(1)), "delivered"},
		{new(state.BondLACPRate(1)), "fast"},
		{new(state.BondADSelect(2)), "count"},
		{new(state.BondPortState(1)), "backup"},
		{new(state.BondMIIState(3)), "link_back"},
		{new(state.STPUser), "user_stp"},
		{new(state.MulticastRouter(1)), "temp_query"},
		{new(state.BridgePortState(4)), "blocking"},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got, err := test.value.MarshalText()
			if err != nil || string(got) != test.text {
				t.Errorf("got %q, %v", got, err)
			}
			again := reflect.New(reflect.TypeOf(test.value).Elem()).Interface().(textual)
			if err := again.UnmarshalText(got); err != nil || !reflect.DeepEqual(again, test.value) {
				t.Errorf("%q is read as %v, %v", got, again, err)
			}
		})
	}
}

func TestTextsRefused(t *testing.T) {
	tests := []struct {
		of   textual
		text string
	}{
		{new(state.BridgeID), "8000.0023456789"},
		{new(state.BridgeID), "8000:00234567891c"},
		{new(state.BridgeID), "80z0.00234567891c"},
		{new(state.BridgePortID), "0x10000"},
		{new(state.BridgePortNumber), "one"},
		{new(state.HardwareAddress), "00:23:45:67:89:1"},
		{new(state.HardwareAddress), "002345678910"},
		{new(state.AddressList), "192.0.2.1,"},
		{new(state.VLANProtocol), "802.1x"},
		{new(state.BondMode), "balance"},
	}
	for _, test := range tests {
		if err := test.of.UnmarshalText([]byte(test.text)); err == nil {
			t.Errorf("%q is read as %v", test.text, reflect.ValueOf(test.of).Elem())
		}
	}
}

// TestVLANsOfTheBridgeItself: a request for them says so, and one for a port does not.
func TestVLANsOfTheBridgeItself(t *testing.T) {
	for self, want := range map[bool]string{true: "06 00 00 00 02 00 00 00 08 00 02 00 00 00 0a 00", false: "08 00 02 00 00 00 0a 00"} {
		l := &Link{Family: unix.AF_BRIDGE, Index: 3, BridgeSelf: self, BridgeVLANs: []state.BridgeVLAN{{VID: new(uint16(10))}}}
		b, err := l.MarshalBinary()
		if got := fmt.Sprintf("% x", b[linkHeaderSize+headerSize:]); err != nil || got != want {
			t.Errorf("self %v: %s, %v, want %s", self, got, err, want)
		}
	}
}
