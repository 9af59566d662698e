// Package history keeps the latest events across restarts and reboots, in one file of
// JSON lines.
package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/atomicfile"
)

const (
	// kept is how many entries are kept: some weeks of a device that has a problem
	// each day, and 100 KB.
	kept = 500

	// linesLimit is how many lines the file may have before it is written anew with
	// the kept entries, which happens once per kept entries recorded.
	linesLimit = 2 * kept
)

// History holds the entries in memory and in a file. Neither Record nor Last waits
// for the disk, as Run writes the file. Entries that cannot be written, on a read-only
// or full disk, stay in memory and are written with the next entry that can be.
type History struct {
	path  string
	clock Clock
	log   *slog.Logger
	hint  chan struct{} // there is something to write

	mu      sync.Mutex
	entries []line // the oldest first; elements never change

	writing sync.Mutex // guards the fields below; held during a write
	saved   uint64     // Seq of the last entry in the file
	lines   int        // of the file
	broken  bool       // the file has other lines than these, so it is written anew
	failing bool       // the last write failed, which was logged
	refuse  error      // why the file must not be touched, or nil
}

// Open reads the file at path, which only this process may use. A line that is not
// understood is skipped and stays in the file until it is older than all kept entries.
// A last line that a power loss has torn is dropped. The History can be used even
// after an error: it is then empty, and a file that could not be read stays as it is.
func Open(path string, clock Clock, log *slog.Logger) (*History, error) {
	h := &History{path: path, clock: clock, log: log, hint: make(chan struct{}, 1)}
	data, err := readTail(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.refuse = fmt.Errorf("read the history: %w", err)
		return h, h.refuse
	}
	h.entries, h.broken = decode(data)
	h.lines, h.saved = len(h.entries), newest(h.entries).Seq
	h.entries = last(h.entries, kept)
	return h, nil
}

// Record adds an event; a zero Time stands for now. Repeated failures to join the same
// network, for the same reason and with no other event in between, are one entry.
func (h *History) Record(e client.Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	now := client.HistoryEntry{Boot: h.clock.Boot, Uptime: int64(h.clock.Uptime().Seconds()), Event: e}
	h.mu.Lock()
	before := newest(h.entries)
	if repeats(before.Event, e) {
		h.mu.Unlock()
		return
	}
	now.Seq = before.Seq + 1
	h.entries = last(append(h.entries, line{HistoryEntry: now}), kept)
	h.mu.Unlock()
	select {
	case h.hint <- struct{}{}:
	default:
	}
}

func repeats(before, e client.Event) bool {
	var of, ofBefore client.Network // zero: any saved network
	if e.Network != nil {
		of = *e.Network
	}
	if before.Network != nil {
		ofBefore = *before.Network
	}
	return e.Type == client.EventJoin && before.Type == e.Type && before.New == e.New && before.Code == e.Code &&
		before.Reason == e.Reason && ofBefore == of
}

// Last returns the last limit entries, or all for 0, the oldest first.
func (h *History) Last(limit int) []client.HistoryEntry {
	if limit == 0 {
		limit = kept
	}
	h.mu.Lock()
	all := make([]client.HistoryEntry, 0, len(h.entries))
	for _, l := range h.entries {
		if l.understood() {
			all = append(all, l.HistoryEntry)
		}
	}
	h.mu.Unlock()
	list := last(all, limit)
	uptime := int64(h.clock.Uptime().Seconds())
	for i := range list {
		if list[i].Boot == h.clock.Boot {
			list[i].Seconds = new(max(0, uptime-list[i].Uptime))
		}
	}
	return list
}

// newest returns the last entry, or a zero entry if there is none.
func newest(lines []line) client.HistoryEntry {
	for _, l := range slices.Backward(lines) {
		if l.understood() {
			return l.HistoryEntry
		}
	}
	return client.HistoryEntry{}
}

// last returns the last n elements of a list. The result shares the list's memory.
func last[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// Run writes the recorded entries to the file until ctx ends.
func (h *History) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.hint:
			h.Flush()
		}
	}
}

// Flush writes the entries that are not in the file yet. A failure is logged only
// once until a write succeeds again.
func (h *History) Flush() {
	h.writing.Lock()
	defer h.writing.Unlock()
	err := h.write()
	switch {
	case err != nil && !h.failing:
		h.log.Error("write the history; it is kept in memory", "err", err)
	case err == nil && h.failing:
		h.log.Info("the history is written again", "file", h.path)
	}
	h.failing = err != nil
}

// write appends to the file, without fsync: an entry is not worth the wear of a flash
// card, which rewrites a block of megabytes for each fsync. The kernel writes the
// entry within 30 s (vm.dirty_expire_centisecs); a power loss before that loses it.
func (h *History) write() error {
	if h.refuse != nil {
		return h.refuse
	}
	h.mu.Lock()
	all := slices.Clone(h.entries)
	h.mu.Unlock()
	first := len(all)
	for first > 0 && all[first-1].Seq > h.saved {
		first--
	}
	fresh := all[first:]
	if len(fresh) == 0 && !h.broken {
		return nil
	}
	if h.broken || h.lines+len(fresh) > linesLimit {
		if err := atomicfile.Write(h.path, encode(all), mode); err != nil {
			return err
		}
		h.lines, h.broken = len(all), false
	} else {
		if err := appendTo(h.path, encode(fresh)); err != nil {
			h.broken = true // the file may have a part of the lines
			return err
		}
		h.lines += len(fresh)
	}
	h.saved = newest(all).Seq
	return nil
}

// Clock returns the time of events.
type Clock struct {
	Boot   string               // id of the current boot
	Uptime func() time.Duration // time since the boot, which no change of the date affects
}
