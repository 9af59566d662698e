package kernel

import (
	"bufio"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

// debianPython has the modules of Debian's packages; another python3 does not.
const debianPython = "/usr/bin/python3"

// TestEventsAgreeWithPyroute2 makes 200 changes, each to an object of its own, and
// compares our reports with the messages that another netlink library receives.
func TestEventsAgreeWithPyroute2(t *testing.T) {
	netnstest.Need(t)
	if err := exec.Command(debianPython, "-c", "import pyroute2").Run(); err != nil {
		t.Fatalf("python3-pyroute2 is the witness of this test (make test installs it): %v", err)
	}
	t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", "r0") })
	netnstest.Lines(t, `ip link add r0 type veth peer name pr0
		ip link set r0 addrgenmode none up
		ip link set pr0 addrgenmode none up
		ip addr add 10.6.0.1/24 dev r0`)
	heard := hear(t)
	f := follow(t, state.Filter{})

	var come, gone []string
	for i := range 20 {
		come = append(come,
			fmt.Sprintf("ip addr add 10.7.%d.1/24 dev r0", i),
			fmt.Sprintf("ip route add 10.8.%d.0/24 dev r0 table 1000", i),
			fmt.Sprintf("ip rule add pref %d from 10.7.%d.0/24 lookup 1000", 100+i, i),
			fmt.Sprintf("ip neigh add 10.6.0.%d lladdr 02:00:00:00:00:%02x dev r0 nud permanent", i+2, i),
			fmt.Sprintf("ip link add e%d type ifb", i),
		)
		gone = append(gone,
			fmt.Sprintf("ip addr del 10.7.%d.1/24 dev r0", i),
			fmt.Sprintf("ip route del 10.8.%d.0/24 dev r0 table 1000", i),
			fmt.Sprintf("ip rule del pref %d", 100+i),
			fmt.Sprintf("ip neigh del 10.6.0.%d dev r0", i+2),
			fmt.Sprintf("ip link del e%d", i),
		)
	}
	netnstest.Lines(t, strings.Join(come, "\n"))
	// By design, an object that comes and goes between two readings is not reported.
	f.ends(t, state.Filter{Parts: state.Watched}, 5*time.Second)
	netnstest.Lines(t, strings.Join(gone, "\n"))
	f.ends(t, state.Filter{Parts: state.Watched}, 5*time.Second)
	netnstest.Run(t, "ip", "link", "add", "last", "type", "ifb")
	t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", "last") })
	f.await(t, "the last change", 5*time.Second, func(s *state.State) bool { return s.Ifaces["last"] != nil })

	reported := f.reported()
	if len(reported) < 200 {
		t.Fatalf("%d changes reported of 200", len(reported))
	}
	if diff := cmp.Diff(heard.until(t, "new iface last"), reported); diff != "" {
		t.Errorf("(-pyroute2 +we):\n%s", diff)
	}
}

// reported returns what came and what went, sorted, each once, in the witness's words.
func (f *follower) reported() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, c := range f.changes {
		if c.Op != state.New && c.Op != state.Deleted {
			continue
		}
		switch {
		case c.Iface != nil:
			all = append(all, fmt.Sprintf("%s iface %s", c.Op, c.Iface.Name))
		case c.Address != nil:
			all = append(all, fmt.Sprintf("%s address %v/%d", c.Op, c.Address.Address.Address, c.Address.PrefixLength))
		case c.Route != nil:
			all = append(all, fmt.Sprintf("%s route %v table %d", c.Op, c.Route.Destination, c.Route.Table))
		case c.Rule != nil:
			all = append(all, fmt.Sprintf("%s rule %d", c.Op, c.Rule.Priority))
		case c.Neighbour != nil:
			all = append(all, fmt.Sprintf("%s neighbour %v", c.Op, c.Neighbour.Address))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// hearing is the running witness.
type hearing struct {
	mu    sync.Mutex
	lines []string
	news  chan struct{}
}

func hear(t *testing.T) *hearing {
	t.Helper()
	cmd := exec.Command(debianPython, "testdata/events.py")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := &hearing{news: make(chan struct{}, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			h.mu.Lock()
			h.lines = append(h.lines, lines.Text())
			h.mu.Unlock()
			select {
			case h.news <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
	})
	h.until(t, "ready")
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = nil
	return h
}

// until waits for a line, and returns all lines so far, sorted, each once.
func (h *hearing) until(t *testing.T, line string) []string {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		h.mu.Lock()
		lines := slices.Clone(h.lines)
		h.mu.Unlock()
		if slices.Contains(lines, line) {
			// A NEW of an existing link means that a value differs.
			lines = slices.DeleteFunc(lines, func(l string) bool { return l == "new iface r0" || l == "new iface pr0" })
			slices.Sort(lines)
			return slices.Compact(lines)
		}
		select {
		case <-h.news:
		case <-timeout:
			t.Fatalf("pyroute2 does not hear %q: %q", line, lines)
		}
	}
}
