package link

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/timetest"
	"github.com/netconnectd/netconnectd/state"
)

func bridgeWith(name string, priority uint16) LinkSpec {
	return LinkSpec{Name: name, Path: "devices." + name, Kind: "bridge", Data: &rtnl.Bridge{Bridge: state.Bridge{Priority: &priority}}}
}

func vlanOn(name, parent string, id uint16) LinkSpec {
	return LinkSpec{Name: name, Path: "devices." + name, Kind: "vlan", Parent: &parent, Data: &state.VLAN{ID: &id}}
}

// TestPlanAll applies the links of before to a model, lets others change it, and lists
// what is planned for want, and what is said not to work.
func TestPlanAll(t *testing.T) {
	mode := func(n uint32) *rtnl.Bond { return &rtnl.Bond{Bond: state.Bond{Mode: new(state.BondMode(n))}} }
	bond := func(n uint32) LinkSpec {
		return LinkSpec{Name: "bond0", Path: "devices.bond0", Kind: "bond", Data: mode(n), Up: up()}
	}
	port := func(name, master string) LinkSpec {
		return LinkSpec{Name: name, Path: "devices." + name, Kind: "dummy", Master: &master, Up: up()}
	}
	vlan := func(id uint16) state.BridgeVLAN { return state.BridgeVLAN{VID: &id} }
	filtered := func(vlans ...state.BridgeVLAN) []LinkSpec {
		p := port("p0", "br0")
		p.VLANs = vlans
		return []LinkSpec{bridgeWith("br0", 1), p}
	}
	for _, tt := range []struct {
		name   string
		before []LinkSpec
		others func(m *model)
		want   Desired
		plan   string // "; " between
		says   string
	}{
		{name: "a link that exists by itself is waited for, and so is what stands on it",
			want: Desired{Links: []LinkSpec{{Name: "eth0", Up: up()}, vlanOn("v5", "eth0", 5), vlanOn("v6", "v5", 6), bridgeWith("br0", 1)}},
			plan: "br0: create bridge"},
		{name: "a port waits for its bridge, and is all else that it is",
			want: Desired{Links: []LinkSpec{{Name: "br0"}, port("p0", "br0")}}, plan: "p0: create dummy; p0: set up (in place)"},
		{name: "another ID of a VLAN: made anew, and what stands on it too", before: []LinkSpec{bridgeWith("br0", 1), vlanOn("v5", "br0", 5), vlanOn("v6", "v5", 6)},
			want: Desired{Links: []LinkSpec{bridgeWith("br0", 1), vlanOn("v6", "v5", 6), vlanOn("v5", "br0", 7)}},
			plan: "v6: delete vlan (recreate); v5: delete vlan (recreate); v5: create vlan (recreate); v6: create vlan (recreate)"},
		{name: "another parent, which the kernel would ignore: made anew", before: []LinkSpec{bridgeWith("br0", 1), bridgeWith("br1", 1), vlanOn("v5", "br0", 5)},
			want: Desired{Links: []LinkSpec{bridgeWith("br0", 1), bridgeWith("br1", 1), vlanOn("v5", "br1", 5)}},
			plan: "v5: delete vlan (recreate); v5: create vlan (recreate)"},
		{name: "another kind: made anew with the ports of others", before: []LinkSpec{bridgeWith("x", 1)},
			others: func(m *model) {
				l := m.make("foreign", "")
				_ = m.enslave(l, uint32(m.byName("x").Index))
			},
			want: Desired{Links: []LinkSpec{{Name: "x", Path: "devices.x", Kind: "vrf", Data: &state.VRF{Table: new(uint32(7))}}}},
			plan: "x: delete bridge (recreate); x: create vrf (recreate); foreign: set master x (recreate)"},
		{name: "not what others stand on", before: []LinkSpec{bridgeWith("x", 1)},
			others: func(m *model) {
				l := m.make("foreign", "macvlan")
				l.below = uint32(m.byName("x").Index)
				l.Parent = &l.below
			},
			want: Desired{Links: []LinkSpec{{Name: "x", Path: "devices.x", Kind: "dummy"}}},
			says: `devices.x: x is of kind "bridge" instead of "dummy", and cannot be made anew: the kernel would delete what others have put on it, foreign`},
		{name: "nor is that removed", before: []LinkSpec{bridgeWith("x", 1)},
			others: func(m *model) {
				l := m.make("foreign", "macvlan")
				l.below = uint32(m.byName("x").Index)
				l.Parent = &l.below
			},
			says: `x is declared no longer, and stays: the kernel would delete what others have put on it, foreign`},
		{name: "not what others have made", others: func(m *model) { m.make("x", "dummy") },
			want: Desired{Links: []LinkSpec{bridgeWith("x", 1), bridgeWith("y", 1)}}, plan: "y: create bridge",
			says: `devices.x: x exists, made by others, and is of kind "dummy" instead of "bridge": delete or rename it, or declare it as it is`},
		{name: "what others have made of the kind is changed in place", others: func(m *model) { m.make("x", "bridge") },
			want: Desired{Links: []LinkSpec{bridgeWith("x", 9)}}, plan: "x: set priority 9 (in place)"},
		{name: "a circle", want: Desired{Links: []LinkSpec{vlanOn("a", "b", 1), vlanOn("b", "c", 1), vlanOn("c", "a", 1), vlanOn("d", "a", 1), bridgeWith("br0", 1)}}, plan: "br0: create bridge",
			says: "devices.c: c stands on itself: c on a on b on c\ndevices.b: b stands on itself: b on c on a on b\ndevices.a: a stands on itself: a on b on c on a\ndevices.d: d stands on a, which is refused"},
		{name: "two that change places", before: []LinkSpec{bridgeWith("br0", 1), vlanOn("a", "br0", 1), vlanOn("b", "a", 1)},
			want: Desired{Links: []LinkSpec{bridgeWith("br0", 1), vlanOn("a", "b", 1), vlanOn("b", "br0", 1)}},
			plan: "a: delete vlan (recreate); b: delete vlan (recreate); b: create vlan (recreate); a: create vlan (recreate)"},
		{name: "on what stands on it", before: []LinkSpec{bridgeWith("a", 1), vlanOn("b", "a", 1)},
			want: Desired{Links: []LinkSpec{vlanOn("a", "b", 1), {Name: "b"}}},
			says: `devices.a: a is of kind "bridge" instead of "vlan", and cannot be made anew: b, which it is to stand on, stands on it now`},
		{name: "twice", want: Desired{Links: []LinkSpec{bridgeWith("x", 1), bridgeWith("x", 2)}}, plan: "x: create bridge", says: "devices.x: x is declared already by devices.x"},
		{name: "what cannot be is refused alone", want: Desired{Links: []LinkSpec{
			{Name: "a/b", Path: "devices[0]"}, {Name: "x", Path: "devices[1]", Sysctls: map[string]string{"ipv4/conf/y/forwarding": "1"}}, bridgeWith("br0", 1)}},
			plan: "br0: create bridge",
			says: "devices[0]: a/b: \"a/b\" is no name of an interface: it has to have 1 to 15 bytes, without /, : and white space\ndevices[1]: x: sysctl \"ipv4/conf/y/forwarding\" is not one of x, such as ipv4/conf/x/forwarding"},
		{name: "what another owner holds", others: func(m *model) { m.make("wlan0", "") },
			want: Desired{Held: map[string]string{"wlan0": "access point"}, Links: []LinkSpec{{Name: "wlan0", Path: "devices.wlan0", Up: up()}}},
			says: "devices.wlan0: wlan0 belongs to the access point: declare another link, or give the access point another"},
		{name: "what another owner holds is not restored", before: []LinkSpec{{Name: "lo", Up: up(), Addresses: want("10.0.0.1/8")}}, want: Desired{Held: map[string]string{"lo": "access point"}}},
		{name: "a read-only attribute", before: []LinkSpec{bridgeWith("br0", 1)},
			want: Desired{Links: []LinkSpec{{Name: "br0", Path: "devices.br0", Kind: "bridge", Data: &rtnl.Bridge{Bridge: state.Bridge{MulticastHashElasticity: new(uint32(8))}}}}},
			says: "devices.br0: compare data of kind bridge: mcast_hash_elasticity (IFLA_BR_MCAST_HASH_ELASTICITY) cannot be set: the kernel does not take it"},
		{name: "a port of a bond joins while it is down", before: []LinkSpec{{Name: "p0", Kind: "dummy", Up: up()}},
			want: Desired{Links: []LinkSpec{bond(1), port("p0", "bond0")}},
			plan: "bond0: create bond; bond0: set up (in place); p0: set down (restart); p0: set master bond0 (restart); p0: set up (in place)"},
		{name: "another mode of a bond, without its ports", before: []LinkSpec{bond(1), port("p0", "bond0")},
			want: Desired{Links: []LinkSpec{bond(4), port("p0", "bond0")}},
			plan: "bond0: set down (restart); p0: set no master (restart); bond0: set mode 802.3ad (restart); bond0: set up (in place); p0: set down (restart); p0: set master bond0 (restart); p0: set up (in place)"},
		{name: "whose hardware address it has: without its ports, and up all the time", before: []LinkSpec{bond(1), port("p0", "bond0")},
			want: Desired{Links: []LinkSpec{{Name: "bond0", Path: "devices.bond0", Kind: "bond", Data: &rtnl.Bond{Bond: state.Bond{FailOverMAC: new(state.BondFailOverMAC(1))}}, Up: up()}, port("p0", "bond0")}},
			plan: "p0: set no master (restart); bond0: set fail_over_mac active (restart); p0: set down (restart); p0: set master bond0 (restart); p0: set up (in place)"},
		{name: "not with ports of others", before: []LinkSpec{bond(1)},
			others: func(m *model) { _ = m.enslave(m.make("foreign", ""), uint32(m.byName("bond0").Index)) },
			want:   Desired{Links: []LinkSpec{bond(4)}},
			says:   "devices.bond0: bond0: set mode 802.3ad needs it to have no ports, and it has foreign, which others have added: take them out, or declare them",
			plan:   ""},
		{name: "a port of a VRF loses its IPv6 addresses and routes", before: []LinkSpec{{Name: "p0", Kind: "dummy", Up: up(), Addresses: want("10.0.0.1/8", "fd00::1/64"), Routes: []RouteSpec{through("10.9.0.0/16", "", 0)}}},
			want: Desired{Links: []LinkSpec{{Name: "red", Kind: "vrf", Data: &state.VRF{Table: new(uint32(7))}}, {Name: "p0", Kind: "dummy", Up: up(), Master: new("red"), Addresses: want("10.0.0.1/8", "fd00::1/64"), Routes: []RouteSpec{through("10.9.0.0/16", "", 0)}}}},
			plan: "red: create vrf; p0: set master red (re-address); p0: add address fd00::1/64; p0: add route to 10.9.0.0/16"},
		{name: "an MTU below that of IPv6", before: []LinkSpec{{Name: "p0", Kind: "dummy", Up: up(), Addresses: want("10.0.0.1/8")}},
			want: Desired{Links: []LinkSpec{{Name: "p0", Kind: "dummy", Up: up(), MTU: new(uint32(1279)), Addresses: want("10.0.0.1/8")}}},
			plan: "p0: set mtu 1279 (in place)"},
		{name: "VLANs of a new port", want: Desired{Links: filtered(vlan(5), state.BridgeVLAN{VIDRange: &[2]uint16{7, 9}})},
			plan: "br0: create bridge; p0: create dummy; p0: set master br0 (in place); p0: add VLAN 5; p0: add VLAN 7-9; p0: set up (in place)"},
		{name: "VLANs of ours go, others stay", before: filtered(vlan(5), vlan(6)), want: Desired{Links: filtered(vlan(6), state.BridgeVLAN{VID: new(uint16(1)), IsPVID: true, IsEgressUntagged: true})},
			others: func(m *model) {
				m.byName("p0").BridgeVLANs = append(m.byName("p0").BridgeVLANs, vlan(99))
			},
			plan: "p0: remove VLAN 5"},
		{name: "none of ours", before: filtered(vlan(5)), want: Desired{Links: filtered([]state.BridgeVLAN{}...)}, plan: "p0: remove VLAN 5"},
		{name: "VLANs are not declared", before: filtered(vlan(5)), want: Desired{Links: filtered()}, plan: ""},
		{name: "another flag", before: filtered(vlan(5)), want: Desired{Links: filtered(state.BridgeVLAN{VID: new(uint16(5)), IsEgressUntagged: true})}, plan: "p0: add VLAN 5 untagged"},
		{name: "another far end of a tunnel, the rest as it is", before: []LinkSpec{{Name: "g", Kind: "gre", Data: &rtnl.GRE{GRE: state.GRE{Remote: addr("192.0.2.1"), TTL: new(uint8(9))}}}},
			want: Desired{Links: []LinkSpec{{Name: "g", Kind: "gre", Data: &rtnl.GRE{GRE: state.GRE{Remote: addr("192.0.2.2")}}}}},
			plan: "g: set remote 192.0.2.2 (in place)"},
		{name: "none below a tunnel", before: []LinkSpec{{Name: "vx", Kind: "vxlan", Parent: new("lo"), Data: &rtnl.VXLAN{VXLAN: state.VXLAN{ID: new(uint32(1))}}}},
			want: Desired{Links: []LinkSpec{{Name: "vx", Kind: "vxlan", Parent: new(""), Data: &rtnl.VXLAN{VXLAN: state.VXLAN{ID: new(uint32(1))}}}}},
			plan: "vx: delete vxlan (recreate); vx: create vxlan (recreate)"},
		{name: "of no bridge any longer", before: []LinkSpec{bridgeWith("br0", 1), port("p0", "br0")}, want: Desired{Links: []LinkSpec{bridgeWith("br0", 1), port("p0", "")}},
			plan: "p0: set no master (in place)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{model: newModel()}
			if _, err := w.apply(Desired{Links: tt.before}); err != nil {
				t.Fatal(err)
			}
			if tt.others != nil {
				tt.others(w.model)
			}
			changes, err := PlanAll(w.tables(), tt.want, w.remembered())
			says := ""
			if err != nil {
				says = err.Error()
			}
			if got := strings.Join(texts(changes), "; "); got != tt.plan || says != tt.says {
				t.Errorf("(-want +got):\n%s%s", cmp.Diff(tt.plan, got), cmp.Diff(tt.says, says))
			}
		})
	}
}

// TestKernelThatIgnores: what the kernel accepts and does not do is an error with the
// place of the declaration, after few tries; all else is done.
func TestKernelThatIgnores(t *testing.T) {
	w := &world{model: newModel()}
	w.make("eth0", "")
	w.deaf = true
	declared := Desired{Links: []LinkSpec{{Name: "eth0", Path: "network.devices[3] (line 9)", MTU: new(uint32(1400)), Up: up(), Addresses: want("10.0.0.1/8")}}}
	out, err := w.apply(declared)
	if !errors.Is(err, ErrIgnored) || err.Error() != "network.devices[3] (line 9): eth0: set mtu 1400: "+ErrIgnored.Error() {
		t.Errorf("%v", err)
	}
	if w.requests > 6 || !slices.Contains(texts(out.Done), "eth0: add address 10.0.0.1/8") {
		t.Errorf("%d requests, done %v", w.requests, texts(out.Done))
	}
	w.deaf = false
	if out, err := w.apply(declared); err != nil || fmt.Sprint(texts(out.Done)) != "[eth0: set mtu 1400 (in place)]" {
		t.Errorf("a kernel that does: %v, %v", texts(out.Done), err)
	}
}

// TestOtherLinkOfTheName: a link that took the name of one of ours, and a file of
// another boot, make nothing ours.
func TestOtherLinkOfTheName(t *testing.T) {
	w := &world{model: newModel()}
	if _, err := w.apply(Desired{Links: []LinkSpec{bridgeWith("br0", 1)}}); err != nil {
		t.Fatal(err)
	}
	if err := w.removeLink(w.byName("br0").Index); err != nil {
		t.Fatal(err)
	}
	w.make("br0", "bridge")
	if out, err := w.apply(Desired{}); err != nil || len(out.Done) > 0 || w.byName("br0") == nil {
		t.Errorf("done %v, %v", texts(out.Done), err)
	}
}

// chain is n bridges, each with a port, an address and a route; every tenth has a VLAN
// of the one before below it.
func chain(n int) Desired {
	var out Desired
	for i := range n {
		name := fmt.Sprintf("b%d", i)
		l := bridgeWith(name, 7)
		l.Up = up()
		l.Addresses = want(fmt.Sprintf("10.%d.%d.1/24", i/250, i%250))
		l.Routes = []RouteSpec{through(fmt.Sprintf("172.%d.%d.0/24", 16+i/250, i%250), fmt.Sprintf("10.%d.%d.9", i/250, i%250), 0)}
		out.Links = append(out.Links, l, LinkSpec{Name: "p" + name, Kind: "dummy", Master: &name, Up: up()})
		if i > 0 && i%10 == 0 {
			out.Links = append(out.Links, vlanOn("v"+name, fmt.Sprintf("vb%d", i-10), 5))
		}
	}
	out.Links = append(out.Links, vlanOn("vb0", "b0", 5))
	slices.Reverse(out.Links)
	return out
}

// TestPlanAllIsLinear: ten times the links take not much more than ten times as long, in
// processors' time, as other programs may run.
func TestPlanAllIsLinear(t *testing.T) {
	if testing.Short() || timetest.Beside {
		t.Skip("measures, without the race detector")
	}
	planned := func(n int) time.Duration {
		w := &world{model: newModel()}
		declared, empty := chain(n), w.tables()
		best := time.Hour
		for range 5 {
			var changes []Change
			var err error
			spent := timed(t, unix.RUSAGE_SELF, func() { changes, err = PlanAll(empty, declared, Owned{}) })
			if best = min(best, spent.processor); err != nil || len(changes) < 5*n {
				t.Fatalf("%d changes, %v", len(changes), err)
			}
		}
		return best
	}
	small, large := planned(250), planned(2500)
	t.Logf("%v for 250 bridges, %v for 2,500", small, large)
	if large > 25*small {
		t.Errorf("%v for 250 bridges, %v for 2,500", small, large)
	}
}
