package history

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
)

// device is one that runs, is restarted, loses power, and whose clock jumps.
type device struct {
	t      *testing.T
	path   string
	boot   string
	uptime time.Duration
	clock  time.Time
	log    bytes.Buffer
	*History
}

func newDevice(t *testing.T) *device {
	d := &device{t: t, path: filepath.Join(t.TempDir(), "history.jsonl"), boot: "first", clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	d.start()
	return d
}

func (d *device) start() {
	d.t.Helper()
	log := slog.New(slog.NewTextHandler(&d.log, nil))
	var err error
	if d.History, err = Open(d.path, Clock{Boot: d.boot, Uptime: func() time.Duration { return d.uptime }}, log); err != nil {
		d.t.Fatal(err)
	}
}

func (d *device) reboot(boot string) {
	d.t.Helper()
	d.boot, d.uptime = boot, 0
	d.start()
}

// happens records what happens a second later.
func (d *device) happens(reasons ...string) {
	for _, reason := range reasons {
		d.uptime += time.Second
		d.clock = d.clock.Add(time.Second)
		d.Record(client.Event{Type: client.EventUplink, Time: d.clock, Old: "online", New: "lost", Reason: reason})
	}
	d.Flush()
}

func (d *device) reasons(limit int) string {
	var all []string
	for _, e := range d.Last(limit) {
		all = append(all, e.Reason)
	}
	return strings.Join(all, " ")
}

func (d *device) file() string {
	d.t.Helper()
	data, err := os.ReadFile(d.path)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(data)
}

func (d *device) wants(limit int, want string) {
	d.t.Helper()
	if got := d.reasons(limit); got != want {
		d.t.Errorf("remembers %q, want %q", got, want)
	}
}

func TestRestartsAndReboots(t *testing.T) {
	d := newDevice(t)
	d.wants(0, "")
	d.happens("a", "b")
	d.start()
	d.happens("c")
	d.reboot("second")
	d.happens("d")
	d.wants(0, "a b c d")
	d.wants(2, "c d")
	d.wants(99, "a b c d")
	if info, err := os.Stat(d.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	for i, e := range d.Last(0) {
		if e.Seq != uint64(i+1) {
			t.Errorf("entry %d has seq %d", i, e.Seq)
		}
	}
}

// TestClockJumps checks that the order and the ages of this boot's entries are right
// whatever time the clock showed.
func TestClockJumps(t *testing.T) {
	d := newDevice(t)
	d.happens("before")
	d.reboot("second")
	d.clock = time.Unix(0, 0) // no clock of its own
	d.happens("1970")
	d.clock = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) // by the network
	d.happens("2030")
	d.clock = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d.happens("2026")
	d.start()
	d.uptime += time.Minute
	d.wants(0, "before 1970 2030 2026")
	ages := ""
	for _, e := range d.Last(0) {
		if e.Seconds == nil {
			ages += "? "
		} else {
			ages += fmt.Sprint(*e.Seconds, " ")
		}
	}
	if ages != "? 62 61 60 " {
		t.Errorf("ages %s", ages)
	}
}

func TestUnreadableLines(t *testing.T) {
	for _, tt := range []struct {
		name string
		harm func(file string) string
		want string
		left int // lines that are not understood and stay
	}{
		{"the last line is torn", func(f string) string { return f[:len(f)-20] }, "a b", 0},
		{"the last line lacks its end", func(f string) string { return f[:len(f)-1] }, "a b", 0},
		{"the first line is torn", func(f string) string { return f[20:] }, "b c", 1},
		{"zeros, as file systems leave them after a power loss", func(f string) string { return f + strings.Repeat("\x00", 512) }, "a b c", 0},
		{"a line is there twice", func(f string) string { return f + strings.SplitAfter(f, "\n")[2] }, "a b c", 0},
		{"nothing that we wrote", func(string) string { return "<html>\n{}\n[]\n" }, "", 3},
		{"an entry of another shape", func(f string) string { return `{"seq":1,"type":{"later":1}}` + "\n" + f }, "a b c", 1},
		{"a number that no entry after it reaches", func(f string) string { return strings.Replace(f, `"seq":1`, `"seq":9007199254740992`, 1) }, "a b c", 0},
		{"a number beyond all", func(f string) string { return strings.Replace(f, `"seq":2`, `"seq":18446744073709551615`, 1) }, "a b c", 0},
		{"nothing", func(string) string { return "" }, "", 0},
		{"larger than any that we write", func(f string) string { return strings.Repeat("x", 3*readLimit) + "\n" + f }, "a b c", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDevice(t)
			d.happens("a", "b", "c")
			if err := os.WriteFile(d.path, []byte(tt.harm(d.file())), 0o600); err != nil {
				t.Fatal(err)
			}
			d.start()
			d.wants(0, tt.want)
			d.happens("d")
			d.start()
			want := strings.TrimSpace(tt.want + " d")
			d.wants(0, want)
			if lines := strings.Count(d.file(), "\n"); lines != len(strings.Fields(want))+tt.left {
				t.Errorf("the file is not whole again: %d lines:\n%.2000s", lines, d.file())
			}
		})
	}
}

// TestBound checks that neither memory nor the file grows without bound, and that the
// file is rarely written as a whole.
func TestBound(t *testing.T) {
	d := newDevice(t)
	whole := 0
	var inode uint64
	for i := range 5 * kept {
		d.happens(fmt.Sprint(i))
		var stat unix.Stat_t
		if err := unix.Stat(d.path, &stat); err != nil {
			t.Fatal(err)
		}
		if stat.Ino != inode {
			whole++
		}
		inode = stat.Ino
		if lines := strings.Count(d.file(), "\n"); lines > linesLimit {
			t.Fatalf("%d lines", lines)
		}
	}
	if whole > 1+4 {
		t.Errorf("written as a whole %d times for %d entries", whole, 5*kept)
	}
	d.start()
	if list := d.Last(0); len(list) != kept || list[0].Reason != fmt.Sprint(4*kept) || list[kept-1].Reason != fmt.Sprint(5*kept-1) {
		t.Errorf("%d entries from %s to %s", len(list), list[0].Reason, list[len(list)-1].Reason)
	}
}

// TestFolderThatCannotBeWritten checks that the entries stay in memory, that the
// fault is logged once, and that everything is written when the disk works again.
func TestFolderThatCannotBeWritten(t *testing.T) {
	d := newDevice(t)
	d.happens("a")
	folder := filepath.Dir(d.path)
	if err := os.Rename(folder, folder+".aside"); err != nil { // root may write to a folder of any mode
		t.Fatal(err)
	}
	d.happens("b", "c")
	d.happens("d")
	d.wants(0, "a b c d")
	if n := strings.Count(d.log.String(), "level=ERROR"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, &d.log)
	}
	if err := os.Rename(folder+".aside", folder); err != nil {
		t.Fatal(err)
	}
	d.happens("e")
	if !strings.Contains(d.log.String(), "written again") {
		t.Errorf("log:\n%s", &d.log)
	}
	d.start()
	d.wants(0, "a b c d e")
}

// TestFullDisk checks that half a written line does not spoil the following lines.
func TestFullDisk(t *testing.T) {
	d := newDevice(t)
	d.happens("a")
	full(t, int64(len(d.file()))+10, func() { d.happens("b") })
	if !strings.Contains(d.log.String(), "level=ERROR") || strings.HasSuffix(d.file(), "\n") {
		t.Fatalf("half a line was to be written:\n%s%s", &d.log, d.file())
	}
	torn := d.file()
	d.happens("c")
	d.start()
	d.wants(0, "a b c") // the memory had it

	if err := os.WriteFile(d.path, []byte(torn), 0o600); err != nil {
		t.Fatal(err)
	}
	d.start()
	d.happens("c")
	d.start()
	d.wants(0, "a c")
}

// full limits the size of files (setrlimit(2): RLIMIT_FSIZE), beyond which a
// write is short and then fails.
func full(t *testing.T, size int64, during func()) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: uint64(size), Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
			t.Error(err)
		}
	}()
	during()
}

func TestFileThatCannotBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	h, err := Open(path, Clock{Uptime: func() time.Duration { return 0 }}, slog.New(slog.NewTextHandler(&log, nil)))
	if err == nil {
		t.Fatal("no error")
	}
	h.Record(client.Event{Type: client.EventDaemon, New: client.DaemonStarted})
	h.Flush()
	if len(h.Last(0)) != 1 || !strings.Contains(log.String(), "read the history") {
		t.Errorf("%d entries, log:\n%s", len(h.Last(0)), &log)
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		t.Errorf("it was replaced: %v, %v", info, err)
	}
}

func TestRepeatedFailuresAreOneEntry(t *testing.T) {
	d := newDevice(t)
	failed := func(ssid, code string) client.Event {
		return client.Event{Type: client.EventJoin, Network: &client.Network{SSID: ssid}, New: client.JoinFailed, Code: code, Reason: "why"}
	}
	started := client.Event{Type: client.EventDaemon, New: client.DaemonStarted, Reason: "started"}
	ofAny := failed("", "2")
	ofAny.Network = nil
	for _, e := range []client.Event{
		failed("a", "1"), failed("a", "1"), failed("a", "2"), failed("b", "2"), failed("b", "2"), started, started, failed("b", "2"), ofAny, ofAny,
	} {
		d.Record(e)
	}
	var got []string
	for _, e := range d.Last(0) {
		name := ""
		if e.Network != nil {
			name = e.SSID
		}
		got = append(got, name+e.Code)
	}
	if text := strings.Join(got, " "); text != "a1 a2 b2   b2 2" {
		t.Errorf("remembers %q", text)
	}
}

func TestMachineClock(t *testing.T) {
	clock, err := MachineClock()
	if err != nil || len(clock.Boot) != 36 || clock.Uptime() <= 0 {
		t.Errorf("boot %q, up %v, %v", clock.Boot, clock.Uptime(), err)
	}
}

// TestHistoryFollowsNoLink checks that the folder's owner cannot make us read or
// write another file, or wait at a pipe.
func TestHistoryFollowsNoLink(t *testing.T) {
	folder := t.TempDir()
	other, link, pipe := filepath.Join(folder, "other"), filepath.Join(folder, "link"), filepath.Join(folder, "pipe")
	if err := errors.Join(os.WriteFile(other, []byte("text\n"), 0o600), os.Symlink(other, link), unix.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := readTail(link); !errors.Is(err, unix.ELOOP) {
		t.Errorf("reading: %v", err)
	}
	if err := appendTo(link, []byte("more\n")); !errors.Is(err, unix.ELOOP) {
		t.Errorf("writing: %v", err)
	}
	if data, err := readTail(pipe); len(data) > 0 {
		t.Errorf("reading a pipe: %q, %v", data, err)
	}
	if err := appendTo(pipe, []byte("more\n")); err == nil {
		t.Error("a pipe without a reader takes the history")
	}
}

// What a later version says of an entry beyond what this one knows is still there
// for it when the file has been written anew.
func TestFieldsOfALaterVersionStay(t *testing.T) {
	d := newDevice(t)
	d.happens("a", "b")
	later := strings.Replace(d.file(), `"seq":1,`, `"seq":1,"later":"x",`, 1)
	if err := os.WriteFile(d.path, []byte(later+`{"torn`), 0o600); err != nil {
		t.Fatal(err)
	}
	d.start()
	d.happens("c")
	if !strings.HasPrefix(d.file(), later) || strings.Contains(d.file(), "torn") {
		t.Errorf("the file:\n%s", d.file())
	}
	d.wants(0, "a b c")
}
