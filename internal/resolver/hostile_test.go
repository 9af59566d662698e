package resolver

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSystemFileInTheDaemonsFolder has an administrator who made resolv.conf a link
// to the daemon's file, and a daemon's user who replaces that file.
func TestSystemFileInTheDaemonsFolder(t *testing.T) {
	for name, place := range map[string]func(path string) error{
		"a pipe":          func(path string) error { return unix.Mkfifo(path, 0o644) },
		"an endless file": func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, 1<<40)) },
		"a link to a pipe": func(path string) error {
			return errors.Join(unix.Mkfifo(path+".pipe", 0o644), os.Symlink("elsewhere.pipe", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			elsewhere := filepath.Join(m.run, "elsewhere")
			if err := errors.Join(place(elsewhere), os.Symlink("/run/netconnectd/elsewhere", m.root+"/etc/resolv.conf")); err != nil {
				t.Fatal(err)
			}
			if _, _, err := m.system.choose(); err == nil || !strings.Contains(err.Error(), "regular file") && !strings.Contains(err.Error(), "too large") {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestAnnouncementFollowsNoLink checks that the owner of the folder cannot lead root
// to another file.
func TestAnnouncementFollowsNoLink(t *testing.T) {
	folder, other := t.TempDir(), filepath.Join(t.TempDir(), "other")
	if err := os.Symlink(other, filepath.Join(folder, PendingName)); err != nil {
		t.Fatal(err)
	}
	if err := notify(folder); !errors.Is(err, unix.ELOOP) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("the file that the link leads to was made")
	}
}
