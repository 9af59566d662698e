package ap

import (
	"context"
	"errors"
	"log/slog"
)

// guard protects the device, and what is behind it, from whoever is on the
// access point. It stands before hostapd sends its first beacon and until
// hostapd has ended. A next daemon finds it standing.
//
// It has two parts: settings of the interface, and a packet filter table, which
// also lets phones through where they may pass. A kernel that refuses a part is
// no reason to have no access point, since that is how the device is reached:
// the daemon says what is missing, in its log and by Unguarded.
type guard struct {
	settings   settings
	forwarding *forwarding
}

func newGuard(c Config, log *slog.Logger) guard {
	return guard{settings: newSettings(c, log), forwarding: newForwarding(c, log)}
}

// keep makes everything as it has to be, and does nothing if it is so already.
func (g guard) keep() error { return errors.Join(g.settings.keep(), g.forwarding.keep()) }

// stop takes everything back that keep did, now or in an earlier run.
func (g guard) stop() error { return errors.Join(g.settings.stop(), g.forwarding.stop()) }

// keepGuard keeps the guard, and tells when what is missing of it changes.
func (a *AccessPoint) keepGuard(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	err := a.guard.keep()
	missing := ""
	if err != nil {
		missing = err.Error()
	}
	if a.missing != nil && *a.missing == missing {
		return
	}
	a.missing = &missing
	if err != nil {
		a.log.Warn("access point is not guarded as it should be", "iface", a.config.Interface, "err", err)
	}
	a.Unguarded(err)
}

// dropGuard takes the guard back. That it fails must not keep the radio from
// joining a network.
func (a *AccessPoint) dropGuard() {
	if err := a.guard.stop(); err != nil {
		a.log.Warn("access point's guard is not taken back", "iface", a.config.Interface, "err", err)
	}
	a.missing = nil
	a.Unguarded(nil)
}
