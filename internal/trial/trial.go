// Package trial puts configurations in force: for good, or on trial. What is on trial
// becomes the boot configuration only when somebody confirms it in time; otherwise the
// earlier configuration is in force again.
//
// One goroutine, Trial.Run, owns which configuration is on trial and until when. Commands
// reach it as messages, so of two that come together one is first. The record by which a
// start knows of a trial is package config's: see config.Config.Try.
package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
)

const (
	// enforceLimit bounds the putting in force, so that no other part of the daemon can
	// keep Run from its deadline.
	enforceLimit = 2 * time.Second
	// againAfter is the pause before a return that failed is tried again.
	againAfter = time.Second
	// patience bounds the wait for the kernel. 5,000 interfaces take some seconds.
	patience = 20 * time.Second
)

// Parts are what a Trial works with. All have to be set.
type Parts struct {
	Load    func() (*config.Config, []config.Problem, error) // reads the configuration file
	InForce func() *config.Config
	// Enforce puts a configuration in force. The channel gets what the kernel has taken
	// over, when it has.
	Enforce func(ctx context.Context, next *config.Config) (<-chan client.NetworkApplied, error)
	Loaded  func(wrong error) // notes what is wrong with the file, which then is not in force; nil: nothing
	Station func() bool       // whether the radio is in a network that we have joined
	Changed func()            // a trial has begun or ended, or has another end; must not block
	Log     *slog.Logger
}

// Trial is the way to another configuration. Its methods may be called from any goroutine.
type Trial struct {
	Parts
	inbox   chan message
	ended   chan struct{} // Run has returned
	pending atomic.Pointer[pending]
}

// message is a command for Run. done is closed when the command has been carried out.
type message struct {
	do   func(ctx context.Context)
	done chan struct{}
}

// pending is a trial. Run replaces it to change it.
type pending struct {
	by      string
	earlier *config.Config // what was in force before
	tried   *config.Config
	until   time.Time // of the monotonic clock: a wrong time of day changes nothing
	again   time.Time // when a return that failed is tried again; zero: none has failed
	failed  error     // why the return failed
	done    time.Time // when the kernel had taken the change over; zero: not yet
	applied <-chan client.NetworkApplied
	result  chan client.NetworkApplied // tells Begin what came through applied
}

// New returns a Trial that answers while Run runs.
func New(parts Parts) *Trial {
	return &Trial{Parts: parts, inbox: make(chan message), ended: make(chan struct{})}
}

// Run carries out commands, and ends trials in time, until ctx ends. The next run of the
// daemon returns from a trial that is pending then.
func (t *Trial) Run(ctx context.Context) {
	defer close(t.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		var applied <-chan client.NetworkApplied
		timer.Stop()
		if p := t.pending.Load(); p != nil {
			applied = p.applied
			timer.Reset(time.Until(p.due()))
		}
		select {
		case <-ctx.Done():
			return
		case m := <-t.inbox:
			m.do(ctx)
			close(m.done)
		case outcome := <-applied:
			p := *t.pending.Load()
			p.done, p.applied = time.Now(), nil
			t.pending.Store(&p)
			p.result <- outcome // has room
		case <-timer.C:
			_, _ = t.restore(ctx, "nobody has confirmed it in time") // restore tries again
		}
	}
}

// due returns when the earlier configuration has to be in force again.
func (p *pending) due() time.Time {
	if !p.again.IsZero() {
		return p.again
	}
	return p.until
}

// over reports whether it is too late to confirm, although the timer has not come yet or
// the return has failed.
func (p *pending) over() bool { return p.failed != nil || !time.Now().Before(p.until) }

// errEnded is the error of a command after Run has returned, as the daemon ends.
var errEnded = errors.New("the configuration is not changed any more")

// ask lets Run carry out a command, and returns when that is done.
func (t *Trial) ask(ctx context.Context, do func(ctx context.Context)) error {
	m := message{do, make(chan struct{})}
	select {
	case t.inbox <- m:
		<-m.done // enforceLimit bounds a command
		return nil
	case <-t.ended:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Pending returns the trial that waits to be confirmed; nil: there is none.
func (t *Trial) Pending() *client.Trial {
	p := t.pending.Load()
	if p == nil {
		return nil
	}
	shown := p.shown()
	return &shown
}

// End returns when the pending trial ends; zero: there is none.
func (t *Trial) End() time.Time {
	if p := t.pending.Load(); p != nil {
		return p.until
	}
	return time.Time{}
}

func (p *pending) shown() client.Trial {
	left := max(0, time.Until(p.until))
	return client.Trial{By: p.by, Until: p.until.Round(0), Seconds: int64(left.Round(time.Second).Seconds())}
}

// Problems returns why the return to the earlier configuration has failed.
func (t *Trial) Problems() []client.Problem {
	p := t.pending.Load()
	if p == nil || p.failed == nil {
		return nil
	}
	return []client.Problem{{
		Code: "trial", Text: "the configuration before the trial could not be put in force again: " + p.failed.Error(),
		Remedy: "the daemon tries again by itself; a restart of netconnectd also returns to that configuration",
	}}
}

// Begin puts the configuration file in force on trial for a time. It returns when the
// kernel has taken the change over, or after patience.
func (t *Trial) Begin(ctx context.Context, by string, limit time.Duration) (begun client.NetworkTrial, err error) {
	var p *pending
	askErr := t.ask(ctx, func(ctx context.Context) {
		p, begun.Text, err = t.begin(ctx, by, limit)
	})
	if err = cmp.Or(askErr, err); err != nil {
		return begun, err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case outcome := <-p.result:
		begun.Applied = &outcome
	case <-timer.C:
	case <-ctx.Done():
	}
	begun.Trial = p.shown()
	return begun, nil
}

func (t *Trial) begin(ctx context.Context, by string, limit time.Duration) (*pending, string, error) {
	next, _, text, err := t.load()
	if err != nil {
		return nil, "", err
	}
	if err := next.Try(t.InForce(), by, time.Now()); err != nil {
		return nil, "", &client.Error{
			Code:    client.CodeNotKept,
			Message: "nothing was changed, because the daemon could not return to the configuration in force after a restart: " + err.Error() + "; make room in the daemon's state folder, or take the file without a trial: netconnectcli reload",
		}
	}
	p := &pending{by: by, earlier: t.InForce(), tried: next, result: make(chan client.NetworkApplied, 1)}
	t.Loaded(nil)
	p.applied, err = t.enforce(ctx, next)
	p.until = time.Now().Add(limit)
	t.pending.Store(p)
	if err != nil {
		_, restoreErr := t.restore(ctx, "it could not be put in force")
		return nil, "", fmt.Errorf("put the configuration in force on trial: %w", errors.Join(err, restoreErr))
	}
	t.Log.Info("configuration on trial", "by", by, "until", p.until.Round(0))
	t.Changed()
	return p, text, nil
}

func (t *Trial) enforce(ctx context.Context, next *config.Config) (<-chan client.NetworkApplied, error) {
	ctx, cancel := context.WithTimeout(ctx, enforceLimit)
	defer cancel()
	return t.Enforce(ctx, next)
}

// load reads the file, and returns the configuration with the keys that differ, and a text
// about these for people. While a trial is pending, load refuses.
func (t *Trial) load() (next *config.Config, changed []string, text string, err error) {
	if p := t.pending.Load(); p != nil {
		return nil, nil, "", p.refusal()
	}
	next, warnings, err := t.Load()
	if err != nil {
		t.Loaded(err)
		return nil, nil, "", &client.Error{Code: client.CodeBadConfig, Message: err.Error()}
	}
	for _, w := range warnings {
		t.Log.Warn("configuration", "problem", w.String())
	}
	changed = config.Diff(t.InForce(), next)
	keepFixed(next, t.InForce())
	return next, changed, describe(changed, t.Station()) + formatWarnings(warnings), nil
}

// refusal is the error of a command that a pending trial excludes.
func (p *pending) refusal() *client.Error {
	shown := p.shown()
	return &client.Error{Code: client.CodeOnTrial, Message: fmt.Sprintf(
		"a configuration is on trial, which %s has begun and which ends in %d s: end it before by netconnectcli confirm or netconnectcli revert", p.by, shown.Seconds)}
}

// Reload puts the configuration file in force for good, and returns what has changed.
func (t *Trial) Reload(ctx context.Context) (text string, err error) {
	askErr := t.ask(ctx, func(ctx context.Context) {
		next, changed, about, loadErr := t.load()
		if err = loadErr; err != nil {
			return
		}
		t.Keep(next)
		t.Loaded(nil)
		text = client.ResultReloaded + ": " + about
		if _, err = t.enforce(ctx, next); err == nil {
			t.Log.Info(client.ResultReloaded, "changed", strings.Join(changed, " "))
		}
	})
	return text, cmp.Or(askErr, err)
}

// Keep makes a configuration the boot configuration, as far as the disk allows that.
func (t *Trial) Keep(c *config.Config) {
	if err := c.Keep(); err != nil {
		t.Log.Warn("keep the configuration for a start at which it is wrong", "err", err)
	}
}

// errNoTrial is the error of a command that needs a trial.
var errNoTrial = &client.Error{Code: client.CodeNoTrial, Message: "no configuration is on trial"}

// Confirm makes the configuration on trial the boot configuration, for a client whose
// connection was accepted at that time.
func (t *Trial) Confirm(ctx context.Context, by string, accepted time.Time) (err error) {
	askErr := t.ask(ctx, func(context.Context) { err = t.confirm(by, accepted) })
	return cmp.Or(askErr, err)
}

func (t *Trial) confirm(by string, accepted time.Time) error {
	p := t.pending.Load()
	switch {
	case p == nil || p.over():
		return errNoTrial
	case p.done.IsZero():
		return &client.Error{Code: client.CodeNotProven, Message: "the kernel has not taken the change over yet: try again"}
	case !accepted.After(p.done):
		return &client.Error{Code: client.CodeNotProven, Message: "this connection is older than the change, so it does not show that the device can still be reached: connect again, then confirm"}
	}
	if err := t.InForce().Keep(); err != nil {
		return &client.Error{Code: client.CodeNotKept, Message: fmt.Sprintf("the trial goes on, because the configuration could not be saved: %v; make room in the daemon's state folder, then confirm", err)}
	}
	t.pending.Store(nil)
	t.Log.Info("configuration confirmed", "by", by)
	t.Changed()
	return nil
}

// Revert puts the earlier configuration in force again, and returns when the kernel has
// taken that over, or after patience.
func (t *Trial) Revert(ctx context.Context, by string) (err error) {
	var applied <-chan client.NetworkApplied
	askErr := t.ask(ctx, func(ctx context.Context) {
		if t.pending.Load() == nil {
			err = errNoTrial
			return
		}
		applied, err = t.restore(ctx, by+" has reverted it")
	})
	if err = cmp.Or(askErr, err); err != nil {
		return err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-applied:
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// restore puts the configuration from before the pending trial in force, and ends the
// trial. If that fails, Run tries again.
func (t *Trial) restore(ctx context.Context, why string) (<-chan client.NetworkApplied, error) {
	p := *t.pending.Load()
	applied, err := t.enforce(ctx, p.earlier)
	if err != nil {
		p.failed, p.again = err, time.Now().Add(againAfter)
		t.pending.Store(&p)
		t.Log.Error("return to the configuration before the trial", "reason", why, "err", err)
		t.Changed()
		return nil, fmt.Errorf("return to the earlier configuration: %w", err)
	}
	t.pending.Store(nil)
	if p.tried.Text != p.earlier.Text {
		t.Loaded(p.tried.NotConfirmed(p.by))
	}
	t.Log.Warn("configuration taken back", "reason", why, "tried by", p.by)
	t.Changed()
	return applied, nil
}

// Extend lets the pending trial end after that time, counted from now.
func (t *Trial) Extend(ctx context.Context, by string, limit time.Duration) (shown client.Trial, err error) {
	askErr := t.ask(ctx, func(ctx context.Context) {
		p := t.pending.Load()
		if p == nil || p.over() {
			err = errNoTrial
			return
		}
		longer := *p
		longer.until = time.Now().Add(limit)
		t.pending.Store(&longer)
		t.Log.Info("configuration on trial", "by", p.by, "extended by", by, "until", longer.until.Round(0))
		t.Changed()
		shown = longer.shown()
	})
	return shown, cmp.Or(askErr, err)
}
