package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/ap"
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
	runner := &process.Runner{Dir: t.TempDir(), Log: log}
	t.Cleanup(runner.Close)
	r := &radio{
		iface: iface, dir: runner.Dir, runner: runner, log: log, live: &live{}, monitor: monitoring(t),
		ap:      ap.New(ap.Config{Interface: iface, RuntimeDir: runner.Dir}, runner, link.Kernel{}, log),
		station: wifi.NewStation(wifi.StationConfig{Interface: iface, RuntimeDir: runner.Dir, Runner: runner}),
	}
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", iface).Run() }) // may be gone
	return r
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
	}{
		{"nothing happens", plug, "", ""},
		{"set down", plug, down, "lost: RADIO is down"},
		{"set down and up", plug, down + "\n" + up, ""},
		{"pulled", plug, pull, "lost: RADIO is gone"},
		{"pulled and plugged in", plug, pull + "\n" + plug, "lost: RADIO is down"},
		{"never there", "", "", ""},
		{"plugged in late", "", plug, "lost: RADIO is down"},
	}
	holding, end := context.WithCancel(t.Context())
	ended := make([]chan error, len(rows))
	for i, tt := range rows { // all at the same time
		iface := fmt.Sprintf("idle%d", i)
		of := strings.NewReplacer("RADIO", iface)
		run := func(commands string) { ip(t, slices.Collect(strings.Lines(of.Replace(commands)))...) }
		r := wired(t, iface)
		run(tt.before)
		ready := make(chan struct{})
		ended[i] = make(chan error, 1)
		go func() {
			ended[i] <- r.holdOff(holding, func(stage policy.Stage) {
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
		run(tt.after)
		rows[i].want = of.Replace(tt.want)
	}
	overdue := time.AfterFunc(10*lossGrace, end)
	defer overdue.Stop()
	for _, holds := range []bool{false, true} { // who holds has done so for lossGrace when the last of the others has failed
		for i, tt := range rows {
			if holds == (tt.want == "") {
				if got := failed(t, <-ended[i]); got != tt.want {
					t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
				}
			}
		}
		end()
	}
}

// failed is the failure that a Hold ended with, empty if it was told to end.
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
		stages  []policy.Stage
		code    string // of the failure
	}{
		{"no gateway is asked", true, "192.0.2.7/24", []policy.Stage{policy.StageAssociated, policy.StageAddressed}, ""},
		{"an address has to be there", true, "169.254.0.7/16", []policy.Stage{policy.StageAssociated}, "no_address"},
		{"the gateway has to answer", false, "192.0.2.7/24", []policy.Stage{policy.StageAssociated, policy.StageAddressed}, "no_gateway"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := wired(t, "managed0")
			r.blind = tt.blind
			ip(t, "link add managed0 type veth peer name air0", "link set managed0 up", "link set air0 up", "addr add "+tt.address+" dev managed0")
			ctx, end := context.WithTimeout(t.Context(), time.Second)
			defer end()
			var stages []policy.Stage
			err := r.verifyAddress(ctx, func(s policy.Stage) { stages = append(stages, s) })
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

// The policy hears of the first answer of an access point, also when nobody is
// on it, and of each one after.
func TestClientsAreAlwaysTold(t *testing.T) {
	var told []int
	r := &radio{log: slog.New(slog.DiscardHandler), live: &live{clientsChanged: func(_ context.Context, n int) { told = append(told, n) }}}
	for _, n := range []int{0, 0, 2, 2} {
		r.countClients(t.Context(), make([]ap.Client, n))
	}
	if want := []int{0, 0, 2, 2}; !slices.Equal(told, want) {
		t.Errorf("%v, want %v", told, want)
	}
}
