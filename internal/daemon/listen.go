package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/systemd"
)

// socketMode lets every user connect. The server checks which users may change
// anything.
const socketMode = 0o666

// Listen takes over the socket that systemd made, and stores its path in the
// configuration. Without such a socket it makes the configured one.
func Listen(cfg *config.Config, log *slog.Logger) (net.Listener, error) {
	passed, err := systemd.Listener()
	if err != nil {
		return nil, err
	}
	if passed == nil {
		return listen(cfg.Socket)
	}
	if path := passed.Addr().String(); !sameFile(path, cfg.Socket) {
		log.Warn("systemd has made the socket, so the setting socket has no effect", "socket", path, "setting", cfg.Socket,
			"remedy", "systemctl edit netconnectd.socket")
		cfg.Socket = path
	}
	return passed, nil
}

// sameFile reports whether two paths lead to the same file. The text of the paths
// does not decide, as /var/run is usually a link to /run.
func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	other, otherErr := os.Stat(b)
	return err == nil && otherErr == nil && os.SameFile(one, other)
}

func listen(path string) (net.Listener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(fmt.Errorf("let everybody use the socket: %w", err), l.Close())
	}
	return l, nil
}

// lock makes this daemon the only one that uses that runtime folder, until the
// process ends.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the runtime folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another netconnectd is running: %s is locked", f.Name())
	}
	return f, nil
}

// removeStale removes a socket on which no process listens any more. It returns an
// error if another daemon answers on the socket.
func removeStale(path string) error {
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
		return fmt.Errorf("listen on %s: another netconnectd is running", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the socket of an earlier run: %w", err)
	}
	return nil
}
