package radio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// addressLimit is how long a network may take to give an address. A router that
// pings an address before it offers it takes 4 s. A bridge with spanning tree takes
// 15 s to 30 s, but the next attempt then finds the bridge forwarding.
const addressLimit = 20 * time.Second

// ipv4Head is how long a network may take to give an IPv4 address before an
// IPv6 one is enough.
const ipv4Head = 5 * time.Second

// session is one stay in a network: from the association to its loss.
type session struct {
	*radio
	ssid    []byte
	static  *store.Addressing // nil: DHCP
	adopted bool              // association and address are from an earlier run, and no command asked for a new try
	report  func(policy.Stage)

	addressing *semaphore.Weighted // held while the lease is applied to the interface or removed from it
	first      sync.Once           // done with the first address of either family
	timeout    *time.Timer
}

// newSession makes a session of the radio in the network.
func newSession(r *radio, ssid []byte) *session {
	return &session{radio: r, ssid: ssid, addressing: semaphore.NewWeighted(1)}
}

// run gets an address, verifies the gateway, and keeps the address until the
// association is lost or ctx ends.
func (s *session) run(ctx context.Context, previous *dhcp.Lease) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	s.timeout = time.AfterFunc(addressLimit, func() {
		fail(failure(client.CodeNoAddress, "the network gave no address within %v", addressLimit))
	})
	defer s.timeout.Stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.station.Wait(ctx) })
	group.Go(func() error { return s.keepAddressed(ctx) })
	group.Go(func() error { s.hearRouters(ctx); return nil })
	if s.static != nil {
		group.Go(func() error { return s.on(ctx, dhcp.Bound{Lease: lasting(s.static)}, group) })
	} else {
		group.Go(func() error { return s.awaitIPv6(ctx, previous) })
		group.Go(func() error { return s.lease(ctx, previous, group, fail) })
	}
	err := group.Wait()
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		return cause
	}
	return err
}

// lease runs the DHCP client until ctx ends.
func (s *session) lease(ctx context.Context, previous *dhcp.Lease, group *errgroup.Group, fail context.CancelCauseFunc) error {
	cfg, err := s.dhcpConfig(previous)
	if err != nil {
		return err
	}
	return dhcp.Run(ctx, cfg, func(ev dhcp.Event) {
		if err := s.on(ctx, ev, group); err != nil {
			fail(err)
		}
	})
}

func (s *session) dhcpConfig(previous *dhcp.Lease) (dhcp.Config, error) {
	nic, err := net.InterfaceByName(s.iface)
	if err != nil {
		return dhcp.Config{}, fmt.Errorf("find %s: %w", s.iface, err)
	}
	host, err := os.Hostname()
	if err != nil {
		return dhcp.Config{}, fmt.Errorf("read the host name: %w", err)
	}
	held := false
	if previous != nil && s.adopted {
		var lease dhcp.Lease
		lease, held = heldLease(s.monitor.Snapshot(), s.iface, *previous)
		previous = &lease
	}
	return dhcp.Config{
		Interface: s.iface, HostName: host, Previous: previous, Held: held, Log: s.log,
		// RFC 2132 9.14: hardware type 1 (Ethernet) and address.
		ClientID: append([]byte{1}, nic.HardwareAddr...),
	}, nil
}

// on handles an event of the DHCP client. It asks the gateway in a goroutine, as the
// client neither sends nor answers anything while on runs.
func (s *session) on(ctx context.Context, ev dhcp.Event, group *errgroup.Group) error {
	switch ev := ev.(type) {
	case dhcp.Bound:
		if err := s.configure(ctx, ev.Lease); err != nil {
			return err
		}
		s.first.Do(func() {
			group.Go(func() error { return s.verify(ctx, ev.Lease.Router) })
		})
	case dhcp.Renewed:
		return s.configure(ctx, ev.Lease)
	case dhcp.Lost:
		if err := s.addressing.Acquire(ctx, 1); err != nil {
			return errors.Join(failure(client.CodeNoAddress, "%s", ev.Reason), err)
		}
		defer s.addressing.Release(1)
		err := s.clear(ctx, link.Spec{Name: s.iface, Up: true, Autoconf: true})
		return errors.Join(failure(client.CodeNoAddress, "%s", ev.Reason), err)
	}
	return nil
}

// awaitIPv6 accepts a network that has only IPv6: an address that the kernel made
// from router advertisements, and a router. IPv4 gets no head start if the previous
// run has noted that the network has only IPv6.
func (s *session) awaitIPv6(ctx context.Context, previous *dhcp.Lease) error {
	hint, cancel := s.monitor.Subscribe()
	defer cancel()
	head := ipv4Head
	if s.adopted && previous != nil && !previous.Address.IsValid() {
		head = 0
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(head):
	}
	for {
		if router, ok := ipv6Router(s.monitor.Snapshot(), s.iface); ok {
			var err error
			s.first.Do(func() {
				s.noteIPv6(ctx)
				err = s.verify(ctx, router)
			})
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-hint:
		}
	}
}

// ipv6Router returns the link's IPv6 gateway if the link also has a global address.
func ipv6Router(s *link.Snapshot, iface string) (netip.Addr, bool) {
	if s == nil {
		return netip.Addr{}, false
	}
	l, ok := s.Link(iface)
	if !ok || !s.Addressed(l.Index) {
		return netip.Addr{}, false
	}
	gateway, ok := s.Gateway(l.Index)
	return gateway, ok && gateway.Is6()
}

func (s *session) verify(ctx context.Context, gateway netip.Addr) error {
	s.timeout.Stop()
	s.report(policy.StageAddressed)
	if err := s.askGateway(ctx, gateway); err != nil {
		return err
	}
	s.report(policy.StageReady)
	return nil
}
