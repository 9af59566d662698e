package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/metrics"
	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// radio makes one Wi-Fi interface what the policy wants it to be. Each Hold
// ends first what the one before it left; so nothing is torn down when the
// daemon itself ends, and the next run finds everything as it was.
type radio struct {
	iface   string
	metric  uint32 // of the station's default route
	blind   bool   // no gateway is asked
	dir     string // runtime folder
	book    book
	manager *manager // nil: we join networks ourselves
	runner  *process.Runner
	log     *slog.Logger
	ap      *ap.AccessPoint
	station *wifi.Station

	// reset is for a radio that fails; nil: it is left alone.
	reset func(ctx context.Context, iface string) error

	monitor *link.Monitor
	*live
}

// live is what the radio does at the moment, for everybody to read. It is
// the same for a radio that takes another's place.
type live struct {
	association atomic.Pointer[wifi.Association] // nil while not a station
	leased      atomic.Pointer[dhcp.Lease]       // the latest
	advertised  atomic.Pointer[[]netip.Addr]     // name servers of routers; nil: not known yet
	clients     atomic.Pointer[[]ap.Client]      // of the access point
	unguarded   atomic.Pointer[string]           // what protects the device from phones and is missing; nil: nothing is
	tried       atomic.Pointer[store.Network]    // the latest candidate; another one may be stored by now
	metricless  sync.Once                        // the log has said that the kernel lacks routerMetric

	clientsChanged func(ctx context.Context, count int)
	joinChanged    func(n policy.Network, now string, why policy.Failure) // now: a client.Join…
	joinEnded      func(result string, took time.Duration)                // of the metrics
	leaseChanged   func()                                                 // or what routers advertise
	seenAt         func(ssid []byte) int                                  // frequency in MHz where a scan saw the network; 0: none did
}

// slot is the place of the radio: what is in it changes when the hardware or
// the settings do. A Hold keeps the one with which it began.
type slot struct {
	live
	current atomic.Pointer[radio]
}

// Hold implements supervisor.Radio.
func (s *slot) Hold(ctx context.Context, t policy.Target, report func(policy.Stage)) error {
	return s.current.Load().Hold(ctx, t, report)
}

// iface is the name of the radio's interface.
func (s *slot) iface() string { return s.current.Load().iface }

// Codes of failures after which a reset of the radio may help.
const (
	codeRadioOff    = string(wifi.CodeRadioOff)
	codeRadioFailed = "radio_failed"
)

// Hold makes the radio what the target says, see supervisor.Radio. A radio
// that is off or has failed is reset, where the config wants that, before the
// policy tries again.
func (r *radio) Hold(ctx context.Context, t policy.Target, report func(policy.Stage)) error {
	defer r.association.Store(nil)
	if t.Role == policy.RoleStation {
		return r.told(ctx, t, report)
	}
	return r.mended(ctx, t, report)
}

// told is Hold of a station, of which others hear how far it has come.
func (r *radio) told(ctx context.Context, t policy.Target, report func(policy.Stage)) error {
	var joined atomic.Bool
	start := time.Now()
	r.joinChanged(r.named(t.Network), client.JoinStarted, policy.Failure{})
	err := r.mended(ctx, t, func(stage policy.Stage) {
		report(stage)
		if now := joinStages[stage]; now != "" {
			if stage == policy.StageReady {
				joined.Store(true)
				r.joinEnded(metrics.Joined, time.Since(start))
			}
			r.joinChanged(r.named(t.Network), now, policy.Failure{})
		}
	})
	var failed *supervisor.Failed
	switch {
	case joined.Load():
	case ctx.Err() != nil:
		r.joinEnded(metrics.Abandoned, time.Since(start))
	case errors.As(err, &failed):
		r.joinEnded(failed.Code, time.Since(start))
		r.joinChanged(r.named(t.Network), client.JoinFailed, failed.Failure)
	}
	return err
}

// named is the network that is being joined, where somebody else has chosen it
// as far as that is known.
func (r *radio) named(n policy.Network) policy.Network {
	if a := r.association.Load(); n.SSID == "" && a != nil {
		return policy.Network{SSID: string(a.SSID)}
	}
	return n
}

var joinStages = map[policy.Stage]string{
	policy.StageCleared: client.JoinAssociating, policy.StageAssociated: client.JoinAssociated,
	policy.StageAddressed: client.JoinAddressed, policy.StageReady: client.JoinDone,
}

// mended is Hold of a radio that is reset when it failed.
func (r *radio) mended(ctx context.Context, t policy.Target, report func(policy.Stage)) error {
	err := r.hold(ctx, t, report)
	var failed *supervisor.Failed
	if r.reset != nil && ctx.Err() == nil && errors.As(err, &failed) && slices.Contains([]string{codeRadioOff, codeRadioFailed}, failed.Code) {
		switch resetErr := r.reset(ctx, r.iface); {
		case errors.Is(resetErr, ap.ErrBlocked): // by a switch of the device, for as long as that is so; the failure says it
		case resetErr != nil:
			r.log.Error("reset the radio", "reason", failed.Reason, "err", resetErr)
		default:
			r.log.Warn("the radio was reset", "iface", r.iface, "reason", failed.Reason)
		}
	}
	return err
}

func (r *radio) hold(ctx context.Context, t policy.Target, report func(policy.Stage)) error {
	switch t.Role {
	case policy.RoleAccessPoint:
		return r.holdAP(ctx, report)
	case policy.RoleStation:
		if r.manager != nil {
			return r.holdManaged(ctx, t, report)
		}
		return r.holdStation(ctx, t, report)
	}
	return r.holdOff(ctx, report)
}

func notStored(n policy.Network) error {
	return &supervisor.Failed{Failure: policy.Failure{Code: "not_configured", Reason: fmt.Sprintf("%q is not stored any more", n.SSID)}}
}

// running finds out what the previous run left the radio as.
func (r *radio) running(ctx context.Context) policy.Target {
	if _, ok := r.runner.Find(ap.RoleHostapd); ok {
		return policy.Target{Role: policy.RoleAccessPoint}
	}
	if r.manager != nil {
		return r.manager.running(ctx)
	}
	if _, ok := r.runner.Find(wifi.Role); !ok {
		return policy.Target{}
	}
	for _, n := range r.book.Networks() {
		if r.loadLease(n.SSID) != nil {
			return policy.Target{Role: policy.RoleStation, Network: policy.Network{SSID: string(n.SSID), Hidden: n.Hidden}}
		}
	}
	return policy.Target{}
}

func (r *radio) holdOff(ctx context.Context, report func(policy.Stage)) error {
	if err := r.beNothing(ctx); err != nil {
		return r.failed(codeRadioFailed, err)
	}
	_, absent := net.InterfaceByName(r.iface)
	report(policy.StageCleared)
	report(policy.StageReady)
	if r.manager != nil { // which sets it up itself
		<-ctx.Done()
		return ctx.Err()
	}
	return r.stayUp(ctx, absent == nil)
}

// stayUp blocks while the idle radio is up: rfkill sets it down, and one that is
// plugged in again is down. One that has not been there at all needs nothing.
func (r *radio) stayUp(ctx context.Context, seen bool) error {
	hint, stop := r.monitor.Subscribe()
	defer stop()
	var overdue <-chan time.Time
	for {
		reason := ""
		if s := r.monitor.Snapshot(); s != nil {
			l, there := s.Link(r.iface)
			switch {
			case there && !l.Up:
				reason = r.iface + " is down"
			case !there && seen:
				reason = r.iface + " is gone"
			}
			seen = seen || there
		}
		switch {
		case reason == "":
			overdue = nil
		case overdue == nil: // the snapshot may be from before it was set up
			overdue = time.After(lossGrace)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-hint:
		case <-overdue:
			return failure("lost", "%s", reason)
		}
	}
}

// beNothing leaves the radio to NetworkManager, where that has it, or idle.
func (r *radio) beNothing(ctx context.Context) error {
	if r.manager != nil {
		return r.handBack(ctx)
	}
	if err := errors.Join(r.endAP(ctx), r.endStation(ctx)); err != nil {
		return err
	}
	return r.clear(ctx, link.Spec{Name: r.iface, Up: true})
}

// tearDownStation removes what a station has left, and hands the radio back if
// it was taken from NetworkManager.
func (r *radio) tearDownStation(ctx context.Context) error {
	r.restoreSettings()
	marked := &manager{marker: markerFile(r.dir)}
	if r.manager != nil && !marked.released() {
		return r.dropLease() // everything else is NetworkManager's
	}
	err := r.clear(ctx, link.Spec{Name: r.iface})
	if marked.released() {
		marked.Client = &networkmanager.Client{Interface: r.iface, Log: r.log}
		if _, back := marked.Back(ctx, restartLimit); back != nil { // it may be restarting
			return errors.Join(err, fmt.Errorf("hand %s back: %w: when NetworkManager runs again, nmcli device set %[1]s managed yes", r.iface, back))
		}
		if back := marked.handBack(ctx); !isOff(back) { // one that is off is back, too
			err = errors.Join(err, back)
		}
	}
	return err
}

// endAP ends the access point, also one whose hostapd could not make the
// interface a station's again.
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

func (r *radio) holdAP(ctx context.Context, report func(policy.Stage)) error {
	if err := errors.Join(r.endStation(ctx), r.dropLease()); err != nil {
		return r.failed(codeRadioFailed, err)
	}
	if r.manager != nil {
		if err := r.manager.release(ctx); err != nil {
			return r.failed(codeRadioFailed, err)
		}
	}
	report(policy.StageCleared)
	defer r.clients.Store(nil)
	r.ap.Clients = func(clients []ap.Client) { r.countClients(ctx, clients) }
	err := r.ap.Hold(ctx, func() {
		report(policy.StageReady)
		r.stayAwake(ctx)
	})
	return r.failed("ap_failed", err)
}

// stayAwake switches power saving off: an access point that sleeps loses
// what its clients send.
func (r *radio) stayAwake(ctx context.Context) {
	if err := wifi.SetPowerSave(ctx, r.iface, false); err != nil && !errors.Is(err, wifi.ErrNotSupported) {
		r.log.Warn("switch power saving off", "err", err)
	}
}

// countClients is told who is on the access point.
func (r *radio) countClients(ctx context.Context, clients []ap.Client) {
	last := r.clients.Swap(&clients)
	if last != nil && len(*last) != len(clients) || last == nil && len(clients) > 0 {
		r.log.Info("access point stations", "count", len(clients))
	}
	r.clientsChanged(ctx, len(clients)) // also when it is the same: the loop feeds its watchdog without a wake-up of its own
}

func (r *radio) holdStation(ctx context.Context, t policy.Target, report func(policy.Stage)) error {
	network, err := r.network(t.Network)
	if err != nil {
		return r.failed("internal", err)
	}
	previous := r.loadLease(network.SSID)
	if previous == nil { // the interface is not that network's station already
		if err := errors.Join(r.endAP(ctx), r.clear(ctx, link.Spec{Name: r.iface, Up: true})); err != nil {
			return r.failed(codeRadioFailed, err)
		}
	}
	r.keepSettings() // before the first router can advertise itself
	report(policy.StageCleared)
	hinted := network.Network
	hinted.Frequency = cmp.Or(hinted.Frequency, r.seenAt(hinted.SSID))
	association, err := r.station.Associate(ctx, hinted)
	if err != nil {
		// The next attempt starts from a clean interface.
		return r.failed("rejected", errors.Join(err, r.dropLease()))
	}
	if previous, err = r.stillValid(ctx, previous, association); err != nil {
		return r.failed(codeRadioFailed, err)
	}
	r.association.Store(&association)
	report(policy.StageAssociated)
	adopted := association.Adopted && !t.Network.Candidate && !t.Asked
	s := newSession(r, network.SSID)
	s.static, s.adopted, s.report = network.Addressing, adopted, report
	return r.failed("no_address", s.run(ctx, previous))
}

// refresh keeps the signal that others read up to date. It is called when the
// uplink is probed, so that it wakes nobody by itself.
func (r *radio) refresh(ctx context.Context) {
	old := r.association.Load()
	if old == nil {
		return
	}
	now, err := wifi.Refresh(ctx, r.iface, *old)
	if err != nil {
		r.log.Debug("signal", "err", err)
		return
	}
	r.association.CompareAndSwap(old, &now) // another one is newer
}

// network finds what the store holds under the policy's name.
func (r *radio) network(n policy.Network) (store.Network, error) {
	if n.Candidate {
		c, ok := r.book.Candidate()
		r.tried.Store(&c)
		if !ok || string(c.SSID) != n.SSID {
			return c, notStored(n)
		}
		return c, nil
	}
	saved, err := r.book.Find([]byte(n.SSID))
	if errors.Is(err, store.ErrUnknown) {
		err = notStored(n)
	}
	return saved, err
}

// clear removes what a station left on the interface.
func (r *radio) clear(ctx context.Context, bare link.Spec) error {
	err := link.Apply(ctx, bare)
	if errors.Is(err, link.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, r.dropLease())
}

func (r *radio) leaseFile() string { return filepath.Join(r.dir, "lease.json") }

// failed gives an error the code that the policy and the user see.
func (r *radio) failed(code string, err error) error {
	var failed *supervisor.Failed
	var join *wifi.JoinError
	var lost *wifi.LostError
	switch {
	case err == nil, errors.As(err, &failed):
		return err
	case errors.As(err, &join):
		return &supervisor.Failed{Failure: policy.Failure{Code: string(join.Code), Reason: join.Reason}}
	case errors.As(err, &lost):
		return &supervisor.Failed{Failure: policy.Failure{Code: "lost", Reason: lost.Reason}}
	case errors.Is(err, link.ErrNotExist):
		code = "no_radio"
	case errors.Is(err, ap.ErrBlocked), errors.Is(err, unix.ERFKILL):
		code = codeRadioOff
	}
	return &supervisor.Failed{Failure: policy.Failure{Code: code, Reason: err.Error()}}
}
