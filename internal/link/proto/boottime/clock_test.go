package boottime

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestBootClock: the kernel says of the clock's timer that it counts suspended
// time, and the clock says what the kernel's does.
func TestBootClock(t *testing.T) {
	c, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", c.timer.Fd()))
	if want := fmt.Sprintf("clockid: %d\n", unix.CLOCK_BOOTTIME); err != nil || !strings.Contains(string(info), want) {
		t.Errorf("the timer is %q, want %q (%v)", info, want, err)
	}
	c.boot -= time.Hour // as if the machine had been suspended since
	if ahead := time.Until(c.Now()); (ahead - time.Hour).Abs() > time.Minute {
		t.Errorf("after an hour of suspension the clock is %v ahead", ahead)
	}
	for _, d := range []time.Duration{-time.Hour, 0, time.Millisecond} {
		begun := time.Now()
		<-c.After(d)
		if took := time.Since(begun); took < d {
			t.Errorf("%v passed within %v", d, took)
		}
	}
	select {
	case <-c.After(136 * 365 * 24 * time.Hour):
		t.Error("136 years have passed")
	case <-time.After(10 * time.Millisecond):
	}
}
