package trial

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
)

// The texts of the file before and on a trial.
const (
	earlier = "ap: {ssid: mine, psk: confidential, channel: 1}\n"
	onTrial = "ap: {ssid: mine, psk: confidential, channel: 2}\n"
)

// device is a Trial beside a real file and state folder, and a kernel that takes a second
// for each change.
type device struct {
	*Trial
	t     *testing.T
	file  string
	state string

	mu      sync.Mutex
	inForce *config.Config
	wrong   error
	err     error  // of each enforcement
	said    string // the log
	kernel  time.Duration
}

func newDevice(t *testing.T) *device {
	t.Helper()
	dir := t.TempDir()
	d := &device{t: t, file: filepath.Join(dir, "netconnectd.yaml"), state: filepath.Join(dir, "state"), kernel: time.Second}
	d.Trial = New(Parts{
		Load: d.load, InForce: d.get, Enforce: d.enforce, Station: func() bool { return false }, Changed: func() {},
		Loaded: func(wrong error) { d.mu.Lock(); d.wrong = wrong; d.mu.Unlock() },
		Log:    slog.New(slog.NewTextHandler(d, nil)),
	})
	d.write(earlier)
	c, _, err := d.load()
	if err != nil {
		t.Fatal(err)
	}
	d.inForce = c
	d.Keep(c)
	return d
}

// Write implements io.Writer, for the log.
func (d *device) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.said += string(b)
	return len(b), nil
}

func (d *device) arguments() (args, environ []string) {
	return []string{"-c", d.file}, []string{"NETCONNECTD_PATHS_STATE=" + d.state}
}

func (d *device) load() (*config.Config, []config.Problem, error) { return config.Load(d.arguments()) }

func (d *device) get() *config.Config {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inForce
}

func (d *device) enforce(ctx context.Context, next *config.Config) (<-chan client.NetworkApplied, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inForce = next
	if d.err != nil {
		return nil, d.err
	}
	applied := make(chan client.NetworkApplied, 1)
	time.AfterFunc(d.kernel, func() { applied <- client.NetworkApplied{Changes: 1, Problems: []string{}} })
	return applied, nil
}

// fail lets each enforcement from now on fail; nil: none.
func (d *device) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *device) write(text string) {
	d.t.Helper()
	if err := os.WriteFile(d.file, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// play runs a Trial in a bubble of synctest.
func play(t *testing.T, story func(d *device)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { d.Run(ctx) })
		story(d)
		stop()
		running.Wait()
	})
}

// begin puts onTrial on trial for a minute. The kernel has taken the change over then.
func (d *device) begin() {
	d.t.Helper()
	d.write(onTrial)
	begun, err := d.Begin(d.t.Context(), "user pi, uid 1000", time.Minute)
	if err != nil || begun.Applied == nil || begun.Applied.Changes != 1 || begun.Text != "ap.channel" || begun.By != "user pi, uid 1000" || begun.Seconds != 60-int64(d.kernel.Seconds()) {
		d.t.Fatalf("%+v, %v", begun, err)
	}
}

// check compares what is in force, what a start would take, and whether a trial waits.
func (d *device) check(channel, atStart int, waits bool) {
	d.t.Helper()
	synctest.Wait()
	if got := d.get().AP.Channel; got != channel {
		d.t.Errorf("channel %d is in force, want %d", got, channel)
	}
	c, _, err := config.LoadAtStart(d.arguments())
	if err != nil || c.AP.Channel != atStart {
		d.t.Errorf("a start takes %+v, %v, want channel %d", c, err, atStart)
	}
	if got := d.Pending(); (got != nil) != waits {
		d.t.Errorf("%+v waits, want %v", got, waits)
	}
}

func code(err error) string {
	var coded *client.Error
	if errors.As(err, &coded) {
		return coded.Code
	}
	return ""
}
