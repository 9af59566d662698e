package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	keptLines = 20   // the last lines of a child's output, for error messages; hostapd prints 11 when it gives up
	maxLine   = 2048 // bytes; what is longer is cut into several lines
)

// output receives what one child prints.
//
// It is a pipe that the child itself holds open, for reading and writing and without
// blocking. The child therefore neither fails nor blocks while no daemon reads;
// output that does not fit into the pipe is lost. The next daemon opens the pipe by
// /proc/PID/fd and reads what was printed meanwhile.
type output struct {
	child  *os.File // given to the child as stdout and stderr, then closed
	reader *os.File
	copied chan struct{} // closed when copy has returned

	mu    sync.Mutex
	lines []string // at most keptLines
}

func newOutput() (*output, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("create output pipe: %w", err)
	}
	o := &output{reader: os.NewFile(uintptr(fds[0]), "output"), copied: make(chan struct{})}
	defer unix.Close(fds[1])
	// Opening a pipe by its /proc name returns a descriptor of both directions.
	both, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fds[1]), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		o.reader.Close()
		return nil, fmt.Errorf("reopen output pipe: %w", err)
	}
	o.child = os.NewFile(uintptr(both), "output")
	return o, nil
}

// handOver closes our copy of the child's end. It makes that end non-blocking only
// now, because os/exec may make a descriptor that it passes on blocking.
func (o *output) handOver() error {
	return errors.Join(unix.SetNonblock(int(o.child.Fd()), true), o.child.Close())
}

// abandon closes both ends of a pipe that no child has got.
func (o *output) abandon() {
	o.child.Close()
	o.reader.Close()
}

// name returns the pipe's name in /proc/PID/fd, e.g. "pipe:[4711]".
func (o *output) name() (string, error) {
	return os.Readlink(fmt.Sprintf("/proc/self/fd/%d", o.child.Fd()))
}

// adoptOutput opens the pipe of a running child, at any number of descriptor, as
// dnsmasq moves its stderr to another one.
func adoptOutput(pid int, name string) (*output, error) {
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return nil, err
	}
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err != nil || target != name {
			continue
		}
		f, err := os.OpenFile(fd, os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			return nil, err
		}
		return &output{reader: f, copied: make(chan struct{})}, nil
	}
	return nil, fmt.Errorf("pid %d does not hold %q", pid, name)
}

// copy reads lines until the pipe ends, Close is called, or drain is called
// and the pipe is empty.
func (o *output) copy(role string, to *os.File) {
	if o == nil {
		return
	}
	defer close(o.copied)
	defer o.reader.Close()
	var pending []byte
	buffer := make([]byte, 4096)
	for {
		n, err := o.reader.Read(buffer)
		pending = o.cut(append(pending, buffer[:n]...), role, to)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			pending = o.cut(append(pending, o.rest()...), role, to)
		}
		if err != nil {
			if len(pending) > 0 {
				o.emit(pending, role, to)
			}
			return
		}
	}
}

// rest reads what is in the pipe now. It uses the system call, as Read returns
// nothing after the deadline of drain.
func (o *output) rest() []byte {
	var all []byte
	raw, err := o.reader.SyscallConn()
	if err != nil {
		return nil
	}
	_ = raw.Control(func(fd uintptr) {
		buffer := make([]byte, 4096)
		for len(all) < 1<<20 { // the child may go on writing
			n, err := unix.Read(int(fd), buffer)
			if n <= 0 || err != nil {
				return
			}
			all = append(all, buffer[:n]...)
		}
	})
	return all
}

// cut emits the complete lines of pending and returns what is left.
func (o *output) cut(pending []byte, role string, to *os.File) []byte {
	for {
		end := bytes.IndexByte(pending, '\n')
		switch {
		case end >= 0:
			o.emit(pending[:end], role, to)
			pending = pending[end+1:]
		case len(pending) > maxLine:
			o.emit(pending[:maxLine], role, to)
			pending = pending[maxLine:]
		default:
			return pending
		}
	}
}

func (o *output) emit(line []byte, role string, to *os.File) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return
	}
	o.mu.Lock()
	o.lines = append(o.lines, string(line))
	if len(o.lines) > keptLines {
		o.lines = o.lines[1:]
	}
	o.mu.Unlock()
	if to != nil {
		fmt.Fprintf(to, "%s: %s\n", role, line)
	}
}

// drain makes copy read the rest of the pipe and waits until copy has returned.
func (o *output) drain() {
	if o == nil {
		return
	}
	_ = o.reader.SetReadDeadline(time.Unix(1, 0)) // long past
	<-o.copied
}

func (o *output) last() []string {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.lines...)
}

// Close ends copy.
func (o *output) Close() {
	if o != nil {
		o.reader.Close()
	}
}
