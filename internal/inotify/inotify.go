// Package inotify waits for a file to appear in a folder, without polling (inotify(7)).
package inotify

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Folder is a watched folder. It reports files that appear there or whose mode changes:
// bind(2) makes the file of a socket before the socket can be connected to, and most
// programs set the file's mode after that.
type Folder struct{ file *os.File }

// Watch begins to watch a folder. Next reports what appears from then on.
func Watch(dir string) (*Folder, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	file := os.NewFile(uintptr(fd), "inotify")
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_ATTRIB); err != nil {
		file.Close()
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	return &Folder{file: file}, nil
}

// Next returns when something appeared since the last call, or ctx ended.
func (f *Folder) Next(ctx context.Context) {
	f.file.SetReadDeadline(time.Time{})
	done := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(done)
		f.file.SetReadDeadline(time.Unix(1, 0))
	})
	var buf [4096]byte
	f.file.Read(buf[:]) // what it was does not matter: the caller looks again
	if !cancel() {
		<-done
	}
}

// Close ends the watch.
func (f *Folder) Close() error { return f.file.Close() }
