package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	grace     = 3 * time.Second // between SIGTERM and SIGKILL
	killLimit = 2 * time.Second // a killed process that is still there then hangs in the kernel
)

// Child is a running program, started by us or by an earlier daemon.
type Child struct {
	role, hash string
	pid        int
	start      uint64 // field 22 of /proc/PID/stat, clock ticks since boot
	runner     *Runner
	pidfd      *os.File
	cmd        *exec.Cmd // nil when adopted
	out        *output
	pardoned   func(last []string) bool // of Spec
	ending     atomic.Bool              // End was called, or the child has failed
	done       chan struct{}
	err        error // written before done is closed
}

// PID returns the process id.
func (c *Child) PID() int { return c.pid }

// Hash returns Spec.Hash of the Spec that the child was started with.
func (c *Child) Hash() string { return c.hash }

// Done is closed when the process has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Err returns how the process ended, or nil while it runs. If the process gave up by
// itself, the error has the last line that it printed. For an adopted process, only
// the fact that it has ended is known.
func (c *Child) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// LastOutput returns the last lines that the process printed while this
// daemon watched, oldest first. It is complete once Done is closed.
func (c *Child) LastOutput() []string { return c.out.last() }

// Alive asks the kernel whether the process runs. Done may be a moment behind.
func (c *Child) Alive() bool {
	alive := false
	err := c.control(func(fd int) { alive = !ended(fd) })
	return err == nil && alive
}

// End sends SIGTERM, and after 3 s (or when ctx ends) SIGKILL. It returns when the
// process is gone, and removes its record. A second call does nothing.
func (c *Child) End(ctx context.Context) error {
	if err := c.kill(ctx); err != nil {
		return err
	}
	if err := c.runner.endStrays(ctx, c.role); err != nil {
		return err
	}
	return c.runner.forget(c)
}

// EndHung ends a child that lives but no longer answers, and reports it to
// Runner.Failed.
func (c *Child) EndHung(ctx context.Context) error {
	c.failed()
	return c.End(ctx)
}

// kill ends the process and leaves its record.
func (c *Child) kill(ctx context.Context) error {
	c.ending.Store(true)
	c.signal(unix.SIGTERM)
	c.signal(unix.SIGCONT) // a stopped process handles SIGTERM only when it continues
	if c.wait(ctx, grace) {
		return nil
	}
	c.signal(unix.SIGKILL)
	if c.wait(context.WithoutCancel(ctx), killLimit) {
		return nil
	}
	return fmt.Errorf("end %s: pid %d is still there %v after SIGKILL", c.role, c.pid, killLimit)
}

// wait reports whether the process ended within the limit and before ctx did.
func (c *Child) wait(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-c.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// signal sends a signal by the pidfd, so that a reused pid is never hit. It does
// nothing if the process is gone.
func (c *Child) signal(sig unix.Signal) {
	var err error
	if c.control(func(fd int) { err = unix.PidfdSendSignal(fd, sig, nil, 0) }) != nil {
		return
	}
	if err != nil && !errors.Is(err, unix.ESRCH) {
		c.runner.log().Warn("signal not sent", "role", c.role, "pid", c.pid, "signal", sig, "err", err)
	}
}

// watch waits until the process has ended, reaps it if it is ours, and closes
// done; or returns without that when release is called.
func (c *Child) watch() {
	raw, err := c.pidfd.SyscallConn()
	if err != nil {
		return
	}
	if err := raw.Read(func(fd uintptr) bool { return ended(int(fd)) }); err != nil {
		return
	}
	c.out.drain()
	how := c.reap()
	c.err = fmt.Errorf("%s (pid %d): %w", c.role, c.pid, how)
	c.pidfd.Close()
	if c.pardoned == nil || !c.pardoned(c.out.last()) {
		c.failed()
	}
	close(c.done)
}

// failed reports a failure to Runner.Failed, unless End was called. It reports only
// once, as a child that hangs ends afterwards.
func (c *Child) failed() {
	if c.ending.CompareAndSwap(false, true) && c.runner.Failed != nil {
		c.runner.Failed(c.role)
	}
}

// reap returns how the process ended. A process that gave up by itself usually
// printed the reason last; a killed one did not.
func (c *Child) reap() error {
	if c.cmd == nil {
		return errors.New("ended")
	}
	err := c.cmd.Wait()
	if err == nil {
		return errors.New("exit status 0")
	}
	last := c.out.last()
	if !c.cmd.ProcessState.Exited() || len(last) == 0 {
		return err
	}
	return fmt.Errorf("%w: %s", err, last[len(last)-1])
}

// release ends watch and the copying of output, and leaves the process alone.
func (c *Child) release() {
	if c != nil {
		c.pidfd.Close()
		c.out.Close()
	}
}

func (c *Child) control(f func(fd int)) error {
	raw, err := c.pidfd.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) { f(int(fd)) })
}

// ended reports whether the process of a pidfd has ended. The pidfd of an ended
// process is readable, even while the process is a zombie (pidfd_open(2)).
func ended(pidfd int) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 0)
		if !errors.Is(err, unix.EINTR) {
			return err == nil && n == 1
		}
	}
}
