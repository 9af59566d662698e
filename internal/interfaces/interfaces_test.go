package interfaces

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/link"
)

// TestOwned plays what owners hand in, and lists what the lane keeps of it.
func TestOwned(t *testing.T) {
	const accessPoint, station = "access point", "station"
	refused := errors.New("EINVAL: no")
	for _, tt := range []struct {
		name    string
		play    func(l *Lane, kernel *error)
		want    []string // interface, owner, whether it was ever applied, why not
		changes int      // that the daemon hears of
	}{
		{"nothing is owned", func(*Lane, *error) {}, nil, 0},
		{"applied", func(l *Lane, _ *error) { apply(l, station, "wlan0") }, []string{"wlan0 station applied"}, 0},
		{"refused", func(l *Lane, kernel *error) { *kernel = refused; apply(l, station, "wlan0") },
			[]string{"wlan0 station never EINVAL: no"}, 1},
		{"refused after it was applied", func(l *Lane, kernel *error) {
			apply(l, station, "wlan0")
			*kernel = refused
			apply(l, station, "wlan0")
		}, []string{"wlan0 station applied EINVAL: no"}, 1},
		{"applied after it was refused", func(l *Lane, kernel *error) {
			*kernel = refused
			apply(l, station, "wlan0")
			*kernel = nil
			apply(l, station, "wlan0")
		}, []string{"wlan0 station applied"}, 2},
		{"another owner takes it", func(l *Lane, kernel *error) {
			apply(l, station, "wlan0")
			*kernel = refused
			apply(l, accessPoint, "wlan0")
		}, []string{"wlan0 access point never EINVAL: no"}, 1},
		{"released", func(l *Lane, _ *error) { apply(l, station, "wlan0"); release(l, station, "wlan0") }, nil, 0},
		{"released, and the interface is gone", func(l *Lane, kernel *error) {
			apply(l, station, "wlan0")
			*kernel = link.ErrNotExist
			release(l, station, "wlan0")
		}, nil, 0},
		{"the release is refused", func(l *Lane, kernel *error) {
			*kernel = refused
			release(l, station, "wlan0")
		}, []string{"wlan0 station never EINVAL: no"}, 1},
		{"two interfaces", func(l *Lane, _ *error) { apply(l, station, "wlan1"); apply(l, accessPoint, "wlan0") },
			[]string{"wlan0 access point applied", "wlan1 station applied"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var kernel error
			changes := 0
			l := newLane(func(context.Context, link.Spec) ([]link.Op, error) { return nil, kernel }, func() { changes++ })
			tt.play(l, &kernel)
			var got []string
			for _, o := range l.Owned() {
				state := "applied"
				if o.Applied.IsZero() {
					state = "never"
				}
				line := fmt.Sprintf("%s %s %s", o.Want.Name, o.Owner, state)
				if o.Refused != nil {
					line += " " + o.Refused.Error()
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || changes != tt.changes {
				t.Errorf("%d changes were heard, want %d; owned (-want +got):\n%s", changes, tt.changes, diff)
			}
		})
	}
}

func apply(l *Lane, owner, iface string) {
	_ = l.Owner(owner).Apply(context.Background(), link.Spec{Name: iface, Up: true}) // what the lane keeps is the test
}

func release(l *Lane, owner, iface string) {
	_ = l.Owner(owner).Release(context.Background(), link.Spec{Name: iface}) // likewise
}

// TestOneChangeAtATime: owners that hand in wants side by side are served one after
// the other.
func TestOneChangeAtATime(t *testing.T) {
	var now atomic.Int32
	l := newLane(func(context.Context, link.Spec) ([]link.Op, error) {
		if now.Add(1) > 1 {
			t.Error("two changes at a time")
		}
		defer now.Add(-1)
		return nil, nil
	}, func() {})
	var owners sync.WaitGroup
	for i := range 50 {
		owners.Go(func() { apply(l, fmt.Sprint("owner ", i), "wlan0") })
		owners.Go(func() { release(l, fmt.Sprint("owner ", i), "wlan0") })
	}
	owners.Wait()
}

// TestWaitingOwnerGoesWithItsContext: an owner whose context ends does not wait for
// the change of another, and what it wanted is no refusal of the kernel's.
func TestWaitingOwnerGoesWithItsContext(t *testing.T) {
	changing, finish := make(chan struct{}), make(chan struct{})
	l := newLane(func(context.Context, link.Spec) ([]link.Op, error) {
		close(changing)
		<-finish
		return nil, nil
	}, func() {})
	first := make(chan error, 1)
	go func() { first <- l.Owner("first").Apply(t.Context(), link.Spec{Name: "wlan0"}) }()
	<-changing
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, err := range map[string]error{
		"apply":   l.Owner("second").Apply(ctx, link.Spec{Name: "wlan0"}),
		"release": l.Owner("second").Release(ctx, link.Spec{Name: "wlan0"}),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
	close(finish)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if owned := l.Owned(); len(owned) != 1 || owned[0].Owner != "first" || owned[0].Refused != nil {
		t.Errorf("owned: %+v", owned)
	}
}

// TestEndedContextIsNoRefusal: a change that ends because the daemon wants something
// else says nothing of the interface.
func TestEndedContextIsNoRefusal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := newLane(func(context.Context, link.Spec) ([]link.Op, error) {
		cancel()
		return nil, ctx.Err()
	}, func() { t.Error("a refusal was heard of") })
	if err := l.Owner("station").Apply(ctx, link.Spec{Name: "wlan0"}); !strings.Contains(err.Error(), "canceled") || len(l.Owned()) != 0 {
		t.Errorf("%v; owned: %+v", err, l.Owned())
	}
}

// declares notes what is handed in.
type declares struct {
	got   link.Desired
	apply func()
}

func (d *declares) Apply(_ context.Context, want link.Desired) (link.Outcome, error) {
	d.got = want
	d.apply()
	return link.Outcome{}, nil
}

func (d *declares) Plan(_ context.Context, want link.Desired) ([]link.Change, error) {
	d.got = want
	return nil, nil
}

// TestDeclarerLeavesWhatOwnersHold: a declaration is applied and planned with the names
// of the owners, and waits for its turn.
func TestDeclarerLeavesWhatOwnersHold(t *testing.T) {
	var now atomic.Int32
	alone := func() {
		if now.Add(1) > 1 {
			t.Error("two changes at a time")
		}
		runtime.Gosched()
		now.Add(-1)
	}
	l := newLane(func(context.Context, link.Spec) ([]link.Op, error) { alone(); return nil, nil }, func() {})
	apply(l, "access point", "wlan0")
	apply(l, "station", "wlan1")
	release(l, "station", "wlan1")
	d := &declares{apply: alone}
	declarer := Declarer{l, d}
	want := map[string]string{"wlan0": "access point"}
	if _, err := declarer.Apply(t.Context(), link.Desired{}); err != nil || !maps.Equal(d.got.Held, want) {
		t.Errorf("applied with %v, %v", d.got.Held, err)
	}
	if _, err := declarer.Plan(t.Context(), link.Desired{}); err != nil || !maps.Equal(d.got.Held, want) {
		t.Errorf("planned with %v, %v", d.got.Held, err)
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { _, _ = declarer.Apply(t.Context(), link.Desired{}) })
		all.Go(func() { apply(l, "station", "wlan1") })
	}
	all.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := declarer.Apply(ctx, link.Desired{}); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}
