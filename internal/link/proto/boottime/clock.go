// Package boottime is a clock that does not stop while the machine is suspended,
// for times that others count, too: those of a lease, or of what a router says.
// The timers of package time stop.
package boottime

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Clock is where times come from.
type Clock interface {
	Now() time.Time
	// After returns a channel on which a value comes once d has passed. A value of
	// an earlier call may come instead. One call counts at a time.
	After(d time.Duration) <-chan time.Time
}

// longestWait bounds one setting of the timer: in a 32-bit timespec there is no
// room for 136 years, and a timeout that comes early changes nothing.
const longestWait = 24 * time.Hour

// Boot is the kernel's clock of that kind (CLOCK_BOOTTIME).
type Boot struct {
	begun   time.Time     // what time.Now said when boot was read
	boot    time.Duration // since the machine was started, at begun
	timer   *os.File      // a timerfd
	elapsed chan time.Time
	reader  sync.WaitGroup
}

// Open starts the clock at what time.Now says. The clock must be closed.
func Open() (*Boot, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create a timer that counts suspended time: %w", err)
	}
	c := &Boot{begun: time.Now(), boot: sinceBoot(), timer: os.NewFile(uintptr(fd), "timerfd"), elapsed: make(chan time.Time, 1)}
	c.reader.Go(c.read)
	return c, nil
}

// sinceBoot never fails: the kernel has had the clock since 2.6.39.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	return time.Duration(ts.Nano())
}

// Now is what time.Now would say if it counted suspended time since Open.
func (c *Boot) Now() time.Time { return c.begun.Add(sinceBoot() - c.boot) }

// After implements Clock.
func (c *Boot) After(d time.Duration) <-chan time.Time {
	d = min(max(d, 1), longestWait) // 0 would stop the timer
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(d.Nanoseconds())}
	raw, err := c.timer.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { err = unix.TimerfdSettime(int(fd), 0, &spec, nil) })
	}
	if err != nil { // of a closed clock only: its values are as good as over
		c.expire()
	}
	return c.elapsed
}

// read waits for the timer until the clock is closed.
func (c *Boot) read() {
	var expirations [8]byte
	for {
		if _, err := c.timer.Read(expirations[:]); err != nil {
			return
		}
		c.expire()
	}
}

func (c *Boot) expire() {
	select {
	case c.elapsed <- c.Now():
	default: // one is waiting already
	}
}

// Close ends the timer.
func (c *Boot) Close() error {
	err := c.timer.Close()
	c.reader.Wait()
	return err
}
