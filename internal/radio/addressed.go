package radio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
)

// putBackLimit is how often within putBackSpan the session puts back an address or
// a route that another program removes. After that the session ends, as the two
// would only go on fighting.
const (
	putBackLimit = 10
	putBackSpan  = time.Minute

	// putBackCheck is how soon the session checks again after it put something back.
	// The monitor sends no hint if an address vanishes again before the monitor has
	// seen it.
	putBackCheck = time.Second
)

// keepAddressed puts the lease's address and default route back on the interface
// when another program removes them ("ip addr flush"), until ctx ends.
func (s *session) keepAddressed(ctx context.Context) error {
	hint, cancel := s.monitor.Subscribe()
	defer cancel()
	var done []time.Time       // when something was put back
	var check <-chan time.Time // nil: nothing was put back at the last check
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-hint:
		case <-check:
		}
		check = nil
		ops, err := s.putBack(ctx)
		switch {
		case errors.Is(err, link.ErrNotExist), ctx.Err() != nil:
			return errors.Join(ctx.Err(), err)
		case err != nil: // removed again meanwhile; the monitor sends a hint
			s.log.Warn("put the address and routes back", "iface", s.iface, "err", err)
		case len(ops) == 0:
			continue
		default:
			s.log.Warn("another program had removed the address or routes; they are put back", "iface", s.iface, "done", fmt.Sprint(ops))
		}
		check = time.After(putBackCheck)
		done = slices.DeleteFunc(append(done, time.Now()), func(at time.Time) bool { return time.Since(at) > putBackSpan })
		if len(done) > putBackLimit {
			return failure(client.CodeLost, "somebody takes the address of %s away, again and again", s.iface)
		}
	}
}

// putBack puts back what is missing and returns the operations. There are none if
// the last snapshot only showed a lease that was still being applied.
func (s *session) putBack(ctx context.Context) ([]link.Op, error) {
	if err := s.addressing.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer s.addressing.Release(1)
	seen, l := s.monitor.Snapshot(), s.leased.Load()
	if seen == nil || l == nil || !incomplete(seen, s.iface, *l) {
		return nil, nil
	}
	return s.links.Repair(ctx, leaseSpec(s.iface, s.Metric, *l))
}

// incomplete reports whether the interface lacks the address or the default route
// of a lease. It returns false for an interface that is gone, down or without
// carrier, as no address can be put back then.
func incomplete(seen *link.Snapshot, iface string, l dhcp.Lease) bool {
	nic, ok := seen.Link(iface)
	if !ok || !nic.Up || !nic.Carrier {
		return false
	}
	isOwn := func(a link.Address) bool { return a.Prefix == l.Address }
	isDefault := func(r link.Route) bool {
		return r.Index == nic.Index && r.Default() && r.Gateway == l.Router
	}
	return !slices.ContainsFunc(seen.AddressesOf(nic.Index), isOwn) ||
		l.Router.IsValid() && !slices.ContainsFunc(seen.Routes, isDefault)
}
