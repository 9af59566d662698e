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

// mode keeps other users from reading where the device has been.
const mode = 0o600

// readLimit is above the size of any file that we wrote. Of a larger file, only the
// end is read.
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

// line is a line of the file: an entry, or a line that was not understood. The latter
// stays in the file unchanged until it is older than all entries that are kept.
type line struct {
	client.HistoryEntry
	text []byte // as it was read; nil: recorded by this run
}

// maxSeq is the highest number up to which a JSON reader with float64 can count. No
// device has had so many entries.
const maxSeq = 1 << 53

// mostLine is the longest line that is kept without being understood. An entry has
// some hundred bytes.
const mostLine = 4 << 10

// decode reads the lines of the file. Entries whose numbers do not grow are numbered
// anew, as one bad number must not cost all entries after it. changed is true if the
// file has to be written anew: an entry was there twice or has another number now, or
// a line was dropped that is far too long or that a power loss has torn.
func decode(data []byte) (lines []line, changed bool) {
	last := uint64(0)
	for text := range bytes.Lines(data) {
		n := len(lines)
		torn := !bytes.HasSuffix(text, []byte("\n"))
		if torn || len(text) > mostLine || n > 0 && bytes.Equal(lines[n-1].text, text) {
			changed = true
			continue
		}
		var e client.HistoryEntry
		if err := json.Unmarshal(text, &e); err != nil || e.Type == "" {
			lines = append(lines, line{text: bytes.Clone(text)})
			continue
		}
		if e.Seq <= last || e.Seq >= maxSeq {
			e.Seq, changed = last+1, true
			lines = append(lines, line{HistoryEntry: e})
		} else {
			lines = append(lines, line{e, bytes.Clone(text)})
		}
		last = e.Seq
	}
	return lines, changed
}

func (l line) understood() bool { return l.Type != "" }

// encode returns the lines as text. Lines that were read stay as they were, as they
// may have fields of a later version.
func encode(lines []line) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, l := range lines {
		if l.text != nil {
			b.Write(l.text)
			continue
		}
		// Encoding fails only for a year after 9999, which no kernel's clock reaches
		// (ktime_t ends in 2262).
		_ = e.Encode(l.HistoryEntry)
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

// MachineClock returns the machine's clock.
func MachineClock() (Clock, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id") // random(4)
	if err != nil {
		return Clock{Uptime: uptime}, fmt.Errorf("read the boot id: %w", err)
	}
	return Clock{Boot: strings.TrimSpace(string(id)), Uptime: uptime}, nil
}

// uptime returns the time since the boot, including time in suspend (CLOCK_BOOTTIME,
// clock_gettime(2)).
func uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0 // Linux has it since 2.6.39
	}
	return time.Duration(t.Nano())
}
