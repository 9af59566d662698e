package radio

import (
	"context"
	"time"
)

// lossGrace is how long a radio may lack what its role needs before it counts as
// lost: a snapshot may be from before the radio was set up, and NetworkManager
// needs a moment between two states.
const lossGrace = 2 * time.Second

// awaitLoss blocks until something has been missing throughout lossGrace, and
// returns what; or until ctx ends, and returns its error. missing returns what is
// missing, "" for nothing. It is called after each change of the links and each hint.
func (r *radio) awaitLoss(ctx context.Context, hint <-chan struct{}, missing func() string) (string, error) {
	links, stop := r.monitor.Subscribe()
	defer stop()
	var overdue <-chan time.Time // nil: nothing is missing
	for {
		reason := missing()
		switch {
		case reason == "":
			overdue = nil
		case overdue == nil:
			overdue = time.After(lossGrace)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-links:
		case <-hint:
		case <-overdue:
			return reason, nil
		}
	}
}
