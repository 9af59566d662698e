// Package netnstest gives tests a network namespace of their own and runs
// programs there. Only tests import it.
package netnstest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The main thread stays with the main goroutine, which runs no test. In /proc, self
// is that thread. If a test moved it to another network namespace, it would stay
// there, and the process would read that namespace's files.
func init() { runtime.LockOSThread() }

// inside is set in the copy of the test program that runs in a namespace.
const inside = "NETCONNECTD_TEST_NETNS"

// Enter runs the test program again in a network namespace of its own, where the
// program may change everything, and ends with its exit status. In that copy, and
// without root, Enter returns at once. TestMain calls it.
func Enter() {
	if os.Geteuid() != 0 || os.Getenv(inside) != "" {
		return
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		os.Exit(exit.ExitCode())
	case err != nil:
		fmt.Fprintln(os.Stderr, "run the tests in a network namespace:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Need skips a test if Enter could not create a namespace.
func Need(t testing.TB) {
	t.Helper()
	if os.Getenv(inside) == "" {
		t.Skip("needs root, to have a network namespace of its own")
	}
}

// Thread moves one test into an empty network namespace, together with its
// connections and the programs that it starts, but without its subtests. The thread
// ends with the test.
func Thread(t testing.TB) {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs root, to have a network namespace of its own: %v", err)
	}
}

// Run runs a program and returns its output.
func Run(t testing.TB, words ...string) string {
	t.Helper()
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

// Lines runs one program for each line. Empty lines are skipped.
func Lines(t testing.TB, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		if words := strings.Fields(line); len(words) > 0 {
			Run(t, words...)
		}
	}
}
