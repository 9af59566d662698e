package radio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/interfaces"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/supervisor"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// wired is a radio of our own backend whose interface is the end of a cable
// that is not there yet.
func wired(t *testing.T, iface string) *radio {
	t.Helper()
	netnstest.Need(t)
	log := slog.New(slog.DiscardHandler)
	runner, lane := &process.Runner{Dir: t.TempDir(), Log: log}, interfaces.New(func() {})
	t.Cleanup(runner.Close)
	r := &radio{
		choice: choice{iface: iface}, dir: runner.Dir, runner: runner, log: log, readings: &readings{}, monitor: monitoring(t),
		events: silent(), links: lane.Owner("station"), seenAt: func([]byte) int { return 0 },
		ap:      ap.New(ap.Config{Interface: iface, RuntimeDir: runner.Dir}, runner, lane.Owner("access point"), log),
		station: wifi.NewStation(wifi.StationConfig{Interface: iface, RuntimeDir: runner.Dir, Runner: runner}),
	}
	r.backend = supplicant{r}
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", iface).Run() }) // may be gone
	return r
}

// silent returns events that go nowhere.
func silent() *Events {
	return &Events{
		Join: func(JoinEvent) {}, Clients: func(context.Context, int) {}, Lease: func() {}, Unguarded: func(error) {},
		Backend: func(context.Context) {}, Networks: func() {}, Taken: func(context.Context, string) {},
	}
}

// monitoring is a monitor that runs until the test ends.
func monitoring(t *testing.T) *link.Monitor {
	t.Helper()
	monitor := link.NewMonitor(slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- monitor.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return monitor
}

// awaitView waits until the monitor shows what is wanted of the radio. How long
// that takes depends on how busy the machine is, and counts for no limit.
func awaitView(t *testing.T, r *radio, wanted func(*link.Snapshot) bool) {
	t.Helper()
	hint, stop := r.monitor.Subscribe()
	defer stop()
	tooLate := time.After(time.Minute)
	for s := r.monitor.Snapshot(); s == nil || !wanted(s); s = r.monitor.Snapshot() {
		select {
		case <-hint:
		case <-tooLate:
			t.Fatalf("the monitor does not show %s as it is", r.iface)
		}
	}
}

// asItIs reports whether a snapshot shows whether the radio is there and up as
// the kernel has it now.
func asItIs(r *radio) func(*link.Snapshot) bool {
	return func(s *link.Snapshot) bool {
		nic, err := net.InterfaceByName(r.iface)
		l, there := s.Link(r.iface)
		return there == (err == nil) && (!there || l.Up == (nic.Flags&net.FlagUp != 0))
	}
}

// ip carries out commands of ip(8).
func ip(t *testing.T, commands ...string) {
	t.Helper()
	for _, c := range commands {
		netnstest.Run(t, append([]string{"ip"}, strings.Fields(c)...)...)
	}
}

// An idle radio is held up: what sets it down is an error, after which it is
// set up again. One that is not there is nothing to try again for.
func TestIdleRadioIsHeldUp(t *testing.T) {
	const plug, pull, down, up = "link add RADIO type veth", "link del RADIO", "link set RADIO down", "link set RADIO up"
	rows := []struct {
		name          string
		before, after string // commands
		want          string // the failure; empty: it holds
		slow          string // the other one that is right on a machine so busy that all takes as long as lossGrace
	}{
		{"nothing happens", plug, "", "", "lost: RADIO is down"},
		{"set down", plug, down, "lost: RADIO is down", ""},
		{"set down and up", plug, down + "\n" + up, "", "lost: RADIO is down"},
		{"pulled", plug, pull, "lost: RADIO is gone", "lost: RADIO is down"},
		{"pulled and plugged in", plug, pull + "\n" + plug, "lost: RADIO is down", "lost: RADIO is gone"},
		{"never there", "", "", "", ""},
		{"plugged in late", "", plug, "lost: RADIO is down", ""},
	}
	holding, end := context.WithCancel(t.Context())
	ended := make([]chan error, len(rows))
	for i, tt := range rows { // all at the same time
		iface := fmt.Sprintf("idle%d", i)
		of := strings.NewReplacer("RADIO", iface)
		r := wired(t, iface)
		run := func(commands string) {
			for c := range strings.Lines(of.Replace(commands)) {
				ip(t, c)
				awaitView(t, r, asItIs(r)) // or it sees no more than the last of them
			}
		}
		run(tt.before)
		began := time.Now()
		ready := make(chan struct{})
		ended[i] = make(chan error, 1)
		go func() {
			ended[i] <- r.holdIdle(holding, func(stage policy.Stage) {
				if stage == policy.StageReady {
					close(ready)
				}
			})
		}()
		select {
		case <-ready:
		case err := <-ended[i]:
			t.Fatalf("%s: %v", tt.name, err)
		}
		awaitView(t, r, asItIs(r))
		run(tt.after)
		rows[i].want, rows[i].slow = of.Replace(tt.want), of.Replace(tt.slow)
		if time.Since(began) < lossGrace/2 || tt.slow == "" {
			rows[i].slow = rows[i].want
		}
	}
	overdue := time.AfterFunc(10*lossGrace, end)
	defer overdue.Stop()
	for _, holds := range []bool{false, true} { // who holds has done so for lossGrace when the last of the others has failed
		for i, tt := range rows {
			if holds == (tt.want == "") {
				if got := failed(t, <-ended[i]); got != tt.want && got != tt.slow {
					t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
				}
			}
		}
		end()
	}
}

// failed returns the failure with which a Hold ended, empty if it was told to end.
func failed(t *testing.T, err error) string {
	t.Helper()
	failed := (*supervisor.Failed)(nil)
	switch {
	case errors.As(err, &failed):
		return failed.Error()
	case !errors.Is(err, context.Canceled):
		t.Error(err)
	}
	return ""
}

// A network of NetworkManager's that has no gateway is one where none is asked.
func TestManagedNetworkWithoutGateway(t *testing.T) {
	for _, tt := range []struct {
		name    string
		blind   bool
		address string
		limit   time.Duration
		stages  []policy.Stage
		code    string // of the failure
	}{
		{"no gateway is asked", true, "192.0.2.7/24", 20 * time.Second, []policy.Stage{policy.StageAssociated, policy.StageAddressed}, ""},
		{"an address has to be there", true, "169.254.0.7/16", time.Second, []policy.Stage{policy.StageAssociated}, "no_address"},
		{"the gateway has to answer", false, "192.0.2.7/24", time.Second, []policy.Stage{policy.StageAssociated, policy.StageAddressed}, "no_gateway"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := wired(t, "managed0")
			r.SkipGateway = tt.blind
			ip(t, "link add managed0 type veth peer name air0", "link set managed0 up", "link set air0 up", "addr add "+tt.address+" dev managed0")
			awaitView(t, r, func(s *link.Snapshot) bool {
				l, _ := s.Link(r.iface)
				return l.Carrier && slices.ContainsFunc(s.AddressesOf(l.Index), func(a link.Address) bool { return a.Prefix.String() == tt.address })
			})
			ctx, end := context.WithTimeout(t.Context(), tt.limit)
			defer end()
			var stages []policy.Stage
			err := managed{radio: r}.verifyAddress(ctx, func(s policy.Stage) { stages = append(stages, s) })
			code := ""
			if failed := (*supervisor.Failed)(nil); errors.As(err, &failed) {
				code = failed.Code
			} else if err != nil {
				t.Error(err)
			}
			if code != tt.code || !slices.Equal(stages, tt.stages) {
				t.Errorf("%q after %v, want %q after %v", code, stages, tt.code, tt.stages)
			}
		})
	}
}

// The policy receives the first list of an access point, even if no phone is on it,
// and each later one.
func TestClientsAreAlwaysTold(t *testing.T) {
	var told []int
	r := &radio{log: slog.New(slog.DiscardHandler), readings: &readings{}, events: silent()}
	r.events.Clients = func(_ context.Context, n int) { told = append(told, n) }
	for _, n := range []int{0, 0, 2, 2} {
		r.countClients(t.Context(), make([]ap.Client, n))
	}
	if want := []int{0, 0, 2, 2}; !slices.Equal(told, want) {
		t.Errorf("%v, want %v", told, want)
	}
}

// TestReset checks that a radio that fails is reset if the configuration wants that.
// Nothing is reported while a switch of the device has it off, which a reset cannot
// change.
func TestReset(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error // of the reset
		said string
	}{
		{"it helps", nil, "level=WARN msg=\"the radio was reset\""},
		{"the card is dead", errors.New("the card is dead"), "level=ERROR msg=\"reset the radio\""},
		{"off by a switch of the device", fmt.Errorf("reset the radio: %w by a switch", ap.ErrBlocked), ""},
	} {
		for _, wanted := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, wanted %v", tt.name, wanted), func(t *testing.T) {
				resets, said := 0, bytes.Buffer{}
				r := wired(t, "reset0")
				r.log = slog.New(slog.NewTextHandler(&said, nil))
				if wanted {
					r.reset = func(context.Context, string) error { resets++; return tt.err }
				}
				if err := os.MkdirAll(filepath.Join(r.leaseFile(), "full"), 0o700); err != nil { // so that it cannot be removed
					t.Fatal(err)
				}
				err := r.holdWithReset(t.Context(), policy.Target{AccessPoint: true}, func(policy.Stage) {})
				if failed := (*supervisor.Failed)(nil); !errors.As(err, &failed) || failed.Code != client.CodeRadioFailed {
					t.Fatal(err)
				}
				want, say := 0, ""
				if wanted {
					want, say = 1, tt.said
				}
				got := said.String()
				if resets != want || strings.Count(got, "\n") != min(len(say), 1) || !strings.Contains(got, say) {
					t.Errorf("%d resets, want %d, and it said %q, want %q", resets, want, got, say)
				}
			})
		}
	}
}
