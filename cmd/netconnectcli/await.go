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

// follower follows the status of a daemon that may start later, end, and start again.
// It waits for events of the daemon and of the file system.
type follower struct {
	address string
	// again is the pause before the next try where no event can be awaited: the kernel
	// does not report that a program begins to listen on an existing socket file, nor
	// that a daemon which ended, or refused a connection, accepts the next one.
	again time.Duration
}

func (a *app) follower() *follower { return &follower{a.address, time.Second} }

// snapshot is a status both decoded and as it arrived, since a newer daemon may send
// fields that this program does not know.
type snapshot struct {
	client.Status
	raw json.RawMessage
}

// follow calls seen with the daemon's status, and again after each change of the
// status. It returns the first error of seen, or an absentError when ctx ends. It calls
// lost whenever the connection to the daemon ends.
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

// dial waits for the daemon's socket and connects to it. It returns an error when ctx
// ends, or at once when waiting cannot help.
func (f *follower) dial(ctx context.Context) (*client.Client, error) {
	for {
		appeared, done := f.watch() // before the try, so that no event is missed
		c, err := client.Dial(ctx, f.address)
		if err == nil {
			done()
			return c, nil
		}
		comes := true
		switch {
		case errors.Is(err, fs.ErrNotExist):
			appeared(ctx)
		case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EAGAIN): // no program accepts connections yet, or the socket's queue is full
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

// watch returns a function that blocks until a file has appeared in the folder of the
// socket, or ctx ends. If the folder cannot be watched, the function blocks for a
// moment instead.
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

// nearestFolder returns the folder of a file. If that folder does not exist yet, it
// returns the nearest existing folder above, where the next one must appear.
func nearestFolder(file string) string {
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
	}
}

// stoppedError carries an error of follow's callback through the loop.
type stoppedError struct{ error }

// passes reports whether another connection may succeed where this one was refused.
func passes(refused *client.Error) bool {
	switch refused.Code {
	case client.CodeShuttingDown, client.CodeOverloaded, client.CodeTooSlow, client.CodeInternal:
		return true
	}
	return false
}

// statuses passes the statuses of one connection to seen.
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

// poll asks for the status again and again, and passes each one to seen. It is for
// the original daemon, which has no events and answers one request on each
// connection.
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
