package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/timetest"
)

// syncBuffer is a log that a test may read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// watched is a Monitor that runs until the end of the test.
type watched struct {
	*Monitor
	hint <-chan struct{}
	log  *syncBuffer
}

func watch(t *testing.T, buffer int) watched {
	t.Helper()
	netnstest.Need(t)
	log := &syncBuffer{}
	m := NewMonitor(slog.New(slog.NewTextHandler(log, nil)))
	m.follower.buffer = buffer
	m.follower.which |= Routes // of all tables, since changes to them are the hardest to notice
	if m.Snapshot() != nil {
		t.Fatal("there is a Snapshot before Run")
	}
	hint, cancel := m.Subscribe()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Error("Run does not end with its context")
		}
	})
	w := watched{m, hint, log}
	w.await(t, "the first Snapshot", func(s *Snapshot) bool { return true })
	return w
}

// await takes hints until the Snapshot is as wanted, and tells how long it took.
func (w watched) await(t *testing.T, what string, as func(*Snapshot) bool) time.Duration {
	t.Helper()
	start := time.Now()
	timeout := time.After(5 * time.Second)
	for {
		if s := w.Snapshot(); s != nil && as(s) {
			return time.Since(start)
		}
		select {
		case <-w.hint:
		case <-timeout:
			t.Fatalf("the Monitor does not see %s; it sees %+v", what, w.Snapshot())
		}
	}
}

func TestMonitorSees(t *testing.T) {
	cable(t, "mon0", "mon1")
	w := watch(t, firstBuffer)
	mon0 := func(s *Snapshot) Link { l, _ := s.Link("mon0"); return l }
	has := func(s *Snapshot, p string) bool {
		return slices.ContainsFunc(s.AddressesOf(mon0(s).Index), func(a Address) bool { return a.Prefix == prefix(p) })
	}
	routeTo := func(s *Snapshot, p string) bool {
		return slices.ContainsFunc(s.Routes, func(r Route) bool { return r.Index == mon0(s).Index && r.Destination == prefix(p) })
	}
	steps := []struct {
		what, command string
		seen          func(s *Snapshot) bool
	}{
		{"up without carrier", "link set mon0 up", func(s *Snapshot) bool { return mon0(s).Up && !mon0(s).Carrier }},
		{"carrier", "link set mon1 up", func(s *Snapshot) bool { return mon0(s).Carrier && mon0(s).OperState == "up" }},
		{"an address and its prefix route", "addr add 10.7.0.7/24 dev mon0", func(s *Snapshot) bool { return has(s, "10.7.0.7/24") && routeTo(s, "10.7.0.0/24") }},
		{"a default route", "route add default via 10.7.0.1", func(s *Snapshot) bool { return routeTo(s, "0.0.0.0/0") }},
		{"another MTU", "link set mon0 mtu 1300", func(s *Snapshot) bool { return mon0(s).MTU == 1300 }},
		// The kernel does not notify that these routes are gone.
		{"no routes while down", "link set mon0 down", func(s *Snapshot) bool {
			return !mon0(s).Up && has(s, "10.7.0.7/24") && !routeTo(s, "10.7.0.0/24") && !routeTo(s, "0.0.0.0/0")
		}},
		{"up again", "link set mon0 up", func(s *Snapshot) bool { return routeTo(s, "10.7.0.0/24") }},
		{"no address, no routes", "addr del 10.7.0.7/24 dev mon0", func(s *Snapshot) bool {
			return !has(s, "10.7.0.7/24") && !routeTo(s, "10.7.0.0/24") && !routeTo(s, "0.0.0.0/0")
		}},
		{"an IPv6 address", "addr add fd07::7/64 dev mon0", func(s *Snapshot) bool { return has(s, "fd07::7/64") }},
		{"another name", "link set mon0 down name mon2", func(s *Snapshot) bool { _, ok := s.Link("mon2"); return ok }},
		{"no link", "link del mon2", func(s *Snapshot) bool { _, ok := s.Link("mon2"); return !ok && mon0(s).Index == 0 }},
	}
	var before uint64
	for _, step := range steps {
		ip(t, strings.Fields(step.command)...)
		took := w.await(t, step.what, step.seen)
		if seq := w.Snapshot().Seq; seq <= before {
			t.Errorf("%s: sequence number %d after %d", step.what, seq, before)
		} else {
			before = seq
		}
		t.Logf("%s: %v", step.what, took)
	}
}

// TestMonitorSeesCarrierLossSoon: the promise is tens of milliseconds. The
// time includes that of starting ip(8).
func TestMonitorSeesCarrierLossSoon(t *testing.T) {
	cable(t, "mon0", "mon1")
	ipAll(t, "link set mon0 up\nlink set mon1 up")
	w := watch(t, firstBuffer)
	carrier := func(want bool) func(*Snapshot) bool {
		return func(s *Snapshot) bool { l, _ := s.Link("mon0"); return l.Carrier == want }
	}
	w.await(t, "carrier", carrier(true))
	timetest.InTime(t, 0, 500*time.Millisecond, func() (worst time.Duration) {
		for range 10 {
			time.Sleep(spacing) // the loss comes out of a calm, as it does in life
			ip(t, "link", "set", "mon1", "down")
			worst = max(worst, w.await(t, "carrier loss", carrier(false)))
			ip(t, "link", "set", "mon1", "up")
			w.await(t, "carrier again", carrier(true))
		}
		return worst
	})
}

// TestMonitorSurvivesLostMessages makes the kernel drop messages by a buffer
// that holds hardly one, and asks only for the state at the end.
func TestMonitorSurvivesLostMessages(t *testing.T) {
	cable(t, "mon0", "mon1")
	w := watch(t, 1) // the kernel makes it its minimum, about 2 KiB
	var batch strings.Builder
	for i := range 500 {
		fmt.Fprintf(&batch, "link set mon0 mtu %d\n", 1000+i)
	}
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(batch.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w.await(t, "the last MTU", func(s *Snapshot) bool { l, _ := s.Link("mon0"); return l.MTU == 1499 })
	if w.Snapshot().Resyncs == 0 {
		t.Error("no resync is marked; were no messages lost?")
	}
	if !strings.Contains(w.log.String(), "network events lost") {
		t.Errorf("nothing logged: %s", w.log.String())
	}
}

// TestMonitorStartsAgain: without a free file descriptor there is no socket;
// as soon as there is one the Monitor sees.
func TestMonitorStartsAgain(t *testing.T) {
	netnstest.Need(t)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	log := &lines{seen: make(chan string, 100)}
	m := NewMonitor(slog.New(slog.NewTextHandler(log, nil)))
	hint, cancelHint := m.Subscribe()
	defer cancelHint()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	for range log.until(t, "too many open files") {
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	select {
	case <-hint:
	case <-time.After(5 * time.Second):
		t.Error("the Monitor did not start again")
	}
	cancel()
	<-ended
}

// TestMonitorIsQuiet: what changes nothing is not published.
func TestMonitorIsQuiet(t *testing.T) {
	cable(t, "mon0", "mon1")
	ipAll(t, `link set mon0 addrgenmode none
		link set mon1 addrgenmode none
		link set mon0 up
		link set mon1 up
		addr add 10.7.0.7/24 dev mon0 valid_lft 500 preferred_lft 400`)
	w := watch(t, firstBuffer)
	w.await(t, "the address, and links that have settled", func(s *Snapshot) bool {
		a, _ := s.Link("mon0")
		b, _ := s.Link("mon1")
		return len(s.Addresses) > 0 && a.OperState == "up" && b.OperState == "up"
	})
	before := w.Snapshot()
	// Each makes a message; the last one a change, after which all are read.
	ipAll(t, `addr change 10.7.0.7/24 dev mon0 valid_lft 450 preferred_lft 350
		addr change 10.7.0.7/24 dev mon0 valid_lft 440 preferred_lft 340`)
	time.Sleep(2 * spacing) // not for readiness: so that the messages are read on their own
	ip(t, "link", "set", "mon0", "mtu", "1300")
	w.await(t, "the MTU", func(s *Snapshot) bool { l, _ := s.Link("mon0"); return l.MTU == 1300 })
	if after := w.Snapshot(); after.Seq != before.Seq+1 {
		t.Errorf("%d Snapshots for one change", after.Seq-before.Seq)
	}
}

func TestSubscribe(t *testing.T) {
	m := NewMonitor(slog.New(slog.DiscardHandler))
	hint, cancel := m.Subscribe()
	hinted := func() bool {
		select {
		case <-hint:
			return true
		default:
			return false
		}
	}
	if hinted() {
		t.Error("a hint before the first Snapshot")
	}
	for mtu := range 3 {
		m.publish(&Snapshot{Links: []Link{{MTU: mtu}}})
	}
	if !hinted() || hinted() {
		t.Error("hints that nobody takes have to merge into one")
	}
	m.publish(m.Snapshot())
	if hinted() {
		t.Error("a hint although nothing is new")
	}
	late, cancelLate := m.Subscribe()
	if len(late) != 1 {
		t.Error("who subscribes later needs a hint to the Snapshot that is there")
	}
	cancelLate()
	cancel()
	m.publish(&Snapshot{})
	if hinted() {
		t.Error("a hint after the end")
	}
}

func TestConcerned(t *testing.T) {
	const allRoutes = Routes | DefaultRoutes
	tests := []struct {
		name string
		kind netlink.HeaderType
		data []byte // family, prefix length of the destination
		want Parts
	}{
		{"a link takes all along but rules", unix.RTM_DELLINK, []byte{unix.AF_UNSPEC}, AllParts&^Rules | DefaultRoutes},
		{"a bridge port is no link", unix.RTM_DELLINK, []byte{unix.AF_BRIDGE}, Links | VLANs | Forwarding},
		{"an address takes routes along", unix.RTM_DELADDR, []byte{unix.AF_INET, 24}, Addresses | Nexthops | allRoutes},
		{"a route", unix.RTM_NEWROUTE, []byte{unix.AF_INET6, 64}, Routes},
		{"a default route", unix.RTM_DELROUTE, []byte{unix.AF_INET, 0}, allRoutes},
		{"a nexthop object takes routes along", unix.RTM_DELNEXTHOP, []byte{unix.AF_INET}, Nexthops | allRoutes},
		{"a neighbour", unix.RTM_NEWNEIGH, []byte{unix.AF_INET}, Neighbours},
		{"a bridge's forwarding table", unix.RTM_NEWNEIGH, []byte{unix.AF_BRIDGE}, Forwarding},
		{"a rule", unix.RTM_NEWRULE, []byte{unix.AF_INET}, Rules},
		{"a VLAN of a bridge", unix.RTM_NEWVLAN, []byte{unix.AF_BRIDGE}, VLANs},
		{"no data", unix.RTM_NEWROUTE, nil, Routes},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := concerned(test.kind, test.data); got != test.want {
				t.Errorf("got %b, want %b", got, test.want)
			}
		})
	}
}
