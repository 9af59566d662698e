package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
)

// mode lets nobody else read where the device has been.
const mode = 0o600

// readLimit is more than a file has that we wrote; of another one its end counts.
const readLimit = 1 << 20

func readTail(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if skip := info.Size() - readLimit; skip > 0 {
		if _, err := f.Seek(skip, io.SeekStart); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(f, readLimit))
}

// decode reads the lines that are entries, in an order that grows.
func decode(data []byte) (entries []client.HistoryEntry, lines int, broken bool) {
	for line := range bytes.Lines(data) {
		lines++
		var e client.HistoryEntry
		err := json.Unmarshal(line, &e)
		torn := !bytes.HasSuffix(line, []byte("\n"))
		n := len(entries)
		if err != nil || torn || e.Type == "" || n > 0 && e.Seq <= entries[n-1].Seq {
			broken = true
			continue
		}
		entries = append(entries, e)
	}
	return entries, lines, broken
}

func encode(entries []client.HistoryEntry) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, entry := range entries {
		// Only a year after 9999 cannot be encoded, which no kernel's clock has
		// (ktime_t ends in 2262).
		_ = e.Encode(entry)
	}
	return b.Bytes()
}

func appendTo(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// MachineClock is the machine's own.
func MachineClock() (Clock, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id") // random(4)
	if err != nil {
		return Clock{Uptime: uptime}, fmt.Errorf("read the boot id: %w", err)
	}
	return Clock{Boot: strings.TrimSpace(string(id)), Uptime: uptime}, nil
}

// uptime counts suspended time, too (CLOCK_BOOTTIME, clock_gettime(2)).
func uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0 // Linux has it since 2.6.39
	}
	return time.Duration(t.Nano())
}
