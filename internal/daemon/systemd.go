package daemon

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/systemd"
)

// watchdogEvery is how often systemd wants to hear of us; 0: it does not.
func watchdogEvery(log *slog.Logger) time.Duration {
	every, err := systemd.WatchdogEvery()
	if err != nil {
		log.Warn("watchdog", "err", err)
	}
	return every
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
		said = systemd.Ready + "\n" + said
	}
	d.tellSystemd(said)
}

func (d *daemon) tellSystemd(said string) {
	if err := systemd.Notify(said); err != nil {
		d.log.Warn("tell systemd", "err", err)
	}
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
