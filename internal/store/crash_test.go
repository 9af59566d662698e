package store

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// savingEnv names the store to which the test binary saves office instead of running
// tests.
const savingEnv = "NETCONNECTD_TEST_SAVE"

// init keeps all system calls of a save on the thread that is traced.
func init() {
	if os.Getenv(savingEnv) != "" {
		runtime.LockOSThread()
	}
}

func TestMain(m *testing.M) {
	if path := os.Getenv(savingEnv); path != "" {
		save(path)
		return
	}
	os.Exit(m.Run())
}

// save stops its own process just before it saves.
func save(path string) {
	s, err := Open(path)
	if err == nil {
		err = unix.Kill(os.Getpid(), unix.SIGSTOP)
	}
	if err == nil {
		err = s.SetCandidate(office)
	}
	if err != nil {
		panic(err)
	}
}

// TestKilledAtEverySystemCall kills a process before and after each system call of a
// save. The next process must find either the previous content or the saved one, and
// no other file beside it.
func TestKilledAtEverySystemCall(t *testing.T) {
	runtime.LockOSThread() // ptrace(2) requires that one thread sends all requests
	defer runtime.UnlockOSThread()
	before, after := 0, 0
	for stops := 1; ; stops++ {
		_, path := saved(t, home)
		killed := saveUntil(t, path, stops)
		s := mustOpen(t, path)
		if diff := cmp.Diff([]Network{home}, s.Networks(), sameNetwork); diff != "" {
			t.Fatalf("killed at stop %d: networks (-want +got):\n%s", stops, diff)
		}
		switch candidate, ok := s.Candidate(); {
		case !ok:
			before++
		case cmp.Equal(candidate, office, sameNetwork):
			after++
		default:
			t.Fatalf("killed at stop %d: candidate %+v", stops, candidate)
		}
		if all, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); err != nil || len(all) > 0 {
			t.Fatalf("killed at stop %d: left %v, %v", stops, all, err)
		}
		if !killed {
			break
		}
	}
	t.Logf("killed %d times before and %d times after the file was replaced", before, after)
	if before < 10 || after < 2 {
		t.Errorf("killed %d times before and %d times after the file was replaced, which cannot be all", before, after)
	}
}

// saveUntil runs a process that saves, and kills it at its stop number stops, which
// is the entry or the exit of a system call. It reports whether the process was
// killed, rather than finished.
func saveUntil(t *testing.T, path string, stops int) (killed bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), savingEnv+"="+path)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &unix.SysProcAttr{Ptrace: true}
	must(t, cmd.Start())
	pid, saving := cmd.Process.Pid, false
	for {
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
			t.Fatal(err)
		}
		if status.Exited() {
			if status.ExitStatus() != 0 {
				t.Fatalf("the save ended with status %d", status.ExitStatus())
			}
			return false
		}
		signal := 0
		switch {
		case status.StopSignal() == unix.SIGSTOP:
			saving = true
		case status.StopSignal() != unix.SIGTRAP: // a signal of the Go runtime
			signal = int(status.StopSignal())
		case saving:
			stops--
		}
		if stops == 0 {
			must(t, unix.Kill(pid, unix.SIGKILL))
			_, err := unix.Wait4(pid, &status, unix.WALL, nil)
			must(t, err)
			return true
		}
		resume := unix.PtraceCont
		if saving {
			resume = unix.PtraceSyscall
		}
		must(t, resume(pid, signal))
	}
}
