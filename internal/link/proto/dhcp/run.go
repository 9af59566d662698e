package dhcp

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/netconnectd/netconnectd/internal/link/proto/boottime"
)

// silentAfter is the number of unanswered DHCPDISCOVERs that is worth a line
// in the log.
const silentAfter = 4

// Run asks for an address and keeps it until ctx ends, then returns ctx.Err().
// After a loss it starts again by itself. on is called synchronously and in
// order; while it runs, no message is sent or answered. Other errors mean that
// the interface is gone or that the sockets are refused; a Lost comes first if
// there was a lease.
func Run(ctx context.Context, cfg Config, on func(Event)) error {
	ifi, err := net.InterfaceByName(cfg.Interface)
	if err != nil {
		return fmt.Errorf("find interface %s: %w", cfg.Interface, err)
	}
	t, err := listen(ifi)
	if err != nil {
		return err
	}
	c, err := boottime.Open()
	if err != nil {
		return errors.Join(err, t.Close())
	}
	defer c.Close()
	return newClient(cfg, ifi.HardwareAddr, t, c, random).run(ctx, on)
}

func random() uint64 {
	var b [8]byte
	cryptorand.Read(b[:]) // never fails
	return binary.NativeEndian.Uint64(b[:])
}

// client joins the machine to a clock and a transport.
type client struct {
	identity
	ifname    string
	start     start
	transport transport
	clock     boottime.Clock
	random    func() uint64
	log       *slog.Logger
	warned    bool // of an offer that cannot be taken; of receive only
}

func newClient(cfg Config, hardware net.HardwareAddr, t transport, k boottime.Clock, random func() uint64) *client {
	c := &client{
		identity: newIdentity(cfg, hardware), ifname: cfg.Interface,
		transport: t, clock: k, random: random, log: cfg.Log,
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.log = c.log.With("iface", cfg.Interface)
	if cfg.Previous != nil && cfg.Previous.Address.Addr().Is4() {
		c.start.previous = cfg.Previous.Address.Addr()
		if cfg.Held {
			c.start.held = *cfg.Previous
		}
	}
	return c
}

// run owns the transport and closes it.
func (c *client) run(ctx context.Context, on func(Event)) error {
	replies := make(chan reply)
	ended := make(chan error, 1)
	done := make(chan struct{})
	go func() { ended <- c.receive(replies, done) }()
	err, received := c.loop(ctx, on, replies, ended)
	close(done)
	c.transport.Close()
	if !received {
		<-ended
	}
	return err
}

// loop feeds the machine. received says that ended has been read.
func (c *client) loop(ctx context.Context, on func(Event), replies <-chan reply, ended <-chan error) (err error, received bool) {
	s, actions := step(state{}, c.input(c.start))
	for {
		for _, a := range actions {
			c.perform(a, on)
		}
		var due <-chan time.Time
		if !s.due.IsZero() {
			due = c.clock.After(s.due.Sub(c.clock.Now()))
		}
		select {
		case <-ctx.Done():
			return ctx.Err(), false
		case err := <-ended:
			if s.lease.Address.IsValid() {
				c.perform(notify{Lost{Gone}}, on)
			}
			return fmt.Errorf("receive DHCP on %s: %w", c.ifname, err), true
		case <-due:
			s, actions = step(s, c.input(timeout{}))
		case r := <-replies:
			s, actions = step(s, c.input(r))
		}
	}
}

func (c *client) input(event any) input {
	return input{now: c.clock.Now(), random: c.random(), event: event}
}

// receive hands over usable replies until the transport fails or is closed.
func (c *client) receive(replies chan<- reply, done <-chan struct{}) error {
	buf := make([]byte, maxMessage)
	for {
		n, err := c.transport.Receive(buf)
		if err != nil {
			return err
		}
		r, err := c.decode(buf[:n])
		if err != nil {
			c.ignored(err)
			continue
		}
		select {
		case replies <- r:
		case <-done:
			return nil
		}
	}
}

// ignored logs why a message is not used. The first offer to this client that
// cannot be taken is worth a line: it may be why there is no address.
func (c *client) ignored(err error) {
	var unusable *unusableError
	if errors.As(err, &unusable) && !c.warned {
		c.warned = true
		c.log.Warn("DHCP server offers what cannot be used", "reason", err)
		return
	}
	c.log.Debug("ignore DHCP message", "reason", err)
}

func (c *client) perform(a action, on func(Event)) {
	switch a := a.(type) {
	case send:
		c.send(a)
	case notify:
		event := c.byTheWall(a.event)
		c.logEvent(event)
		on(event)
	}
}

// byTheWall converts when a lease began from this client's clock, which counts
// suspended time, to the clock of time.Now, which does not: the age is the same.
func (c *client) byTheWall(event Event) Event {
	shift := time.Until(c.clock.Now())
	switch e := event.(type) {
	case Bound:
		e.Lease.Acquired = e.Lease.Acquired.Add(-shift)
		return e
	case Renewed:
		e.Lease.Acquired = e.Lease.Acquired.Add(-shift)
		return e
	}
	return event
}

// send transmits. A message that cannot be sent is like one that was lost on
// the way: the machine repeats it.
func (c *client) send(s send) {
	log := c.log.With("type", s.kind, "attempt", s.attempt)
	if s.kind == discover && s.attempt == silentAfter {
		c.log.Warn("no DHCP server answers", "waited", s.elapsed.Round(time.Second))
	}
	message, err := c.encode(s)
	if err != nil {
		log.Warn("no DHCP message sent", "error", err)
		return
	}
	if s.to.IsValid() {
		if err = c.transport.Unicast(s.client, s.to, message); err == nil {
			log.Debug("DHCP message sent", "to", s.to)
			return
		}
		// The address may not be on the interface, or another client holds the
		// port; servers answer a broadcast as well.
		log.Debug("DHCP message not sent by unicast", "to", s.to, "error", err)
	}
	if err := c.transport.Broadcast(s.client, message); err != nil {
		log.Debug("DHCP message not sent", "error", err)
		return
	}
	log.Debug("DHCP message sent", "to", "broadcast")
}

func (c *client) logEvent(event Event) {
	switch event := event.(type) {
	case Bound:
		c.log.Info("address leased", "address", event.Lease.Address, "router", event.Lease.Router,
			"server", event.Lease.Server, "expire", event.Lease.Expire)
	case Renewed:
		c.log.Debug("lease renewed", "address", event.Lease.Address, "expire", event.Lease.Expire)
	case Lost:
		c.log.Warn("address lost", "reason", event.Reason)
	}
}
