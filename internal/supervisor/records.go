package supervisor

import (
	"context"
	"log/slog"
	"time"

	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// drainLimit bounds what is still recorded when the loop has ended. A file takes
// milliseconds; NetworkManager may take longer, but systemd gives a service 20 s
// to end (TimeoutStopSec), in which the radio's lane has to end as well.
const drainLimit = 5 * time.Second

// recordLane writes to the store and answers commands, one after the other in
// the order in which the policy decided it. What waits is kept by the loop,
// however much it is, so that the loop never waits for a disk.
type recordLane struct {
	record  func(context.Context, policy.Effect)
	waiting []policy.Effect // Promote, RecordJoin, ForgetNetworks, KeepAsked, Reply
	next    chan policy.Effect
	done    chan struct{} // run has ended
	log     *slog.Logger
}

// run records what comes until the lane is drained.
func (l *recordLane) run(ctx context.Context) {
	defer close(l.done)
	for e := range l.next {
		l.record(ctx, e)
	}
}

func (l *recordLane) add(e policy.Effect) { l.waiting = append(l.waiting, e) }

// offer gives what is to be sent next and where, which is nowhere while nothing
// waits.
func (l *recordLane) offer() (chan<- policy.Effect, policy.Effect) {
	if len(l.waiting) == 0 {
		return nil, nil
	}
	return l.next, l.waiting[0]
}

func (l *recordLane) sent() { l.waiting = l.waiting[1:] }

// drain has what waits recorded, and ends run. At the limit the rest is left,
// and what is being recorded is stopped.
func (l *recordLane) drain(stop context.CancelFunc) {
	defer stop()
	limit, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	for limit.Err() == nil && len(l.waiting) > 0 {
		select {
		case l.next <- l.waiting[0]:
			l.sent()
		case <-limit.Done():
			l.log.Error("end with records not written", "count", len(l.waiting))
		}
	}
	close(l.next)
	select {
	case <-l.done:
	case <-limit.Done():
	}
}
