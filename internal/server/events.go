package server

import (
	"sync"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// hub numbers events and passes them to subscribers. It never waits for a subscriber.
type hub struct {
	mu    sync.Mutex
	seq   uint64 // the number of the last event
	subs  map[*subscription]struct{}
	queue int // how many events may wait for one subscriber
}

// subscription holds the events that wait for one subscriber.
type subscription struct {
	start   uint64        // the number of the last event before the first in frames
	frames  chan []byte   // in order, without a gap
	overrun chan struct{} // closed when an event did not fit any more
	done    chan struct{} // closed when the subscriber leaves
}

// publish numbers e and queues it for every subscriber. A subscriber whose queue is
// full is cut off, because a gap would be worse.
func (h *hub) publish(e client.Event) error {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	if e.Status != nil {
		status := complete(*e.Status)
		e.Status = &status
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e.Seq = h.seq + 1
	frame, err := eventFrame(e)
	if err != nil {
		return err
	}
	h.seq = e.Seq
	for sub := range h.subs {
		select {
		case sub.frames <- frame:
		default:
			close(sub.overrun)
			delete(h.subs, sub)
		}
	}
	return nil
}

func (h *hub) add() *subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	sub := &subscription{start: h.seq, frames: make(chan []byte, h.queue), overrun: make(chan struct{}), done: make(chan struct{})}
	h.subs[sub] = struct{}{}
	return sub
}

func (h *hub) remove(sub *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, sub)
}
