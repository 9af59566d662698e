package daemon

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
	"unicode"

	sd "github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// What systemd is told, see sd_notify(3).
const (
	ready    = "READY=1"
	alive    = "WATCHDOG=1"
	stopping = "STOPPING=1\nSTATUS=stopping"
)

// watchdogEvery is how often systemd wants to hear of us; 0: it does not. The
// unit says so (WatchdogSec=), and sd_watchdog_enabled(3) halves it.
func watchdogEvery(log *slog.Logger) time.Duration {
	limit, err := sd.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("read systemd's watchdog", "err", err)
	}
	return limit / 2
}

// announce tells systemd the state, and once that the daemon is ready: the
// socket is there since before the loop, the links are known, and the first
// decision about them is made.
func (d *daemon) announce(old, next policy.State) {
	if !next.LinksKnown() {
		return
	}
	said := "STATUS=" + summary(next, d.cfg.Load().AP.SSID)
	if !old.LinksKnown() {
		said = ready + "\n" + said
	}
	d.tellSystemd(said)
}

func (d *daemon) tellSystemd(said string) {
	if err := notify(said); err != nil {
		d.log.Warn("tell systemd", "err", err)
	}
}

// notify sends lines of sd_notify(3) if it was systemd that started us. The
// library's way may block, and the loop must not.
func notify(said string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a socket: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, []byte(said), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: path}); err != nil {
		return fmt.Errorf("send to %s: %w", path, err)
	}
	return nil
}

// summary is the state in one line, as `systemctl status` shows it.
func summary(s policy.State, ssid string) string {
	parts := []string{uplinkSummary(s.Uplink)}
	if s.AP.State != policy.APOff {
		accessPoint := fmt.Sprintf("access point %q %s", ssid, s.AP.State)
		if s.Uplink.State == policy.Online {
			parts = append(parts, accessPoint)
		} else {
			parts = []string{accessPoint + ": " + s.AP.Reason}
		}
	}
	return oneLine(strings.Join(parts, ", "))
}

func uplinkSummary(u policy.UplinkStatus) string {
	switch {
	case u.State == policy.Online && u.Portal:
		return "online by " + u.Name + ", behind a portal"
	case u.State == policy.Online:
		return "online by " + u.Name
	case u.State == policy.Joining:
		return u.Reason // says so itself
	}
	return fmt.Sprintf("%s: %s", u.State, u.Reason)
}

// oneLine takes line breaks away, which would begin another assignment.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, unicode.IsControl), " ")
}
