package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inNamespace tells the copy of the test program that it runs in a network
// namespace of its own, where it may change everything.
const inNamespace = "NETCONNECTD_TEST_NETNS"

func TestMain(m *testing.M) {
	if os.Geteuid() == 0 && os.Getenv(inNamespace) == "" {
		os.Exit(again())
	}
	if os.Getenv(watcherEnv) != "" {
		os.Exit(watchOnly())
	}
	os.Exit(m.Run())
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

// runAll runs one command of iproute2 for each line.
func runAll(t *testing.T, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		if words := strings.Fields(line); len(words) > 0 {
			run(t, words...)
		}
	}
}

func run(t *testing.T, words ...string) string {
	t.Helper()
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

// shape is an object of iproute2's JSON.
type shape = map[string]any

// witness reads what a command of iproute2 says.
func witness(t *testing.T, words ...string) []shape {
	t.Helper()
	out := run(t, words...)
	var all []shape
	if strings.TrimSpace(out) == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v: %v in %s", words, err, out)
	}
	return slices.DeleteFunc(all, func(s shape) bool { return len(s) == 0 })
}

// sameSet compares objects without regard to their order, as text.
func sameSet(t *testing.T, want, got []shape) {
	t.Helper()
	if len(want) == 0 {
		t.Fatal("the witness saw nothing")
	}
	if diff := cmp.Diff(lines(t, want), lines(t, got)); diff != "" {
		t.Errorf("(-witness +we):\n%s", diff)
	}
}

func lines(t *testing.T, all []shape) []string {
	t.Helper()
	out := make([]string, 0, len(all))
	for _, one := range all {
		b, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	slices.Sort(out)
	return out
}

// cable makes two connected interfaces that are up, without the addresses that
// the kernel makes by itself at times of its own. After the test it removes
// them, and the routes that do not go with them.
func cable(t *testing.T) {
	t.Helper()
	needNamespace(t)
	runAll(t, `
		ip link set lo up
		ip link add v0 type veth peer name v1
		ip link set v0 addrgenmode none up
		ip link set v1 addrgenmode none up
		ip address add 192.0.2.1/24 dev v0
		ip address add 198.51.100.1/24 dev v1
		ip address add 2001:db8::1/64 dev v0 nodad
		ip address add 2001:db8:1::1/64 dev v1 nodad`)
	t.Cleanup(func() {
		_ = exec.Command("ip", "link", "del", "v0").Run()
		_ = exec.Command("ip", "nexthop", "flush").Run()
		for _, family := range []string{"-4", "-6"} {
			_ = exec.Command("ip", family, "route", "flush", "table", "main").Run()
			_ = exec.Command("ip", family, "route", "flush", "table", "1000").Run()
		}
	})
}

// observe reads one part of the state, as JSON has it: each test sees what
// programs see.
func observe[T any](t *testing.T, part Parts, at func(*State) []T) []T {
	t.Helper()
	s, err := Read(t.Context(), Filter{Parts: part})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(at(s))
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
