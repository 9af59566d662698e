package netnstest

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netns"
)

// Namespace is another network namespace, such as that of the machine at the other
// end of a cable.
type Namespace struct {
	PID int // the process that keeps the namespace alive

	t testing.TB
}

// Another makes a network namespace that lasts as long as the test. Without root
// the test is skipped.
func Another(t testing.TB) *Namespace {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make a network namespace")
	}
	keeper := exec.Command("sleep", "infinity")
	keeper.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := keeper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = keeper.Process.Kill()
		_ = keeper.Wait()
	})
	return &Namespace{PID: keeper.Process.Pid, t: t}
}

// String returns the name of the namespace in ip(8)'s "ip link set NAME netns PID".
func (n *Namespace) String() string { return strconv.Itoa(n.PID) }

// Command returns a program that will run in the namespace.
func (n *Namespace) Command(words ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"-n", "-t", n.String(), "--"}, words...)...)
}

// Run runs a program in the namespace and returns its output.
func (n *Namespace) Run(words ...string) string {
	n.t.Helper()
	out, err := n.Command(words...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s: %v: %s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

// Do calls f on a thread in the namespace. Sockets that f opens stay in the
// namespace.
func (n *Namespace) Do(f func() error) {
	n.t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // stays locked: the thread ends with the goroutine
		there, err := netns.GetFromPid(n.PID)
		if err == nil {
			err = errors.Join(netns.Set(there), there.Close())
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		n.t.Fatal(err)
	}
}
