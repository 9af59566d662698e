package trial

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
)

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
// excludes a confirmation, also where it was asked for before the deadline.
func TestReturnIsTriedAgain(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(d *device)
	}{
		{"at the deadline", func(*device) { time.Sleep(time.Minute) }},
		{"reverted", func(d *device) {
			time.Sleep(time.Second)
			if err := d.Revert(d.t.Context(), "root"); err == nil || !strings.Contains(err.Error(), "the radio does not answer") {
				d.t.Errorf("revert: %v", err)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			play(t, func(d *device) {
				d.begin()
				d.fail(errors.New("the radio does not answer"))
				row.end(d)
				synctest.Wait()
				if all := d.Problems(); len(all) != 1 || !strings.Contains(all[0].Text, "the radio does not answer") {
					d.t.Errorf("problems %+v", all)
				}
				_, extendErr := d.Extend(d.t.Context(), "root", time.Hour)
				for _, err := range []error{d.Confirm(d.t.Context(), "root", time.Now()), extendErr} {
					if code(err) != client.CodeNoTrial {
						d.t.Errorf("a trial that is over goes on: %v", err)
					}
				}
				d.fail(nil)
				time.Sleep(againAfter + time.Millisecond)
				d.check(1, 1, false)
				if d.wrong == nil || d.Problems() != nil {
					d.t.Errorf("%v; %+v", d.wrong, d.Problems())
				}
			})
		})
	}
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

// TestWarnings checks that the results of a reload and of a trial have the warnings that a
// start would have logged.
func TestWarnings(t *testing.T) {
	play(t, func(d *device) {
		load := d.Load
		d.Load = func() (*config.Config, []config.Problem, error) {
			c, _, err := load()
			return c, []config.Problem{{Key: "ap.power", Text: "is not known"}, {Text: "the file is\nold"}}, err
		}
		const want = "nothing differs\n  warning: ap.power: is not known\n  warning: the file is old"
		if got, err := d.Reload(d.t.Context()); err != nil || got != "reloaded: "+want {
			d.t.Errorf("%q, %v", got, err)
		}
		if got, err := d.Begin(d.t.Context(), "root", time.Minute); err != nil || got.Text != want {
			d.t.Errorf("%q, %v", got.Text, err)
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
