package state

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestApplyLeavesSnapshot checks that Apply does not change the snapshot with which a
// State began.
func TestApplyLeavesSnapshot(t *testing.T) {
	snapshot := &State{Ifaces: map[string]*Iface{"eth0": {Name: "eth0", Index: 2}}}
	var s State
	for _, c := range []Change{
		{Op: Snapshot, Object: Object{State: snapshot}},
		{Op: New, Object: Object{Iface: &Iface{Name: "eth1", Index: 3}}},
		{Op: New, Object: Object{Address: &IfaceAddress{"eth0", Address{Address: netip.MustParseAddr("192.0.2.1")}}}},
		{Op: Deleted, Object: Object{Iface: &Iface{Name: "eth0", Index: 2}}},
	} {
		if err := s.Apply(c); err != nil {
			t.Fatal(err)
		}
	}
	want := &State{Ifaces: map[string]*Iface{"eth0": {Name: "eth0", Index: 2}}}
	if diff := cmp.Diff(want, snapshot); diff != "" || s.Ifaces["eth0"] != nil || s.Ifaces["eth1"] == nil {
		t.Errorf("applied: %v; the snapshot (-before +after):\n%s", s.Ifaces, diff)
	}
}

// TestTimeless checks that values which change by time and use do not count as a
// difference, and that Timeless does not change its receiver.
func TestTimeless(t *testing.T) {
	iface := func(n uint64, mtu uint32) *Iface {
		return &Iface{
			MTU: mtu,
			Kinds: Kinds{
				Bridge: &Bridge{
					HelloTimer: &n, TCNTimer: &n, TopologyChangeTimer: &n, GCTimer: &n, FDBLearned: new(uint32(n)),
					MulticastQuerierState: &MulticastQuerier{OtherTimer: &n, IPv6OtherTimer: &n},
				},
				HSR: &HSR{SequenceNumber: new(uint16(n))},
			},
			Ports: Ports{BridgePort: &BridgePort{MessageAgeTimer: &n, ForwardDelayTimer: &n, HoldTimer: &n}},
		}
	}
	group := func(n, idle uint32) Nexthop {
		return Nexthop{Resilient: &ResilientGroup{IdleTimer: float64(idle), UnbalancedTime: float64(n)}}
	}
	for _, row := range []struct {
		name       string
		time, real uint32
		same       bool
	}{{"time", 2, 1, true}, {"something else", 1, 2, false}} {
		a, b := iface(1, 1), iface(uint64(row.time), row.real)
		if reflect.DeepEqual(a.Timeless(), b.Timeless()) != row.same || !reflect.DeepEqual(a, iface(1, 1)) {
			t.Errorf("%s: interface, now %+v", row.name, a)
		}
		x, y := group(1, 1), group(row.time, row.real)
		if reflect.DeepEqual(x.Timeless(), y.Timeless()) != row.same || !reflect.DeepEqual(x, group(1, 1)) {
			t.Errorf("%s: next hop object, now %+v", row.name, x)
		}
	}
}
