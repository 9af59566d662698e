package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

// watcherEnv makes the test program run only watchOnly, for TestOverflow.
const watcherEnv = "NETCONNECTD_TEST_WATCH"

// hung bounds waits for events that must come at all. It promises nothing, unlike the
// limit after SIGCONT.
const hung = 20 * time.Second

// watchOnly prints the changes as JSON, one per line.
func watchOnly() int {
	out := json.NewEncoder(os.Stdout)
	err := Watch(context.Background(), state.Filter{}, slog.New(slog.NewTextHandler(os.Stderr, nil)), func(c state.Change) error { return out.Encode(c) })
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// TestOverflow stops the watching program while 20,000 addresses come and go.
func TestOverflow(t *testing.T) {
	netnstest.Need(t)
	pairs(t, 1)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), watcherEnv+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f := &follower{news: make(chan struct{}, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for in := json.NewDecoder(out); ; {
			var c state.Change
			if in.Decode(&c) != nil {
				return
			}
			_ = f.take(c)
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
	})
	f.await(t, "the snapshot", hung, func(*state.State) bool { return len(f.changes) > 0 })
	if err := cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&lines, "addr add 10.%d.%d.1/32 dev r0\n", i/250, i%250)
		if i%10 != 0 { // every tenth address stays
			fmt.Fprintf(&lines, "addr del 10.%d.%d.1/32 dev r0\n", i/250, i%250)
		} else {
			fmt.Fprintf(&lines, "addr change 10.%d.%d.1/32 dev r0 valid_lft 4000 preferred_lft 3000\n", i/250, i%250)
		}
	}
	batch(t, lines.String())
	if err := cmd.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	took := f.ends(t, state.Filter{Parts: state.Watched}, 12*time.Second)
	t.Logf("as a fresh dump %v after SIGCONT", took)
	if n := f.count(state.Resync); n != 1 {
		t.Errorf("%d resyncs", n)
	}
	if kept := strings.Count(netnstest.Run(t, "ip", "-o", "-4", "addr", "show", "dev", "r0"), "\n"); kept != 1000 {
		t.Errorf("ip shows %d addresses", kept)
	}
	netnstest.Run(t, "ip", "link", "set", "r0", "mtu", "1333")
	f.await(t, "a change after that", hung, func(s *state.State) bool { return s.Ifaces["r0"].MTU == 1333 })
}

// TestReadDuringChurn checks that an interface and an address that always exist are
// in every reading, while others come and go.
func TestReadDuringChurn(t *testing.T) {
	netnstest.Need(t)
	pairs(t, 2)
	netnstest.Lines(t, `ip addr add 10.7.0.1/24 dev r0
		ip addr add 10.7.1.1/24 dev r0`)
	ctx, cancel := context.WithCancel(t.Context())
	var churning sync.WaitGroup
	churning.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			var b strings.Builder
			for j := range 200 {
				fmt.Fprintf(&b, "addr add 10.9.%d.%d/32 dev r%d\n", i%250, j, j%2)
			}
			for j := range 200 {
				fmt.Fprintf(&b, "addr del 10.9.%d.%d/32 dev r%d\n", i%250, j, j%2)
			}
			b.WriteString("link add churn type veth\nlink del churn\n")
			cmd := exec.CommandContext(ctx, "ip", "-force", "-batch", "-")
			cmd.Stdin = strings.NewReader(b.String())
			_ = cmd.Run()
		}
	})
	defer churning.Wait()
	defer cancel()
	seen := 0
	for range 200 {
		s, err := Read(t.Context(), state.Filter{Parts: state.PartIfaces | state.PartRoutes | state.PartNeighbours})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"lo", "rbr", "r0", "pr0", "r1", "pr1"} {
			if s.Ifaces[name] == nil {
				t.Fatalf("%s is missing", name)
			}
		}
		permanent := 0
		for _, a := range addressesOf(s.Ifaces["r0"], v4) {
			if text := a.Address.String(); text == "10.7.0.1" || text == "10.7.1.1" {
				permanent++
			}
		}
		if permanent != 2 {
			t.Fatalf("%d of 2 addresses: %v", permanent, s.Ifaces["r0"].IPv4)
		}
		seen = max(seen, len(addressesOf(s.Ifaces["r1"], v4)))
	}
	if seen == 0 {
		t.Error("nothing came and went")
	}
}
