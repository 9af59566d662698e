// Package interfaces is the one place from which the daemon changes the kernel's
// interfaces. Owners (the access point, the station's session) hand in what they
// want of an interface, and a Declarer hands in what the configuration declares. One
// lane plans and applies the wants one after the other, and keeps for each interface
// who owns it and what became of the want.
package interfaces

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/netconnectd/netconnectd/internal/link"
)

// Owned is what an owner wants of an interface, and what became of that.
type Owned struct {
	Owner   string
	Want    link.Spec // with the name of the interface
	Applied time.Time // when the interface was last as wanted; zero: never yet
	Done    []link.Op // what there was to do at the last try
	Refused error     // why the interface is not as wanted; nil: the last try succeeded
	Tried   time.Time // when the last try ended
}

// Lane applies wants, one at a time. Its methods may be called from any goroutine.
type Lane struct {
	repair func(context.Context, link.Spec) ([]link.Op, error)
	turn   *semaphore.Weighted // held by who changes an interface
	hear   func()              // a want was refused, or is applied after it was refused

	mu    sync.Mutex
	owned map[string]Owned // by the name of the interface
}

// New returns a lane that changes the interfaces of this network namespace. changed
// is called when a want was refused, or is applied that had been; it must not block.
func New(changed func()) *Lane { return newLane(link.Repair, changed) }

func newLane(repair func(context.Context, link.Spec) ([]link.Op, error), changed func()) *Lane {
	return &Lane{repair: repair, turn: semaphore.NewWeighted(1), hear: changed, owned: map[string]Owned{}}
}

// Owned returns what is owned, sorted by the interface.
func (l *Lane) Owned() []Owned {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Collect(maps.Values(l.owned))
	sort.Slice(all, func(i, j int) bool { return all[i].Want.Name < all[j].Want.Name })
	return all
}

// Owner returns the owner of that name.
func (l *Lane) Owner(name string) Owner { return Owner{l, name} }

// Owner hands wants to a lane.
type Owner struct {
	lane *Lane
	name string
}

// Apply makes an interface what the owner wants, and returns when it is so. The
// interface is the owner's from then on, also when the kernel refuses. The error is
// that of link.Apply.
func (o Owner) Apply(ctx context.Context, want link.Spec) error {
	_, err := o.Repair(ctx, want)
	return err
}

// Repair is Apply, and returns what there was to do; also beside an error.
func (o Owner) Repair(ctx context.Context, want link.Spec) ([]link.Op, error) {
	if err := o.lane.turn.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer o.lane.turn.Release(1)
	done, err := o.lane.repair(ctx, want)
	if ctx.Err() != nil { // an ended context shows nothing of the kernel
		return done, err
	}
	o.lane.keep(Owned{Owner: o.name, Want: want, Done: done, Refused: err, Tried: time.Now()})
	return done, err
}

// Release leaves an interface as rest describes, and owns the interface no longer. An interface
// that is not there needs nothing.
func (o Owner) Release(ctx context.Context, rest link.Spec) error {
	if err := o.lane.turn.Acquire(ctx, 1); err != nil {
		return err
	}
	defer o.lane.turn.Release(1)
	done, err := o.lane.repair(ctx, rest)
	switch {
	case err == nil, errors.Is(err, link.ErrNotExist):
		o.lane.forget(rest.Name)
		return nil
	case ctx.Err() == nil:
		o.lane.keep(Owned{Owner: o.name, Want: rest, Done: done, Refused: err, Tried: time.Now()})
	}
	return err
}

// Declarer applies what a configuration declares of the network namespace.
type Declarer struct {
	lane        *Lane
	declaration declaration
}

// declaration is link.Declaration.
type declaration interface {
	Apply(ctx context.Context, want link.Desired) (link.Outcome, error)
	Plan(ctx context.Context, want link.Desired) ([]link.Change, error)
}

// Declarer returns the one Declarer of the lane. file, in the runtime folder, remembers
// which links are ours.
func (l *Lane) Declarer(file string, log *slog.Logger) Declarer {
	return Declarer{l, link.Declaration{File: file, Log: log}}
}

// Apply makes of the namespace what is declared, and returns what there was to do, also
// beside an error. What an owner holds stays the owner's: to declare such a link is an
// error that names the owner, and the rest is done.
func (d Declarer) Apply(ctx context.Context, want link.Desired) (link.Outcome, error) {
	if err := d.lane.turn.Acquire(ctx, 1); err != nil {
		return link.Outcome{}, err
	}
	defer d.lane.turn.Release(1)
	want.Held = d.lane.held()
	return d.declaration.Apply(ctx, want)
}

// Plan returns what Apply would do, and what it could not. It changes nothing.
func (d Declarer) Plan(ctx context.Context, want link.Desired) ([]link.Change, error) {
	if err := d.lane.turn.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer d.lane.turn.Release(1)
	want.Held = d.lane.held()
	return d.declaration.Plan(ctx, want)
}

// held are the interfaces that owners have, with the owner of each.
func (l *Lane) held() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := make(map[string]string, len(l.owned))
	for name, o := range l.owned {
		held[name] = o.Owner
	}
	return held
}

// keep notes what became of a want.
func (l *Lane) keep(now Owned) {
	l.mu.Lock()
	last := l.owned[now.Want.Name]
	switch {
	case now.Refused == nil:
		now.Applied = now.Tried
	case last.Owner == now.Owner:
		now.Applied = last.Applied
	}
	l.owned[now.Want.Name] = now
	l.mu.Unlock()
	if last.Refused != nil || now.Refused != nil {
		l.hear()
	}
}

func (l *Lane) forget(iface string) {
	l.mu.Lock()
	last := l.owned[iface]
	delete(l.owned, iface)
	l.mu.Unlock()
	if last.Refused != nil {
		l.hear()
	}
}
