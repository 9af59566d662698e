package supervisor

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// TestLoopGoesOnWhileTheDiskStalls checks that the loop turns however many effects
// wait to be recorded, also for events that the record under way posts.
func TestLoopGoesOnWhileTheDiskStalls(t *testing.T) {
	run(t, func(d *device, ctx context.Context) {
		d.router.Store(true)
		d.disk = make(chan struct{})
		d.links(ctx, false)
		time.Sleep(time.Second) // joined, which waits for the disk
		const commands = 200
		var answered atomic.Int32
		for range commands {
			go func() {
				if _, err := d.Do(ctx, policy.Command{Kind: policy.Resume}); err == nil {
					answered.Add(1)
				}
			}()
		}
		time.Sleep(time.Second)
		d.router.Store(false)
		d.links(ctx, false)
		time.Sleep(2 * time.Minute)
		if ap := d.State().AP; ap.State != policy.APUp {
			t.Errorf("access point while the disk stalls: %+v", ap)
		}
		if got := answered.Load(); got != 0 {
			t.Errorf("%d commands were answered before what came first was recorded", got)
		}
		close(d.disk)
		synctest.Wait()
		if got := answered.Load(); got != commands {
			t.Errorf("%d of %d commands were answered", got, commands)
		}
	})
}

// TestRecordsAtTheEnd checks that effects that wait when the loop ends are still
// recorded in their order, for a limited time.
func TestRecordsAtTheEnd(t *testing.T) {
	for _, tt := range []struct {
		name    string
		stalled time.Duration
		want    []string
		took    time.Duration
	}{
		{"a slow disk", 2 * time.Second, []string{"3.0s joined home, failed false", "3.0s forget", "3.0s asked for 1h0m0s"}, 2 * time.Second},
		{"a disk that does not answer", time.Hour, nil, drainLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, func(d *device, ctx context.Context) {
				d.router.Store(true)
				d.disk = make(chan struct{})
				d.links(ctx, false)
				time.Sleep(time.Second)
				for _, kind := range []policy.CommandKind{policy.Forget, policy.StartAP} {
					go d.Do(ctx, policy.Command{Kind: kind})
					synctest.Wait()
				}
				time.AfterFunc(tt.stalled, func() { close(d.disk) })
				before, end := len(d.trace), time.Now()
				d.atEnd = func() {
					written := slices.DeleteFunc(d.trace[before:], func(line string) bool { return strings.Contains(line, "uplink") })
					if took := time.Since(end); !slices.Equal(written, tt.want) || took != tt.took {
						t.Errorf("%q after %v, want %q after %v", written, took, tt.want, tt.took)
					}
				}
			})
		})
	}
}
