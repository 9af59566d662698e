package process

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/timetest"
)

func TestChildIsAliveUntilEnded(t *testing.T) {
	r := newRunner(t, t.TempDir())
	c, adopted := ensure(t, r, playing("one", "sleep"))
	if adopted || !c.Alive() || c.Err() != nil || c.Hash() != "h" {
		t.Fatalf("new child: adopted %v, alive %v, err %v, hash %q", adopted, c.Alive(), c.Err(), c.Hash())
	}
	var rec record
	data, err := os.ReadFile(filepath.Join(r.Dir, "children", "one.json"))
	if err != nil || json.Unmarshal(data, &rec) != nil || rec.PID != c.PID() || rec.StartTime == 0 {
		t.Fatalf("record %s, err %v", data, err)
	}
	for range 2 { // ending is idempotent
		if err := c.End(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	<-c.Done()
	if c.Alive() || c.Err() == nil || !gone(c.PID()) {
		t.Errorf("ended child: alive %v, err %v", c.Alive(), c.Err())
	}
	if _, err := os.Stat(r.recordPath("one")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("record after the end: %v", err)
	}
}

func TestEnsure(t *testing.T) {
	other := func(s Spec) Spec { s.Hash = "other"; return s }
	for _, tt := range []struct {
		name    string
		between func(t *testing.T, r *Runner, first *Child) *Runner
		second  func(Spec) Spec
		same    bool
	}{
		{name: "the same runner keeps it", same: true},
		{name: "another runner adopts it", between: anotherRunner, same: true},
		{name: "another hash replaces it", second: other},
		{name: "another hash replaces it for another runner", between: anotherRunner, second: other},
		{name: "one that was killed is started again", between: killed},
		{name: "one whose record has another start time is not trusted", between: forgedRecord},
		{name: "one without a record is not trusted", between: lostRecord},
		{name: "one with a damaged record is not trusted", between: damagedRecord},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRunner(t, t.TempDir())
			spec := playing("one", "sleep")
			first, _ := ensure(t, r, spec)
			if tt.between != nil {
				r = tt.between(t, r, first)
			}
			if tt.second != nil {
				spec = tt.second(spec)
			}
			second, adopted := ensure(t, r, spec)
			if same := second.PID() == first.PID(); same != tt.same || adopted != tt.same {
				t.Errorf("same process %v, adopted %v, want %v", same, adopted, tt.same)
			}
			if !second.Alive() || second.Hash() != spec.Hash {
				t.Errorf("second: alive %v, hash %q", second.Alive(), second.Hash())
			}
			if !tt.same {
				within(t, time.Second, "the first is gone", func() bool { return gone(first.PID()) })
			}
		})
	}
}

func TestOutputNeedsNoDaemon(t *testing.T) {
	r := newRunner(t, t.TempDir())
	startByDaemon(t, r.Dir, "chatter")
	time.Sleep(100 * time.Millisecond) // no process reads the output
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	r.Output = writer
	adoption := time.Now().UnixMilli()
	c, adopted := ensure(t, r, playing("one", "chatter"))
	if !adopted {
		t.Fatal("not adopted")
	}
	var printed int64
	line, err := bufio.NewReader(reader).ReadString('\n')
	if _, scanErr := fmt.Sscanf(line, "one: %d\n", &printed); scanErr != nil || err != nil {
		t.Fatalf("first line %q, %v, %v", line, err, scanErr)
	}
	if early := adoption - printed; early < 50 {
		t.Errorf("the first line was printed %d ms before the adoption, want nearly 100", early)
	}
	if !c.Alive() {
		t.Errorf("the child ended: %v", c.Err())
	}
	r.Output = nil
	c.out.Close()
}

func TestFullOutputPipeDoesNotStopTheChild(t *testing.T) {
	out, err := newOutput()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	fd, err := unix.Dup(int(out.child.Fd())) // as the child has it
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := out.handOver(); err != nil {
		t.Fatal(err)
	}
	for chunk := make([]byte, 4096); err == nil; _, err = unix.Write(fd, chunk) {
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Errorf("write to a full pipe: %v, want EAGAIN", err)
	}
}

func TestLastWords(t *testing.T) {
	r := newRunner(t, t.TempDir())
	c, _ := ensure(t, r, playing("one", "complain"))
	<-c.Done()
	if got := c.LastOutput(); !slices.Equal(got, []string{"first line", "cannot do it"}) {
		t.Errorf("last output %q", got)
	}
	if want := fmt.Sprintf("one (pid %d): exit status 3: cannot do it", c.PID()); c.Err().Error() != want {
		t.Errorf("got  %v\nwant %s", c.Err(), want)
	}
}

func TestEnd(t *testing.T) {
	for _, tt := range []struct {
		name, part string
		before     func(t *testing.T, c *Child)
		timeout    time.Duration
		min, max   time.Duration
	}{
		{name: "at once", part: "sleep", max: time.Second},
		{name: "stopped by somebody", part: "orderly", before: stop, max: grace - time.Second/2},
		{name: "ignores SIGTERM", part: "stubborn", before: ready, min: grace, max: grace + time.Second},
		{name: "ignores SIGTERM and the caller's time is short", part: "stubborn", before: ready,
			timeout: 200 * time.Millisecond, min: 200 * time.Millisecond, max: time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			timetest.InTime(t, tt.min, tt.max, func() time.Duration {
				c, _ := ensure(t, newRunner(t, t.TempDir()), playing("one", tt.part))
				if tt.before != nil {
					tt.before(t, c)
				}
				begin := time.Now() // and only then the caller's time
				ctx := t.Context()
				if tt.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.timeout)
					defer cancel()
				}
				if err := c.End(ctx); err != nil {
					t.Fatal(err)
				}
				took := time.Since(begin)
				if !gone(c.PID()) {
					t.Error("still there")
				}
				return took
			})
		})
	}
}

func stop(t *testing.T, c *Child) {
	ready(t, c)
	if err := unix.Kill(c.PID(), unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}

func ready(t *testing.T, c *Child) {
	within(t, 5*time.Second, "ready", func() bool { return slices.Contains(c.LastOutput(), "ready") })
}

func TestWhatAChildLeavesBehindIsEnded(t *testing.T) {
	r := newRunner(t, t.TempDir())
	c, _ := ensure(t, r, playing("one", "parent"))
	within(t, 5*time.Second, "grandchild", func() bool { return len(c.LastOutput()) == 1 })
	grandchild, err := strconv.Atoi(c.LastOutput()[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := c.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	within(t, time.Second, "grandchild gone", func() bool { return gone(grandchild) })
}

func TestEndOfARole(t *testing.T) {
	dir := t.TempDir()
	old := newRunner(t, dir)
	kept, _ := ensure(t, old, playing("kept", "sleep"))
	recorded, _ := ensure(t, old, playing("recorded", "sleep"))
	unrecorded, _ := ensure(t, old, playing("unrecorded", "sleep"))
	if err := os.Remove(old.recordPath("unrecorded")); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"recorded", "unrecorded", "none"} {
		if err := newRunner(t, dir).End(t.Context(), role); err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
	for c, want := range map[*Child]bool{kept: true, recorded: false, unrecorded: false} {
		if c.Alive() != want {
			t.Errorf("%s: alive %v, want %v", c.role, c.Alive(), want)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "children", "*"))
	if err != nil || !slices.Equal(left, []string{old.recordPath("kept")}) {
		t.Errorf("records left: %q, err %v", left, err)
	}
}

func TestEndAll(t *testing.T) {
	dir := t.TempDir()
	old, neighbour := newRunner(t, dir), newRunner(t, t.TempDir())
	recorded, _ := ensure(t, old, playing("recorded", "sleep"))
	unrecorded, _ := ensure(t, old, playing("unrecorded", "sleep"))
	other, _ := ensure(t, neighbour, playing("recorded", "sleep"))
	if err := os.Remove(old.recordPath("unrecorded")); err != nil {
		t.Fatal(err)
	}
	if err := (record{Role: "stale", PID: 1 << 22, StartTime: 1}).write(old.recordPath("stale")); err != nil {
		t.Fatal(err)
	}
	if err := newRunner(t, dir).EndAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	for c, want := range map[*Child]bool{recorded: false, unrecorded: false, other: true} {
		if c.Alive() != want {
			t.Errorf("%s in %s: alive %v, want %v", c.role, c.runner.Dir, c.Alive(), want)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "children", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("records left: %q, err %v", left, err)
	}
}

func TestCloseLeavesChildrenAlone(t *testing.T) {
	dir := t.TempDir()
	first := &Runner{Dir: dir}
	c, _ := ensure(t, first, playing("one", "sleep"))
	first.Close() // returns only when nothing watches any more
	if gone(c.PID()) {
		t.Error("the child is gone")
	}
	if again, adopted := ensure(t, newRunner(t, dir), playing("one", "sleep")); !adopted || again.PID() != c.PID() {
		t.Error("the child was not adopted")
	}
}

func TestChildIsDetached(t *testing.T) {
	t.Setenv("SECRET_OF_THE_DAEMON", "x")
	r := newRunner(t, t.TempDir())
	c, _ := ensure(t, r, playing("one", "sleep"))
	if sid, err := unix.Getsid(c.PID()); err != nil || sid != c.PID() {
		t.Errorf("session %d, err %v; want one of its own", sid, err)
	}
	if stdin, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/0", c.PID())); err != nil || stdin != "/dev/null" {
		t.Errorf("stdin %q, err %v", stdin, err)
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", c.PID()))
	if err != nil || bytes.Contains(environ, []byte("SECRET_OF_THE_DAEMON")) {
		t.Errorf("environment %q, err %v", environ, err)
	}
	// One of a library, which is being loaded, goes; one that leaks stays.
	want := inheritable(t)
	var got []int
	if !becomes(5*time.Second, func() bool { got = descriptors(t, c.PID()); return slices.Equal(got, want) }) {
		t.Errorf("descriptors %v, want %v", got, want)
	}
}

// inheritable lists 0 to 2 and the descriptors that the test's own parent passes on
// to every program.
func inheritable(t *testing.T) []int {
	fds := []int{0, 1, 2}
	for _, fd := range descriptors(t, os.Getpid()) {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && fd > 2 && flags&unix.FD_CLOEXEC == 0 {
			fds = append(fds, fd)
		}
	}
	return fds
}

func descriptors(t *testing.T, pid int) []int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	var fds []int
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		fds = append(fds, fd)
	}
	slices.Sort(fds)
	return fds
}

func TestEnsureRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		spec Spec
		want string
	}{
		{"a role that is a path", Spec{Role: "../x", Path: "/bin/sleep"}, `role "../x" is not a plain name`},
		{"a program that is not there", Spec{Role: "one", Path: "/nonexistent/hostapd"}, "start one: fork/exec /nonexistent/hostapd: no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRunner(t, t.TempDir())
			_, _, err := r.Ensure(t.Context(), tt.spec)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestParseStartTime(t *testing.T) {
	after := " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21\n"
	for _, tt := range []struct {
		name, stat string
		want       uint64
		ok         bool
	}{
		{"plain", "12 (sleep)" + after, 4711, true},
		{"name with spaces", "12 (a b c)" + after, 4711, true},
		{"name with parentheses", "12 (x) S 1 (y))" + after, 4711, true},
		{"too short", "12 (sleep) S 1 2", 0, false},
		{"empty", "", 0, false},
		{"not a number", "12 (sleep)" + strings.Replace(after, "4711", "x", 1), 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseStartTime([]byte(tt.stat))
			if got != tt.want || (err == nil) != tt.ok {
				t.Errorf("got %d, err %v", got, err)
			}
		})
	}
}
