package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/history"
	"github.com/netconnectd/netconnectd/internal/ownfile"
)

// asked is what a run keeps for the next about the access point of a start_ap
// command: when the access point ends, by the machine's uptime, which no change of
// the date affects.
type asked struct {
	Boot  string        `json:"boot"` // a runtime folder on a disk outlives the boot
	Until time.Duration `json:"until_uptime_ns"`
}

// askedFile returns the path of the file with an asked. The file may stay when the
// time is over, as the file itself contains that time.
func askedFile(runtimeDir string) string { return filepath.Join(runtimeDir, "asked.json") }

// keepAsked implements supervisor.Config.KeepAsked.
func (d *daemon) keepAsked(_ context.Context, until time.Time) error {
	file := askedFile(d.cfg.Load().RuntimeDir)
	if until.IsZero() {
		return dropAsked(file)
	}
	clock, err := history.MachineClock()
	if err != nil {
		return err
	}
	return saveAsked(file, clock, until)
}

// maxKept is far above the size of any file that a run keeps for the next.
const maxKept = 64 << 10

func saveAsked(file string, clock history.Clock, until time.Time) error {
	data, err := json.Marshal(asked{Boot: clock.Boot, Until: clock.Uptime() + time.Until(until)})
	if err != nil {
		return fmt.Errorf("note how long the access point is asked for: %w", err)
	}
	return atomicfile.Write(file, data, 0o600)
}

func dropAsked(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget how long the access point is asked for: %w", err)
	}
	return nil
}

// loadAsked returns how much longer a start_ap command applies; 0: there is none.
func loadAsked(file string, clock history.Clock) (time.Duration, error) {
	var kept asked
	err := ownfile.ReadJSON(file, maxKept, &kept)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read how long the access point is asked for: %w", err)
	}
	if kept.Boot != clock.Boot {
		return 0, nil
	}
	return max(0, kept.Until-clock.Uptime()), nil
}

// stillAsked returns how much longer a start_ap command of the previous run
// applies. It returns 0 if that cannot be found out.
func (d *daemon) stillAsked() time.Duration {
	clock, err := history.MachineClock()
	if err == nil {
		var left time.Duration
		if left, err = loadAsked(askedFile(d.cfg.Load().RuntimeDir), clock); err == nil {
			return left
		}
	}
	d.log.Warn("find out whether somebody asked for the access point", "err", err)
	return 0
}
