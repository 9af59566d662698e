//go:build lab

package lab

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadOnlyState checks that a device whose disk cannot be written, or is full,
// stays reachable, uses the saved networks, and reports the problem.
func TestReadOnlyState(t *testing.T) {
	l := New(t, "The disk is read-only, and full")
	l.switchOn(t, l.Home)
	l.switchOn(t, l.Neighbour)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	l.Device.Stop(t)
	saved := storeContent(t)

	l.Timeline.Step("saved networks on a read-only file system", func() string {
		l.mountState(t, saved)
		must(t, "", "mount", "-o", "remount,ro", stateFolder)
		return "mount"
	})
	l.usesUnwritable(t, saved, "read-only file system")
	must(t, "", "umount", stateFolder)

	l.Timeline.Step("saved networks on a full file system", func() string {
		l.mountState(t, saved)
		// dd ends with an error when no room is left, as intended.
		said, err := namespace("").run("dd", "if=/dev/zero", "of="+stateFolder+"/filler", "bs=1k")
		if err == nil {
			t.Fatalf("the disk is not full: %s", said)
		}
		return "dd"
	})
	l.usesUnwritable(t, saved, "no space left on device")
}

// usesUnwritable checks that the known network is joined, and also a new one.
func (l *Lab) usesUnwritable(t *testing.T, saved []byte, complaint string) {
	t.Helper()
	cursor := journalCursor(t)
	l.Device.Start(t)
	l.seeOn(t, l.Home, joining)
	l.join(t, l.Neighbour)
	l.Timeline.Step("the journal says what is wrong", func() string {
		said := ""
		until(t, noticed, "a warning with: "+complaint, func() (string, bool) {
			all := must(t, "", "journalctl", "--no-pager", "--output=cat", "--after-cursor="+cursor, "-u", daemonUnit)
			for line := range strings.Lines(all) {
				if strings.Contains(line, complaint) && !strings.Contains(line, "history") { // the history reports the problem, too
					said = strings.TrimSpace(line)
				}
			}
			return "nothing", said != ""
		})
		return said
	})
	l.Timeline.Step("the old networks are still readable", func() string {
		if now := storeContent(t); !bytes.Equal(now, saved) {
			t.Errorf("the saved networks were %d bytes and are now %d", len(saved), len(now))
		}
		left, _ := filepath.Glob(stateFolder + "/.*[!.]")
		if len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
		return fmt.Sprintf("%d bytes", len(saved))
	})
	l.Device.Stop(t)
}

func storeContent(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile(stateFolder + "/networks.json")
	if err != nil {
		t.Fatalf("read the saved networks: %v", err)
	}
	return content
}

// mountState mounts a small file system with the saved networks over the daemon's
// state folder.
func (l *Lab) mountState(t *testing.T, saved []byte) {
	t.Helper()
	uid := l.Device.uid(t)
	options := fmt.Sprintf("size=16k,mode=700,uid=%d,gid=%d", uid, uid)
	must(t, "", "mount", "-t", "tmpfs", "-o", options, "state", stateFolder)
	t.Cleanup(func() { _, _ = namespace("").run("umount", stateFolder) })
	file := stateFolder + "/networks.json"
	if err := os.WriteFile(file, saved, 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "", "chown", daemonUser+":"+daemonUser, file)
}

// journalCursor returns the present end of the journal.
func journalCursor(t *testing.T) string {
	t.Helper()
	out := must(t, "", "journalctl", "--lines=0", "--show-cursor", "--no-pager")
	_, cursor, found := strings.Cut(out, "-- cursor: ")
	if !found {
		t.Fatalf("journalctl says no cursor: %q", out)
	}
	return strings.TrimSpace(cursor)
}
