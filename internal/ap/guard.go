package ap

import (
	"context"
	"errors"
	"log/slog"
)

// guard protects the device, and the network behind it, from the stations on the
// access point. It is in place before hostapd sends its first beacon and until
// hostapd has ended. The next daemon finds it in place.
//
// It has two parts: settings of the interface, and a packet filter table, which also
// forwards phones if they may pass. If the kernel refuses a part, the access point
// starts all the same, as the device could not be reached without it; the missing
// part is logged and reported by Unguarded.
type guard struct {
	settings   settings
	forwarding *forwarding
}

func newGuard(c Config, log *slog.Logger) guard {
	return guard{settings: newSettings(c, log), forwarding: newForwarding(c, log)}
}

// keep puts both parts in place, and changes nothing that is in place already.
func (g guard) keep() error { return errors.Join(g.settings.keep(), g.forwarding.keep()) }

// stop undoes everything that keep did, in this or an earlier run.
func (g guard) stop() error { return errors.Join(g.settings.stop(), g.forwarding.stop()) }

// keepGuard keeps the guard in place, and reports changes of its missing part.
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

// dropGuard removes the guard. A failure is only logged, as it must not keep the
// radio from joining a network.
func (a *AccessPoint) dropGuard() {
	if err := a.guard.stop(); err != nil {
		a.log.Warn("access point's guard is not taken back", "iface", a.config.Interface, "err", err)
	}
	a.missing = nil
	a.Unguarded(nil)
}
