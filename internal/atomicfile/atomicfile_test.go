package atomicfile

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWriteReplacesContentAndMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("a much longer old content"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != "new" {
		t.Errorf("content = %q, %v", got, err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v", info.Mode())
	}
	onlyEntry(t, filepath.Dir(path))
}

func TestWriteFailureKeepsTheOldFile(t *testing.T) {
	for _, tt := range []struct {
		name  string
		old   string // the old file
		spoil func(*testing.T)
	}{
		{"no room for the new one", "file", fillDisk},
		{"a folder in its place, which cannot be renamed over", "file/child", func(*testing.T) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			old := filepath.Join(dir, tt.old)
			if err := errors.Join(os.MkdirAll(filepath.Dir(old), 0o755), os.WriteFile(old, []byte("old"), 0o644)); err != nil {
				t.Fatal(err)
			}
			tt.spoil(t)
			if err := Write(filepath.Join(dir, "file"), []byte("what is new"), 0o600); err == nil {
				t.Error("Write succeeded")
			}
			if got, err := os.ReadFile(old); err != nil || string(got) != "old" {
				t.Errorf("content = %q, %v", got, err)
			}
			onlyEntry(t, dir)
		})
	}
}

// fillDisk leaves room for 5 bytes in each file, until the end of the test.
func fillDisk(t *testing.T) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(unix.SIGXFSZ) // setrlimit(2): or writing would end the test
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
		signal.Reset(unix.SIGXFSZ)
	})
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 5, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
}

// onlyEntry checks that no temporary file was left beside the target.
func onlyEntry(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("folder holds %v, %v", entries, err)
	}
}
