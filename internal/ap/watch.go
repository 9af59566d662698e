package ap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// A child that hangs is noticed within beat + tries × patience: 10 s. The child is
// asked twice: a daemon that was itself stopped for a while finds its deadline
// passed, and a wrong verdict would disconnect phones. At rest only the beat wakes
// the daemon, five or six times per beat, which is less than once a second.
const (
	beat     = 6500 * time.Millisecond
	patience = 1750 * time.Millisecond // for one answer
	tries    = 2
)

// deathTold is how long the report of a process's end may take after its sockets
// were closed. A dying process closes its files before its parent learns of its end
// (do_exit in the kernel's kernel/exit.c: exit_files, then exit_notify).
const deathTold = 500 * time.Millisecond

// failure says which service has ended, and why.
type failure struct {
	err  error
	hung *process.Child // the child that lives but does not answer; nil: none
}

// watch blocks until hostapd or dnsmasq no longer serves, and returns why. A program
// that hangs is ended, so that the next Hold starts it anew.
func (a *AccessPoint) watch(ctx context.Context, c children) error {
	inner, cancel := context.WithCancel(ctx)
	failures := make(chan failure, 2)
	moved := make(chan struct{}, 1)
	var watching sync.WaitGroup
	watching.Go(func() {
		if err := awaitDisabled(inner, c.events, moved); err != nil {
			failures <- failure{err: err}
		}
	})
	watching.Go(func() {
		if f := a.heartbeat(inner, c, moved); f.err != nil {
			failures <- f
		}
	})
	defer func() { cancel(); watching.Wait() }()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.hostapd.Done():
		return c.hostapd.Err()
	case <-c.dnsmasq.Done():
		return c.dnsmasq.Err()
	case f := <-failures:
		return c.verdict(ctx, f)
	}
}

// verdict returns why a child no longer serves. If the child has ended, its own
// error is the reason, as it explains more than the failure that was noticed. A
// child that hangs is ended.
func (c children) verdict(ctx context.Context, f failure) error {
	if errors.Is(f.err, unix.ECONNREFUSED) || errors.Is(f.err, os.ErrNotExist) {
		told := time.NewTimer(deathTold)
		defer told.Stop()
		select {
		case <-c.hostapd.Done():
			return c.hostapd.Err()
		case <-c.dnsmasq.Done():
			return c.dnsmasq.Err()
		case <-ctx.Done():
			return ctx.Err()
		case <-told.C:
		}
		for _, child := range []*process.Child{c.hostapd, c.dnsmasq} {
			if !child.Alive() {
				<-child.Done() // the report of its end is late
				return child.Err()
			}
		}
		// The child lives without its socket.
	}
	if f.hung != nil {
		return errors.Join(f.err, f.hung.EndHung(ctx))
	}
	return f.err
}

// heartbeat checks that both programs answer, hostapd by listing its stations, and
// keeps the guard in place. It does so at every beat and for each phone that comes or
// goes, until ctx ends or a program does not answer.
func (a *AccessPoint) heartbeat(ctx context.Context, c children, moved <-chan struct{}) failure {
	conn, err := wpactrl.Dial(ctx, a.config.hostapdSocket(), a.config.RuntimeDir)
	if err != nil {
		return failure{err: err}
	}
	defer conn.Close()
	var cell Cell
	var clients []Client
	hostapd := insisting(func(ctx context.Context) (err error) {
		if cell, _, err = readCell(ctx, conn); err == nil {
			clients, err = a.stations(ctx, conn)
		}
		return err
	})
	dnsmasq := a.dnsmasqPulse(c)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	due := false // dnsmasq has just answered
	for {
		if due {
			if due, err = a.keepAddress(ctx); err != nil { // dnsmasq needs a moment to serve an address that was put back
				return failure{err: err}
			}
		}
		var asking sync.WaitGroup // side by side: the answers come at the same time
		var dnsmasqErr error
		if due {
			asking.Go(func() { dnsmasqErr = dnsmasq(ctx) })
		}
		hostapdErr := hostapd(ctx)
		asking.Wait()
		switch {
		case hostapdErr != nil:
			return failure{fmt.Errorf("hostapd (pid %d) hangs: %w", c.hostapd.PID(), hostapdErr), c.hostapd}
		case dnsmasqErr != nil:
			return failure{fmt.Errorf("dnsmasq (pid %d) hangs: %w", c.dnsmasq.PID(), dnsmasqErr), c.dnsmasq}
		}
		a.OnAir(cell)
		a.Clients(ctx, clients)
		a.keepGuard(ctx)
		select {
		case <-ctx.Done():
			return failure{}
		case <-moved:
			due = false
		case <-tick.C:
			due = true
		}
	}
}

// keepAddress puts the interface's address back if another program removed it, and
// reports whether the address was there. It does not touch addresses that other
// programs have added, nor a radio that another program has taken.
func (a *AccessPoint) keepAddress(ctx context.Context) (was bool, err error) {
	ifi, err := net.InterfaceByName(a.config.Interface)
	if err != nil {
		return true, nil // the interface is gone, which is noticed elsewhere
	}
	ours := func(addr net.Addr) bool { return addr.String() == a.config.Address.String() }
	addrs, err := ifi.Addrs()
	switch {
	case err != nil || slices.ContainsFunc(addrs, ours):
		return true, nil
	case !a.IsOne(ctx):
		return false, errors.New("another program has taken the radio")
	}
	if err := a.links.Apply(ctx, a.spec()); err != nil {
		return false, fmt.Errorf("put its address back: %w", err)
	}
	a.log.Warn("access point's address was taken away and is put back", "iface", a.config.Interface, "address", a.config.Address)
	return false, nil
}

// insisting returns a function that asks up to tries times until there is an answer.
// If ctx ends meanwhile, that is not taken for silence.
func insisting(ask func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		for try := 1; ; try++ {
			once, cancel := context.WithTimeout(ctx, patience)
			err := ask(once)
			cancel()
			if err == nil || ctx.Err() != nil {
				return nil
			}
			if try == tries {
				return fmt.Errorf("asked %d times: %w", tries, err)
			}
		}
	}
}

// dnsmasqPulse returns a function that checks whether dnsmasq answers. It asks for a
// name. A dnsmasq without names cannot be asked, as it takes requests for leases only
// from the access point's radio. It then counts as hung if a phone's request is still
// unread one beat later.
func (a *AccessPoint) dnsmasqPulse(c children) func(context.Context) error {
	own := a.config.Address.Addr()
	if c.names == withNames {
		return insisting(func(ctx context.Context) error { return ask(ctx, own) })
	}
	waited := false
	return func(context.Context) error {
		found, err := listening(c.dnsmasq.PID(), own)
		if err != nil {
			return nil // dnsmasq has ended, which is noticed elsewhere
		}
		if found.unread && waited {
			return errors.New("requests for leases are not read")
		}
		waited = found.unread
		return nil
	}
}
