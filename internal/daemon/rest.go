package daemon

import (
	"context"
	"runtime/debug"
	"time"
)

// restAfter is how long nothing has to happen until it is taken for the end of
// what does: attempts to join follow each other more closely.
const restAfter = 20 * time.Second

// restAgain is a little less than the two minutes after which the Go runtime
// collects garbage in any case (forcegcperiod in its proc.go), without giving
// much of it back: this takes its place, so that it costs no wake-ups. Probes
// leave half a megabyte in that time.
const restAgain = 110 * time.Second

// rest gives memory back when nothing happens any more, and while it does not.
func (d *daemon) rest(ctx context.Context) {
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
