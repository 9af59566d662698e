package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/inotify"
)

// follower follows the status of a daemon that may start later, end, and start
// again. It waits for events of the daemon and of the file system.
type follower struct {
	address string
	// again is the pause before the next try where neither tells anything: whether
	// a program listens to a socket whose file is there, and whether a daemon that
	// ended or refused a connection takes the next one.
	again time.Duration
}

func (a *app) follower() *follower { return &follower{a.address, time.Second} }

// snapshot is a status as it came, for fields that this program does not know, and
// decoded.
type snapshot struct {
	client.Status
	raw json.RawMessage
}

// follow calls seen with the daemon's status and again whenever something in it
// changes, until ctx ends or seen returns an error, and returns that. lost is called
// each time the daemon goes.
func (f *follower) follow(ctx context.Context, seen func(snapshot) error, lost func(error)) error {
	for {
		c, err := f.dial(ctx)
		if err != nil {
			return err
		}
		err = f.statuses(ctx, c, seen)
		c.Close()
		if unknown(err) {
			err = f.poll(ctx, seen)
		}
		var stopped *stoppedError
		var refused *client.Error
		switch {
		case errors.As(err, &stopped):
			return stopped.error
		case ctx.Err() != nil:
			return &absentError{f.address, err}
		case errors.As(err, &refused) && !passes(refused):
			return refused
		}
		lost(err)
		if f.pause(ctx); ctx.Err() != nil {
			return &absentError{f.address, err}
		}
	}
}

// dial connects to the daemon when its socket is there. An error before ctx ends is
// one that does not pass.
func (f *follower) dial(ctx context.Context) (*client.Client, error) {
	for {
		appeared, done := f.watch() // before the try, so that nothing falls between
		c, err := client.Dial(ctx, f.address)
		if err == nil {
			done()
			return c, nil
		}
		comes := true
		switch {
		case errors.Is(err, fs.ErrNotExist):
			appeared(ctx)
		case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EAGAIN): // nobody listens yet; too many wait
			soon, cancel := context.WithTimeout(ctx, f.again)
			appeared(soon)
			cancel()
		default:
			comes = false
		}
		done()
		if !comes || ctx.Err() != nil {
			return nil, &absentError{f.address, err}
		}
	}
}

// watch returns a function that blocks until something has appeared where the socket
// has to, or ctx ends. A folder that cannot be watched is looked at again later.
func (f *follower) watch() (appeared func(ctx context.Context), done func()) {
	folder, err := inotify.Watch(nearestFolder(f.address))
	if err != nil {
		return f.pause, func() {}
	}
	return folder.Next, func() { folder.Close() }
}

// pause blocks for a moment, or until ctx ends.
func (f *follower) pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(f.again):
	}
}

// nearestFolder is the folder of a file or, as long as that is not there, the
// nearest one above, in which it has to appear.
func nearestFolder(file string) string {
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
	}
}

// stoppedError is what the caller of follow said.
type stoppedError struct{ error }

// passes reports whether another connection may do better.
func passes(refused *client.Error) bool {
	switch refused.Code {
	case client.CodeShuttingDown, client.CodeOverloaded, client.CodeTooSlow, client.CodeInternal:
		return true
	}
	return false
}

// statuses hands the statuses of one connection to seen.
func (f *follower) statuses(ctx context.Context, c *client.Client, seen func(snapshot) error) error {
	stop := hintAtSilence(ctx, f.address, os.Stderr)
	sub, err := c.Subscribe(ctx)
	stop()
	for err == nil {
		var event client.Event
		if event, err = sub.Next(ctx); err != nil || event.Status == nil {
			continue
		}
		var frame struct {
			Event struct{ Status json.RawMessage }
		}
		if err = json.Unmarshal(event.Frame, &frame); err != nil {
			break
		}
		if stop := seen(snapshot{*event.Status, frame.Event.Status}); stop != nil {
			return &stoppedError{stop}
		}
	}
	return fmt.Errorf("follow the status: %w", err)
}

// poll hands the statuses of a daemon that tells no events to seen. Such a one
// answers a single request on each connection.
func (f *follower) poll(ctx context.Context, seen func(snapshot) error) error {
	for ; ctx.Err() == nil; f.pause(ctx) {
		s, err := f.askOnce(ctx)
		if err != nil {
			return err
		}
		if stop := seen(s); stop != nil {
			return &stoppedError{stop}
		}
	}
	return ctx.Err()
}

func (f *follower) askOnce(ctx context.Context) (s snapshot, err error) {
	c, err := client.Dial(ctx, f.address)
	if err != nil {
		return s, err
	}
	defer c.Close()
	if err := c.Call(ctx, "status", nil, &s.raw); err != nil {
		return s, err
	}
	s.Status, err = decodeStatus(s.raw)
	return s, err
}
