package wifi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// radio is a scanner whose scans last 3 s.
type radio struct {
	log       []string
	begun     time.Time
	down      time.Time // the interface is down until then
	busy      time.Time // another program's scan lasts until then; zero: none runs
	silent    bool      // and its end is not announced
	preempted bool      // another program's scan may be aborted
	dead      bool      // our scan never ends
	spoiled   bool      // another program aborts our scan
	spoilers  int       // how often; 0: always
	refusal   error
	ends      chan scanEnd
	abortErr  error
	cells     []BSS
}

func (r *radio) note(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf("%v ", time.Since(r.begun))+fmt.Sprintf(format, args...))
}

func (r *radio) trigger(ifindex int, _ ScanRequest) error {
	switch {
	case r.refusal != nil:
		return r.refusal
	case time.Now().Before(r.down):
		r.note("down")
		return unix.ENETDOWN
	case time.Now().Before(r.busy):
		r.note("busy")
		if !r.silent {
			r.endAt(r.busy, scanEnd{ifindex: 99})
		}
		return unix.EBUSY
	}
	r.note("trigger")
	r.endAt(time.Now().Add(time.Second), scanEnd{ifindex: 99}) // of another radio
	if !r.dead {
		r.endAt(time.Now().Add(3*time.Second), scanEnd{ifindex: ifindex, aborted: r.spoiled})
		if r.spoilers--; r.spoilers == 0 {
			r.spoiled = false
		}
	}
	return nil
}

func (r *radio) endAt(when time.Time, end scanEnd) {
	time.AfterFunc(time.Until(when), func() { r.ends <- end })
}

func (r *radio) abort(int) error {
	r.note("abort")
	if r.preempted {
		r.busy = time.Now()
		r.endAt(r.busy, scanEnd{ifindex: 5, aborted: true})
	}
	return r.abortErr
}

func (r *radio) next(ctx context.Context) (scanEnd, error) {
	select {
	case end := <-r.ends:
		return end, nil
	case <-ctx.Done():
		return scanEnd{}, ctx.Err()
	}
}

func (r *radio) results(int) ([]BSS, error) {
	r.note("results")
	return r.cells, nil
}

func TestScan(t *testing.T) {
	for _, row := range []struct {
		name  string
		radio radio
		limit time.Duration // of the context; 0: no limit
		req   ScanRequest
		want  string
		is    error
	}{
		{name: "undisturbed; another radio's end does not count", want: "0s trigger, 3s results"},
		{name: "somebody else scans: wait for the end, then do it", radio: radio{busy: time.Unix(946684800, 5e8)},
			want: "0s busy, 500ms trigger, 3.5s results"},
		{name: "busy with something that ends unheard", radio: radio{busy: time.Unix(946684802, 0), silent: true},
			want: "0s busy, 1s busy, 2s trigger, 5s results"},
		{name: "busy for ever", radio: radio{busy: time.Unix(1e10, 0), silent: true}, limit: 1500 * time.Millisecond,
			want: "0s busy, 1s busy", is: ErrBusy},
		{name: "somebody else's scan is ended for ours", radio: radio{busy: time.Unix(946684800, 5e8), preempted: true}, req: ScanRequest{Preempt: true},
			want: "0s busy, 0s abort, 0s trigger, 3s results"},
		{name: "busy with something that is no scan", radio: radio{busy: time.Unix(946684802, 0), silent: true, abortErr: unix.ENOENT}, req: ScanRequest{Preempt: true},
			want: "0s busy, 0s abort, 1s busy, 1s abort, 2s trigger, 5s results"},
		{name: "down for a moment", radio: radio{down: time.Unix(946684801, 5e8)}, req: ScanRequest{Preempt: true},
			want: "0s down, 1s down, 2s trigger, 5s results"},
		{name: "down for good", radio: radio{down: time.Unix(1e10, 0)}, req: ScanRequest{Preempt: true},
			want: "0s down, 1s down, 2s down, 3s down", is: ErrDown},
		{name: "down, and ours", radio: radio{down: time.Unix(946684801, 5e8)}, want: "0s down", is: ErrDown},
		{name: "end is never told: default deadline, abort", radio: radio{dead: true},
			want: "0s trigger, 20s abort, 20s results", is: context.DeadlineExceeded},
		{name: "caller gives up: abort", limit: 2 * time.Second, want: "0s trigger, 2s abort, 2s results", is: context.DeadlineExceeded},
		{name: "abort when it has just ended", radio: radio{dead: true, abortErr: unix.ENOENT},
			want: "0s trigger, 20s abort, 20s results", is: context.DeadlineExceeded},
		{name: "aborted by somebody", radio: radio{spoiled: true}, want: "0s trigger", is: ErrBusy},
		{name: "aborted by somebody who joins a network, and we do not give way", radio: radio{spoiled: true, spoilers: 1}, req: ScanRequest{Preempt: true},
			want: "0s trigger, 3s trigger, 6s results"},
		{name: "driver cannot scan as access point", radio: radio{refusal: unix.EOPNOTSUPP}, is: ErrNotSupported},
		{name: "interface is gone", radio: radio{refusal: unix.ENODEV}, is: ErrNoInterface},
		{name: "interface is down", radio: radio{refusal: unix.ENETDOWN}, is: ErrDown},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := row.radio
				r.begun, r.ends = time.Now(), make(chan scanEnd, 10)
				r.cells = []BSS{
					{SSID: []byte("fresh"), LastSeen: time.Second},
					{SSID: []byte("stale"), LastSeen: time.Minute},
				}
				ctx := t.Context()
				if row.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, row.limit)
					defer cancel()
				}
				found, err := scan(ctx, &r, 5, row.req)
				if got := strings.Join(r.log, ", "); got != row.want {
					t.Errorf("did %q, want %q", got, row.want)
				}
				if !errors.Is(err, row.is) {
					t.Errorf("error %v, want %v", err, row.is)
				}
				// The cells heard count even if the scan did not end.
				if strings.Contains(row.want, "results") && (len(found) != 1 || string(found[0].SSID) != "fresh") {
					t.Errorf("found %v, want what was heard since the trigger", found)
				}
				time.Sleep(time.Minute) // let the radio's timers end
			})
		})
	}
}

func TestScanOnNoInterface(t *testing.T) {
	if _, err := Scan(t.Context(), ScanRequest{Interface: "no-such-radio"}); !errors.Is(err, ErrNoInterface) {
		t.Errorf("error %v, want ErrNoInterface", err)
	}
}

func TestScanOnTheLoopback(t *testing.T) {
	want := ErrNoInterface // nl80211 does not know it
	if _, err := os.Stat("/sys/class/ieee80211"); err != nil {
		want = ErrNotSupported
	}
	if _, err := Scan(t.Context(), ScanRequest{Interface: "lo"}); !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}
