package kernel

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

// TestWatchFilter checks that nothing is reported about interfaces that the filter
// does not select.
func TestWatchFilter(t *testing.T) {
	netnstest.Need(t)
	pairs(t, 2)
	netnstest.Lines(t, `ip link set r0 addrgenmode none
		ip link set r1 addrgenmode none`)
	tests := []struct {
		name   string
		filter state.Filter
		want   []string
	}{
		{"one interface", state.Filter{Parts: state.PartIfaces, Iface: "r1"}, []string{"change iface r1", "new address r1 10.8.0.1/24"}},
		{"one type", state.Filter{Parts: state.PartIfaces, Type: "bridge"}, []string{"change iface rbr", "new address rbr 10.8.1.1/24"}},
		{"routes through one interface", state.Filter{Parts: state.PartRoutes, OutIface: "r1", Table: 1000}, []string{"new route 10.9.1.0/24 dev r1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := follow(t, test.filter)
			netnstest.Lines(t, `ip link set r0 up
				ip link set r1 up mtu 1400
				ip link set rbr mtu 1400
				ip addr add 10.7.0.1/24 dev r0
				ip addr add 10.8.0.1/24 dev r1
				ip addr add 10.8.1.1/24 dev rbr
				ip route add 10.9.0.0/24 dev r0 table 1000
				ip route add 10.9.1.0/24 dev r1 table 1000`)
			var reported []string
			f.await(t, fmt.Sprintf("%q", test.want), 3*time.Second, func(*state.State) bool {
				reported = nil
				for _, c := range f.changes[1:] {
					reported = append(reported, words(c))
				}
				return slices.Contains(reported, test.want[0]) && slices.Contains(reported, test.want[len(test.want)-1])
			})
			for _, w := range reported {
				if !slices.Contains(test.want, w) {
					t.Errorf("reported %q", w)
				}
			}
			netnstest.Lines(t, `ip addr flush dev r0
				ip addr flush dev r1
				ip addr flush dev rbr
				ip link set r0 down
				ip link set r1 down mtu 1500
				ip link set rbr mtu 1500`)
		})
	}
}

// TestWatchFilterGone checks that the end of a filter's interface is reported,
// together with its objects, and without a resync.
func TestWatchFilterGone(t *testing.T) {
	netnstest.Need(t)
	for _, test := range []struct {
		name   string
		filter state.Filter
		want   []string
	}{
		{"one interface", state.Filter{Iface: "r1", Parts: state.PartIfaces | state.PartNeighbours}, []string{
			"del address r1 10.8.0.1/24", "del address r1 fd08::1/64", "del neighbour 10.8.0.9 dev r1", "del iface r1"}},
		{"one type", state.Filter{Type: "veth", Parts: state.PartIfaces}, []string{"del address r1 10.8.0.1/24", "del iface r1", "del iface pr1"}},
		{"routes through one interface", state.Filter{OutIface: "r1", Parts: state.PartRoutes}, []string{"del route 10.8.0.0/24 dev r1", "del route fd08::/64 dev r1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			pairs(t, 2)
			netnstest.Lines(t, `ip link set r1 up
				ip addr add 10.8.0.1/24 dev r1
				ip addr add fd08::1/64 dev r1 nodad
				ip neigh add 10.8.0.9 lladdr 02:00:00:00:00:09 dev r1`)
			f := follow(t, test.filter)
			netnstest.Run(t, "ip", "link", "del", "r1")
			f.await(t, fmt.Sprintf("%q", test.want), 3*time.Second, func(*state.State) bool {
				var reported []string
				for _, c := range f.changes {
					reported = append(reported, words(c))
				}
				return !slices.ContainsFunc(test.want, func(w string) bool { return !slices.Contains(reported, w) })
			})
			if n := f.count(state.Resync); n > 0 {
				t.Errorf("started again %d times", n)
			}
		})
	}
}

// TestWatchFilterGoesOn checks that after the end of a filter's interface nothing
// more is reported of it, even if another interface takes the name, but that other
// parts continue.
func TestWatchFilterGoesOn(t *testing.T) {
	netnstest.Need(t)
	for _, test := range []struct {
		name   string
		filter state.Filter
		want   string // a change of the interface that takes the name, in a part that continues
		not    string // a change in a part that does not continue
	}{
		{name: "one interface", filter: state.Filter{Iface: "r1", Parts: state.PartIfaces | state.PartRules | state.PartRoutes}, want: "new route 10.8.0.0/24 dev r1", not: "new iface r1"},
		{name: "routes through one interface", filter: state.Filter{OutIface: "r1", Parts: state.PartIfaces | state.PartRules | state.PartRoutes}, want: "new address r1 10.8.0.1/24", not: "new route 10.8.0.0/24 dev r1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pairs(t, 2)
			f := follow(t, test.filter)
			reported := func(w string) bool {
				return slices.ContainsFunc(f.changes, func(c state.Change) bool { return words(c) == w })
			}
			netnstest.Run(t, "ip", "link", "del", "r1")
			f.await(t, "the end of r1", 3*time.Second, func(*state.State) bool { return reported("del iface r1") })
			netnstest.Lines(t, `ip link add r1 type veth peer name pr1
				ip link set pr1 up
				ip link set r1 up
				ip addr add 10.8.0.1/24 dev r1
				ip rule add pref 78 lookup 78`)
			f.await(t, test.want, 3*time.Second, func(*state.State) bool { return reported(test.want) && reported("new rule 78") })
			if reported(test.not) {
				t.Errorf("reported %q", test.not)
			}
		})
	}
}

// TestGoneBeforeRead has an interface that vanishes after it was found and before it
// is read.
func TestGoneBeforeRead(t *testing.T) {
	netnstest.Need(t)
	for name, filter := range map[string]state.Filter{"of it": {Iface: "r0"}, "routes": {OutIface: "r0", Parts: state.PartRoutes}} {
		t.Run(name, func(t *testing.T) {
			pairs(t, 1)
			r, err := newReader(t.Context(), filter)
			if err != nil {
				t.Fatal(err)
			}
			netnstest.Run(t, "ip", "link", "del", "r0")
			if s, _, err := r.compact(t.Context()); !errors.Is(err, ErrNotExist) {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}
