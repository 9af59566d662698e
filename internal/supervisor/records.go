package supervisor

import (
	"context"
	"log/slog"
	"time"

	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// drainLimit is how long records are still written when the loop has ended. A
// file takes milliseconds. NetworkManager may take longer, but systemd allows a
// service 20 s to end (TimeoutStopSec), and the radio lane has to end in these
// 20 s as well.
const drainLimit = 5 * time.Second

// recordLane writes to the store and answers commands, one effect after the other,
// in the order of the policy. The loop keeps the effects that wait, without a
// bound, so that the loop never waits for a disk.
type recordLane struct {
	record  func(context.Context, policy.Effect)
	waiting []policy.Effect // Promote, RecordJoin, ForgetNetworks, KeepAsked, Reply
	next    chan policy.Effect
	done    chan struct{} // run has ended
	log     *slog.Logger
}

// run records each effect that comes, until the lane is drained.
func (l *recordLane) run(ctx context.Context) {
	defer close(l.done)
	for e := range l.next {
		l.record(ctx, e)
	}
}

func (l *recordLane) add(e policy.Effect) { l.waiting = append(l.waiting, e) }

// offer returns the next effect and the channel to send it to. The channel is nil
// while no effect waits.
func (l *recordLane) offer() (chan<- policy.Effect, policy.Effect) {
	if len(l.waiting) == 0 {
		return nil, nil
	}
	return l.next, l.waiting[0]
}

func (l *recordLane) sent() { l.waiting = l.waiting[1:] }

// drain lets run record the effects that wait, and then ends run. At drainLimit
// the remaining effects are dropped, and the one under way is cancelled.
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
