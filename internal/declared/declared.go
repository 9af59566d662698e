// Package declared keeps the declared network: it tells package network what the
// kernel shows, what commands ask for and what protocols have got, and carries out
// what package network decides.
//
// One goroutine, Network.Run, owns the state. A second one applies what is desired,
// one Apply at a time; an Apply that has not begun is replaced by the latest one.
package declared

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/network"
)

// Parts are what a Network works with. All have to be set.
type Parts struct {
	Dir    string // where leases are kept until the next boot, e.g. /run/netconnectd
	Links  Links
	Kernel Kernel
	// DHCP gets and keeps an address until ctx ends, as dhcp.Run does.
	DHCP    func(ctx context.Context, cfg dhcp.Config, on func(dhcp.Event)) error
	Changed func() // the state has changed; must not block
	Log     *slog.Logger
}

// Kernel changes interfaces, see interfaces.Declarer.
type Kernel interface {
	// Apply makes the interfaces what is desired. What is refused of a declaration is
	// a link.PathError, and does not stop the rest.
	Apply(ctx context.Context, want link.Desired) (link.Outcome, error)

	// Plan returns what Apply would do, and as errors what it could not.
	Plan(ctx context.Context, want link.Desired) ([]link.Change, error)
}

// Links are the links of the kernel, see link.Monitor.
type Links interface {
	Snapshot() *link.Snapshot
	Subscribe() (hint <-chan struct{}, cancel func())
}

// Network is the declared network. Its methods may be called from any goroutine.
type Network struct {
	Parts
	inbox chan message
	ended chan struct{} // Run has returned
	state atomic.Pointer[network.State]
}

// message is an event for Run. done is closed when the event has been taken over.
type message struct {
	event network.Event
	done  chan struct{}

	applied chan<- client.NetworkApplied // of a Declared: receives the outcome of the first Apply; nil: no caller waits
	outcome client.NetworkApplied        // of an Applied
}

// New returns a network that declares nothing until Declare.
func New(parts Parts) *Network {
	n := &Network{Parts: parts, inbox: make(chan message), ended: make(chan struct{})}
	n.state.Store(&network.State{})
	return n
}

// State returns the state as it is now.
func (n *Network) State() network.State { return *n.state.Load() }

// Declare takes over a configuration. It returns before the kernel is as declared: then
// the channel gets what there was to do, or what was done for a later configuration.
func (n *Network) Declare(ctx context.Context, spec network.Spec) (<-chan client.NetworkApplied, error) {
	applied := make(chan client.NetworkApplied, 1)
	return applied, n.send(ctx, message{event: network.Declared{Spec: spec}, applied: applied})
}

// Ask sets an interface up or down. Its error is for the client.
func (n *Network) Ask(ctx context.Context, name string, up bool) error {
	if _, err := n.Status(name); err != nil {
		return err
	}
	return n.post(ctx, network.Asked{Interface: name, Up: up})
}

// notDeclared returns the error of a command for an interface that is not declared.
func notDeclared(name string) error {
	return &client.Error{Code: client.CodeNotFound, Message: fmt.Sprintf("no interface %q is declared in the configuration's section network", name)}
}

// errEnded is the error of an event after Run has returned, as the daemon ends.
var errEnded = errors.New("the declared network is not kept any more")

// post hands an event to Run, and returns when Run has taken it over.
func (n *Network) post(ctx context.Context, e network.Event) error {
	return n.send(ctx, message{event: e})
}

func (n *Network) send(ctx context.Context, m message) error {
	m.done = make(chan struct{})
	select {
	case n.inbox <- m:
		<-m.done // Run never blocks in a step
		return nil
	case <-n.ended:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run keeps the network as declared until ctx ends. What is configured then stays in
// the kernel, for the next run.
func (n *Network) Run(ctx context.Context) error {
	defer close(n.ended)
	group, ctx := errgroup.WithContext(ctx)
	r := run{Network: n, ctx: ctx, group: group, pending: make(chan network.Apply, 1), stop: map[string]context.CancelFunc{}}
	group.Go(func() error { r.apply(); return nil })
	group.Go(func() error { r.loop(); return nil })
	return group.Wait()
}

// run is one Run of a Network. Its loop owns all of it.
type run struct {
	*Network
	ctx     context.Context
	group   *errgroup.Group
	pending chan network.Apply            // the latest one that has not begun
	stop    map[string]context.CancelFunc // of the protocols, by interface
	waiting *network.Spec                 // a configuration that waits for the kernel's links
	await   []declaration                 // those whose first Apply has not ended
}

// declaration is a configuration that was handed out to the kernel as a generation.
type declaration struct {
	generation uint64 // 0: not yet, as it waits for the kernel's links
	applied    chan<- client.NetworkApplied
}

func (r *run) loop() {
	hint, cancel := r.Links.Subscribe()
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		if next := r.State().Next(); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
		select {
		case <-r.ctx.Done():
			return
		case m := <-r.inbox:
			r.take(m)
			close(m.done)
		case <-hint:
			if r.see() && r.waiting != nil {
				r.declare(*r.waiting)
			}
		case <-timer.C:
			r.step(network.TimePassed{})
		}
	}
}

// take takes over a message.
func (r *run) take(m message) {
	switch e := m.event.(type) {
	case network.Declared:
		r.await = append(r.await, declaration{applied: m.applied})
		r.declare(e.Spec)
	case network.Applied:
		r.answer(e.Generation, m.outcome)
		r.step(e)
	default:
		r.step(e)
	}
}

// answer hands what came of an Apply to those who wait for that generation or for an
// earlier one.
func (r *run) answer(generation uint64, outcome client.NetworkApplied) {
	r.await = slices.DeleteFunc(r.await, func(d declaration) bool {
		if d.generation == 0 || d.generation > generation {
			return false
		}
		d.applied <- outcome // has room
		return true
	})
}

// declare takes over a configuration, as soon as the kernel's links are known: what the
// kernel still has from an earlier run is to stay.
func (r *run) declare(spec network.Spec) {
	r.waiting = &spec
	if !r.see() {
		return
	}
	r.waiting = nil
	r.step(network.Declared{Spec: spec, Held: r.held(spec)})
	generation := r.State().Generation()
	for i := range r.await {
		if r.await[i].generation == 0 {
			r.await[i].generation = generation
		}
	}
}

// see takes over the kernel's links, and reports whether they are known.
func (r *run) see() bool {
	s := r.Links.Snapshot()
	if s != nil {
		r.step(network.LinksChanged{Links: links(s)})
	}
	return s != nil
}

// links reduces the kernel's links to what package network needs.
func links(s *link.Snapshot) []network.Link {
	all := make([]network.Link, len(s.Links))
	for i, l := range s.Links {
		all[i] = network.Link{Name: l.Name, Index: l.Index, MAC: l.MAC, Carrier: l.Carrier}
		if l.PermanentMAC != nil {
			all[i].MAC = l.PermanentMAC
		}
	}
	return all
}

// step takes over an event and begins what follows from the event.
func (r *run) step(e network.Event) {
	next, effects := network.Step(r.State(), time.Now(), e)
	r.state.Store(&next)
	for _, effect := range effects {
		switch effect := effect.(type) {
		case network.Apply:
			select {
			case <-r.pending: // replaced before it began
			default:
			}
			r.pending <- effect
		case network.StartProtocol:
			ctx, stop := context.WithCancel(r.ctx)
			r.stop[effect.Interface.Name] = stop
			r.group.Go(func() error { r.lease(ctx, effect); return nil })
		case network.StopProtocol:
			r.stop[effect.Interface]()
			delete(r.stop, effect.Interface)
		case network.Notify:
			r.Log.Info("interface", "name", effect.Interface, "action", effect.Action)
		}
	}
	r.Changed()
}

// apply carries out each Apply and reports the result.
func (r *run) apply() {
	for {
		select {
		case <-r.ctx.Done():
			return
		case a := <-r.pending:
			out, err := r.Kernel.Apply(r.ctx, endAddresses(a.Desired, time.Now()))
			r.report(out, err)
			_ = r.send(r.ctx, message{ // fails only when ctx has ended
				event: network.Applied{Generation: a.Generation, Refused: refusals(err)}, outcome: outcome(out, err),
			})
		}
	}
}

// report writes what an Apply has done to the log: a line for all changes, and with
// debugging one for each.
func (r *run) report(out link.Outcome, err error) {
	for _, change := range out.Done {
		r.Log.Debug("declared network", "change", change.String(), "declaration", change.Path)
	}
	if len(out.Done) > 0 {
		r.Log.Info("declared network", "changes", len(out.Done), "worst", link.Worst(out.Done))
	}
	if err != nil {
		r.Log.Warn("apply the declared network", "err", err)
	}
}

// outcome describes what an Apply has done, for clients.
func outcome(out link.Outcome, err error) client.NetworkApplied {
	applied := client.NetworkApplied{Changes: len(out.Done), Problems: problems(err)}
	if len(out.Done) > 0 {
		applied.Worst = link.Worst(out.Done).String()
	}
	return applied
}

// problems returns the text of each problem, never nil.
func problems(err error) []string {
	found, only := link.PathErrors(err)
	all := make([]string, 0, len(found))
	for _, e := range found {
		all = append(all, e.Error())
	}
	if !only {
		all = append(all, err.Error())
	}
	return all
}

// refusals returns the text of each problem by the path of its declaration. An error
// that is not of declarations concerns all of them.
func refusals(err error) map[string]string {
	all := map[string]string{}
	found, only := link.PathErrors(err)
	for _, e := range found {
		if e.Path != "" { // what is declared no longer concerns no interface
			all[e.Path] = cmp.Or(all[e.Path], e.Err.Error())
		}
	}
	if !only {
		all[""] = err.Error()
	}
	return all
}

// endAddresses returns what is desired with the lifetimes of the addresses that end.
// An address whose end has passed gets one more second, as 0 is for ever. want belongs
// to the state and is not changed.
func endAddresses(want link.Desired, now time.Time) link.Desired {
	want.Links = slices.Clone(want.Links)
	for i := range want.Links {
		addresses := slices.Clone(want.Links[i].Addresses)
		for j, a := range addresses {
			if !a.Until.IsZero() {
				addresses[j].Valid = max(a.Until.Sub(now), time.Second)
			}
		}
		want.Links[i].Addresses = addresses
	}
	return want
}
