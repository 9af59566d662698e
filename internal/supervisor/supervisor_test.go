package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// device is a supervisor with fakes whose delays are those of the lab.
type device struct {
	*Supervisor
	t      *testing.T
	start  time.Time
	mu     sync.Mutex
	trace  []string
	router atomic.Bool // the home router is there
	stuck  atomic.Bool // the radio does not react to its target being replaced for 2 s
	holds  int         // Holds at this moment
	log    lockedText
	fed    []time.Duration
	block  atomic.Bool   // the next change blocks the loop for a minute
	disk   chan struct{} // if any, records wait until it is closed
	atEnd  func()        // is called when Run has ended
	deaf   deaf          // the lanes that do not hear their context end
	failed string        // what Run's error says; "": it has none
}

const watchdogEvery = 10 * time.Second

func run(t *testing.T, play func(d *device, ctx context.Context)) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{t: t, start: time.Now()}
		d.Supervisor = New(Config{
			Policy: policy.Config{
				Fallback: true, Gateway: true, MaxLinkDown: 3, Interval: 10 * time.Second, Hold: 15 * time.Second,
				Settle: 10 * time.Second, JoinTimeout: 45 * time.Second, AskedLimit: time.Hour,
				YieldAfter: 10 * time.Minute, Rescan: 15 * time.Second,
			},
			Radio: d, Prober: d, Scanner: d, Networks: d, Changed: d.changed, KeepAsked: d.keepAsked,
			Log:      slog.New(slog.NewTextHandler(&d.log, nil)),
			Watchdog: Watchdog{Every: watchdogEvery, Feed: func() { d.fed = append(d.fed, time.Since(d.start)) }},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- d.Run(ctx, policy.Start{}, policy.NetworksChanged{Saved: []policy.Network{{SSID: "home"}}})
		}()
		play(d, ctx)
		cancel()
		if err := <-ended; (err != nil) != (d.failed != "") || err != nil && !strings.Contains(err.Error(), d.failed) {
			t.Errorf("Run: %v, want %q", err, d.failed)
		}
		if d.atEnd != nil {
			d.atEnd()
		}
	})
}

func (d *device) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trace = append(d.trace, fmt.Sprintf("%.1fs ", time.Since(d.start).Seconds())+fmt.Sprintf(format, args...))
}

func (d *device) changed(old, next policy.State) {
	if d.block.Swap(false) {
		time.Sleep(time.Minute)
	}
	if old.Uplink.State != next.Uplink.State {
		d.note("uplink %s", next.Uplink.State)
	}
	if old.AP.State != "" && old.AP.State != next.AP.State {
		d.note("ap %s", next.AP.State)
	}
}

func (d *device) Hold(ctx context.Context, target policy.Target, report func(policy.Part, policy.Stage)) error {
	d.mu.Lock()
	d.holds++
	if d.holds > 1 {
		d.t.Error("two Holds at once")
	}
	d.mu.Unlock()
	defer func() { d.mu.Lock(); d.holds--; d.mu.Unlock() }()
	if d.stuck.Load() {
		time.Sleep(2 * time.Second)
	}
	d.deaf.wait("radio")
	part := target.Parts()[0]
	report(part, policy.StageCleared)
	switch part {
	case policy.PartAccessPoint:
		if !sleep(ctx, 1200*time.Millisecond) {
			return ctx.Err()
		}
	case policy.PartStation:
		if !d.router.Load() {
			sleep(ctx, 4*time.Second)
			return &Failed{policy.Failure{Code: "not_found", Reason: "not seen"}}
		}
		if !sleep(ctx, 900*time.Millisecond) {
			return ctx.Err()
		}
	}
	report(part, policy.StageReady)
	<-ctx.Done()
	return ctx.Err()
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (d *device) Probe(ctx context.Context, _ policy.Uplink) (portal bool, err error) {
	sleep(ctx, 10*time.Millisecond)
	d.deaf.wait("probe")
	if !d.router.Load() {
		return false, errors.New("silent")
	}
	return false, nil
}

func (d *device) SavedVisible(ctx context.Context, _ bool) ([]string, error) {
	sleep(ctx, 400*time.Millisecond)
	d.deaf.wait("scan")
	if !d.router.Load() {
		return nil, nil
	}
	return []string{"home"}, nil
}

func (d *device) Promote(context.Context) error { d.note("promote"); return nil }
func (d *device) Forget(context.Context) error  { d.note("forget"); return nil }

func (d *device) Joined(ctx context.Context, n policy.Network, failed bool) error {
	if d.disk != nil {
		select {
		case <-d.disk:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	d.note("joined %s, failed %v", n.SSID, failed)
	d.Post(ctx, policy.NetworksChanged{Saved: []policy.Network{{SSID: "home"}}}) // as the daemon does
	return nil
}

func (d *device) keepAsked(_ context.Context, until time.Time) error {
	d.note("asked for %v", time.Until(until).Round(time.Minute))
	return nil
}

func (d *device) links(ctx context.Context, carrier bool) {
	d.Post(ctx, policy.LinksChanged{Radio: true, Uplinks: []policy.Uplink{{
		Name: "wlan0", Wifi: true, Carrier: carrier, Addressed: carrier, Gateway: netip.MustParseAddr("192.0.2.1"),
	}}})
}

func (d *device) want(trace string) {
	d.t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if got := strings.Join(d.trace, "\n"); got != strings.ReplaceAll(strings.TrimSpace(trace), "\t", "") {
		d.t.Errorf("trace:\n%s\nwant:\n%s", got, trace)
	}
}

func TestRouterDiesAndReturns(t *testing.T) {
	run(t, func(d *device, ctx context.Context) {
		d.router.Store(true)
		d.links(ctx, false)
		time.Sleep(20 * time.Second)
		d.router.Store(false)
		d.links(ctx, false)
		time.Sleep(40 * time.Second)
		d.router.Store(true)
		time.Sleep(30 * time.Second)
		d.want(`
			0.0s uplink starting
			0.0s uplink joining
			0.9s uplink online
			0.9s joined home, failed false
			20.0s uplink joining
			35.0s uplink lost
			35.0s ap starting
			36.2s ap up
			67.0s uplink joining
			67.0s ap stopping
			67.0s ap off
			67.9s uplink online
			67.9s joined home, failed false`)
	})
}

func TestCommandIsAnsweredOnceTheRadioIsThere(t *testing.T) {
	run(t, func(d *device, ctx context.Context) {
		d.links(ctx, false)
		result, err := d.Do(ctx, policy.Command{Kind: policy.StartAP})
		if took := time.Since(d.start); result != "started ap" || err != nil || took != 1200*time.Millisecond {
			t.Errorf("start_ap = %q, %v after %v", result, err, took)
		}
		_, err = d.Do(ctx, policy.Command{Kind: policy.Join})
		var failed *Failed
		if !errors.As(err, &failed) || failed.Code != "not_found" {
			t.Errorf("start_wifi: %v", err)
		}
	})
}

func TestCommandGoesOnWithoutItsCaller(t *testing.T) {
	run(t, func(d *device, ctx context.Context) {
		d.links(ctx, false)
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if _, err := d.Do(short, policy.Command{Kind: policy.StartAP}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Do: %v", err)
		}
		time.Sleep(2 * time.Second)
		if ap := d.State().AP; ap.State != policy.APUp || ap.Cause != policy.CauseAsked {
			t.Errorf("access point: %+v", ap)
		}
	})
}

func TestLatestTargetWinsOverASlowRadio(t *testing.T) {
	run(t, func(d *device, ctx context.Context) {
		d.stuck.Store(true)
		d.links(ctx, false)
		time.Sleep(10 * time.Millisecond)
		go d.Do(ctx, policy.Command{Kind: policy.StartAP})
		time.Sleep(10 * time.Millisecond)
		go d.Do(ctx, policy.Command{Kind: policy.StopAP})
		time.Sleep(10 * time.Millisecond)
		result, err := d.Do(ctx, policy.Command{Kind: policy.StartAP})
		if result != "started ap" || err != nil {
			t.Errorf("start_ap = %q, %v", result, err)
		}
		// 2 s for the Hold under way, 2 s and 1.2 s for the last: nothing of
		// the targets in between.
		if took := time.Since(d.start); took > 5300*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestWatchdogIsFedWhileTheLoopTurns(t *testing.T) {
	for _, router := range []bool{false, true} { // probes turn the loop, and without any it turns for the watchdog
		run(t, func(d *device, ctx context.Context) {
			d.router.Store(router)
			d.links(ctx, router)
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			for i, at := range d.fed[1:] {
				if pause := at - d.fed[i]; pause > watchdogEvery || pause <= watchdogEvery/2 {
					t.Errorf("router there %v: fed at %v and then at %v", router, d.fed[i], at)
				}
			}
			if last := d.fed[len(d.fed)-1]; last < 10*time.Minute-watchdogEvery {
				t.Errorf("router there %v: fed at %v for the last time", router, last)
			}
		})
	}
}

func TestWatchdogStarvesWhenTheLoopBlocks(t *testing.T) {
	run(t, func(d *device, ctx context.Context) {
		d.router.Store(true)
		d.links(ctx, true)
		time.Sleep(30 * time.Second)
		d.block.Store(true)
		d.links(ctx, false)
		blocked := time.Since(d.start)
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if last := d.fed[len(d.fed)-1]; last > blocked {
			t.Errorf("the loop blocks since %v, and was fed at %v", blocked, last)
		}
	})
}
