package netnstest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// InLab reports whether the test runs in the lab's machine, whose kernel has all kinds of
// links.
func InLab() bool {
	b, err := os.ReadFile("/proc/cmdline")
	return err == nil && strings.Contains(string(b), "lab.machine=")
}

// NeedKind skips a test if the kernel does not have a kind of links. It makes one, and
// deletes it again.
func NeedKind(t testing.TB, kind string) {
	t.Helper()
	out, err := exec.Command("ip", "link", "add", "name", "kind0", "type", kind).CombinedOutput()
	switch {
	case err == nil:
		Run(t, "ip", "link", "delete", "kind0")
	case strings.Contains(string(out), "Unknown device type") && !InLab():
		t.Skipf("this kernel has no links of kind %s", kind)
	}
}
