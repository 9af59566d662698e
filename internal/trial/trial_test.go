package trial

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
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

// TestTakenBack checks that a trial that nobody confirms ends at its deadline, neither before
// nor later, and that what was tried is a problem until a reload.
func TestTakenBack(t *testing.T) {
	play(t, func(d *device) {
		d.begin()
		d.check(2, 1, true)
		time.Sleep(time.Minute - time.Second - time.Millisecond) // the kernel has taken a second
		d.check(2, 1, true)
		time.Sleep(2 * time.Millisecond)
		d.check(1, 1, false)
		if d.wrong == nil || !strings.Contains(d.wrong.Error(), "was tried by user pi, uid 1000 and not confirmed") {
			d.t.Errorf("the problem is %v", d.wrong)
		}
		if _, err := d.Reload(d.t.Context()); err != nil || d.wrong != nil {
			d.t.Errorf("%v; the problem is %v", err, d.wrong)
		}
		d.check(2, 2, false)
		for _, line := range []string{`msg="configuration on trial"`, `msg="configuration taken back" reason="nobody has confirmed it in time"`} {
			if strings.Count(d.said, line) != 1 {
				d.t.Errorf("the log has not one line %s:\n%s", line, d.said)
			}
		}
	})
}

// TestConfirmed checks that what is confirmed in the last moment stays.
func TestConfirmed(t *testing.T) {
	play(t, func(d *device) {
		d.begin()
		time.Sleep(time.Minute - time.Second - time.Millisecond)
		if err := d.Confirm(d.t.Context(), "root", time.Now()); err != nil {
			d.t.Fatal(err)
		}
		d.check(2, 2, false)
		time.Sleep(2 * time.Hour)
		d.check(2, 2, false)
		if d.wrong != nil {
			d.t.Errorf("the problem is %v", d.wrong)
		}
	})
}

// TestEnds checks the other commands of a trial, and what they answer without one.
func TestEnds(t *testing.T) {
	play(t, func(d *device) {
		_, extendErr := d.Extend(d.t.Context(), "root", time.Minute)
		for _, err := range []error{d.Confirm(d.t.Context(), "root", time.Now()), d.Revert(d.t.Context(), "root"), extendErr} {
			if code(err) != client.CodeNoTrial {
				d.t.Errorf("without a trial: %v", err)
			}
		}
		d.begin()
		if longer, err := d.Extend(d.t.Context(), "root", time.Hour); err != nil || longer.Seconds != 3600 {
			d.t.Errorf("%+v, %v", longer, err)
		}
		time.Sleep(time.Hour - time.Second)
		d.check(2, 1, true)
		if shorter, err := d.Extend(d.t.Context(), "root", 5*time.Second); err != nil || shorter.Seconds != 5 {
			d.t.Errorf("%+v, %v", shorter, err)
		}
		time.Sleep(5*time.Second - time.Millisecond)
		d.check(2, 1, true)
		began := time.Now()
		if err := d.Revert(d.t.Context(), "root"); err != nil {
			d.t.Fatal(err)
		}
		if took := time.Since(began); took != time.Second {
			d.t.Errorf("revert returned after %v, and the kernel takes a second", took)
		}
		d.check(1, 1, false)
	})
}

// TestPendingExcludes checks that nobody can put another configuration in force beside a
// trial, and that the error says who began the trial and what to do.
func TestPendingExcludes(t *testing.T) {
	play(t, func(d *device) {
		d.begin()
		d.write(strings.Replace(onTrial, "2", "3", 1))
		_, begin := d.Begin(d.t.Context(), "root", time.Hour)
		_, reload := d.Reload(d.t.Context())
		for _, err := range []error{begin, reload} {
			if code(err) != client.CodeOnTrial || !strings.Contains(err.Error(), "user pi, uid 1000") || !strings.Contains(err.Error(), "netconnectcli confirm") {
				d.t.Error(err)
			}
		}
		time.Sleep(time.Millisecond) // a connection of the same moment proves nothing
		d.check(2, 3, true)          // the text that was not tried counts at a start
		if err := d.Confirm(d.t.Context(), "root", time.Now()); err != nil {
			d.t.Error(err)
		}
		d.check(2, 3, false)
	})
}

// TestConfirmNeedsAProof checks that a connection that is older than the change, or one that
// was made before the kernel had taken the change over, confirms nothing.
func TestConfirmNeedsAProof(t *testing.T) {
	play(t, func(d *device) {
		old := time.Now()
		d.kernel = 30 * time.Second
		d.write(onTrial)
		begun, err := d.Begin(d.t.Context(), "root", time.Minute)
		if err != nil || begun.Applied != nil {
			d.t.Fatalf("%+v, %v", begun, err)
		}
		within := time.Now()
		if err := d.Confirm(d.t.Context(), "root", within); code(err) != client.CodeNotProven {
			d.t.Errorf("the kernel is not ready: %v", err)
		}
		time.Sleep(11 * time.Second)
		for _, accepted := range []time.Time{old, within} {
			if err := d.Confirm(d.t.Context(), "root", accepted); code(err) != client.CodeNotProven || !strings.Contains(err.Error(), "connect again") {
				d.t.Error(err)
			}
		}
		d.check(2, 1, true)
		if err := d.Confirm(d.t.Context(), "root", time.Now()); err != nil {
			d.t.Error(err)
		}
	})
}

// TestReturnIsTriedAgain checks that a return that fails is a problem, is tried again, and
// excludes a confirmation that comes too late.
func TestReturnIsTriedAgain(t *testing.T) {
	play(t, func(d *device) {
		d.begin()
		d.mu.Lock()
		d.err = errors.New("the radio does not answer")
		d.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if all := d.Problems(); len(all) != 1 || !strings.Contains(all[0].Text, "the radio does not answer") {
			d.t.Errorf("problems %+v", all)
		}
		if err := d.Confirm(d.t.Context(), "root", time.Now()); code(err) != client.CodeNoTrial {
			d.t.Errorf("a trial that is over was confirmed: %v", err)
		}
		d.mu.Lock()
		d.err = nil
		d.mu.Unlock()
		time.Sleep(againAfter + time.Millisecond)
		d.check(1, 1, false)
		if d.wrong == nil || d.Problems() != nil {
			d.t.Errorf("%v; %+v", d.wrong, d.Problems())
		}
	})
}

// TestBeginRefuses checks that a configuration with problems, and one from which the daemon
// could not go back after a restart, change nothing.
func TestBeginRefuses(t *testing.T) {
	for _, row := range []struct {
		name, code string
		prepare    func(d *device)
	}{
		{"a fault", client.CodeBadConfig, func(d *device) { d.write("ap: {channel: 99}\n") }},
		{"nothing is kept", client.CodeNotKept, func(d *device) { d.write(onTrial); os.RemoveAll(d.state) }},
		{"the state folder is no folder", client.CodeNotKept, func(d *device) {
			d.write(onTrial)
			os.RemoveAll(d.state)
			os.WriteFile(d.state, nil, 0o600)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			play(t, func(d *device) {
				row.prepare(d)
				if _, err := d.Begin(d.t.Context(), "root", time.Minute); code(err) != row.code {
					d.t.Error(err)
				}
				if d.get().AP.Channel != 1 || d.Pending() != nil {
					d.t.Errorf("channel %d, %+v", d.get().AP.Channel, d.Pending())
				}
			})
		})
	}
}

// TestConfirmIsSaved checks that a trial goes on if what is confirmed cannot be saved.
func TestConfirmIsSaved(t *testing.T) {
	play(t, func(d *device) {
		d.begin()
		time.Sleep(time.Millisecond)
		away := d.state + ".away"
		if err := errors.Join(os.Rename(d.state, away), os.WriteFile(d.state, nil, 0o600)); err != nil {
			d.t.Fatal(err)
		}
		if err := d.Confirm(d.t.Context(), "root", time.Now()); code(err) != client.CodeNotKept {
			d.t.Errorf("confirmed, and not saved: %v", err)
		}
		if err := errors.Join(os.Remove(d.state), os.Rename(away, d.state)); err != nil {
			d.t.Fatal(err)
		}
		d.check(2, 1, true)
		time.Sleep(time.Minute)
		d.check(1, 1, false)
	})
}

// TestSameTextTakenBack checks that the return from a trial in which nothing differed is
// no problem of the configuration.
func TestSameTextTakenBack(t *testing.T) {
	play(t, func(d *device) {
		if _, err := d.Begin(d.t.Context(), "root", time.Minute); err != nil {
			d.t.Fatal(err)
		}
		time.Sleep(time.Minute)
		d.check(1, 1, false)
		if d.wrong != nil {
			d.t.Error(d.wrong)
		}
	})
}

// TestRivals lets members of the group end the same trial at once: exactly one has to
// succeed, and what is in force then is what a start takes.
func TestRivals(t *testing.T) {
	for range 50 {
		d := newDevice(t)
		d.kernel = 0
		ctx, stop := context.WithCancel(t.Context())
		var running, rivals sync.WaitGroup
		running.Go(func() { d.Run(ctx) })
		d.begin()
		accepted := time.Now()
		results := make(chan error, 4)
		for range 2 {
			rivals.Go(func() { results <- d.Confirm(ctx, "a", accepted) })
			rivals.Go(func() { results <- d.Revert(ctx, "b") })
		}
		rivals.Wait()
		won := 0
		for range 4 {
			switch err := <-results; code(err) {
			case client.CodeNoTrial:
			case "":
				if won++; err != nil {
					t.Error(err)
				}
			default:
				t.Error(err)
			}
		}
		c, _, err := config.LoadAtStart(d.arguments())
		if err != nil || won != 1 || c.AP.Channel != d.get().AP.Channel || d.Pending() != nil {
			t.Errorf("%d have succeeded; channel %d is in force, a start takes %d, %v", won, d.get().AP.Channel, c.AP.Channel, err)
		}
		stop()
		running.Wait()
	}
}

// TestAfterTheEnd checks that commands do not wait for a daemon that ends.
func TestAfterTheEnd(t *testing.T) {
	d := newDevice(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	d.Run(ctx)
	if _, err := d.Reload(t.Context()); !errors.Is(err, errEnded) {
		t.Error(err)
	}
}
