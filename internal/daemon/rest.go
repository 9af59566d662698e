package daemon

import (
	"context"
	"runtime/debug"
	"time"
)

// restAfter is how long nothing has to happen until it is taken for the end of
// what does: attempts to join follow each other more closely.
const restAfter = 20 * time.Second

// rest gives memory back each time that nothing happens any more, at the cost
// of one wake-up.
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
		}
	}
}
