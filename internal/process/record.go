package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/ownfile"
)

const recordSuffix = ".json"

// maxRecord is far above the size of a record.
const maxRecord = 4096

// record is what the next daemon needs to recognise a child.
type record struct {
	Role      string `json:"role"`
	PID       int    `json:"pid"`
	StartTime uint64 `json:"start_time"` // field 22 of /proc/PID/stat, clock ticks since boot
	Hash      string `json:"hash"`
	Output    string `json:"output"` // name of its output pipe in /proc/PID/fd
}

func readRecord(path string) (record, error) {
	var rec record
	if err := ownfile.ReadJSON(path, maxRecord, &rec); err != nil {
		return record{}, err
	}
	return rec, nil
}

func (rec record) write(path string) error {
	data, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return atomicfile.Write(path, append(data, '\n'), 0o600)
}

func removeRecord(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove record of a child: %w", err)
	}
	return nil
}

// forget removes a child's record, unless the record belongs to a newer child by now.
func (r *Runner) forget(c *Child) error {
	r.mu.Lock()
	if r.children[c.role] == c {
		delete(r.children, c.role)
	}
	r.mu.Unlock()
	path := r.recordPath(c.role)
	if rec, err := readRecord(path); err == nil && (rec.PID != c.pid || rec.StartTime != c.start) {
		return nil
	}
	return removeRecord(path)
}

func (r *Runner) recordDir() string { return filepath.Join(r.Dir, "children") }

func (r *Runner) recordPath(role string) string {
	return filepath.Join(r.recordDir(), role+recordSuffix)
}
