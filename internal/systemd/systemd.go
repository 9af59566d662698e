// Package systemd talks with the systemd that started the program: it takes over the
// socket that systemd made, and says that the program is ready, alive or stopping.
// Without systemd each function does nothing.
package systemd

import (
	"fmt"
	"net"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// These are messages to systemd, see sd_notify(3). Several lines may be sent at once.
const (
	Ready    = "READY=1"
	Alive    = "WATCHDOG=1"
	Stopping = "STOPPING=1\nSTATUS=stopping"
)

// Listener returns the socket that systemd made for the program (sd_listen_fds(3)),
// nil if it made none.
func Listener() (net.Listener, error) {
	passed, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("take the socket from systemd: %w", err)
	}
	if len(passed) == 0 {
		return nil, nil
	}
	return passed[0], nil
}

// WatchdogEvery returns how often systemd expects Alive, 0 for never. The unit sets
// that time (WatchdogSec=), and sd_watchdog_enabled(3) halves it.
func WatchdogEvery() (time.Duration, error) {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return 0, fmt.Errorf("read systemd's watchdog: %w", err)
	}
	return limit / 2, nil
}

// Notify sends lines of sd_notify(3). It does not wait for systemd, as the library's
// function may: what does not fit into the socket's queue is an error.
func Notify(lines string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a socket: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, []byte(lines), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: path}); err != nil {
		return fmt.Errorf("send to %s: %w", path, err)
	}
	return nil
}
