package link

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/timetest"
)

// took is how long something took, by the clock and of processors.
type took struct{ clock, processor time.Duration }

func (a took) String() string {
	return fmt.Sprintf("%.1f ms (%.1f ms of processors)", float64(a.clock.Microseconds())/1000, float64(a.processor.Microseconds())/1000)
}

// middle returns the medians.
func middle(all []took) took {
	clock, processor := make([]time.Duration, 0, len(all)), make([]time.Duration, 0, len(all))
	for _, a := range all {
		clock, processor = append(clock, a.clock), append(processor, a.processor)
	}
	slices.Sort(clock)
	slices.Sort(processor)
	return took{clock[len(clock)/2], processor[len(processor)/2]}
}

// usage is the processors' time of this program, or of those that it has started.
func usage(t *testing.T, who int) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(who, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func timed(t *testing.T, who int, f func()) took {
	t.Helper()
	processor, began := usage(t, who), time.Now()
	f()
	return took{time.Since(began), usage(t, who) - processor}
}

func batch(t *testing.T, lines string) {
	t.Helper()
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(lines)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ip -batch: %v: %s", err, out)
	}
}

// cablesInPlace makes so many veths in an empty namespace, whose other ends are in
// another one or, with beside, in the same.
func cablesInPlace(t *testing.T, n int, beside bool) {
	t.Helper()
	netnstest.Thread(t)
	there := ""
	if !beside {
		there = " netns " + netnstest.Another(t).String()
	}
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "link add s%d type veth peer name t%d%s\n", i, i, there)
	}
	batch(t, b.String())
}

func static(n int) (Desired, string) {
	var b strings.Builder
	var out Desired
	for i := range n {
		name, address := fmt.Sprintf("s%d", i), fmt.Sprintf("10.%d.%d.1/24", i/250, i%250)
		fmt.Fprintf(&b, "link set %s up\naddr add %s brd + dev %s\n", name, address, name)
		out.Links = append(out.Links, LinkSpec{Name: name, Path: "network.interfaces", Up: up(), Addresses: want(address)})
	}
	return out, b.String()
}

// scaled measures once: ip(8) or ours, from links that are down to addresses.
func scaled(t *testing.T, n int, beside, ours bool) (first, again, changed took) {
	t.Helper()
	t.Run(fmt.Sprintf("%d beside %v ours %v", n, beside, ours), func(t *testing.T) {
		cablesInPlace(t, n, beside)
		declared, lines := static(n)
		if !ours {
			first = timed(t, unix.RUSAGE_CHILDREN, func() { batch(t, lines) })
			return
		}
		d := Declaration{File: filepath.Join(t.TempDir(), "owned.json"), Log: slog.New(slog.DiscardHandler)}
		apply := func(done int) func() {
			return func() {
				if out, err := d.Apply(testContext(t), declared); err != nil || len(out.Done) != done {
					t.Fatalf("%d changes, %v", len(out.Done), err)
				}
			}
		}
		first = timed(t, unix.RUSAGE_SELF, apply(2*n))
		var idle []took
		for range 5 {
			idle = append(idle, timed(t, unix.RUSAGE_SELF, apply(0)))
		}
		again = middle(idle)
		declared.Links[n/2].Addresses = want("192.0.2.1/24")
		changed = timed(t, unix.RUSAGE_SELF, apply(2))
	})
	return first, again, changed
}

// TestDeclareScale measures many static interfaces beside ip(8), which does less: it
// reads nothing, and remembers nothing. It asserts four times what make bench promises
// (NETCONNECTD_STRICT=1 insists), since the machine may be busy.
func TestDeclareScale(t *testing.T) {
	netnstest.Need(t)
	if testing.Short() || timetest.Beside {
		t.Skip("measures on a large network, without the race detector")
	}
	slack, rounds := 4.0, 1
	if os.Getenv("NETCONNECTD_STRICT") != "" {
		slack, rounds = 1, 7
	}
	for _, beside := range []bool{false, true} {
		var theirs, first, again, changed []took
		for range rounds {
			one, _, _ := scaled(t, 500, beside, false)
			theirs = append(theirs, one)
			one, two, three := scaled(t, 500, beside, true)
			first, again, changed = append(first, one), append(again, two), append(changed, three)
		}
		up, batch, idle := middle(first), middle(theirs), middle(again)
		t.Logf("500 static interfaces, other ends beside them: %v: up %v, ip -batch %v, ratio %.2f; nothing to do %v; one address %v",
			beside, up, batch, up.clock.Seconds()/batch.clock.Seconds(), idle, middle(changed))
		if up.clock.Seconds() > 2*slack*batch.clock.Seconds() {
			t.Errorf("up takes %v, more than 2 × %v", up, batch)
		}
		// Beside other work, only the processors' time says something of so short a time.
		spent := idle.processor
		if slack == 1 {
			spent = idle.clock
		}
		if limit := time.Duration(slack * float64(10*time.Millisecond)); !beside && spent > limit {
			t.Errorf("nothing to do takes %v, more than %v", idle, limit)
		}
		if slack == 1 && !beside {
			var ups, idles []took
			for range 3 {
				one, two, _ := scaled(t, 5000, false, true)
				ups, idles = append(ups, one), append(idles, two)
			}
			many, idleMany := middle(ups), middle(idles)
			t.Logf("5,000 static interfaces: up %v, %.1f × of 500; nothing to do %v", many, many.clock.Seconds()/up.clock.Seconds(), idleMany)
			if many.clock > 12*up.clock {
				t.Errorf("5,000 take %v, more than 12 × %v", many, up)
			}
		}
	}
}
