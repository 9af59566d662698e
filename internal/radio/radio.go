package radio

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/interfaces"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/supervisor"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// radio is one Wi-Fi interface with one choice. Each Hold first ends what the
// previous Hold left. When the daemon ends, a Hold tears nothing down, so that the
// next run finds everything as it was.
type radio struct {
	choice
	dir      string // runtime folder
	networks NetworkStore
	runner   *process.Runner
	monitor  *link.Monitor
	links    interfaces.Owner // changes the interface for a station, or one at rest
	log      *slog.Logger
	events   *Events
	backend  backend
	ap       *ap.AccessPoint
	station  *wifi.Station         // of the wpa_supplicant backend, or what that backend has left
	recheck  func()                // makes the slot choose the backend again
	seenAt   func(ssid []byte) int // frequency in MHz where a scan saw the network; 0: none did

	// reset resets a radio that fails; nil: the settings do not want that.
	reset func(ctx context.Context, iface string) error

	*readings
}

// newRadio makes a radio of the slot's parts.
func newRadio(s *Slot, c choice) *radio {
	accessPoint := c.AccessPoint
	accessPoint.Interface = c.iface
	r := &radio{
		choice: c, dir: s.RuntimeDir, networks: s.Saved, runner: s.Runner, monitor: s.Monitor, links: s.Interfaces.Owner("station"), log: s.Log, events: &s.Events,
		ap: ap.New(accessPoint, s.Runner, s.Interfaces.Owner("access point"), s.Log),
		station: wifi.NewStation(wifi.StationConfig{
			Interface: c.iface, Program: c.WPASupplicant, Country: c.Country,
			RuntimeDir: s.RuntimeDir, StateDir: s.StateDir, Runner: s.Runner, Log: s.Log,
		}),
		recheck: s.recheckBackend, seenAt: s.scanner.frequency, readings: &s.readings,
	}
	r.ap.Clients, r.ap.Unguarded = r.countClients, s.Events.Unguarded
	r.ap.OnAir = func(cell ap.Cell) { r.cell.Store(&cell) }
	if accessPoint.Driver == nl80211Driver {
		r.ap.IsOne = func(ctx context.Context) bool { return isAccessPoint(ctx, c.iface) }
	}
	if c.Reset {
		r.reset = ap.Reset
	}
	r.backend = supplicant{r}
	if c.managed {
		r.networks = s.Profiles
		r.backend = managed{radio: r, client: networkManager(c.iface, s.Log), profiles: s.Profiles}
	}
	return r
}

// nl80211Driver is the driver of hostapd with which the kernel knows of the access
// point.
const nl80211Driver = "nl80211"

// Hold brings the radio to the target, see supervisor.Radio. If the settings want
// that, a radio that is off or has failed is reset before the policy tries again.
// This radio is an access point or a station, but never both at once.
func (r *radio) Hold(ctx context.Context, t policy.Target, report func(policy.Part, policy.Stage)) error {
	defer r.association.Store(nil)
	part := t.Parts()[0]
	reached := func(stage policy.Stage) { report(part, stage) }
	if part == policy.PartStation {
		return r.holdReporting(ctx, t, reached)
	}
	return r.holdWithReset(ctx, t, reached)
}

// holdReporting holds a station and reports its progress as events.
func (r *radio) holdReporting(ctx context.Context, t policy.Target, report func(policy.Stage)) error {
	var joined atomic.Bool
	start := time.Now()
	event := func(e JoinEvent) {
		e.Network, e.Took = r.joining(t.Station.Network), time.Since(start)
		r.events.Join(e)
	}
	event(JoinEvent{})
	err := r.holdWithReset(ctx, t, func(stage policy.Stage) {
		report(stage)
		if stage == policy.StageReady {
			joined.Store(true)
		}
		event(JoinEvent{Stage: stage})
	})
	var failed *supervisor.Failed
	switch {
	case joined.Load():
	case ctx.Err() != nil:
		event(JoinEvent{Abandoned: true})
	case errors.As(err, &failed):
		event(JoinEvent{Failure: failed.Failure})
	}
	return err
}

// joining returns the network that is being joined: where NetworkManager chooses,
// the one of the association, as soon as there is one.
func (r *radio) joining(n policy.Network) policy.Network {
	if a := r.association.Load(); n.SSID == "" && a != nil {
		return policy.Network{SSID: string(a.SSID)}
	}
	return n
}

// holdWithReset resets the radio after it failed.
func (r *radio) holdWithReset(ctx context.Context, t policy.Target, report func(policy.Stage)) error {
	err := r.hold(ctx, t, report)
	var failed *supervisor.Failed
	if r.reset == nil || ctx.Err() != nil || !errors.As(err, &failed) || !slices.Contains([]string{client.CodeRadioOff, client.CodeRadioFailed}, failed.Code) {
		return err
	}
	switch resetErr := r.reset(ctx, r.iface); {
	case errors.Is(resetErr, ap.ErrBlocked): // a hardware switch blocks the radio; the failure already says so
	case resetErr != nil:
		r.log.Error("reset the radio", "reason", failed.Reason, "err", resetErr)
	default:
		r.log.Warn("the radio was reset", "iface", r.iface, "reason", failed.Reason)
	}
	return err
}

func (r *radio) hold(ctx context.Context, t policy.Target, report func(policy.Stage)) error {
	switch {
	case t.Station.Wanted:
		return r.backend.join(ctx, t.Station, report)
	case t.AccessPoint:
		return r.holdAP(ctx, report)
	}
	return r.holdIdle(ctx, report)
}

// running finds out what the previous run left the radio as.
func (r *radio) running(ctx context.Context) policy.Target {
	if _, ok := r.runner.Find(ap.RoleHostapd); ok {
		return policy.Target{AccessPoint: true}
	}
	return policy.Target{Station: r.backend.running(ctx)}
}

func (r *radio) holdIdle(ctx context.Context, report func(policy.Stage)) error {
	if err := r.backend.idle(ctx); err != nil {
		return r.failed(client.CodeRadioFailed, err)
	}
	_, absent := net.InterfaceByName(r.iface)
	report(policy.StageCleared)
	report(policy.StageReady)
	return r.backend.watchIdle(ctx, absent == nil)
}

func (r *radio) holdAP(ctx context.Context, report func(policy.Stage)) error {
	if err := errors.Join(r.endStation(ctx), r.dropLease()); err != nil {
		return r.failed(client.CodeRadioFailed, err)
	}
	if err := r.backend.release(ctx); err != nil {
		return r.failed(client.CodeRadioFailed, err)
	}
	report(policy.StageCleared)
	defer r.clients.Store(nil)
	defer r.cell.Store(nil)
	defer r.serving.Store(false)
	err := r.ap.Hold(ctx, func() { r.serves(ctx, report) })
	return r.failed(client.CodeAPFailed, err)
}

// serves is called when the access point serves. If the radio was plugged in while
// the access point started, NetworkManager may have taken the radio after release,
// so the backend is checked again.
func (r *radio) serves(ctx context.Context, report func(policy.Stage)) {
	r.serving.Store(true)
	report(policy.StageReady)
	r.stayAwake(ctx)
	if r.managed {
		r.recheck()
	}
}

// endAP ends the access point, and makes the interface a station's again if hostapd
// could not.
func (r *radio) endAP(ctx context.Context) error {
	if err := r.ap.End(ctx); err != nil {
		return err
	}
	err := wifi.SetStation(ctx, r.iface)
	if errors.Is(err, wifi.ErrNoInterface) || errors.Is(err, wifi.ErrNotSupported) {
		return nil
	}
	return err
}

// stayAwake switches power saving off, as an access point that sleeps loses frames
// of its clients.
func (r *radio) stayAwake(ctx context.Context) {
	if err := wifi.SetPowerSave(ctx, r.iface, false); err != nil && !errors.Is(err, wifi.ErrNotSupported) {
		r.log.Warn("switch power saving off", "err", err)
	}
}

// countClients keeps the stations on the access point, and reports their number. It
// reports even an unchanged number: the loop, awake for the event, then also feeds
// its watchdog, which saves a wake-up.
func (r *radio) countClients(ctx context.Context, clients []ap.Client) {
	last := r.clients.Swap(&clients)
	if last != nil && len(*last) != len(clients) || last == nil && len(clients) > 0 {
		r.log.Info("access point stations", "count", len(clients))
	}
	r.events.Clients(ctx, len(clients))
}

// tearDown removes what a station has left. It hands the radio back if it was taken
// from NetworkManager, even if NetworkManager is no longer the backend.
func (r *radio) tearDown(ctx context.Context) error {
	r.restoreSettings()
	if !(loan{r.dir}).noted() {
		return r.backend.tearDown(ctx)
	}
	return errors.Join(r.clear(ctx, link.Spec{Name: r.iface}), r.returnLoan(ctx))
}

// failed converts an error into a supervisor.Failed with the code that the policy
// and the user see.
func (r *radio) failed(code string, err error) error {
	var failed *supervisor.Failed
	var join *wifi.JoinError
	var lost *wifi.LostError
	switch {
	case err == nil, errors.As(err, &failed):
		return err
	case errors.As(err, &join):
		return &supervisor.Failed{Failure: policy.Failure{Code: join.Code, Reason: join.Reason}}
	case errors.As(err, &lost):
		return &supervisor.Failed{Failure: policy.Failure{Code: client.CodeLost, Reason: lost.Reason}}
	case errors.Is(err, link.ErrNotExist):
		code = client.CodeNoRadio
	case errors.Is(err, ap.ErrBlocked), errors.Is(err, unix.ERFKILL):
		code = client.CodeRadioOff
	}
	return &supervisor.Failed{Failure: policy.Failure{Code: code, Reason: err.Error()}}
}
