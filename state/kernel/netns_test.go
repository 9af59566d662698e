package kernel

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

func TestMain(m *testing.M) {
	netnstest.Enter()
	if os.Getenv(watcherEnv) != "" {
		os.Exit(watchOnly())
	}
	os.Exit(m.Run())
}

// shape is an object of iproute2's JSON.
type shape = map[string]any

// witness reads the output of a command of iproute2.
func witness(t *testing.T, words ...string) []shape {
	t.Helper()
	out := netnstest.Run(t, words...)
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

// cable creates two connected interfaces that are up, without the addresses that the
// kernel would add at times of its own. After the test it removes them, and the
// routes that do not vanish with them.
func cable(t *testing.T) {
	t.Helper()
	netnstest.Need(t)
	netnstest.Lines(t, `
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

// observe reads one part of the state from its JSON, so that each test sees what
// programs see.
func observe[T any](t *testing.T, part state.Parts, at func(*state.State) []T) []T {
	t.Helper()
	s, err := Read(t.Context(), state.Filter{Parts: part})
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
