package supervisor

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// holdLimit is how long a Hold may take to return once its context has
	// ended. NetworkManager may take 50 s to undo a trial (undoLimit of package
	// networkmanager), and programs that do not end by themselves 5 s each.
	holdLimit = 90 * time.Second

	// slack is how much longer than its own limit a probe or a scan may take.
	slack = 10 * time.Second

	// endLimit is how long the lanes may take when the supervisor ends. With
	// drainLimit it is less than systemd gives the service (TimeoutStopSec=20).
	endLimit = 12 * time.Second
)

// overdue counts the calls in lanes that have not returned within their limit.
// Such a call ignores its context, so only a new process helps: the watchdog is
// no longer fed, and systemd starts a new daemon, which adopts the children.
type overdue struct {
	count atomic.Int32
	log   *slog.Logger
}

// expect starts the limit of a call. The function that expect returns must be
// called when that call has returned.
func (o *overdue) expect(what string, limit time.Duration) (returned func()) {
	late := time.AfterFunc(limit, func() {
		o.count.Add(1)
		o.log.Error("a lane does not return; the watchdog is not fed until it does", "lane", what, "limit", limit)
	})
	return func() {
		if !late.Stop() {
			o.count.Add(-1)
			o.log.Warn("a lane has returned late", "lane", what)
		}
	}
}

// any reports whether some call is late.
func (o *overdue) any() bool { return o.count.Load() > 0 }

// await waits for the lanes at the end, for at most endLimit: a daemon that was
// told to end must not have to be killed.
func await(lanes *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() { lanes.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-time.After(endLimit):
		return fmt.Errorf("end the lanes: one does not return within %v", endLimit)
	}
}
