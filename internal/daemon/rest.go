package daemon

import (
	"context"
	"runtime/debug"
	"time"
)

// restAfter is how long the daemon must have been idle before memory is released.
// Attempts to join follow each other more closely.
const restAfter = 20 * time.Second

// restAgain is the interval between releases while the daemon stays idle. It is a
// little less than the two minutes after which the Go runtime collects garbage in
// any case (forcegcperiod in its proc.go), without returning much memory to the
// system. A release takes the place of that collection, so it costs no additional
// wake-ups. Probes leave half a megabyte of garbage in that time.
const restAgain = 110 * time.Second

// releaseMemory returns unused memory to the system when the daemon has become idle,
// and repeatedly while it stays idle.
func (d *daemon) releaseMemory(ctx context.Context) {
	timer := time.NewTimer(restAfter)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.busy:
			timer.Reset(restAfter)
		case <-timer.C:
			debug.FreeOSMemory()
			timer.Reset(restAgain)
		}
	}
}
