package supervisor

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// deaf is a lane that blocks where no context reaches, as in open(2) of a pipe.
type deaf struct {
	mu   sync.Mutex
	lane string        // "radio", "probe" or "scan"; "": none
	till chan struct{} // closed when it goes on
}

func (d *deaf) become(lane string) (hear func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lane, d.till = lane, make(chan struct{})
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.lane = ""
		close(d.till)
	}
}

func (d *deaf) wait(lane string) {
	d.mu.Lock()
	is, till := d.lane == lane, d.till
	d.mu.Unlock()
	if is {
		<-till
	}
}

// lockedText is a log that others read meanwhile.
type lockedText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lockedText) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// TestWatchdogStarvesWhenALaneDoesNotReturn checks that the watchdog is no longer
// fed while a lane does not return, although the loop turns: only a new daemon
// helps then. Once the lane has returned after all, the watchdog is fed again.
func TestWatchdogStarvesWhenALaneDoesNotReturn(t *testing.T) {
	for _, tt := range []struct {
		lane string
		late time.Duration // the watchdog is no longer fed after that time
	}{
		{"radio", holdLimit}, {"probe", probeLimit + slack}, {"scan", scanLimit + slack},
	} {
		t.Run(tt.lane, func(t *testing.T) {
			run(t, func(d *device, ctx context.Context) {
				d.router.Store(true)
				d.links(ctx, tt.lane == "probe")
				time.Sleep(30 * time.Second)
				hear := d.deaf.become(tt.lane)
				d.router.Store(tt.lane == "probe") // the radio gets another target, and scans are made
				d.links(ctx, tt.lane == "probe")
				begun := time.Since(d.start)
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				if last := d.fed[len(d.fed)-1]; last > begun+tt.late+time.Minute {
					t.Errorf("the lane is deaf since %v, and the watchdog was fed at %v", begun, last)
				}
				if d.log.count("a lane does not return") == 0 {
					t.Error("the log does not say so")
				}
				if state := d.State(); state.Uplink.State == "" {
					t.Errorf("the loop does not turn: %+v", state)
				}
				hear()
				again := time.Since(d.start)
				time.Sleep(time.Minute)
				synctest.Wait()
				if last := d.fed[len(d.fed)-1]; last < again+30*time.Second {
					t.Errorf("the lane hears since %v, and the watchdog was fed at %v for the last time", again, last)
				}
			})
		})
	}
}

// TestEndDoesNotWaitForADeafLane checks that SIGTERM ends the daemon in the time
// that systemd allows.
func TestEndDoesNotWaitForADeafLane(t *testing.T) {
	run(t, func(d *device, ctx context.Context) {
		d.router.Store(true)
		hear := d.deaf.become("radio")
		d.links(ctx, false)
		time.Sleep(30 * time.Second)
		end := time.Now()
		d.failed = "one does not return within 12s"
		d.atEnd = func() {
			if took := time.Since(end); took > 17*time.Second {
				t.Errorf("the end took %v", took)
			}
			hear()
		}
	})
}
