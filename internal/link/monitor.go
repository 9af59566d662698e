package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	// settle is how long after a first message more of the same change are
	// waited for: pulling a cable makes about ten within a millisecond.
	settle = 2 * time.Millisecond

	// spacing is the least time between two readings, so that a storm of
	// messages costs 20 readings per second and no more.
	spacing = 50 * time.Millisecond

	firstBuffer = 256 << 10 // bytes of the socket's receive buffer
	largeBuffer = 8 << 20

	firstBackoff = 100 * time.Millisecond
	largeBackoff = 5 * time.Second
)

const groups = unix.RTMGRP_LINK | unix.RTMGRP_NEIGH |
	unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV4_ROUTE |
	unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV6_ROUTE

// A Monitor keeps a Snapshot of the kernel's network state up to date. What
// the kernel notifies is only taken as a hint that there is something to read,
// so that lost, late and misunderstood messages do no harm.
type Monitor struct {
	log    *slog.Logger
	latest atomic.Pointer[Snapshot]
	buffer int // bytes; grows with every overflow

	mu          sync.Mutex
	subscribers []chan struct{}
}

// NewMonitor makes a Monitor that knows nothing until Run.
func NewMonitor(log *slog.Logger) *Monitor {
	return &Monitor{log: log, buffer: firstBuffer}
}

// Snapshot gives the latest state, or nil before the first was read.
func (m *Monitor) Snapshot() *Snapshot { return m.latest.Load() }

// Subscribe gives a channel that receives a hint when there is a Snapshot that
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
	backoff := firstBackoff
	for {
		before := m.latest.Load()
		err := m.watch(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if m.latest.Load() != before {
			backoff = firstBackoff
		}
		m.log.Warn("reading the kernel's network state failed, starting again", "err", err, "after", backoff)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, largeBackoff)
	}
}

// watch subscribes first and reads then, so that no change falls between.
func (m *Monitor) watch(ctx context.Context) error {
	events, closeEvents, err := dial(ctx, groups)
	if err != nil {
		return err
	}
	defer closeEvents()
	if err := events.nl.SetReadBuffer(m.buffer); err != nil {
		return fmt.Errorf("set receive buffer: %w", err)
	}
	requests, closeRequests, err := dial(ctx, 0)
	if err != nil {
		return err
	}
	defer closeRequests()

	s := Snapshot{}
	if latest := m.latest.Load(); latest != nil {
		s = Snapshot{Seq: latest.Seq, Resyncs: latest.Resyncs + 1}
	}
	which := everything
	for {
		if err := requests.read(&s, which); err != nil {
			return err
		}
		m.publish(&s)
		var lost bool
		if which, lost, err = m.listen(ctx, events.nl, s.Taken); err != nil {
			return err
		}
		if lost {
			s.Resyncs++
		}
	}
}

// listen blocks until messages say that something has changed since last, and
// names the parts. lost says that the kernel had to drop some.
func (m *Monitor) listen(ctx context.Context, events *netlink.Conn, last time.Time) (which parts, lost bool, err error) {
	var until time.Time // none until the first message
	for {
		if err := events.SetReadDeadline(until); err != nil {
			return 0, false, err
		}
		// After setting the deadline, which may have overwritten the one that
		// ctx's end has set; before that it cannot be missed.
		if ctx.Err() != nil {
			return 0, false, ctx.Err()
		}
		messages, err := events.Receive()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil:
			return which, lost, nil
		case errors.Is(err, unix.ENOBUFS):
			lost, which = true, everything
			if err := m.grow(events); err != nil {
				return 0, false, err
			}
		case err != nil:
			return 0, false, err
		}
		which |= concerned(messages)
		if which != 0 && until.IsZero() {
			until = later(time.Now().Add(settle), last.Add(spacing))
		}
	}
}

func (m *Monitor) grow(events *netlink.Conn) error {
	m.buffer = min(2*m.buffer, largeBuffer)
	m.log.Warn("network events lost, reading everything again", "buffer", m.buffer)
	if err := events.SetReadBuffer(m.buffer); err != nil {
		return fmt.Errorf("set receive buffer: %w", err)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// concerned tells what has to be read again. By far not every route that goes
// with an address or a link is notified, so routes follow both.
func concerned(messages []netlink.Message) parts {
	var which parts
	for _, m := range messages {
		switch m.Header.Type {
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			which |= everything
		case unix.RTM_NEWADDR, unix.RTM_DELADDR:
			which |= addresses | routes
		case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
			which |= routes
		case unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH:
			// Bridges notify their forwarding tables in the same group.
			if len(m.Data) > 0 && m.Data[0] != unix.AF_BRIDGE {
				which |= neighbours
			}
		}
	}
	return which
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
		slices.Equal(a.Routes, b.Routes) &&
		reflect.DeepEqual(a.Neighbours, b.Neighbours)
}

func timeless(a Address) Address {
	for _, left := range []*time.Duration{&a.ValidLifetime, &a.PreferredLifetime} {
		if *left != Forever && *left != 0 {
			*left = time.Second
		}
	}
	return a
}
