package lab

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These folders are shared by the host: they hold the package to install, and one to
// upgrade to.
const (
	packageFolder     = "/run/lab/share/package"
	nextPackageFolder = "/run/lab/share/next"
)

// Apt runs apt-get like an administrator who answers no questions.
func (d *Device) Apt(t testing.TB, arguments ...string) {
	t.Helper()
	argv := append([]string{"env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes"}, arguments...)
	out, err := namespace("").runFor(5*time.Minute, argv...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// packageIn returns the path of the one package in the folder.
func packageIn(t testing.TB, folder string) string {
	t.Helper()
	found, _ := filepath.Glob(folder + "/*.deb")
	if len(found) != 1 {
		t.Fatalf("packages in %s: %v, want one", folder, found)
	}
	return found[0]
}

// passing lists the places in which any use of the machine leaves files.
var passing = []string{
	"/proc", "/sys", "/dev", "/run/lab", "/run/log", "/run/systemd", "/run/udev", "/run/netns", "/var/log", "/var/lib/lab",
	"/var/lib/dpkg", "/var/lib/apt", "/var/cache/apt", "/var/cache/debconf", "/tmp",
	// Programs that edit users and groups make these copies.
	"/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-",
}

// inventory records everything on the device that a package could leave behind:
// traces, the units, and every file with owner and mode, and below /etc with its
// content.
func (d *Device) inventory(t testing.TB) traces {
	t.Helper()
	found := d.traces(t)
	found["units"] = must(t, "", "systemctl", "list-units", "--all", "--plain", "--no-legend", "netconnect*")
	found["unit files"], _ = namespace("").run("systemctl", "list-unit-files", "--no-legend", "netconnect*") // an error if there is none
	found["/dev/rfkill"] = must(t, "", "stat", "--format=%A %u %g", "/dev/rfkill")
	err := filepath.WalkDir("/", func(path string, entry fs.DirEntry, err error) error {
		if slices.Contains(passing, path) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if err == nil {
			found[path], err = identity(path, entry)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the file has vanished meanwhile
		}
		return err
	})
	if err != nil {
		t.Fatalf("list the device's files: %v", err)
	}
	return found
}

func identity(path string, entry fs.DirEntry) (string, error) {
	info, err := entry.Info()
	if err != nil {
		return "", err
	}
	owner := info.Sys().(*syscall.Stat_t)
	text := fmt.Sprintf("%v %d:%d", info.Mode(), owner.Uid, owner.Gid)
	if strings.HasPrefix(path, "/etc/") && info.Mode().IsRegular() {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf(" %x", sha256.Sum256(content))
	}
	return text, nil
}
