package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	// settle is how long after a first message more of the same change are
	// waited for: pulling a cable makes about ten within a millisecond.
	settle = 2 * time.Millisecond

	// spacing is the least time between two readings, so that a storm of
	// messages costs 20 readings per second and no more. Long tables are given
	// leisure times what a reading took, so that they cost a tenth of a
	// processor, but not more than largeSpacing, since a reading also takes
	// long when the program was stopped within it.
	spacing      = 50 * time.Millisecond
	leisure      = 10
	largeSpacing = time.Second

	firstBuffer = 256 << 10 // bytes of the socket's receive buffer
	largeBuffer = 8 << 20

	firstBackoff = 100 * time.Millisecond
	largeBackoff = 5 * time.Second
)

// Reading is what Follow hands over.
type Reading struct {
	Tables
	Read Parts // those that were read again
	Lost bool  // the kernel dropped messages since the last Reading
}

// Follow reads tables and calls seen, and again whenever the kernel reports that
// they changed, until ctx ends or seen fails, and returns that error. What the
// kernel reports is only taken as a hint that there is something to read, so that
// lost, late and misunderstood messages do no harm. It sees the network
// namespace of the thread that calls it.
func Follow(ctx context.Context, which Parts, filter Filter, log *slog.Logger, seen func(*Reading) error) error {
	f := &follower{which: which, filter: filter, log: log, buffer: firstBuffer, seen: seen}
	return f.run(ctx)
}

type follower struct {
	which  Parts
	filter Filter
	log    *slog.Logger
	buffer int // bytes; grows with every overflow
	seen   func(*Reading) error

	readings int
	stopped  error // what seen returned
}

func (f *follower) run(ctx context.Context) error {
	backoff := firstBackoff
	for {
		before := f.readings
		err := f.watch(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f.stopped != nil {
			return f.stopped
		}
		if f.readings > before+1 {
			backoff = firstBackoff
		}
		f.log.Warn("reading the kernel's network state failed, starting again", "err", err, "after", backoff)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, largeBackoff)
	}
}

// open makes a socket for notifications and one for requests. In this order,
// so that no change falls between.
func (f *follower) open(ctx context.Context) (events, requests conn, done func(), err error) {
	events, closeEvents, err := dial(ctx, f.which.groups()...)
	if err != nil {
		return conn{}, conn{}, nil, err
	}
	if err := events.nl.SetReadBuffer(f.buffer); err != nil {
		closeEvents()
		return conn{}, conn{}, nil, fmt.Errorf("set receive buffer: %w", err)
	}
	requests, closeRequests, err := dial(ctx)
	if err != nil {
		closeEvents()
		return conn{}, conn{}, nil, err
	}
	return events, requests, func() { closeEvents(); closeRequests() }, nil
}

func (f *follower) watch(ctx context.Context) error {
	events, requests, done, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	r := &Reading{Read: f.which, Lost: f.readings > 0}
	for {
		started := time.Now()
		if err := requests.read(&r.Tables, r.Read, f.filter); err != nil {
			return err
		}
		f.readings++
		if f.stopped = f.seen(r); f.stopped != nil {
			return f.stopped
		}
		ended := time.Now()
		earliest := ended.Add(min(max(spacing, leisure*ended.Sub(started)), largeSpacing))
		next := &Reading{Tables: r.Tables}
		if next.Read, next.Lost, err = f.listen(ctx, events, earliest); err != nil {
			return err
		}
		r = next
	}
}

// listen blocks until messages report that something has changed, but not until
// before earliest then, and names the parts. lost reports whether the kernel had to
// drop some.
func (f *follower) listen(ctx context.Context, events conn, earliest time.Time) (which Parts, lost bool, err error) {
	var until time.Time // none until the first message
	for {
		if err := events.limit(ctx, until); err != nil {
			return 0, false, err
		}
		messages, err := events.nl.Receive()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil:
			return which, lost, nil
		case errors.Is(err, unix.ENOBUFS):
			lost, which = true, f.which
			if err := f.catchUp(ctx, events); err != nil {
				return 0, false, err
			}
		case err != nil:
			return 0, false, err
		}
		for _, m := range messages {
			which |= concerned(m.Header.Type, m.Data) & f.which
		}
		if which != 0 && until.IsZero() {
			until = later(time.Now().Add(settle), earliest)
		}
	}
}

// changed names the parts that messages speak of which are there already. A
// deadline of now would not do: what is there is not read after it.
func (f *follower) changed(events conn) (which Parts, err error) {
	buffer := make([]byte, dumpBuffer)
	for {
		n, err := events.receive(buffer, false)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return which & f.which, nil
		case errors.Is(err, unix.ENOBUFS):
			which = f.which
		case err != nil:
			return 0, err
		}
		walk(buffer[:n], func(h netlink.Header, data []byte) bool {
			which |= concerned(h.Type, data)
			return true
		})
	}
}

// catchUp makes the socket's buffer larger, and empties it before everything is read.
func (f *follower) catchUp(ctx context.Context, events conn) error {
	f.buffer = min(2*f.buffer, largeBuffer)
	f.log.Warn("network events lost, reading everything again", "buffer", f.buffer)
	if err := events.nl.SetReadBuffer(f.buffer); err != nil {
		return fmt.Errorf("set receive buffer: %w", err)
	}
	if err := events.limit(ctx, time.Time{}); err != nil {
		return err
	}
	return events.skip()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// groups are those whose messages concern the parts.
func (p Parts) groups() []uint32 {
	groups := []uint32{unix.RTNLGRP_LINK} // concerns all
	for _, of := range []struct {
		parts  Parts
		groups []uint32
	}{
		{Addresses | Routes | DefaultRoutes | Nexthops, []uint32{unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR}},
		{Routes | DefaultRoutes, []uint32{unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE}},
		{Rules, []uint32{unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE}},
		{Neighbours | Forwarding, []uint32{unix.RTNLGRP_NEIGH}},
		{Routes | DefaultRoutes | Nexthops, []uint32{unix.RTNLGRP_NEXTHOP}},
		{VLANs, []uint32{unix.RTNLGRP_BRVLAN}},
	} {
		if p&of.parts != 0 {
			groups = append(groups, of.groups...)
		}
	}
	return groups
}

// concerned returns what has to be read again after a message. By far not every
// route that goes with an address or a link is notified, so routes follow both.
func concerned(kind netlink.HeaderType, data []byte) Parts {
	// The headers of all begin with the family (struct rtgenmsg).
	bridge := len(data) > 0 && data[0] == unix.AF_BRIDGE
	switch kind {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		if bridge { // a port that left a bridge is a DELLINK of AF_BRIDGE
			return Links | VLANs | Forwarding
		}
		return AllParts&^Rules | DefaultRoutes
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		return Addresses | Routes | DefaultRoutes | Nexthops
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		if len(data) > 1 && data[1] == 0 { // rtm_dst_len
			return Routes | DefaultRoutes
		}
		return Routes
	case unix.RTM_NEWRULE, unix.RTM_DELRULE:
		return Rules
	case unix.RTM_NEWNEXTHOP, unix.RTM_DELNEXTHOP:
		return Nexthops | Routes | DefaultRoutes
	case unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH:
		if bridge {
			return Forwarding
		}
		return Neighbours
	case unix.RTM_NEWVLAN, unix.RTM_DELVLAN:
		return VLANs
	}
	return 0
}
