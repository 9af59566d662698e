package link

import (
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
)

func TestMain(m *testing.M) {
	netnstest.Enter()
	goleak.VerifyTestMain(m)
}

// ip runs ip(8) and gives its output.
func ip(t *testing.T, args ...string) string {
	t.Helper()
	return netnstest.Run(t, append([]string{"ip"}, args...)...)
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
	netnstest.Need(t)
	ip(t, "link", "add", a, "type", "veth", "peer", "name", b)
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", a).Run() })
}

// peer makes a network namespace for the far end of a cable, and gives a
// function that runs ip(8) there.
func peer(t *testing.T, end string) func(args ...string) {
	t.Helper()
	there := netnstest.Another(t)
	ip(t, "link", "set", end, "netns", there.String())
	return func(args ...string) {
		t.Helper()
		there.Run(append([]string{"ip"}, args...)...)
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
	netnstest.Need(t)
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
