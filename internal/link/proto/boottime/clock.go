package dhcp

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// clock is where the machine's time comes from.
type clock interface {
	now() time.Time
	// after returns a channel on which a value comes once d has passed. A value of
	// an earlier call may come instead. One call counts at a time.
	after(d time.Duration) <-chan time.Time
}

// longestWait bounds one setting of the timer: in a 32-bit timespec there is no
// room for 136 years, and a timeout that comes early changes nothing.
const longestWait = 24 * time.Hour

// bootClock counts the time in which the machine is suspended (CLOCK_BOOTTIME).
// The timers of the standard library do not.
type bootClock struct {
	begun   time.Time     // what time.Now said when boot was read
	boot    time.Duration // since the machine was started, at begun
	timer   *os.File      // a timerfd
	elapsed chan time.Time
	reader  sync.WaitGroup
}

// openBootClock reads the time.Now of its start. The clock must be closed.
func openBootClock() (*bootClock, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create a timer that counts suspended time: %w", err)
	}
	c := &bootClock{begun: time.Now(), boot: sinceBoot(), timer: os.NewFile(uintptr(fd), "timerfd"), elapsed: make(chan time.Time, 1)}
	c.reader.Go(c.read)
	return c, nil
}

// sinceBoot never fails: the kernel has had the clock since 2.6.39.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	return time.Duration(ts.Nano())
}

func (c *bootClock) now() time.Time { return c.begun.Add(sinceBoot() - c.boot) }

func (c *bootClock) after(d time.Duration) <-chan time.Time {
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
func (c *bootClock) read() {
	var expirations [8]byte
	for {
		if _, err := c.timer.Read(expirations[:]); err != nil {
			return
		}
		c.expire()
	}
}

func (c *bootClock) expire() {
	select {
	case c.elapsed <- c.now():
	default: // one is waiting already
	}
}

// Close ends the timer.
func (c *bootClock) Close() error {
	err := c.timer.Close()
	c.reader.Wait()
	return err
}
