package networkmanager

import (
	"context"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	// readLimit bounds a call that every user may make. NetworkManager answers within
	// milliseconds.
	readLimit = 10 * time.Second

	// runaway is how long polkit lets its rules run (RUNAWAY_KILLER_TIMEOUT in its
	// polkitbackendcommon.h). The polkit of Debian 12, which is older than 123,
	// sometimes misses that a rule has answered: it waits for this time and then
	// refuses.
	runaway = 15 * time.Second

	// askLimit bounds a call for which NetworkManager asks polkit. That takes a tenth
	// of a second, or the time runaway.
	askLimit = runaway + readLimit

	// patience is how long a call may go on after its caller has stopped waiting.
	patience = 2 * time.Second
)

// read makes calls that every user may make.
func read(ctx context.Context, f func() error) error {
	return explain(do(ctx, readLimit, f), actionRead)
}

// ask makes calls that polkit must allow, by that action. A refusal that took polkit
// as long as a runaway rule proves nothing: the call is made once more.
func ask(ctx context.Context, action string, f func() error) error {
	begin := time.Now()
	err := explain(do(ctx, askLimit, f), action)
	if isRefusal(err) && time.Since(begin) >= runaway {
		err = explain(do(ctx, askLimit, f), action)
	}
	return err
}

// closeBus ends the library's connection. The next call opens another one.
func closeBus() {
	if bus, err := dbus.SystemBus(); err == nil {
		bus.Close()
	}
}

// do bounds calls of a library that has no deadlines: when ctx or the limit has ended
// and NetworkManager does not answer soon, do closes the library's connection, which
// ends the call. All callers share that connection, so a call that is no longer
// wanted gets some time to end by itself.
func do(ctx context.Context, limit time.Duration, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case <-done:
	case <-time.After(patience):
		go closeBus()
		select {
		case <-done:
		case <-time.After(patience): // the bus accepts connections but does not answer
		}
	}
	return context.Cause(ctx)
}
