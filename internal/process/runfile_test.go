package process

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// opened opens a program as namedfile.OpenProgram does.
func opened(t *testing.T, path string) *os.File {
	t.Helper()
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), path)
	t.Cleanup(func() { f.Close() })
	return f
}

// TestRunFileRunsWhatWasOpened lets another program take the path's place between the
// check and the start, as an attacker would.
func TestRunFileRunsWhatWasOpened(t *testing.T) {
	for _, tt := range []struct{ name, first string }{
		{"a script", "#!/bin/sh\necho first $1\n"},
		{"a binary", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "program")
			text := []byte(tt.first)
			if tt.first == "" {
				var err error
				if text, err = os.ReadFile("/bin/echo"); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(path, text, 0o755); err != nil {
				t.Fatal(err)
			}
			f := opened(t, path)
			if err := errors.Join(os.Remove(path), os.WriteFile(path, []byte("#!/bin/sh\necho second\n"), 0o755)); err != nil {
				t.Fatal(err)
			}
			out, err := RunFile(t.Context(), f, nil, []string{"word"})
			if err != nil || strings.TrimPrefix(string(out), "first ") != "word\n" {
				t.Errorf("%q, %v", out, err)
			}
		})
	}
}

// TestRunFileGivesAnotherUsersRights checks that the groups and capabilities of root
// are gone.
func TestRunFileGivesAnotherUsersRights(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("becomes another user; needs root")
	}
	path := filepath.Join(t.TempDir(), "program")
	script := "#!/bin/sh\nid -u; id -G; grep -E '^Cap(Prm|Eff|Amb)' /proc/self/status | cut -f2 | uniq\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := RunFile(t.Context(), opened(t, path), &User{UID: 1000, GID: 1001}, nil)
	if want := "1000\n1001\n0000000000000000\n"; err != nil || string(out) != want {
		t.Errorf("%q, %v; want %q", out, err, want)
	}
}

// TestOutputIsBounded checks that a program that prints for ever does not fill the
// memory.
func TestOutputIsBounded(t *testing.T) {
	out, err := Run(t.Context(), "/usr/bin/head", []string{"--bytes=20M", "/dev/zero"}, nil)
	if err != nil || len(out) != mostOutput {
		t.Errorf("%d bytes, %v; want %d", len(out), err, mostOutput)
	}
}

// TestKeepCapabilities checks that neither we nor a program of ours has another
// capability.
func TestKeepCapabilities(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("has no capabilities; needs root")
	}
	out, err := exec.Command(os.Args[0], "play", "few capabilities").CombinedOutput() // it is for good
	if strings.Contains(string(out), unix.ENOTSUP.Error()) {
		t.Skip("built with cgo, which AllThreadsSyscall does not support")
	}
	if want := "0000000000001080\n0000000000001080\n0000000000001080\n"; err != nil || string(out) != want {
		t.Errorf("permitted, effective and bounding set of a program:\n%s%v\nwant\n%s", out, err, want)
	}
}
