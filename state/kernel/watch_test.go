package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

// follower is a client of Watch that updates a State by Apply alone.
type follower struct {
	mu      sync.Mutex
	state   state.State
	changes []state.Change
	err     error
	news    chan struct{}
}

// follow watches until the end of the test.
func follow(t *testing.T, filter state.Filter) *follower {
	t.Helper()
	netnstest.Need(t)
	f := &follower{news: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Watch(ctx, filter, slog.New(slog.DiscardHandler), f.take) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch: %v", err)
		}
	})
	f.await(t, "the snapshot", 5*time.Second, func(*state.State) bool { return len(f.changes) > 0 })
	return f
}

func (f *follower) take(c state.Change) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if want := uint64(len(f.changes) + 1); c.Seq != want {
		f.err = errors.Join(f.err, fmt.Errorf("change %d came after %d", c.Seq, want-1))
	}
	// The change passes through JSON as it would for a client in another program.
	b, err := json.Marshal(c)
	var read state.Change
	f.err = errors.Join(f.err, err, json.Unmarshal(b, &read), f.state.Apply(read))
	if c.Op == state.Changed && c.Iface != nil && reflect.DeepEqual(c.Iface.Timeless(), c.Old.Iface.Timeless()) {
		f.err = errors.Join(f.err, fmt.Errorf("time alone has changed %s", c.Iface.Name))
	}
	f.changes = append(f.changes, read)
	select {
	case f.news <- struct{}{}:
	default:
	}
	return nil
}

// await waits until the followed State satisfies as.
func (f *follower) await(t *testing.T, what string, limit time.Duration, as func(*state.State) bool) time.Duration {
	t.Helper()
	start := time.Now()
	timeout := time.After(limit)
	for {
		f.mu.Lock()
		ok, err := as(&f.state), f.err
		f.mu.Unlock()
		if err != nil {
			t.Fatalf("replay: %v", err)
		}
		if ok {
			return time.Since(start)
		}
		select {
		case <-f.news:
		case <-timeout:
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// ends waits until the followed State equals a fresh Read.
func (f *follower) ends(t *testing.T, filter state.Filter, limit time.Duration) time.Duration {
	t.Helper()
	start := time.Now()
	for {
		fresh, err := Read(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		f.mu.Lock()
		replayed, err := f.state, f.err // Apply does not change lists in place
		replayed.Ifaces = maps.Clone(replayed.Ifaces)
		f.mu.Unlock()
		want, got := settled(t, fresh), settled(t, &replayed)
		switch {
		case err != nil:
			t.Fatalf("replay: %v", err)
		case want == got:
			return time.Since(start)
		case time.Since(start) > limit:
			t.Fatalf("not within %v; (-fresh +replayed):\n%s", limit, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
		}
		select {
		case <-f.news:
		case <-time.After(50 * time.Millisecond): // Read may have seen changes that are not reported yet
		}
	}
}

func (f *follower) count(op state.Op) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.changes {
		if c.Op == op {
			n++
		}
	}
	return n
}

// v4 and v6 select a family for Iface.addresses.
var v4, v6 = netip.IPv4Unspecified(), netip.IPv6Unspecified()

// addressesOf returns the addresses of one family.
func addressesOf(i *state.Iface, of netip.Addr) []state.Address {
	switch {
	case of.Is4() && i.IPv4 != nil:
		return i.IPv4.Addresses
	case !of.Is4() && i.IPv6 != nil:
		return i.IPv6.Addresses
	}
	return nil
}

// settled returns all objects of a State, without values that change by time alone,
// one per line, sorted, since the lists have no order.
func settled(t *testing.T, s *state.State) string {
	t.Helper()
	var all []string
	tell := func(v any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
	}
	for _, i := range s.Ifaces {
		bare := *i.Timeless()
		bare.IPv4, bare.IPv6 = nil, nil
		if i.IPv6 != nil && i.IPv6.Token.IsValid() {
			bare.IPv6 = &state.IPv6{Token: i.IPv6.Token}
		}
		tell(bare)
		for _, a := range slices.Concat(addressesOf(i, v4), addressesOf(i, v6)) {
			tell(state.IfaceAddress{Iface: i.Name, Address: a.Timeless()})
		}
	}
	for _, r := range s.Routes {
		tell(r.Timeless())
	}
	for _, r := range s.Rules {
		tell(r)
	}
	for _, n := range s.Neighbours {
		tell(n.Timeless())
	}
	for _, e := range s.FDB {
		tell(e.Timeless())
	}
	for _, h := range s.Nexthops {
		tell(h.Timeless())
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// script returns random changes for `ip -batch` on 8 veth pairs and a bridge. Many of
// them succeed, and the kernel refuses some.
func script(seed uint64, changes int) string {
	r := rand.New(rand.NewPCG(seed, seed))
	var b strings.Builder
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	for range changes {
		port, n := fmt.Sprintf("r%d", r.IntN(8)), r.IntN(20)
		switch r.IntN(13) {
		case 0:
			fmt.Fprintf(&b, "link set %s %s\n", port, pick("up", "up", "down"))
		case 1:
			fmt.Fprintf(&b, "link set %s mtu %d\n", port, 1300+n)
		case 2:
			fmt.Fprintf(&b, "link set %s %s\n", port, pick("master rbr", "nomaster"))
		case 3, 4:
			fmt.Fprintf(&b, "addr %s 10.7.%d.1/24 dev %s\n", pick("add", "replace", "del"), n, port)
		case 5:
			fmt.Fprintf(&b, "addr %s fd07:%d::1/64 dev %s nodad\n", pick("add", "del"), n, port)
		case 6, 7:
			fmt.Fprintf(&b, "route %s 10.9.%d.0/24 dev %s metric %d\n", pick("replace", "append", "del"), n, port, n%3)
		case 8:
			fmt.Fprintf(&b, "route %s 10.10.%d.0/24 table 1000 nexthop dev %s nexthop dev r0 weight 2\n", pick("replace", "del"), n, port)
		case 9:
			fmt.Fprintf(&b, "rule %s pref %d from 10.7.%d.0/24 lookup 1000\n", pick("add", "del"), 100+n, n)
		case 10:
			fmt.Fprintf(&b, "neigh %s 10.7.0.%d lladdr 02:00:00:00:00:%02x dev %s nud %s\n", pick("replace", "del"), n+2, n, port, pick("permanent", "stale"))
		case 11:
			fmt.Fprintf(&b, "token set %s dev %s\n", pick("::", fmt.Sprintf("::%d", n)), port)
		case 12:
			fmt.Fprintf(&b, "link set %s alias %s%d\n", port, pick("a", "b"), n)
		}
	}
	return b.String()
}

// batch runs lines of ip(8); the kernel may refuse some.
func batch(t *testing.T, lines string) {
	t.Helper()
	cmd := exec.Command("ip", "-force", "-batch", "-")
	cmd.Stdin = strings.NewReader(lines)
	if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() > 2 { // 1, 2: some lines were refused
		t.Fatalf("ip -batch: %v: %s", err, out)
	}
}

func pairs(t *testing.T, n int) {
	t.Helper()
	netnstest.Lines(t, `ip link add rbr type bridge stp_state 1
		ip link set rbr up addrgenmode none`) // so that its timers run
	t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", "rbr") })
	for i := range n {
		name := fmt.Sprintf("r%d", i)
		netnstest.Run(t, "ip", "link", "add", name, "type", "veth", "peer", "name", "p"+name)
		t.Cleanup(func() { _ = exec.Command("ip", "link", "del", "p"+name).Run() })
		netnstest.Run(t, "ip", "link", "set", "p"+name, "up")
	}
	t.Cleanup(func() { batch(t, "rule flush\nrule add pref 32766 lookup main\nrule add pref 32767 lookup default\n") })
}

// TestReplay checks that a client which applies 2,000 scripted changes to the
// snapshot, as JSON, ends with the same State as a fresh Read. Messages are lost when
// this program does not run for long enough, so the test has three tries without
// losses; all other checks must hold in each try.
func TestReplay(t *testing.T) {
	netnstest.Need(t)
	for range 3 {
		lost := false
		t.Run("try", func(t *testing.T) { lost = replay(t) })
		if !lost || t.Failed() {
			return
		}
	}
	t.Error("messages were lost each time")
}

// replay reports whether messages were lost.
func replay(t *testing.T) bool {
	pairs(t, 8)
	filter := state.Filter{Parts: state.Watched}
	f := follow(t, filter)
	const seed = 3
	for part := range 20 { // with pauses in between
		batch(t, script(seed+uint64(part), 100))
		if part%5 == 4 {
			f.ends(t, filter, 5*time.Second)
		}
	}
	netnstest.Run(t, "ip", "link", "set", "r3", "down")
	netnstest.Run(t, "ip", "link", "set", "r3", "name", "renamed")
	netnstest.Run(t, "ip", "link", "del", "r4")
	took := f.ends(t, filter, 5*time.Second)
	netnstest.Run(t, "ip", "link", "del", "renamed")
	f.ends(t, filter, 5*time.Second)
	t.Logf("%d new, %d changed, %d deleted; as a fresh dump %v after the last change",
		f.count(state.New), f.count(state.Changed), f.count(state.Deleted), took)
	lost := f.count(state.Resync) > 0 // after a loss, changes that were undone meanwhile are not reported
	if !lost && (f.count(state.New) < 100 || f.count(state.Deleted) < 100 || f.count(state.Changed) < 50) {
		t.Error("the script does not change enough")
	}
	return lost
}

// TestReplayNames moves names from one interface to another, and replaces an
// interface by another with its name, faster than they are read.
func TestReplayNames(t *testing.T) {
	netnstest.Need(t)
	pairs(t, 3)
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", "spare").Run() })
	batch(t, `addr add 10.7.0.1/24 dev r0
		addr add 10.7.1.1/24 dev r1
		addr add 10.7.2.1/24 dev r2`)
	filter := state.Filter{Parts: state.Watched}
	f := follow(t, filter)
	for range 5 {
		for _, change := range []string{
			"link set r0 name tmp\nlink set r1 name r0\nlink set tmp name r1", // two interfaces swap their names
			"link set r0 name tmp\nlink set r1 name r0\nlink set r2 name r1\nlink set tmp name r2",
			"link del r2\nlink add r2 type veth peer name pr2\naddr add 10.7.3.1/24 dev r2", // another interface of that name
			"link del r2\nlink set r1 name r2\nlink add r1 type veth peer name pr2",         // the name of an interface that has gone
		} {
			batch(t, change)
			f.ends(t, filter, 5*time.Second)
		}
	}
}

// TestWatchTells checks which changes are reported for single commands.
func TestWatchTells(t *testing.T) {
	netnstest.Need(t)
	pairs(t, 2)
	netnstest.Lines(t, `ip link set r0 up
		ip link set r1 up
		ip addr add 10.7.0.1/24 dev r0`)
	f := follow(t, state.Filter{})
	tests := []struct {
		name, command string
		want          []string // must be reported, in any order, beside what changes with it
	}{
		{"an address comes with its routes", "ip addr add 10.8.0.1/24 dev r1", []string{"new address r1 10.8.0.1/24", "new route 10.8.0.0/24 dev r1"}},
		{"an attribute", "ip link set r0 mtu 1400", []string{"change iface r0"}},
		{"a rule", "ip rule add pref 100 from 10.7.0.0/24 lookup 1000", []string{"new rule 100"}},
		{"a neighbour", "ip neigh add 10.7.0.9 lladdr 02:00:00:00:00:09 dev r0", []string{"new neighbour 10.7.0.9 dev r0"}},
		{"another address of a neighbour", "ip neigh change 10.7.0.9 lladdr 02:00:00:00:00:0a dev r0", []string{"change neighbour 10.7.0.9 dev r0"}},
		{"a port of a bridge is two interfaces", "ip link set r0 master rbr", []string{"change iface r0", "change iface rbr"}},
		{"a forwarding entry", "bridge fdb add 02:00:00:00:00:0b dev r0 master static", []string{"new fdb 02:00:00:00:00:0b dev r0"}},
		{"a port that leaves is no interface that goes", "ip link set r0 nomaster", []string{"change iface r0", "change iface rbr", "del fdb 02:00:00:00:00:0b dev r0"}},
		{"a nexthop object", "ip nexthop add id 7 dev r0", []string{"new nexthop 7"}},
		// The kernel sends no messages about these changes.
		{"routes that go with a link", "ip link set r1 down", []string{"change iface r1", "del route 10.8.0.0/24 dev r1"}},
		{"names within others", "ip link set r1 name r9", []string{"change iface r9"}},
		{"an interface with all of it", "ip link del r0", []string{
			"del iface r0", "del iface pr0", "del address r0 10.7.0.1/24", "del route 10.7.0.0/24 dev r0", "del neighbour 10.7.0.9 dev r0", "del nexthop 7",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f.mu.Lock()
			before := len(f.changes)
			f.mu.Unlock()
			netnstest.Run(t, strings.Fields(test.command)...)
			var told []string
			f.await(t, fmt.Sprintf("%q", test.want), 3*time.Second, func(*state.State) bool {
				told = nil
				for _, c := range f.changes[before:] {
					told = append(told, words(c))
				}
				for _, want := range test.want {
					if !strings.Contains(strings.Join(told, "\n")+"\n", want+"\n") {
						return false
					}
				}
				return true
			})
		})
	}
}

// words returns the kind of a Change and its object in words.
func words(c state.Change) string {
	switch {
	case c.Iface != nil:
		return fmt.Sprintf("%s iface %s", c.Op, c.Iface.Name)
	case c.Address != nil:
		return fmt.Sprintf("%s address %s %v/%d", c.Op, c.Address.Iface, c.Address.Address.Address, c.Address.PrefixLength)
	case c.Route != nil:
		return fmt.Sprintf("%s route %v dev %s", c.Op, c.Route.Destination, c.Route.OutIface)
	case c.Rule != nil:
		return fmt.Sprintf("%s rule %d", c.Op, c.Rule.Priority)
	case c.Neighbour != nil:
		return fmt.Sprintf("%s neighbour %v dev %s", c.Op, c.Neighbour.Address, c.Neighbour.Iface)
	case c.FDB != nil:
		return fmt.Sprintf("%s fdb %v dev %s", c.Op, c.FDB.MAC, c.FDB.Iface)
	case c.Nexthop != nil:
		return fmt.Sprintf("%s nexthop %d", c.Op, c.Nexthop.ID)
	}
	return string(c.Op)
}
