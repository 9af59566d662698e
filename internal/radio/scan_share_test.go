package radio

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// slowRadio is a radio whose scans take a while, and fail if they are to.
type slowRadio struct {
	takes time.Duration
	err   error

	mu    sync.Mutex
	began []time.Time
	now   atomic.Int32 // scans that run
}

func (r *slowRadio) scan(ctx context.Context, _ wifi.ScanRequest) ([]wifi.BSS, error) {
	r.mu.Lock()
	r.began = append(r.began, time.Now())
	r.mu.Unlock()
	if r.now.Add(1) > 1 {
		panic("two scans at a time")
	}
	defer r.now.Add(-1)
	select {
	case <-time.After(r.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return []wifi.BSS{{SSID: []byte("Home"), Frequency: 2412}}, r.err
}

func (r *slowRadio) scans() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.began)
}

// scanning is a scanner that looks for the saved network Home.
func (r *slowRadio) scanning(t *testing.T) *scanner {
	t.Helper()
	home := &store.Store{}
	if err := home.Add(store.Network{Network: wifi.Network{SSID: []byte("Home")}}); err != nil {
		t.Fatal(err)
	}
	return &scanner{scan: r.scan, iface: func() string { return "absent0" }, networks: func() NetworkStore { return home }}
}

// TestScanIsShared checks that all callers that ask while a scan runs receive its
// result, whatever kind of scan they asked for.
func TestScanIsShared(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
	}{{"it succeeds", nil}, {"it fails", wifi.ErrBusy}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &slowRadio{takes: 5 * time.Second, err: tt.err}
				s := r.scanning(t)
				var callers sync.WaitGroup
				for i := range 60 {
					callers.Go(func() {
						time.Sleep(time.Duration(i) * 50 * time.Millisecond)
						if _, err := s.list(t.Context(), i%2 == 1); !errors.Is(err, tt.err) {
							t.Errorf("caller %d: %v, want %v", i, err, tt.err)
						}
					})
				}
				callers.Wait()
				if n := len(r.scans()); n != 1 {
					t.Errorf("%d scans, want 1", n)
				}
			})
		})
	}
}

// TestPolicyScansFirst has clients that ask for a list in a loop while every
// scan fails. The search for saved networks waits for the scan that runs, and
// for no other.
func TestPolicyScansFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowRadio{takes: 4 * time.Second, err: wifi.ErrBusy}
		s := r.scanning(t)
		ctx, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for i := range 60 {
			callers.Go(func() {
				for time.Sleep(time.Duration(i) * time.Millisecond); ctx.Err() == nil; time.Sleep(time.Second) {
					_, _ = s.list(ctx, true)
				}
			})
		}
		for range 5 {
			time.Sleep(time.Second)
			asked := time.Now()
			_, err := s.SavedVisible(t.Context(), true)
			if took := time.Since(asked); !errors.Is(err, wifi.ErrBusy) || took > 2*r.takes {
				t.Errorf("%v after %v, want its own failure after %v at most", err, took, 2*r.takes)
			}
			if began := r.scans(); began[len(began)-1].Before(asked) {
				t.Error("the failure is that of a scan that somebody else had begun")
			}
		}
		cancel()
		callers.Wait()
	})
}

// TestPolicySharesAList checks that a running scan for a list also shows the saved
// networks.
func TestPolicySharesAList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowRadio{takes: 4 * time.Second}
		s := r.scanning(t)
		go func() { _, _ = s.list(t.Context(), false) }()
		time.Sleep(3 * time.Second)
		for _, full := range []bool{true, false} {
			asked := time.Now()
			visible, err := s.SavedVisible(t.Context(), full)
			if took := time.Since(asked); err != nil || !slices.Equal(visible, []string{"Home"}) || full && took != time.Second {
				t.Errorf("full %v: %q, %v after %v", full, visible, err, took)
			}
		}
	})
}

// TestFailedScanIsRemembered checks that a client that asks in a loop does not keep
// the radio busy with scans that fail at once.
func TestFailedScanIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowRadio{err: wifi.ErrBusy}
		s := r.scanning(t)
		for range 300 {
			if _, err := s.list(t.Context(), true); !errors.Is(err, wifi.ErrBusy) {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := len(r.scans()); n > int(30*time.Second/failureAge) {
			t.Errorf("%d scans in 30 s", n)
		}
		r.err = nil
		time.Sleep(3 * time.Second)
		if cells, err := s.list(t.Context(), true); err != nil || len(cells) != 1 {
			t.Errorf("%v, %v after the fault is over", cells, err)
		}
	})
}

// TestScanOfOneWhoLeaves checks that the others still wait for the result when one
// caller gives up.
func TestScanOfOneWhoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowRadio{takes: 4 * time.Second}
		s := r.scanning(t)
		ctx, leave := context.WithCancel(t.Context())
		go func() { _, _ = s.SavedVisible(ctx, true) }()
		synctest.Wait()
		time.AfterFunc(time.Second, leave)
		if cells, err := s.list(t.Context(), false); err != nil || len(cells) != 1 {
			t.Errorf("%v, %v", cells, err)
		}
		if n := len(r.scans()); n != 2 {
			t.Errorf("%d scans, want the one that was left and another", n)
		}
	})
}
