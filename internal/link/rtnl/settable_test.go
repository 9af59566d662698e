package rtnl

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

// settable is a table whose rows are written to a link of the kernel's.
type settable struct {
	name    string // of the test
	kind    string
	make    string // ip(8) commands, which make the link x
	compare func(kind string, have, want any) (Change, error)
	data    func(l *Link) any                  // what the kernel shows of x
	message func(kind string, p Payload) *Link // that changes x
	remade  func(field string) *Link           // a new link y, for what only a new link takes; nil: there is none
}

func kindTable(kind, with string, remade func(field string) *Link) settable {
	return settable{
		name: kind, kind: kind, make: fmt.Sprintf("link add x %s\nlink set x up", with), compare: Delta,
		data:    func(l *Link) any { return l.Info.Data },
		message: func(kind string, p Payload) *Link { return &Link{Info: LinkInfo{Kind: kind, Data: p}} },
		remade:  remade,
	}
}

func named6(s settable) settable {
	s.name += " over IPv6"
	return s
}

func newVXLAN(field string) *Link {
	data := &VXLAN{VXLAN: state.VXLAN{ID: new(uint32(9)), Port: new(uint16(4799))}}
	if field == "gpe" || field == "vnifilter" { // which the kernel takes only with these
		data.CollectMetadata, data.Learning = new(true), new(false)
	}
	return &Link{Info: LinkInfo{Kind: "vxlan", Data: data}}
}

var settables = []settable{
	kindTable("bridge", "type bridge", nil),
	kindTable("vxlan", "type vxlan id 1 dstport 4789 remote 192.0.2.1 local 192.0.2.2 dev v0", newVXLAN),
	kindTable("macvlan", "link v0 type macvlan mode source", func(string) *Link { return &Link{Info: LinkInfo{Kind: "macvlan"}} }),
	kindTable("vlan", "link v0 type vlan id 5", func(string) *Link {
		return &Link{Info: LinkInfo{Kind: "vlan", Data: &state.VLAN{ID: new(uint16(77))}}}
	}),
	kindTable("bond", "type bond mode 802.3ad miimon 100", nil),
	kindTable("vrf", "type vrf table 10", func(string) *Link { return &Link{Info: LinkInfo{Kind: "vrf", Data: &state.VRF{}}} }),
	kindTable("ipvlan", "link v0 type ipvlan", nil),
	kindTable("gre", "type gre local 192.0.2.2 remote 192.0.2.3 ttl 9", nil),
	kindTable("ipip", "type ipip local 192.0.2.2 remote 192.0.2.4 ttl 9", nil),
	kindTable("sit", "type sit local 192.0.2.2 remote 192.0.2.5 ttl 9", nil),
	kindTable("ip6tnl", "type ip6tnl local fd00::2 remote fd00::3", nil),
	kindTable("geneve", "type geneve id 1 remote 192.0.2.6", func(string) *Link {
		return &Link{Info: LinkInfo{Kind: "geneve", Data: &state.Geneve{ID: new(uint32(9)), Port: new(uint16(6099))}}}
	}),
	kindTable("macsec", "link v0 type macsec", nil),
	kindTable("xfrm", "type xfrm dev v0 if_id 1", nil),
	named6(kindTable("vxlan", "type vxlan id 2 dstport 4790 remote fd00::1 local fd00::2 dev v0", newVXLAN)),
	{
		name: "port of bridge", kind: "bridge", compare: PortDelta,
		make:    "link add bridge0 type bridge\nlink set bridge0 up\nlink add x type veth peer name far\nlink set x master bridge0\nlink add other type veth peer name beyond\nlink set other master bridge0\nlink set x up\nlink set far up",
		data:    func(l *Link) any { return l.Info.PortData },
		message: func(kind string, p Payload) *Link { return &Link{Info: LinkInfo{PortKind: kind, PortData: p}} },
	},
	{
		name: "port of bond", kind: "bond", compare: PortDelta,
		make:    "link add bond0 type bond mode active-backup\nlink add x type dummy\nlink set x master bond0",
		data:    func(l *Link) any { return l.Info.PortData },
		message: func(kind string, p Payload) *Link { return &Link{Info: LinkInfo{PortKind: kind, PortData: p}} },
	},
}

// unsettable are the fields that a table lists as settable and of which a kernel takes
// no value in this test, with the reason. What is not here has to be taken.
var unsettable = map[string]string{
	"bridge vlan_filtering":                    "only kernels with CONFIG_BRIDGE_VLAN_FILTERING have it",
	"vxlan label":                              "it is of IPv6",
	"vxlan label_policy":                       "likewise",
	"port of bridge mac_authentication_bypass": "it needs locked, in one message",
}

// otherwise are the fields of which the kernel takes some values for others, without a
// word, with the reason.
var otherwise = map[string]string{
	"bridge stp_state":                        "whether a program does STP the kernel decides (br_stp_start)",
	"bridge multicast_query_interval":         "it is at least 1 s (br_multicast_set_query_intvl)",
	"bridge multicast_startup_query_interval": "likewise",
	"vxlan ageing":                            "0 is the default, 300 s (vxlan_config_apply)",
	"vxlan dst_port":                          "0 is the default",
}

// TestEverySettableRow writes each settable attribute of a link that is in use, with
// zero and none among the values, and reads it back. What the kernel neither refuses
// nor does is a row with the wrong class.
func TestEverySettableRow(t *testing.T) {
	for _, s := range settables {
		t.Run(s.name, func(t *testing.T) {
			netnstest.Thread(t)
			ip(t, "link add v0 type veth peer name w0\nlink set v0 up\nlink set w0 up\naddr add 192.0.2.2/24 dev v0\naddr add fd00::2/64 dev v0 nodad")
			for line := range strings.Lines(s.make) {
				out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput()
				if strings.Contains(string(out), "Unknown device type") {
					t.Skipf("this kernel has no such kind: %s", out)
				}
				if err != nil {
					t.Fatalf("%s: %v: %s", line, err, out)
				}
			}
			k := dialKernel(t)
			for field := range leaves(reflect.New(reflect.TypeOf(s.data(k.link("x"))).Elem())) {
				s.writeField(t, k, field)
			}
		})
	}
}

// try sends a request, and returns the kernel's refusal.
func (k kernel) try(l *Link, flags netlink.HeaderFlags) error {
	k.t.Helper()
	b, err := l.MarshalBinary()
	if err != nil {
		k.t.Fatal(err)
	}
	_, err = k.conn.Execute(netlink.Message{Header: netlink.Header{Type: unix.RTM_NEWLINK, Flags: netlink.Request | netlink.Acknowledge | flags}, Data: b})
	return err
}

// writeField writes all values of one field.
func (s settable) writeField(t *testing.T, k kernel, field string) {
	t.Helper()
	taken, tried, refusals := 0, 0, map[string]bool{}
	if s.lacks(k, field) {
		t.Logf("%s: this kernel does not have it", field)
		return
	}
	for _, value := range valuesOf(s.data(k.link("x")), field) {
		now := k.link("x")
		change, err := s.compare(s.kind, s.data(now), value)
		if err != nil && strings.Contains(err.Error(), "cannot be set") {
			return // read-only
		}
		if err != nil {
			t.Fatalf("%s: %v", field, err)
		}
		if len(change.Names) == 0 {
			continue // so it is
		}
		tried++
		if change.Class == Recreate {
			err = s.writeNew(t, k, now, change, field, value)
		} else {
			err = s.writeInPlace(t, k, now, change, field, value)
		}
		if err != nil {
			refusals[err.Error()] = true
			continue
		}
		taken++
	}
	if _, known := unsettable[s.name+" "+field]; tried > 0 && taken == 0 && !known {
		t.Errorf("%s: no value of %d was taken: %v", field, tried, refusals)
	}
}

// lacks reports whether the kernel does not show a field that others show with every
// value.
func (s settable) lacks(k kernel, field string) bool {
	now := s.data(k.link("x"))
	at := leaves(reflect.ValueOf(now).Elem().Addr())[field]
	shown := reflect.New(reflect.TypeOf(now).Elem())
	shown.Elem().Set(reflect.ValueOf(now).Elem())
	if at().Kind() != reflect.Pointer || !at().IsNil() {
		return false
	}
	zero := valuesOf(now, field)
	if len(zero) == 0 {
		return false
	}
	change, err := s.compare(s.kind, shown.Interface(), zero[0])
	return err == nil && len(change.Names) > 0 && change.Class != Recreate
}

func (s settable) writeInPlace(t *testing.T, k kernel, now *Link, change Change, field string, value any) error {
	t.Helper()
	m := s.message(s.kind, change.Payload)
	m.Index = now.Index
	if change.Class == LinkDown || change.Class == NoPorts {
		k.change(&Link{Index: now.Index, Change: unix.IFF_UP})
		defer k.change(&Link{Index: now.Index, Flags: unix.IFF_UP, Change: unix.IFF_UP})
	}
	if err := k.try(m, 0); err != nil {
		return err
	}
	left, err := s.compare(s.kind, s.data(k.link("x")), value)
	if _, known := otherwise[s.kind+" "+field]; known && len(left.Names) > 0 {
		return errors.New("another value is taken")
	}
	if err != nil || len(left.Names) > 0 {
		t.Errorf("%s: the kernel accepted %v, and ignored it, %v", field, change.Texts, err)
	}
	return nil
}

// writeNew makes another link with the value. The link that there is must not take it.
func (s settable) writeNew(t *testing.T, k kernel, now *Link, change Change, field string, value any) error {
	t.Helper()
	m := s.message(s.kind, change.Payload)
	m.Index = now.Index
	if k.try(m, 0) == nil {
		if left, err := s.compare(s.kind, s.data(k.link("x")), value); err == nil && len(left.Names) == 0 {
			t.Errorf("%s: the kernel changed %v in place", field, change.Texts)
		}
	}
	if s.remade == nil {
		return errors.New("not tried with a new link")
	}
	made := s.remade(field)
	made.Name, made.Parent = "y", new(uint32(k.link("v0").Index))
	if made.Info.Data == nil {
		made.Info.Data = reflect.New(reflect.TypeOf(value).Elem()).Interface()
	}
	leaves(reflect.ValueOf(made.Info.Data))[field]().Set(leaves(reflect.ValueOf(value))[field]())
	if v, ok := made.Info.Data.(*VXLAN); ok {
		v.VXLANPorts = value.(*VXLAN).VXLANPorts
	}
	delta, err := Delta(s.kind, nil, made.Info.Data)
	if err != nil {
		t.Fatal(err)
	}
	made.Info.Data = delta.Payload
	if err := k.try(made, netlink.Create|netlink.Excl); err != nil {
		return err
	}
	y := k.link("y")
	_, known := otherwise[s.kind+" "+field]
	if left, err := s.compare(s.kind, s.data(y), value); err != nil || len(left.Names) > 0 && !known {
		t.Errorf("%s: the kernel made a link with %v, and ignored it, %v", field, change.Texts, err)
	}
	k.execute(unix.RTM_DELLINK, netlink.Acknowledge, &Link{Index: y.Index})
	return nil
}

// valuesOf makes data of the type, each with one value in one field.
func valuesOf(data any, field string) (all []any) {
	add := func(set func(v reflect.Value)) {
		one := reflect.New(reflect.TypeOf(data).Elem())
		at := leaves(one)[field]()
		if at.Kind() == reflect.Pointer {
			at.Set(reflect.New(at.Type().Elem()))
			at = at.Elem()
		}
		set(at)
		if v, ok := one.Interface().(*VXLAN); ok && v.VXLANPorts != nil {
			v.VXLANPorts = &state.VXLANPorts{Min: max(v.Min, 1), Max: max(v.Min, v.Max, 1)} // the kernel takes both or none
		}
		all = append(all, one.Interface())
	}
	one := leaves(reflect.New(reflect.TypeOf(data).Elem()))[field]()
	kind := one.Type()
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	for _, v := range candidates(kind) {
		if spelled, ok := v.(fmt.Stringer); ok && isSpelled(kind) && strings.Trim(spelled.String(), "0123456789") == "" {
			continue // no value of the enumeration
		}
		add(func(at reflect.Value) { at.Set(reflect.ValueOf(v).Convert(at.Type())) })
	}
	return all
}

// candidates are values that may differ from what a link has, zero and none first.
func candidates(of reflect.Type) (all []any) {
	mac := state.HardwareAddress{2, 0, 0, 0, 0, 9}
	switch reflect.Zero(of).Interface().(type) {
	case netip.Addr:
		for _, text := range []string{"0.0.0.0", "::", "192.0.2.2", "192.0.2.7", "fd00::2", "fd00::7", "239.1.1.1"} {
			all = append(all, netip.MustParseAddr(text))
		}
		return all
	case state.HardwareAddress:
		return []any{state.HardwareAddress{1, 0x80, 0xc2, 0, 0, 0xf}, mac}
	case []state.HardwareAddress:
		return []any{[]state.HardwareAddress{}, []state.HardwareAddress{mac}, []state.HardwareAddress{}}
	case []state.VLANQoS:
		return []any{[]state.VLANQoS{}, []state.VLANQoS{{From: 1, To: 2}, {From: 3, To: 4}}, []state.VLANQoS{{From: 3, To: 5}}, []state.VLANQoS{}}
	case state.AddressList:
		return []any{state.AddressList{netip.MustParseAddr("192.0.2.9")}, state.AddressList{}}
	case []netip.Addr:
		return []any{[]netip.Addr{netip.MustParseAddr("fd00::9")}, []netip.Addr{}}
	case state.BridgeOptions:
		return []any{state.BridgeOptions{Value: 0, Mask: 1}, state.BridgeOptions{Value: 1, Mask: 1}, state.BridgeOptions{Value: 0, Mask: 1}}
	}
	switch of.Kind() {
	case reflect.Bool:
		return []any{false, true, false}
	case reflect.Int32:
		return []any{int32(0), int32(-1), int32(5), int32(1)}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		for _, n := range []uint64{0, 1, 2, 3, 4, 5, 8, 10, 16, 100, 200, 300, 1000, 2000, 4096, 5000, 0x88a8, 65535, 100000} {
			v := reflect.New(of).Elem()
			if v.SetUint(n); v.Uint() == n {
				all = append(all, v.Interface())
			}
		}
	}
	return all
}

// TestEverySettableRowOfLink is the same for what links of all kinds have.
func TestEverySettableRowOfLink(t *testing.T) {
	netnstest.Thread(t)
	ip(t, "link add v0 type veth peer name w0\nlink add x link v0 type macvlan\nlink add bridge0 type bridge\nlink set x up")
	k := dialKernel(t)
	bridge := uint32(k.link("bridge0").Index)
	index, written := k.link("x").Index, map[string]bool{}
	for _, want := range []*Link{
		{MTU: 1400}, {MTU: 1500}, {TxQueueLength: new(uint32(500))}, {TxQueueLength: new(uint32(0))},
		{Group: new(uint32(7))}, {Group: new(uint32(0))}, {Alias: new("words")}, {Alias: new("")},
		{LinkMode: new(uint8(1))}, {LinkMode: new(uint8(0))}, {ProtoDown: new(true)}, {ProtoDown: new(false)},
		{MAC: []byte{2, 0, 0, 0, 0, 9}}, {Broadcast: []byte{2, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{Master: &bridge}, {Master: new(uint32(0))},
		{GSOMaxSize: 5000}, {GSOMaxSegments: 40}, {GROMaxSize: 6000},
		{IPv6: &LinkIPv6{AddrGenMode: new(uint8(1))}}, {IPv6: &LinkIPv6{AddrGenMode: new(uint8(0))}},
		{Name: "y"}, {Name: "x"},
	} {
		now := k.index(index)
		change, err := LinkDelta(now, want)
		if err != nil || len(change.Names) != 1 || change.Class != InPlace {
			t.Fatalf("%+v: %v, class %d, %v", want, change.Texts, change.Class, err)
		}
		m := *want
		m.Index = now.Index
		if err := k.try(&m, 0); err != nil {
			t.Errorf("%v: %v", change.Texts, err)
			continue
		}
		if left, err := LinkDelta(k.index(now.Index), want); err != nil || len(left.Names) > 0 {
			t.Errorf("the kernel accepted %v, and ignored it, %v", change.Texts, err)
		}
		written[change.Names[0]] = true
	}
	for _, row := range linkTable { // a carrier is set by few kinds, such as dummy
		if row.class == InPlace && row.number != unix.IFLA_LINKINFO && row.number != unix.IFLA_CARRIER && !written[row.name] {
			t.Errorf("%s was not written", row.name)
		}
	}
	if shown := showAll(t, "x"); shown["master"] != nil || shown["ifalias"] != nil || shown["txqlen"] != nil {
		t.Errorf("ip shows %v", shown)
	}
}

// index reads the link of an index.
func (k kernel) index(n int32) *Link {
	k.t.Helper()
	for _, answer := range k.execute(unix.RTM_GETLINK, 0, &Link{Index: n}) {
		if answer.Header.Type == unix.RTM_NEWLINK {
			l := new(Link)
			if err := l.UnmarshalBinary(answer.Data); err != nil {
				k.t.Fatal(err)
			}
			return l
		}
	}
	k.t.Fatalf("no link %d", n)
	return nil
}
