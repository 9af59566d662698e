package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestRun(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		args       []string
		stdin      string
		limit      time.Duration
		want       string
		err        string
	}{
		{name: "output", path: "/bin/echo", args: []string{"a b"}, want: "a b\n"},
		{name: "input", path: "/bin/cat", stdin: "in\n", want: "in\n"},
		{name: "complaint", path: "/bin/ls", args: []string{"/nonexistent"},
			err: "run ls: exit status 2: /bin/ls: cannot access '/nonexistent': No such file or directory"},
		{name: "silent failure", path: "/bin/false", err: "run false: exit status 1"},
		{name: "not there", path: "/nonexistent", err: "run nonexistent: fork/exec /nonexistent: no such file or directory"},
		{name: "too slow", path: "/bin/sleep", args: []string{"60"}, limit: 2 * time.Second,
			err: "run sleep: context deadline exceeded\nsignal: killed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx := t.Context()
			if tt.limit > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.limit)
				defer cancel()
			}
			out, err := Run(ctx, tt.path, tt.args, []byte(tt.stdin))
			if string(out) != tt.want {
				t.Errorf("output %q, want %q", out, tt.want)
			}
			if fmt.Sprint(err) != tt.err && (err != nil || tt.err != "") {
				t.Errorf("error %v\n want %s", err, tt.err)
			}
		})
	}
}

// TestCapabilities checks that a child has the ambient capabilities that its Spec
// names and, after ClearInheritable, no others.
func TestCapabilities(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to hand capabilities to an ordinary user")
	}
	// An ordinary user with three ambient capabilities, as the unit starts the daemon.
	dir := worldWritable(t)
	cmd := exec.Command(copyOfTestBinary(t, dir), "-test.run=^TestAmbientOfChildren$", "-test.v")
	cmd.Env = append(os.Environ(), "PLAY_UNPRIVILEGED="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
		AmbientCaps: []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW, unix.CAP_NET_BIND_SERVICE},
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("%s", out)
	}
}

func worldWritable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "ambient")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// copyOfTestBinary makes one that an ordinary user can reach.
func copyOfTestBinary(t *testing.T, dir string) string {
	t.Helper()
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "process.test")
	if err := os.WriteFile(name, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestAmbientOfChildren(t *testing.T) {
	dir := os.Getenv("PLAY_UNPRIVILEGED")
	if dir == "" {
		t.Skip("TestCapabilities runs it as an ordinary user")
	}
	err := ClearInheritable()
	if errors.Is(err, unix.ENOTSUP) {
		t.Skip("built with cgo, which AllThreadsSyscall does not support")
	}
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner(t, dir)
	for _, tt := range []struct {
		name string
		caps []uintptr
		want string
	}{
		{"none", nil, "0000000000000000"},
		{"net-admin", []uintptr{unix.CAP_NET_ADMIN}, "0000000000001000"},
		{"net-admin-raw-bind", []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW, unix.CAP_NET_BIND_SERVICE}, "0000000000003400"},
		{"none-again", nil, "0000000000000000"}, // what one child gets does not stay with us
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := playing(tt.name, "sleep")
			spec.Caps = tt.caps
			c, _ := ensure(t, r, spec)
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.PID()))
			if err != nil {
				t.Fatal(err)
			}
			for _, set := range []string{"CapInh", "CapAmb", "CapEff", "CapPrm"} {
				if !strings.Contains(string(status), set+":\t"+tt.want+"\n") {
					t.Errorf("%s is not %s:\n%s", set, tt.want, status)
				}
			}
			// Found without its record too: its environment can be read.
			if pids := marked(r.mark(tt.name)); len(pids) != 1 || pids[0] != c.PID() {
				t.Errorf("marked processes %v, want %d", pids, c.PID())
			}
		})
	}
}
