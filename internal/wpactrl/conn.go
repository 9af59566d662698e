// Package wpactrl speaks the control-socket protocol that hostapd and wpa_supplicant
// share: one datagram per command, one datagram per reply, and unsolicited events for
// clients that have attached. The package itself sends only PING, ATTACH and DETACH;
// its callers choose the other commands.
package wpactrl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/inotify"
)

// DefaultDeadline bounds a request whose context has no earlier deadline. The
// slowest commands (ENABLE, a reconfiguration) answer within a second or two.
const DefaultDeadline = 10 * time.Second

// maxDatagram holds the longest message of either program: replies are at
// most 8192 bytes (CTRL_IFACE_MAX_LEN), events are mostly one line.
const maxDatagram = 16 << 10

// CommandError means that the program understood the command and refused it.
type CommandError struct {
	Command string // the command's verb, e.g. "SET_NETWORK"; its arguments may be secrets
	Reply   string // e.g. "FAIL", "FAIL-BUSY", "UNKNOWN COMMAND"
}

func (e *CommandError) Error() string {
	return fmt.Sprintf("control command %s: %s", e.Command, e.Reply)
}

// Conn sends commands to one program. It is safe for concurrent use; requests run one
// after the other.
type Conn struct {
	socketPath string
	localDir   string

	turn   *semaphore.Weighted // held by the running request, or by Close
	sock   *socket             // nil after a request without an answer
	closed bool
}

// Dial connects to the control socket at socketPath. Replies arrive at a socket of
// our own in localDir, where the program's user must be able to write. Close removes
// that socket. Dial sends nothing.
func Dial(ctx context.Context, socketPath, localDir string) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("dial %s: %w", socketPath, err)
	}
	sock, err := dial(socketPath, localDir)
	if err != nil {
		return nil, err
	}
	return &Conn{socketPath: socketPath, localDir: localDir, turn: semaphore.NewWeighted(1), sock: sock}, nil
}

// Request sends a command and returns the reply without its final newline. If the
// program refuses, the error is a *CommandError. The deadline is the context's, at
// most DefaultDeadline away.
func (c *Conn) Request(ctx context.Context, cmd string) (string, error) {
	verb, _, _ := strings.Cut(cmd, " ")
	if strings.ContainsAny(cmd, "\x00\n") {
		// The program would take the text up to a NUL for the whole command.
		return "", fmt.Errorf("control command %s: contains a NUL or a newline", verb)
	}
	if err := c.turn.Acquire(ctx, 1); err != nil {
		return "", fmt.Errorf("control command %s: %w", verb, err)
	}
	defer c.turn.Release(1)
	if c.closed {
		return "", fmt.Errorf("control command %s: %w", verb, net.ErrClosed)
	}
	reply, err := c.exchange(ctx, cmd)
	if err != nil {
		return "", fmt.Errorf("control command %s: %w", verb, err)
	}
	if strings.HasPrefix(reply, "FAIL") || reply == "UNKNOWN COMMAND" {
		return "", &CommandError{Command: verb, Reply: reply}
	}
	return reply, nil
}

func (c *Conn) exchange(ctx context.Context, cmd string) (string, error) {
	if c.sock == nil {
		sock, err := dial(c.socketPath, c.localDir)
		if err != nil {
			return "", err
		}
		c.sock = sock
	}
	ctx, cancel := context.WithTimeout(ctx, DefaultDeadline)
	defer cancel()
	reply, err := c.sock.exchange(ctx, cmd)
	if err != nil {
		// The answer may still come. With a new reply address, it is not taken for
		// the answer to the next command. The new socket also reaches a program that
		// was restarted meanwhile.
		c.sock.Close()
		c.sock = nil
		return "", err
	}
	return strings.TrimSuffix(reply, "\n"), nil
}

// Close ends the connection and removes our socket.
func (c *Conn) Close() error {
	// A running request takes DefaultDeadline at most.
	if err := c.turn.Acquire(context.Background(), 1); err != nil {
		return err
	}
	defer c.turn.Release(1)
	c.closed = true
	if c.sock == nil {
		return nil
	}
	err := c.sock.Close()
	c.sock = nil
	return err
}

// Fields parses a reply of "key=value" lines, such as the reply to STATUS. Lines
// without "=" are skipped; of equal keys the last one counts.
func Fields(reply string) map[string]string {
	fields := make(map[string]string)
	for line := range strings.Lines(reply) {
		key, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if found {
			fields[key] = value
		}
	}
	return fields
}

// socket is a connected datagram socket. Because it is connected, the kernel drops
// datagrams from any process but the program.
type socket struct {
	conn  *net.UnixConn
	local string
	buf   []byte
}

func dial(socketPath, localDir string) (*socket, error) {
	local := localName(localDir)
	sweep(localDir)
	conn, err := net.DialUnix("unixgram",
		&net.UnixAddr{Name: local, Net: "unixgram"},
		&net.UnixAddr{Name: socketPath, Net: "unixgram"})
	if err != nil {
		os.Remove(local)
		return nil, fmt.Errorf("dial %s: %w", socketPath, err)
	}
	return &socket{conn: conn, local: local, buf: make([]byte, maxDatagram)}, nil
}

func (s *socket) exchange(ctx context.Context, cmd string) (string, error) {
	stop := s.limit(ctx)
	defer stop()
	if _, err := s.conn.Write([]byte(cmd)); err != nil {
		return "", because(ctx, err)
	}
	return s.read(ctx)
}

func (s *socket) read(ctx context.Context) (string, error) {
	n, err := s.conn.Read(s.buf)
	if err != nil {
		return "", because(ctx, err)
	}
	return string(s.buf[:n]), nil
}

// readNow reads a message if one has arrived already.
func (s *socket) readNow() (message string, ok bool) {
	s.conn.SetDeadline(time.Time{}) // reading with a deadline that has passed would always fail
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return "", false
	}
	err = raw.Read(func(fd uintptr) bool {
		n, _, readErr := unix.Recvfrom(int(fd), s.buf, unix.MSG_DONTWAIT)
		ok = readErr == nil
		message = string(s.buf[:max(n, 0)])
		return true
	})
	return message, ok && err == nil
}

// limit makes the end of ctx end reads and writes. The caller must call the returned
// function before the socket is used again.
func (s *socket) limit(ctx context.Context) (stop func()) {
	s.conn.SetDeadline(time.Time{})
	done := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(done)
		s.conn.SetDeadline(time.Unix(1, 0))
	})
	return func() {
		if !cancel() {
			<-done
		}
	}
}

// because returns the context's error in place of the time-out that it caused.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}

// Close removes the socket's file, which the kernel leaves behind.
func (s *socket) Close() error {
	err := s.conn.Close()
	if rmErr := os.Remove(s.local); rmErr != nil && !errors.Is(rmErr, os.ErrNotExist) {
		err = errors.Join(err, rmErr)
	}
	return err
}

// Await is Dial for a program that was just started: it waits until the control
// socket exists and PING is answered, or until ctx ends. The folder of socketPath
// must exist. Await ignores a socket file that a dead process left.
func Await(ctx context.Context, socketPath, localDir string) (*Conn, error) {
	watch, err := inotify.Watch(filepath.Dir(socketPath))
	if err != nil {
		return nil, err
	}
	defer watch.Close()
	for {
		conn, err := dialAndPing(ctx, socketPath, localDir)
		if err == nil {
			return conn, nil
		}
		if ctx.Err() == nil {
			watch.Next(ctx)
		}
		switch cause := context.Cause(ctx); {
		case errors.Is(cause, context.DeadlineExceeded):
			return nil, fmt.Errorf("wait for %s: %w (last: %w)", socketPath, cause, err)
		case cause != nil:
			return nil, fmt.Errorf("wait for %s: %w", socketPath, cause)
		}
	}
}

func dialAndPing(ctx context.Context, socketPath, localDir string) (*Conn, error) {
	conn, err := Dial(ctx, socketPath, localDir)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Request(ctx, "PING"); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
