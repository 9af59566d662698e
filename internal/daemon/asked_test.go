package daemon

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netconnectd/netconnectd/internal/history"
)

// A start_ap command applies in the next run for the time that was left of it.
func TestAskedIsKept(t *testing.T) {
	const before = 5 * time.Minute // since the machine was started
	clock := func(boot string, after time.Duration) history.Clock {
		return history.Clock{Boot: boot, Uptime: func() time.Duration { return before + after }}
	}
	for _, tt := range []struct {
		name   string
		now    history.Clock // of the next run
		left   time.Duration
		change func(file string) error
		fails  bool
	}{
		{name: "at once", now: clock("a", 0), left: time.Hour},
		{name: "later", now: clock("a", 50*time.Minute), left: 10 * time.Minute},
		{name: "when it is over", now: clock("a", 2*time.Hour)},
		{name: "after a boot", now: clock("b", -time.Minute)},
		{name: "nobody asks any more", now: clock("a", 0), change: dropAsked},
		{name: "nobody asks any more, and that twice", now: clock("a", 0), change: func(file string) error {
			if err := dropAsked(file); err != nil {
				return err
			}
			return dropAsked(file)
		}},
		{name: "broken", now: clock("a", 0), change: func(file string) error { return os.WriteFile(file, []byte("{"), 0o600) }, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "asked.json")
			synctest.Test(t, func(t *testing.T) { // where no time passes
				if err := saveAsked(file, clock("a", 0), time.Now().Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
			})
			if tt.change != nil {
				if err := tt.change(file); err != nil {
					t.Fatal(err)
				}
			}
			if left, err := loadAsked(file, tt.now); left != tt.left || (err != nil) != tt.fails {
				t.Errorf("%v left, %v; want %v", left, err, tt.left)
			}
		})
	}
}

// The daemon keeps the time of a start_ap command in its runtime folder, until the
// tear-down.
func TestAskedOfTheRunBefore(t *testing.T) {
	d := idle(t)
	for _, tt := range []struct {
		name string
		do   func() error
		left time.Duration
	}{
		{"somebody asks", func() error { return d.sup.KeepAsked(t.Context(), time.Now().Add(time.Hour)) }, time.Hour},
		{"nobody any more", func() error { return d.sup.KeepAsked(t.Context(), time.Time{}) }, 0},
		{"somebody asks again", func() error { return d.sup.KeepAsked(t.Context(), time.Now().Add(time.Hour)) }, time.Hour},
		{"tear-down", func() error { return TearDown(t.Context(), d.cfg.Load(), d.log) }, 0},
	} {
		if err := tt.do(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if left := d.stillAsked(); left > tt.left || left < tt.left-10*time.Minute {
			t.Errorf("%s: %v left, want %v", tt.name, left, tt.left)
		}
	}
}
