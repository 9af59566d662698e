package link

import (
	"context"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Monitor keeps a Snapshot of the kernel's network state up to date.
type Monitor struct {
	follower follower
	latest   atomic.Pointer[Snapshot]

	mu          sync.Mutex
	subscribers []chan struct{}
}

// NewMonitor makes a Monitor that knows nothing until Run.
func NewMonitor(log *slog.Logger) *Monitor {
	return &Monitor{follower: follower{which: lean, log: log, buffer: firstBuffer}}
}

// Snapshot returns the latest state, or nil before the first was read.
func (m *Monitor) Snapshot() *Snapshot { return m.latest.Load() }

// Subscribe returns a channel that receives a hint when there is a Snapshot that
// was not there at the last hint, the first one included. Hints that nobody
// took merge into one. cancel ends it; the channel is not closed.
func (m *Monitor) Subscribe() (hint <-chan struct{}, cancel func()) {
	c := make(chan struct{}, 1)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.subscribers = append(m.subscribers, c)
	if m.latest.Load() != nil {
		c <- struct{}{}
	}
	return c, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.subscribers = slices.DeleteFunc(m.subscribers, func(other chan struct{}) bool { return other == c })
	}
}

// Run watches the kernel until ctx ends, and returns ctx's error. It sees the
// network namespace of the thread that calls it.
func (m *Monitor) Run(ctx context.Context) error {
	s := Snapshot{}
	m.follower.seen = func(r *Reading) error {
		if r.Lost {
			s.Resyncs++
		}
		s.see(&r.Tables, r.Read)
		m.publish(&s)
		return nil
	}
	return m.follower.run(ctx)
}

// publish makes a copy of s the latest Snapshot if anything in it is new.
func (m *Monitor) publish(s *Snapshot) {
	if latest := m.latest.Load(); latest != nil && same(latest, s) {
		return
	}
	s.Seq++
	published := *s
	m.mu.Lock()
	defer m.mu.Unlock()
	m.latest.Store(&published)
	for _, c := range m.subscribers {
		select {
		case c <- struct{}{}:
		default: // the last hint was not taken yet, it stands for this one too
		}
	}
}

// same reports whether two Snapshots show the same state. Lifetimes that only
// ran down are the same.
func same(a, b *Snapshot) bool {
	return a.Resyncs == b.Resyncs &&
		reflect.DeepEqual(a.Links, b.Links) &&
		slices.EqualFunc(a.Addresses, b.Addresses, func(x, y Address) bool {
			return timeless(x) == timeless(y)
		}) &&
		slices.Equal(a.Routes, b.Routes)
}

func timeless(a Address) Address {
	for _, left := range []*time.Duration{&a.ValidLifetime, &a.PreferredLifetime} {
		if *left != Forever && *left != 0 {
			*left = time.Second
		}
	}
	return a
}
