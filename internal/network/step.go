package network

import (
	"maps"
	"reflect"
	"slices"
	"time"
)

const (
	// firstRetry and lastRetry bound the pause before what the kernel has refused is
	// tried again. The pause doubles with each failure.
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// step is a Step in progress.
type step struct {
	State
	now     time.Time
	force   bool // apply although nothing differs
	effects []Effect
}

// Step returns the state after an event, and what is to be done, in order. now only
// has to carry a monotonic clock.
func Step(s State, now time.Time, e Event) (State, []Effect) {
	n := step{State: s, now: now}
	n.interfaces = slices.Clone(s.interfaces)
	n.claimed = maps.Clone(s.claimed)
	n.indexes = maps.Clone(s.indexes)
	switch e := e.(type) {
	case Declared:
		n.declare(e.Spec, e.Held)
	case LinksChanged:
		n.see(e.Links)
	case Asked:
		if i := n.find(e.Interface); i >= 0 {
			n.interfaces[i].autostart = e.Up
		}
	case Leased:
		n.lease(e)
	case Applied:
		n.finish(e)
	case TimePassed:
		n.force = !n.retry.IsZero() && !now.Before(n.retry)
	}
	n.settle()
	return n.State, n.effects
}

// Next returns when TimePassed is due; zero: there is nothing to wait for.
func (s State) Next() time.Time {
	next := s.retry
	for i, have := range s.interfaces {
		if have.lost.IsZero() || s.spec.Interfaces[i].ForceLink || have.phase != Setup && have.phase != Up {
			continue
		}
		if due := have.lost.Add(s.spec.Interfaces[i].CarrierLossDelay); next.IsZero() || due.Before(next) {
			next = due
		}
	}
	return next
}

func (n *step) do(e Effect) { n.effects = append(n.effects, e) }

// declare takes over a configuration. An interface that was declared before keeps its
// phase, unless its protocol has to run anew.
func (n *step) declare(spec Spec, held map[string]*Lease) {
	old := n.State
	n.spec = complete(spec)
	n.order, n.byName = sortDevices(n.spec.Devices)
	n.named, n.routes = indexInterfaces(n.spec)
	n.interfaces = make([]interfaceState, len(n.spec.Interfaces))
	n.claimed = map[string]bool{}
	for _, d := range n.spec.Devices {
		n.claimed[d.Name] = old.claimed[d.Name]
	}
	kept := map[string]bool{}
	for i, declared := range n.spec.Interfaces {
		n.interfaces[i] = interfaceState{phase: Down, autostart: declared.Auto, lease: held[declared.Name]}
		before := old.find(declared.Name)
		if before < 0 {
			continue
		}
		kept[declared.Name] = true
		n.interfaces[i] = old.interfaces[before]
		if old.spec.Interfaces[before].Auto != declared.Auto {
			n.interfaces[i].autostart = declared.Auto
		}
		if !sameProtocol(old.spec.Interfaces[before], declared) {
			n.restart(&n.interfaces[i], declared.Name)
		}
	}
	for i, gone := range old.spec.Interfaces {
		if !kept[gone.Name] {
			last := old.interfaces[i]
			n.leave(&last, gone.Name)
		}
	}
	n.attempts, n.retry, n.force = 0, time.Time{}, true
}

// sameProtocol reports whether the protocol of an interface can go on under another
// declaration. Addresses, routes and metrics are changed in place.
func sameProtocol(a, b Interface) bool {
	return a.Device == b.Device && a.Proto == b.Proto && a.Hostname == b.Hostname && a.ClientID == b.ClientID && a.VendorID == b.VendorID
}

// restart lets an interface begin anew with another protocol or device. The addresses
// of both are changed by one Apply.
func (n *step) restart(have *interfaceState, name string) {
	n.leave(have, name)
	have.phase, have.lost = Down, time.Time{}
}

// leave ends the protocol of an interface if it runs, and reports that the interface
// is not up any more if it was.
func (n *step) leave(have *interfaceState, name string) {
	if have.running {
		n.do(StopProtocol{name, have.session})
	}
	have.running, have.lease = false, nil
	if have.phase == Up {
		n.do(Notify{name, ActionDown})
	}
}

// see takes over the links of the kernel. If a link that is in use has gone, or was
// replaced, what is desired is applied again.
func (n *step) see(links []Link) {
	n.links = make(map[string]Link, len(links))
	for _, l := range links {
		n.links[l.Name] = l
	}
	for name, index := range n.indexes {
		now := n.links[name].Index
		if index != 0 && now != index {
			n.force = true
		}
		n.indexes[name] = now
	}
}

// lease takes over what a protocol has got. A lease of an earlier run is late.
func (n *step) lease(e Leased) {
	i := n.find(e.Interface)
	if i < 0 || !n.interfaces[i].running || n.interfaces[i].session != e.Session {
		return
	}
	have := &n.interfaces[i]
	have.lease = e.Lease
	if have.phase != Up {
		return
	}
	if e.Lease == nil {
		have.phase = Setup
		n.do(Notify{e.Interface, ActionDown})
		return
	}
	n.do(Notify{e.Interface, ActionUpdate})
}

// finish takes over the result of an Apply. A result of an earlier generation is
// late: what is desired now is still being applied.
func (n *step) finish(e Applied) {
	if e.Generation != n.generation {
		return
	}
	n.applied, n.refused, n.retry = e.Generation, e.Refused, time.Time{}
	if len(e.Refused) == 0 {
		n.attempts = 0
		return
	}
	n.retry = n.now.Add(min(firstRetry<<min(n.attempts, 10), lastRetry))
	n.attempts++
}

// settle draws the conclusions: which devices are present, which interfaces go up
// and down, and what is then desired of the kernel. An interface that has gone down
// may go up again at once, e.g. with another protocol, so settle repeats itself
// until no phase changes.
func (n *step) settle() {
	n.judgeDevices()
	for {
		before := slices.Clone(n.interfaces)
		n.advance()
		n.claim()
		n.want()
		n.conclude()
		if reflect.DeepEqual(before, n.interfaces) {
			return
		}
	}
}

// want hands out what is desired if that differs from before.
func (n *step) want() {
	now := n.compile()
	if !n.force && reflect.DeepEqual(now, n.desired) {
		return
	}
	n.force = false
	n.desired = now
	n.generation++
	n.retry = time.Time{}
	n.indexes = make(map[string]int, len(now.Links))
	for _, l := range now.Links {
		n.indexes[l.Name] = n.links[l.Name].Index
	}
	// Only the last Apply of a Step counts.
	n.effects = slices.DeleteFunc(n.effects, func(e Effect) bool { _, apply := e.(Apply); return apply })
	n.do(Apply{n.generation, now})
}

// indexInterfaces returns the indexes of the interfaces by name, and of the routes by
// interface.
func indexInterfaces(spec Spec) (named map[string]int, routes map[string][]int) {
	named, routes = map[string]int{}, map[string][]int{}
	for i, declared := range spec.Interfaces {
		named[declared.Name] = i
	}
	for i, r := range spec.Routes {
		routes[r.Interface] = append(routes[r.Interface], i)
	}
	return named, routes
}

// find returns the index of an interface, -1 if none has the name.
func (s *State) find(name string) int {
	if i, ok := s.named[name]; ok {
		return i
	}
	return -1
}
