package kernel

import (
	"context"
	"log/slog"
	"maps"
	"reflect"
	"slices"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// Watch calls seen with a snapshot of the objects that filter selects and then with
// every change, one after the other, until ctx ends or seen fails; it returns that
// error. Parts that are not Watched are left out, and differences in time and use
// alone are no change. If filter names an interface, it is the one with that name at
// the start, even if its name changes later. After that interface has gone, Watch
// reports nothing more of it, even if another interface takes the name. Parts that
// filter does not limit to the interface continue. log receives a warning when
// messages of the kernel are lost.
func Watch(ctx context.Context, filter state.Filter, log *slog.Logger, seen func(state.Change) error) error {
	if filter.Parts &= state.Watched; filter.Parts == 0 {
		filter.Parts = state.Watched
	}
	r, err := newReader(ctx, filter)
	if err != nil {
		return err
	}
	w := &watcher{reader: r, seen: seen}
	return link.Follow(ctx, r.tables(), r.filter, log, w.read)
}

type watcher struct {
	*reader
	seen func(state.Change) error

	seq    uint64
	tables *link.Tables
	view   *view
	ifaces map[int32]*state.Iface // as reported, by index
	err    error                  // the first error of seen
}

// read reports the changes of one reading. Interfaces come before the objects that
// name them, and go after them.
func (w *watcher) read(r *link.Reading) error {
	before, oldView, oldIfaces := w.tables, w.view, w.ifaces
	w.view = newView(&r.Tables)
	w.tables = w.view.consistent(&r.Tables)
	w.ifaces = w.reportable()
	if before == nil {
		if err := w.stillThere(w.view); err != nil {
			return err
		}
		s := w.state(w.tables, w.view)
		s.Routes = convert(w.tables.Routes, newRoute, w.view.name)
		w.report(state.Change{Op: state.Snapshot, Object: state.Object{State: s}})
		return w.err
	}
	if r.Lost {
		w.report(state.Change{Op: state.Resync})
	}
	anew := reused(oldIfaces, w.ifaces)
	w.reportGone(oldIfaces, func(index int32) bool { return anew[index] })
	w.reportChanged(oldIfaces, anew)
	w.others(before, w.tables, oldView, anew)
	w.reportGone(oldIfaces, func(index int32) bool { return w.ifaces[index] == nil && !anew[index] })
	return w.err
}

func (w *watcher) reportGone(before map[int32]*state.Iface, which func(index int32) bool) {
	for _, index := range slices.Sorted(maps.Keys(before)) {
		if which(index) {
			w.report(state.Change{Op: state.Deleted, Object: state.Object{Iface: before[index]}})
		}
	}
}

// reportChanged reports names that become free before names that are taken.
func (w *watcher) reportChanged(before map[int32]*state.Iface, anew map[int32]bool) {
	indexes := slices.Sorted(maps.Keys(w.ifaces))
	for _, index := range indexes {
		old, now := before[index], w.ifaces[index]
		if old != nil && !anew[index] && !reflect.DeepEqual(old.Timeless(), now.Timeless()) {
			w.report(state.Change{Op: state.Changed, Object: state.Object{Iface: now}, Old: &state.Object{Iface: old}})
		}
	}
	for _, index := range indexes {
		if before[index] == nil || anew[index] {
			w.report(state.Change{Op: state.New, Object: state.Object{Iface: w.ifaces[index]}})
		}
	}
}

// reused returns the interfaces that are reported as gone, with their addresses, and
// then as new if they still exist: those whose name another interface has taken, and
// those that have taken another's name. A client that identifies interfaces by their
// names could otherwise not distinguish them.
func reused(before, now map[int32]*state.Iface) map[int32]bool {
	had := make(map[string]int32, len(before))
	for index, i := range before {
		had[i.Name] = index
	}
	all := make(map[int32]bool)
	for index, i := range now {
		other, ok := had[i.Name]
		if !ok || other == index {
			continue
		}
		if before[index] != nil {
			all[index] = true
		}
		if now[other] == nil {
			all[other] = true
		}
	}
	return all
}

// reportable returns the interfaces without the parts that are reported separately or
// not at all.
func (w *watcher) reportable() map[int32]*state.Iface {
	if w.parts&state.PartIfaces == 0 {
		return nil
	}
	bare := *w.view
	bare.addresses = nil
	all := make(map[int32]*state.Iface, len(w.tables.Links))
	for i := range w.tables.Links {
		if l := &w.tables.Links[i]; w.wants(l) {
			all[l.Index] = newIface(l, &bare)
		}
	}
	return all
}

// names holds the names of interfaces before and after a reading.
type names struct {
	before, now func(uint32) string
	differ      bool
}

// current returns the name of an interface or, if the interface is gone, its last
// name.
func (n names) current(index uint32) string {
	if name := n.now(index); name != unnamed(index) {
		return name
	}
	return n.before(index)
}

func renamed(before, now *view) bool {
	if len(before.links) != len(now.links) {
		return true
	}
	for index, l := range now.links {
		if old, ok := before.links[index]; !ok || old.Name != l.Name {
			return true
		}
	}
	return false
}

func (w *watcher) others(before, now *link.Tables, oldView *view, anew map[int32]bool) {
	n := names{oldView.name, w.view.name, renamed(oldView, w.view)}
	// A renamed interface has been reported already.
	current := names{before: n.current, now: n.now}
	left := slices.DeleteFunc(w.addressesOf(before, oldView), func(a rtnl.Address) bool { return anew[int32(a.Index)] })
	reportTable(w, left, w.addressesOf(now, w.view), (*rtnl.Address).Key, sameAddress, current, newIfaceAddress,
		func(o *state.Object, a *state.IfaceAddress) { o.Address = a })
	reportTable(w, before.Nexthops, now.Nexthops, (*rtnl.Nexthop).Key, sameNexthop, n, newNexthop,
		func(o *state.Object, h *state.Nexthop) { o.Nexthop = h })
	reportTable(w, before.Routes, now.Routes, (*rtnl.Route).Key, sameRoute, n, newRoute,
		func(o *state.Object, r *state.Route) { o.Route = r })
	reportTable(w, before.Rules, now.Rules, (*rtnl.Rule).Key, equal, n, newRule,
		func(o *state.Object, r *state.Rule) { o.Rule = r })
	reportTable(w, before.Neighbours, now.Neighbours, (*rtnl.Neighbour).Key, sameNeighbour, n, newNeighbour,
		func(o *state.Object, e *state.Neighbour) { o.Neighbour = e })
	reportTable(w, before.Forwarding, now.Forwarding, (*rtnl.Neighbour).Key, sameNeighbour, n, newFDBEntry,
		func(o *state.Object, e *state.FDBEntry) { o.FDB = e })
}

// addressesOf returns a copy of the addresses of the selected interfaces.
func (w *watcher) addressesOf(t *link.Tables, v *view) []rtnl.Address {
	return slices.DeleteFunc(slices.Clone(t.Addresses), func(a rtnl.Address) bool {
		l, ok := v.links[a.Index]
		return !ok || !w.wants(l)
	})
}

// reportTable reports the changes of one table. An object in which only the name of an
// interface differs has changed, too.
func reportTable[T, S any, K comparable](w *watcher, before, now []T, key func(*T) K, same func(a, b *T) bool, n names,
	convert func(*T, func(uint32) string) S, put func(*state.Object, *S)) {
	object := func(t *T, of func(uint32) string) state.Object {
		var o state.Object
		s := convert(t, of)
		put(&o, &s)
		return o
	}
	looksSame := func(a, b *T) bool {
		return same(a, b) && (!n.differ || reflect.DeepEqual(convert(a, n.before), convert(a, n.now)))
	}
	link.Diff(before, now, key, looksSame, func(was, is *T) {
		switch {
		case is == nil:
			w.report(state.Change{Op: state.Deleted, Object: object(was, n.before)})
		case was == nil:
			w.report(state.Change{Op: state.New, Object: object(is, n.now)})
		default:
			old := object(was, n.before)
			w.report(state.Change{Op: state.Changed, Object: object(is, n.now), Old: &old})
		}
	})
}

func (w *watcher) report(c state.Change) {
	if w.err != nil {
		return
	}
	w.seq++
	c.Seq = w.seq
	w.err = w.seen(c)
}

// The kernel's objects count as the same if only times differ.

func sameAddress(a, b *rtnl.Address) bool { return timeless(*a) == timeless(*b) }

func timeless(a rtnl.Address) rtnl.Address {
	for _, left := range []*uint32{&a.Lifetimes.Valid, &a.Lifetimes.Preferred} {
		if *left != rtnl.Infinity && *left != 0 {
			*left = 1
		}
	}
	a.Created, a.Updated = 0, 0
	return a
}

func sameRoute(a, b *rtnl.Route) bool {
	x, y := *a, *b
	x.Cache, y.Cache = nil, nil
	return equal(&x, &y)
}

func sameNeighbour(a, b *rtnl.Neighbour) bool {
	x, y := *a, *b
	x.Cache, y.Cache = nil, nil
	x.Probes, y.Probes = nil, nil
	return equal(&x, &y)
}

func sameNexthop(a, b *rtnl.Nexthop) bool {
	return reflect.DeepEqual(newNexthop(a, unnamed).Timeless(), newNexthop(b, unnamed).Timeless())
}

func equal[T any](a, b *T) bool { return reflect.DeepEqual(a, b) }
