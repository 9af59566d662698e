package daemon

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// TestRest checks that memory is released 20 s after the daemon was last busy, and
// every 110 s from then on.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &daemon{busy: make(chan struct{}, 1)}
		go d.releaseMemory(t.Context())
		start, before := time.Now(), collections()
		for _, step := range []struct {
			at   time.Duration
			busy bool
			want uint32
		}{
			{at: 15 * time.Second, busy: true, want: 0},
			{at: 34 * time.Second, want: 0},
			{at: 36 * time.Second, want: 1},
			{at: 144 * time.Second, want: 1},
			{at: 146 * time.Second, want: 2},
			{at: 200 * time.Second, busy: true, want: 2},
			{at: 219 * time.Second, want: 2},
			{at: 221 * time.Second, want: 3},
		} {
			time.Sleep(time.Until(start.Add(step.at)))
			synctest.Wait()
			if got := collections() - before; got != step.want {
				t.Errorf("after %v memory was given back %d times, want %d", step.at, got, step.want)
			}
			if step.busy {
				nudge(d.busy)
			}
		}
	})
}

// collections returns the number of forced collections; debug.FreeOSMemory forces one.
func collections() uint32 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.NumForcedGC
}
