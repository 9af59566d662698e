package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// inNamespace tells the copy of the test program that it runs in a network
// namespace of its own, where it may change everything.
const inNamespace = "NETCONNECTD_TEST_NETNS"

func TestMain(m *testing.M) {
	if os.Geteuid() == 0 && os.Getenv(inNamespace) == "" {
		os.Exit(again())
	}
	goleak.VerifyTestMain(m)
}

func again() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, "run the tests in a network namespace:", err)
		return 1
	}
	return 0
}

func needNamespace(t *testing.T) {
	t.Helper()
	if os.Getenv(inNamespace) == "" {
		t.Skip("needs root, to have a network namespace of its own")
	}
}

// ip runs ip(8) and gives its output.
func ip(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// ipAll runs one ip(8) command for each line.
func ipAll(t *testing.T, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		if fields := strings.Fields(line); len(fields) > 0 {
			ip(t, fields...)
		}
	}
}

// ipJSON reads what ip(8) says with -j.
func ipJSON[T any](t *testing.T, args ...string) T {
	t.Helper()
	var out T
	text := ip(t, append([]string{"-j", "-d"}, args...)...)
	if strings.TrimSpace(text) == "" {
		return out
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("ip %v: %v in %s", args, err, text)
	}
	return out
}

// cable makes two connected interfaces and removes them after the test.
func cable(t *testing.T, a, b string) {
	t.Helper()
	needNamespace(t)
	ip(t, "link", "add", a, "type", "veth", "peer", "name", b)
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", a).Run() })
}

// peer makes a network namespace for the far end of a cable, as a process that
// does nothing in it, and gives a function that runs ip(8) there.
func peer(t *testing.T, end string) func(args ...string) {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	pid := fmt.Sprint(cmd.Process.Pid)
	ip(t, "link", "set", end, "netns", pid)
	return func(args ...string) {
		t.Helper()
		out, err := exec.Command("nsenter", append([]string{"-t", pid, "-n", "ip"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("peer: ip %v: %v: %s", args, err, out)
		}
	}
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// asDaemon runs one test again as the daemon runs: without root, with the
// capabilities that its unit leaves it.
func asDaemon(t *testing.T, test string) {
	t.Helper()
	needNamespace(t)
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+test+"$", "-test.v")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
		AmbientCaps: []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW},
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+test) {
		t.Errorf("%s without root: %v\n%s", test, err, out)
	}
}
