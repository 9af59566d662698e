package wpactrl

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// localPrefix begins the names of our reply sockets: <prefix><pid>-<count>.
const localPrefix = "wpactrl-"

var localCount atomic.Uint64

// localName gives a name that no other connection of this process uses. What
// carries it already was left by a dead process with the same id.
func localName(dir string) string {
	name := filepath.Join(dir, fmt.Sprintf("%s%d-%d", localPrefix, os.Getpid(), localCount.Add(1)))
	os.Remove(name)
	return name
}

// sweep removes the reply sockets of processes that ended without Close, which
// would otherwise gather in the runtime folder with every crash.
func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // the bind that follows says what is wrong with the folder
	}
	for _, entry := range entries {
		rest, ours := strings.CutPrefix(entry.Name(), localPrefix)
		pid, _, _ := strings.Cut(rest, "-")
		number, err := strconv.Atoi(pid)
		if !ours || err != nil || number <= 0 {
			continue
		}
		if syscall.Kill(number, 0) == syscall.ESRCH {
			os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}

// folderWatch tells that something appeared in a folder, or changed its mode
// there (inotify(7)): bind makes the file of a socket before it can be
// connected to, and hostapd and wpa_supplicant set the mode after that.
type folderWatch struct{ file *os.File }

func watchFolder(dir string) (*folderWatch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	file := os.NewFile(uintptr(fd), "inotify")
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_ATTRIB); err != nil {
		file.Close()
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	return &folderWatch{file: file}, nil
}

// next returns when something appeared since the last call, or ctx ended.
func (w *folderWatch) next(ctx context.Context) {
	w.file.SetReadDeadline(time.Time{})
	done := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(done)
		w.file.SetReadDeadline(time.Unix(1, 0))
	})
	var buf [4096]byte
	w.file.Read(buf[:]) // what it was does not matter: the caller looks again
	if !cancel() {
		<-done
	}
}

func (w *folderWatch) Close() error { return w.file.Close() }
