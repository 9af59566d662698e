// Package namedfile opens files that others name: a path from a request, from a
// configuration, from the arguments of another process, or a file in a folder
// that another user can write to. What such a path leads to may be a device, a
// pipe, an endless file, a file on a disk that does not answer, or another file
// at the next look. So a file is looked at by its descriptor before it is
// opened, reads are bounded in size and time, and what was checked is what is
// read or run.
package namedfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNotRegular says that a path leads to a folder, a device, a pipe or a socket.
var ErrNotRegular = errors.New("it is not a regular file")

// ErrTooLarge says that a file has more bytes than its reader takes.
var ErrTooLarge = errors.New("it is too large")

// OwnerError says that a file belongs to a user whose files are not believed.
type OwnerError struct{ UID int }

// Error names the user.
func (e *OwnerError) Error() string {
	return fmt.Sprintf("it belongs to user %d, who may have written anything into it", e.UID)
}

const (
	// answerLimit is how long a file may take to be read when the context can
	// end and has no earlier deadline. A slow SD card takes a second for a
	// megabyte.
	answerLimit = 5 * time.Second

	// mostUnanswered bounds the reads whose callers have stopped waiting. The kernel
	// cannot interrupt a read of a file system that does not answer (NFS, FUSE), and
	// each such read keeps a thread.
	mostUnanswered = 16
)

var reading = make(chan struct{}, mostUnanswered)

// Read returns what the regular file at path holds. A file of more than limit
// bytes is ErrTooLarge; what is no regular file is ErrNotRegular and is not
// opened. Read returns when ctx ends or after 5 s, also where the file system
// does not answer; a context that cannot end is for files of root or our own,
// for which Read waits. /dev/null counts as an empty file.
func Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	return await(ctx, path, func() ([]byte, error) { return read(path, limit, nil) })
}

// ReadOwned is Read of a file that one of the users owns; that of another user
// is an *OwnerError.
func ReadOwned(ctx context.Context, path string, limit int64, owners ...int) ([]byte, error) {
	return await(ctx, path, func() ([]byte, error) { return read(path, limit, owners) })
}

// ReadOwn reads a file that this process has written for its next run. A file
// that our user does not own is an *OwnerError: another user could steer us
// by it. Nothing but size and kind is bounded.
func ReadOwn(path string, limit int64) ([]byte, error) {
	return read(path, limit, []int{os.Geteuid()})
}

// await returns what how returns, or the cause of ctx's end. A read that hangs
// in the kernel goes on then; nothing can end it.
func await(ctx context.Context, path string, how func() ([]byte, error)) ([]byte, error) {
	if ctx.Done() == nil {
		return how()
	}
	type result struct {
		data []byte
		err  error
	}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	select {
	case reading <- struct{}{}:
	case <-ctx.Done():
		return nil, &fs.PathError{Op: "read", Path: path, Err: context.Cause(ctx)}
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-reading }()
		data, err := how()
		done <- result{data, err}
	}()
	select {
	case r := <-done:
		return r.data, r.err
	case <-ctx.Done():
		return nil, &fs.PathError{Op: "read", Path: path, Err: context.Cause(ctx)}
	}
}

func read(path string, limit int64, owners []int) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	seen := os.NewFile(uintptr(fd), path)
	defer seen.Close()
	data, err := readSeen(fd, limit, owners)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data, nil
}

// readSeen reads the file of a descriptor that was opened by O_PATH, which
// touches no device. The file is opened for reading by its name in /proc, which
// leads to that file and to no other.
func readSeen(seen int, limit int64, owners []int) ([]byte, error) {
	var info unix.Stat_t
	if err := unix.Fstat(seen, &info); err != nil {
		return nil, err
	}
	switch {
	case isNull(&info):
		return nil, nil
	case info.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, ErrNotRegular
	case owners != nil && !slices.Contains(owners, int(info.Uid)):
		return nil, &OwnerError{int(info.Uid)}
	case info.Size > limit:
		return nil, tooLarge(limit)
	}
	// O_NONBLOCK: a lease (fcntl(2)) that the owner has on the file would hold
	// us for 45 s.
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", seen), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	return readAll(fd, limit)
}

// readAll does not use os.File, which waits where a read returns EAGAIN, as one
// of /proc/kmsg does.
func readAll(fd int, limit int64) ([]byte, error) {
	var data []byte
	buffer := make([]byte, 32<<10)
	for {
		n, err := unix.Read(fd, buffer)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return nil, err
		case n == 0:
			return data, nil
		case int64(len(data)+n) > limit:
			return nil, tooLarge(limit)
		}
		data = append(data, buffer[:n]...)
	}
}

func tooLarge(limit int64) error {
	return fmt.Errorf("%w: it has more than %d bytes", ErrTooLarge, limit)
}

// isNull recognises /dev/null (character device 1:3, Documentation/admin-guide/
// devices.txt), by which people name no file at all.
func isNull(info *unix.Stat_t) bool {
	return info.Mode&unix.S_IFMT == unix.S_IFCHR && info.Rdev == unix.Mkdev(1, 3)
}
