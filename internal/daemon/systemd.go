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

// watchdogEvery returns how often the daemon has to feed systemd's watchdog; 0:
// there is none.
func watchdogEvery(log *slog.Logger) time.Duration {
	every, err := systemd.WatchdogEvery()
	if err != nil {
		log.Warn("watchdog", "err", err)
	}
	return every
}

// announce reports the state to systemd, and at the first call with known links that
// the daemon is ready: the socket is served, and the policy has decided about the
// links.
func (d *daemon) announce(old, next policy.State) {
	if !next.LinksKnown() {
		return
	}
	said := "STATUS=" + summary(next, d.cfg.Load().AP.SSID)
	if !old.LinksKnown() {
		said = systemd.Ready + "\n" + said
	}
	d.notifySystemd(said)
}

func (d *daemon) notifySystemd(said string) {
	if err := systemd.Notify(said); err != nil {
		d.log.Warn("tell systemd", "err", err)
	}
}

// summary returns the state in one line, as `systemctl status` shows it.
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
		return u.Reason // the reason already begins with the word joining or looking
	}
	return fmt.Sprintf("%s: %s", u.State, u.Reason)
}

// oneLine removes line breaks, which would begin another assignment of sd_notify(3).
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, unicode.IsControl), " ")
}
