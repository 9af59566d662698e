// Package ndp learns the name servers that the IPv6 routers of a link advertise
// (RFC 8106), and asks the routers to do so. The kernel judges the router
// advertisements (RFC 4861 6.1.2), makes addresses and routes of them by itself,
// and hands over the rest, if it believes in the link's routers at all.
//
// Any station on the link may pose as a router. So the list of name servers is bounded,
// however much is advertised, and changes are handed over at most every 5 s.
package ndp

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/boottime"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

const (
	// mostSolicitations and solicitationInterval are MAX_RTR_SOLICITATIONS and
	// RTR_SOLICITATION_INTERVAL (RFC 4861 10).
	mostSolicitations    = 3
	solicitationInterval = 4 * time.Second

	// restless is the least time between two changes that are told. Each starts
	// a program that writes resolv.conf, and somebody may advertise and withdraw
	// a server a thousand times in a second.
	restless = 5 * time.Second
)

// Run asks the routers of an interface for what they advertise, and calls changed
// with their name servers: for the first time when a router has named some, or when
// none has after three questions within 12 s, and then whenever they change.
// Link-local servers have the interface as zone. Run returns when ctx ends, or
// when the kernel refuses a socket.
func Run(ctx context.Context, ifname string, log *slog.Logger, changed func([]netip.Addr)) error {
	ifi, err := net.InterfaceByName(ifname)
	if err != nil {
		return fmt.Errorf("find interface %s: %w", ifname, err)
	}
	s, err := openSolicitor(ifi)
	if err != nil {
		return err
	}
	defer s.Close()
	clock, err := boottime.Open()
	if err != nil {
		return err
	}
	defer clock.Close()
	l := newListener(ifi, clock, s.solicit, changed, log)
	return l.run(ctx, link.FollowUserOptions)
}

// follow is the shape of link.FollowUserOptions.
type follow func(ctx context.Context, begun func(), seen func(*rtnl.UserOption) error) error

// listener keeps what the routers of one interface say.
type listener struct {
	ifi     *net.Interface
	clock   boottime.Clock
	solicit func() error
	changed func([]netip.Addr)
	log     *slog.Logger

	list  list
	left  int       // solicitations that are still to be sent
	asked time.Time // when the last one was sent

	known bool         // a router has named servers, or no router has answered
	told  time.Time    // when servers were last handed over
	last  []netip.Addr // the servers that were last handed over
}

func newListener(ifi *net.Interface, clock boottime.Clock, solicit func() error, changed func([]netip.Addr), log *slog.Logger) *listener {
	return &listener{ifi: ifi, clock: clock, solicit: solicit, changed: changed, log: log.With("iface", ifi.Name)}
}

func (l *listener) run(ctx context.Context, follow follow) error {
	group, ctx := errgroup.WithContext(ctx)
	begun, heard := make(chan struct{}), make(chan *rtnl.UserOption)
	group.Go(func() error {
		return follow(ctx, func() { close(begun) }, func(o *rtnl.UserOption) error {
			select {
			case heard <- o:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	group.Go(func() error { return l.loop(ctx, begun, heard) })
	return group.Wait()
}

// loop sends solicitations and hands over name servers until ctx ends. It sends none
// before the listener has begun, so that no answer is missed.
func (l *listener) loop(ctx context.Context, begun <-chan struct{}, heard <-chan *rtnl.UserOption) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-begun:
	}
	l.left = mostSolicitations
	for {
		now := l.clock.Now()
		l.list.expire(now)
		l.ask(now)
		l.tell(now)
		var due <-chan time.Time
		if next := l.next(); !next.IsZero() {
			due = l.clock.After(next.Sub(now))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-due:
		case o := <-heard:
			l.hear(l.clock.Now(), o)
		}
	}
}

// ask sends a solicitation that is due. While the interface's own link-local
// address is new, it cannot be sent from; the kernel itself asks then, as soon as
// it can (RFC 4862 5.4.2).
func (l *listener) ask(now time.Time) {
	if !l.asked.IsZero() && now.Before(l.asked.Add(solicitationInterval)) {
		return
	}
	if l.left == 0 {
		l.known = true
		return
	}
	l.left--
	l.asked = now
	if err := l.solicit(); err != nil {
		l.log.Debug("router solicitation not sent", "err", err)
	}
}

// hear takes over the options of a router advertisement. nil stands for lost messages,
// after which the routers are asked again.
func (l *listener) hear(now time.Time, o *rtnl.UserOption) {
	if o == nil {
		l.left = mostSolicitations
		return
	}
	if int(o.Index) != l.ifi.Index || o.Type != routerAdvertisement {
		return
	}
	for _, s := range readServers(o.Options) {
		for _, server := range s.addresses {
			usable, err := usable(server, l.ifi.Name)
			if err != nil {
				l.log.Debug("name server of a router ignored", "router", o.Source, "reason", err)
				continue
			}
			l.known, l.left = true, 0
			l.list.take(now, o.Source, usable, s.lifetime)
		}
	}
}

// tell hands over the name servers, if they have changed.
func (l *listener) tell(now time.Time) {
	if !l.due() || now.Before(l.told.Add(restless)) {
		return
	}
	servers := l.list.servers()
	if len(l.last) > 0 || len(servers) > 0 {
		l.log.Info("name servers of routers", "servers", servers)
	}
	l.told, l.last = now, servers
	l.changed(slices.Clone(servers))
}

// due reports whether there is something to tell.
func (l *listener) due() bool {
	return l.known && (l.told.IsZero() || !slices.Equal(l.last, l.list.servers()))
}

// next is when there is something to do without a message; zero: never.
func (l *listener) next() time.Time {
	next := l.list.next()
	earliest := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if l.left > 0 || !l.known {
		earliest(l.asked.Add(solicitationInterval))
	}
	if l.due() {
		earliest(l.told.Add(restless))
	}
	return next
}

// usable returns the address of a name server as programs need it, or why no
// name server can have it. An address of this device itself, or of IPv4 in the
// clothes of IPv6, would lead to what listens here.
func usable(server netip.Addr, ifname string) (netip.Addr, error) {
	switch {
	case server.Is4In6():
		return server, fmt.Errorf("%v is an IPv4 address", server)
	case server.IsUnspecified(), server.IsLoopback(), server.IsMulticast():
		return server, fmt.Errorf("%v is no address of a server", server)
	case compatible.Contains(server):
		return server, fmt.Errorf("%v is an IPv4 address", server)
	case server.IsLinkLocalUnicast():
		return server.WithZone(ifname), nil
	}
	return server, nil
}

// compatible are the IPv4 addresses of an old form (RFC 4291 2.5.5.1).
var compatible = netip.MustParsePrefix("::/96")
