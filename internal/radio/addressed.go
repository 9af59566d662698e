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

// putBackLimit is how often within putBackSpan the session puts back what somebody
// takes away. After that the two would only fight: the session ends.
const (
	putBackLimit = 10
	putBackSpan  = time.Minute

	// putBackCheck is when the session looks again after it put something back: the
	// monitor is silent about what was taken away again before it looked.
	putBackCheck = time.Second
)

// keepAddressed puts the lease's address and default route back on the interface
// when somebody takes them away ("ip addr flush"), until ctx ends.
func (s *session) keepAddressed(ctx context.Context) error {
	hint, cancel := s.monitor.Subscribe()
	defer cancel()
	var done []time.Time       // when it was put back
	var check <-chan time.Time // nil: nothing was put back since the last look
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
		case err != nil: // it was taken away again meanwhile, which is told by a hint
			s.log.Warn("put back what somebody has taken away", "iface", s.iface, "err", err)
		case len(ops) == 0:
			continue
		default:
			s.log.Warn("what somebody had taken away is put back", "iface", s.iface, "done", fmt.Sprint(ops))
		}
		check = time.After(putBackCheck)
		done = slices.DeleteFunc(append(done, time.Now()), func(at time.Time) bool { return time.Since(at) > putBackSpan })
		if len(done) > putBackLimit {
			return failure(client.CodeLost, "somebody takes the address of %s away, again and again", s.iface)
		}
	}
}

// putBack returns what there was to do. Where the monitor has looked at the kernel
// while the lease was being applied, that is nothing.
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
// of a lease. One that is gone, down or without carrier lacks something else first.
func incomplete(seen *link.Snapshot, iface string, l dhcp.Lease) bool {
	nic, ok := seen.Link(iface)
	if !ok || !nic.Up || !nic.Carrier {
		return false
	}
	isOwn := func(a link.Address) bool { return a.Prefix == l.Address }
	isDefault := func(r link.Route) bool {
		return r.Index == nic.Index && r.Destination == everywhere(l.Router) && r.Gateway == l.Router
	}
	return !slices.ContainsFunc(seen.AddressesOf(nic.Index), isOwn) ||
		l.Router.IsValid() && !slices.ContainsFunc(seen.Routes, isDefault)
}
