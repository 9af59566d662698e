package rtnl

import (
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// TestDelta compares data, and lists what differs for people, the worst class, and
// the attributes that are sent.
func TestDelta(t *testing.T) {
	bridge := func(b state.Bridge) *Bridge { return &Bridge{Bridge: b} }
	shownBridge := bridge(state.Bridge{Priority: new(uint16(32768)), STPState: new(state.BridgeSTPState(0)), VLANStatsPerPort: new(false),
		HelloTimer: new(uint64(7)), Options: &state.BridgeOptions{Value: 1, Mask: 7}})
	four := netip.MustParseAddr("192.0.2.1")
	shownGRE := &GRE{Parent: new(uint32(5)), GRE: state.GRE{Local: four, Remote: netip.MustParseAddr("192.0.2.2"), TTL: new(uint8(64))}}
	passthru, bridged := state.MACVLANMode(8), state.MACVLANMode(4)
	mac := func(last byte) state.HardwareAddress { return state.HardwareAddress{2, 0, 0, 0, 0, last} }
	for _, tt := range []struct {
		name, kind string
		have, want any
		texts      string
		class      Class
		sent       []uint16
	}{
		{"nothing is wanted", "bridge", shownBridge, bridge(state.Bridge{}), "", InPlace, nil},
		{"equal", "bridge", shownBridge, bridge(state.Bridge{Priority: new(uint16(32768))}), "", InPlace, nil},
		{"in place", "bridge", shownBridge, bridge(state.Bridge{Priority: new(uint16(0)), STPState: new(state.BridgeSTPState(1))}),
			"stp_state kernel_stp, priority 0", InPlace, []uint16{unix.IFLA_BR_STP_STATE, unix.IFLA_BR_PRIORITY}},
		{"the worst class counts", "bridge", shownBridge, bridge(state.Bridge{Priority: new(uint16(1)), VLANStatsPerPort: new(true)}),
			"priority 1, vlan_stats_per_port on", NoPorts, []uint16{unix.IFLA_BR_PRIORITY, unix.IFLA_BR_VLAN_STATS_PER_PORT}},
		{"of a word with a mask only what the mask means", "bridge", shownBridge, bridge(state.Bridge{Options: &state.BridgeOptions{Value: 1, Mask: 3}}), "", InPlace, nil},
		{"a bit of it", "bridge", shownBridge, bridge(state.Bridge{Options: &state.BridgeOptions{Value: 0, Mask: 1}}),
			"multi_boolopt {0 1}", InPlace, []uint16{unix.IFLA_BR_MULTI_BOOLOPT}},
		{"all of a new link is sent, also zero", "vxlan", nil, &VXLAN{VXLAN: state.VXLAN{ID: new(uint32(7)), Learning: new(false)}, Link: new(uint32(0))},
			"id 7, link 0, learning off", Recreate, []uint16{unix.IFLA_VXLAN_ID, unix.IFLA_VXLAN_LINK, unix.IFLA_VXLAN_LEARNING}},
		{"none, of what the kernel does not show while there is none", "vxlan", &VXLAN{}, &VXLAN{VXLAN: state.VXLAN{Remote: netip.IPv4Unspecified()}, Link: new(uint32(0))},
			"", InPlace, nil},
		{"none, where there is one", "vxlan", &VXLAN{VXLAN: state.VXLAN{Remote: four}, Link: new(uint32(3))}, &VXLAN{VXLAN: state.VXLAN{Remote: netip.IPv4Unspecified()}, Link: new(uint32(0))},
			"group 0.0.0.0, link 0", Recreate, []uint16{unix.IFLA_VXLAN_GROUP, unix.IFLA_VXLAN_LINK}},
		{"the far end's family stays", "vxlan", &VXLAN{VXLAN: state.VXLAN{Remote: four}}, &VXLAN{VXLAN: state.VXLAN{Remote: netip.IPv6LinkLocalAllNodes()}},
			"group6 ff02::1", Recreate, []uint16{unix.IFLA_VXLAN_GROUP6}},
		{"the full set, with what want leaves open", "gre", shownGRE, &GRE{GRE: state.GRE{Remote: netip.MustParseAddr("192.0.2.3")}},
			"remote 192.0.2.3", InPlace, []uint16{attributeGRELink, attributeGRELocal, attributeGRERemote, attributeGRETTL}},
		{"the full set, of a carrier that goes", "gre", shownGRE, &GRE{Parent: new(uint32(0))},
			"link 0", InPlace, []uint16{attributeGRELink, attributeGRELocal, attributeGRERemote, attributeGRETTL}},
		{"the full set is not sent for nothing", "gre", shownGRE, &GRE{GRE: state.GRE{Local: four}}, "", InPlace, nil},
		{"macvlan to passthru", "macvlan", &state.MACVLAN{Mode: &bridged}, &state.MACVLAN{Mode: &passthru}, "mode passthru", Recreate, []uint16{unix.IFLA_MACVLAN_MODE}},
		{"a far end of a tunnel instead of none in particular", "ipip", &IPTunnel{IPTunnel: state.IPTunnel{Local: four}}, &IPTunnel{IPTunnel: state.IPTunnel{Remote: four}}, "remote 192.0.2.1", Recreate, []uint16{attributeIPTunLocal, attributeIPTunRemote}},
		{"another far end", "vti", &VTI{VTI: state.VTI{Remote: netip.MustParseAddr("192.0.2.9")}}, &VTI{VTI: state.VTI{Remote: four}}, "remote 192.0.2.1", InPlace, []uint16{attributeVTIRemote}},
		{"a group of far ends", "gre", &GRE{GRE: state.GRE{Remote: four}}, &GRE{GRE: state.GRE{Remote: netip.MustParseAddr("239.1.1.1")}}, "remote 239.1.1.1", Recreate, []uint16{attributeGRERemote}},
		{"which to sit is one far end", "sit", &IPTunnel{IPTunnel: state.IPTunnel{Remote: four}}, &IPTunnel{IPTunnel: state.IPTunnel{Remote: netip.MustParseAddr("239.1.1.1")}}, "remote 239.1.1.1", InPlace, []uint16{attributeIPTunRemote}},
		{"flags that the kernel sets by itself", "ip6tnl", &IP6Tunnel{IP6Tunnel: state.IP6Tunnel{Flags: new(state.IP6TunnelFlags(capabilities | 1))}}, &IP6Tunnel{IP6Tunnel: state.IP6Tunnel{Flags: new(state.IP6TunnelFlags(1))}}, "", InPlace, nil},
		{"no flags of a VLAN, which the kernel does not show", "vlan", &state.VLAN{}, &state.VLAN{ReorderHeader: new(false), GVRP: new(false)}, "", InPlace, nil},
		{"a set in another order", "macvlan", &state.MACVLAN{Allowed: []state.HardwareAddress{mac(1), mac(2)}}, &state.MACVLAN{Allowed: []state.HardwareAddress{mac(2), mac(1)}}, "", InPlace, nil},
		{"another set, with the order to set it", "macvlan", &state.MACVLAN{Allowed: []state.HardwareAddress{mac(1)}}, &state.MACVLAN{Allowed: []state.HardwareAddress{mac(3)}},
			"macaddr_data [02:00:00:00:00:03]", InPlace, []uint16{unix.IFLA_MACVLAN_MACADDR_MODE, unix.IFLA_MACVLAN_MACADDR_DATA}},
		{"the empty set", "macvlan", &state.MACVLAN{Allowed: []state.HardwareAddress{mac(1)}}, &state.MACVLAN{Allowed: []state.HardwareAddress{}},
			"macaddr_data []", InPlace, []uint16{unix.IFLA_MACVLAN_MACADDR_MODE, unix.IFLA_MACVLAN_MACADDR_DATA}},
		{"flags of a VLAN", "vlan", &state.VLAN{ReorderHeader: new(true), GVRP: new(false), ID: new(uint16(5))}, &state.VLAN{GVRP: new(true), ReorderHeader: new(true)},
			"flags reorder_hdr on gvrp on", InPlace, []uint16{unix.IFLA_VLAN_FLAGS}},
		{"the ID of a VLAN", "vlan", &state.VLAN{ID: new(uint16(5))}, &state.VLAN{ID: new(uint16(6))}, "id 6", Recreate, []uint16{unix.IFLA_VLAN_ID}},
		{"priorities that nobody wants are mapped to 0", "vlan", &state.VLAN{EgressQoS: []state.VLANQoS{{From: 1, To: 2}, {From: 3, To: 4}}}, &state.VLAN{EgressQoS: []state.VLANQoS{{From: 3, To: 4}}},
			"egress_qos [{3 4}]", InPlace, []uint16{unix.IFLA_VLAN_EGRESS_QOS}},
		{"no priorities are wanted", "vlan", &state.VLAN{}, &state.VLAN{EgressQoS: []state.VLANQoS{}}, "", InPlace, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Delta(tt.kind, tt.have, tt.want)
			if err != nil {
				t.Fatal(err)
			}
			var sent []uint16
			for b := []byte(got.Payload); len(b) > 0; {
				number, _, rest, err := cutAttribute(b)
				if err != nil {
					t.Fatal(err)
				}
				sent, b = append(sent, number), rest
			}
			if texts := strings.Join(got.Texts, ", "); texts != tt.texts || got.Class != tt.class || !slices.Equal(sent, tt.sent) {
				t.Errorf("%q, class %d, sent %d; want %q, %d, %d", texts, got.Class, sent, tt.texts, tt.class, tt.sent)
			}
		})
	}
}

// TestDeltaOfLink: what every link has, with none and zero among it.
func TestDeltaOfLink(t *testing.T) {
	have := &Link{Name: "p0", Master: new(uint32(5)), MTU: 1500, TxQueueLength: new(uint32(1000)), Alias: new("words"), PermanentMAC: []byte{2, 0, 0, 0, 0, 1}}
	for _, tt := range []struct {
		want *Link
		says string
	}{
		{&Link{}, ""},
		{&Link{MTU: 1500, Master: new(uint32(5))}, ""},
		{&Link{Master: new(uint32(0)), TxQueueLength: new(uint32(0)), Alias: new("")}, `txqlen 0, ifalias "", master 0`},
		{&Link{Name: "p1", MAC: []byte{2, 0, 0, 0, 0, 2}}, `ifname "p1", address 02:00:00:00:00:02`},
	} {
		got, err := LinkDelta(have, tt.want)
		if says := strings.Join(got.Texts, ", "); err != nil || says != tt.says {
			t.Errorf("%q, %v, want %q", says, err, tt.says)
		}
	}
	if got, err := LinkDelta(&Link{}, &Link{Master: new(uint32(0)), Alias: new("")}); err != nil || len(got.Names) > 0 {
		t.Errorf("none of what there is none of: %v, %v", got.Names, err)
	}
}

// TestDeltaRefuses: what the kernel does not take is named, and nothing is sent.
func TestDeltaRefuses(t *testing.T) {
	for _, tt := range []struct {
		kind       string
		have, want any
		says       string
	}{
		{"bridge", &Bridge{}, &Bridge{Bridge: state.Bridge{MulticastHashElasticity: new(uint32(8))}}, "mcast_hash_elasticity (IFLA_BR_MCAST_HASH_ELASTICITY) cannot be set"},
		{"bridge", nil, &Bridge{FDBFlush: true}, "fdb_flush (IFLA_BR_FDB_FLUSH) cannot be set"},
		{"bridge", &Bridge{}, &GRE{}, "data is *rtnl.GRE instead of *rtnl.Bridge"},
		{"bridge", &GRE{}, &Bridge{}, "data is *rtnl.GRE instead of *rtnl.Bridge"},
		{"dummy", nil, &Bridge{}, `kind "dummy": *rtnl.Bridge has no table`},
	} {
		got, err := Delta(tt.kind, tt.have, tt.want)
		if err == nil || !strings.Contains(err.Error(), tt.says) || got.Payload != nil {
			t.Errorf("%v, %x; want %q", err, got.Payload, tt.says)
		}
	}
}

// TestDeltaOfEqual: data of any kind does not differ from itself, and every attribute
// of it that can be set differs from none.
func TestDeltaOfEqual(t *testing.T) {
	for name, link := range filled() {
		compare, kind := Delta, link.Info.Kind
		data := link.Info.Data
		if link.Info.PortKind != "" {
			compare, kind, data = PortDelta, link.Info.PortKind, link.Info.PortData
		}
		if name == "link" {
			compare, data = func(_ string, have, want any) (Change, error) {
				return LinkDelta(have.(*Link), want.(*Link))
			}, link
		}
		t.Run(name, func(t *testing.T) {
			if same, err := compare(kind, data, data); err != nil || len(same.Names) > 0 || same.Payload != nil {
				t.Errorf("it differs from itself: %v, %v", same.Names, err)
			}
			for field, at := range leaves(reflect.ValueOf(data)) {
				if name == "link" {
					break // its header and its groups have no leaves of their own
				}
				checkAlone(t, kind, data, field, at(), compare)
			}
		})
	}
}

// checkAlone compares none with one field.
func checkAlone(t *testing.T, kind string, data any, field string, value reflect.Value, compare func(string, any, any) (Change, error)) {
	t.Helper()
	alone, none := reflect.New(reflect.TypeOf(data).Elem()), reflect.New(reflect.TypeOf(data).Elem())
	leaves(alone)[field]().Set(value)
	change, err := compare(kind, none.Interface(), alone.Interface())
	switch {
	case err != nil && strings.Contains(err.Error(), "cannot be set"):
	case err != nil || len(change.Names) != 1 || change.Payload == nil || strings.TrimSpace(change.Texts[0]) == "":
		t.Errorf("%s: %v differs, %x is sent, %v", field, change.Texts, change.Payload, err)
	}
}

// TestKindsAreKnown: a kind that takes only the full set stays so.
func TestKindsAreKnown(t *testing.T) {
	var whole []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		if reflect.ValueOf(kinds[kind]).Elem().FieldByName("whole").Bool() {
			whole = append(whole, kind)
		}
	}
	want := "erspan gre gretap ip6erspan ip6gre ip6gretap ip6tnl ipip sit vti vti6 xfrm"
	if got := strings.Join(whole, " "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestDeltaRefusesWhatIsIgnored: what the kernel would accept and ignore is an error.
func TestDeltaRefusesWhatIsIgnored(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("fd00::1")
	for _, tt := range []struct {
		kind string
		want any
		says string
	}{
		{"gre", &GRE{GRE: state.GRE{Remote: six}}, "attribute IFLA_GRE_REMOTE: fd00::1 has 16 bytes, and the kernel takes 4"},
		{"ip6gretap", &GRE{GRE: state.GRE{Local: four}}, "attribute IFLA_GRE_LOCAL: 192.0.2.1 has 4 bytes, and the kernel takes 16"},
		{"vti6", &VTI{VTI: state.VTI{Local: four}}, "attribute IFLA_VTI_LOCAL: 192.0.2.1 has 4 bytes, and the kernel takes 16"},
		{"ip6tnl", &IP6Tunnel{IP6Tunnel: state.IP6Tunnel{Remote: four}}, "attribute IFLA_IPTUN_REMOTE: 192.0.2.1 has 4 bytes, and the kernel takes 16"},
		{"ip6gre", &GRE{GRE: state.GRE{TOS: new(uint8(1))}}, "tos (IFLA_GRE_TOS) cannot be set: the kernel does not take it"},
		{"gre", &GRE{GRE: state.GRE{EncapLimit: new(uint8(1))}}, "encap_limit (IFLA_GRE_ENCAP_LIMIT) cannot be set: the kernel does not take it"},
		{"gretap", &GRE{GRE: state.GRE{ERSPANIndex: new(uint32(1))}}, "erspan_index (IFLA_GRE_ERSPAN_INDEX) cannot be set: the kernel does not take it"},
		{"ipip", &IPTunnel{IPTunnel: state.IPTunnel{SixRDLength: new(uint16(1))}}, "6rd_prefixlen (IFLA_IPTUN_6RD_PREFIXLEN) cannot be set: the kernel does not take it"},
	} {
		for _, have := range []any{nil, reflect.New(reflect.TypeOf(tt.want).Elem()).Interface()} {
			if _, err := Delta(tt.kind, have, tt.want); err == nil || err.Error() != "compare data of kind "+tt.kind+": "+tt.says {
				t.Errorf("%v, want %s", err, tt.says)
			}
		}
	}
}

// TestWorstOfTwoClasses checks the class of two attributes together: if one needs the link
// down and the other needs no ports, the change needs both.
func TestWorstOfTwoClasses(t *testing.T) {
	for _, tt := range []struct{ a, b, want Class }{
		{InPlace, LinkDown, LinkDown}, {LinkDown, NoPorts, NoPortsDown}, {NoPorts, LinkDown, NoPortsDown}, {NoPorts, NoPorts, NoPorts},
		{LinkDown, LinkDown, LinkDown}, {InPlace, NoPorts, NoPorts}, {NoPortsDown, LinkDown, NoPortsDown}, {Recreate, NoPorts, Recreate},
	} {
		if got := tt.a.Both(tt.b); got != tt.want {
			t.Errorf("%d and %d are %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
