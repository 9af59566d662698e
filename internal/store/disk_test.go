package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// privateTmpfs mounts a small file system that only this test's thread can see.
func privateTmpfs(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
	// The thread stays locked: it ends with the test, and its mounts end with it.
	runtime.LockOSThread()
	must(t, unix.Unshare(unix.CLONE_FS|unix.CLONE_NEWNS))
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	dir := t.TempDir()
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"))
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

func TestDiskRefusesAndTakesAgain(t *testing.T) {
	tests := []struct {
		name        string
		spoil, mend func(dir string) error
		want        error
	}{
		{"read-only",
			func(dir string) error { return unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, "") },
			func(dir string) error { return unix.Mount("", dir, "", unix.MS_REMOUNT, "") },
			syscall.EROFS},
		{"full",
			func(dir string) error {
				err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 1<<20), 0o600)
				if errors.Is(err, syscall.ENOSPC) {
					return nil
				}
				return errors.New("the disk has room for ever")
			},
			func(dir string) error { return os.Remove(filepath.Join(dir, "ballast")) },
			syscall.ENOSPC},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := privateTmpfs(t)
			path := filepath.Join(dir, "networks.json")
			s := mustOpen(t, path)
			must(t, s.SetCandidate(home))
			must(t, promote(s))
			before := read(t, path)

			must(t, tt.spoil(dir))
			if err := s.SetCandidate(office); !errors.Is(err, tt.want) {
				t.Errorf("SetCandidate: %v", err)
			}
			wantContents(t, s, &office, home)
			if !bytes.Equal(before, read(t, path)) {
				t.Error("the file has changed")
			}
			wantContents(t, mustOpen(t, path), nil, home)

			must(t, tt.mend(dir))
			must(t, s.DropCandidate(office))
			if !bytes.Equal(before, read(t, path)) {
				t.Error("the file is not what the memory is")
			}
			if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
				t.Errorf("left over: %v", left)
			}
		})
	}
}
