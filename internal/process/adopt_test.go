package process

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/timetest"
)

func anotherRunner(t *testing.T, r *Runner, _ *Child) *Runner { return newRunner(t, r.Dir) }

func killed(t *testing.T, r *Runner, c *Child) *Runner {
	if err := unix.Kill(c.PID(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	return newRunner(t, r.Dir)
}

func forgedRecord(t *testing.T, r *Runner, c *Child) *Runner {
	rec := record{Role: "one", PID: c.PID(), StartTime: c.start + 1, Hash: "h"}
	if err := rec.write(r.recordPath("one")); err != nil {
		t.Fatal(err)
	}
	return newRunner(t, r.Dir)
}

func lostRecord(t *testing.T, r *Runner, _ *Child) *Runner {
	if err := os.Remove(r.recordPath("one")); err != nil {
		t.Fatal(err)
	}
	return newRunner(t, r.Dir)
}

func damagedRecord(t *testing.T, r *Runner, _ *Child) *Runner {
	if err := os.WriteFile(r.recordPath("one"), []byte(`{"pid":`), 0o600); err != nil {
		t.Fatal(err)
	}
	return newRunner(t, r.Dir)
}

func TestReusedPidIsNotTouched(t *testing.T) {
	stranger := exec.Command("/bin/sleep", "60")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer stranger.Wait()
	defer stranger.Process.Kill()
	r := newRunner(t, t.TempDir())
	rec := record{Role: "one", PID: stranger.Process.Pid, StartTime: 1, Hash: "h"}
	if err := rec.write(r.recordPath("one")); err != nil {
		t.Fatal(err)
	}
	c, adopted := ensure(t, r, playing("one", "sleep"))
	if adopted || c.PID() == stranger.Process.Pid {
		t.Error("a stranger was adopted")
	}
	if err := r.EndAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if gone(stranger.Process.Pid) {
		t.Error("a stranger was ended")
	}
}

// startByDaemon has a process of its own start a child and end, and returns
// the orphan's pid.
func startByDaemon(t *testing.T, dir, part string) int {
	t.Helper()
	out, err := exec.Command(os.Args[0], "play", "daemon", dir, part).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// TestChildOutlivesTheDaemonAndIsAdopted also checks that the child's death is
// noticed at once.
func TestChildOutlivesTheDaemonAndIsAdopted(t *testing.T) {
	timetest.InTime(t, 0, time.Second, func() time.Duration {
		r := newRunner(t, t.TempDir())
		pid := startByDaemon(t, r.Dir, "sleep")
		c, adopted := ensure(t, r, playing("one", "sleep"))
		if !adopted || c.PID() != pid {
			t.Fatalf("adopted %v, pid %d, want %d", adopted, c.PID(), pid)
		}
		begin := time.Now()
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		select {
		case <-c.Done():
		case <-time.After(20 * time.Second):
			t.Fatal("the death of an adopted child went unnoticed")
		}
		took := time.Since(begin)
		if c.Err() == nil {
			t.Error("no reason given")
		}
		return took
	})
}

// A record that another user has written would have root end any process.
func TestRecordOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("gives a file to another user; needs root")
	}
	r := newRunner(t, t.TempDir())
	c, _ := ensure(t, r, playing("one", "sleep"))
	for _, uid := range []int{0, 1000} {
		if err := os.Chown(r.recordPath("one"), uid, uid); err != nil {
			t.Fatal(err)
		}
		if found, ok := newRunner(t, r.Dir).Find("one"); ok != (uid == 0) {
			t.Errorf("by the record of user %d: found %v (pid %d is ours)", uid, found, c.PID())
		}
	}
}
