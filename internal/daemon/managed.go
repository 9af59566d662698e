package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/atomicfile"
	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

const (
	// autoLimit is how long NetworkManager may take to join what it knows:
	// 6 s to 7.5 s after it was given the radio, 4 s of that for its scan.
	autoLimit = 20 * time.Second

	// lossGrace is how long a managed radio may be without its network, or an
	// idle one down, before it counts as lost, as with our own wpa_supplicant.
	lossGrace = 2 * time.Second

	// hintLimit bounds a scan of some channels: a third of a second each.
	hintLimit = 5 * time.Second

	// gatewayTries is how often a gateway is asked that does not answer, for 3 s
	// each.
	gatewayTries = 2
)

// manager is NetworkManager where it is the one that joins networks.
type manager struct {
	*networkmanager.Client
	profiles *networkmanager.Profiles
	marker   string // file that says that the radio was taken from it
}

// release takes the radio from NetworkManager. The marker comes first: whoever
// ends in between leaves word that the radio has to be handed back.
func (m *manager) release(ctx context.Context) error {
	if err := atomicfile.Write(m.marker, []byte(m.Interface+"\n"), 0o600); err != nil {
		return fmt.Errorf("note that NetworkManager lacks %s: %w", m.Interface, err)
	}
	if err := m.Release(ctx); err != nil && !errors.Is(err, networkmanager.ErrAbsent) {
		return err
	}
	return nil
}

// handBack gives it back. NetworkManager has a radio that is switched off, too:
// the error says that it is, and nothing of it is ours any more.
func (m *manager) handBack(ctx context.Context) error {
	err := m.HandBack(ctx)
	if err != nil && !isOff(err) {
		return err
	}
	return cmp.Or(m.forgetRelease(), err)
}

// isOff reports whether err only says that the radio is switched off.
func isOff(err error) bool {
	var join *wifi.JoinError
	return errors.As(err, &join) && join.Code == wifi.CodeRadioOff
}

func (m *manager) forgetRelease() error {
	if err := os.Remove(m.marker); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (m *manager) released() bool {
	_, err := os.Stat(m.marker)
	return err == nil
}

// running is what NetworkManager has made of the radio.
func (m *manager) running(ctx context.Context) policy.Target {
	device, err := m.Device(ctx)
	if err != nil || !device.Activated() {
		return policy.Target{}
	}
	a, err := m.Association(ctx)
	if err != nil {
		return policy.Target{}
	}
	return policy.Target{Role: policy.RoleStation, Network: policy.Network{SSID: string(a.SSID)}}
}

func markerFile(runtimeDir string) string { return filepath.Join(runtimeDir, "released") }

// holdManaged is holdStation where NetworkManager joins: by itself what it
// knows, and what a person asked for under a checkpoint.
func (r *radio) holdManaged(ctx context.Context, t policy.Target, report func(policy.Stage)) error {
	if err := r.handBack(ctx); err != nil {
		return r.failed(codeRadioFailed, err)
	}
	report(policy.StageCleared)
	var trial *networkmanager.Trial
	var err error
	if t.Asked {
		trial, err = r.tryManaged(ctx, t.Network)
	} else {
		r.hint(ctx)
		err = r.manager.Await(ctx, autoLimit)
	}
	if err == nil {
		err = r.verifyManaged(ctx, report)
	}
	if trial != nil {
		err = r.endTrial(ctx, trial, t.Network, err)
	}
	if err != nil {
		return r.failed("rejected", err)
	}
	report(policy.StageReady)
	return r.failed("lost", r.stayManaged(ctx))
}

// handBack leaves the radio to NetworkManager, and alone if that has it.
func (r *radio) handBack(ctx context.Context) error {
	if _, serving := r.runner.Find(ap.RoleHostapd); serving || r.manager.released() {
		if err := r.endAP(ctx); err != nil {
			return err
		}
	}
	return errors.Join(r.endStation(ctx), r.dropLease(), r.manager.handBack(ctx))
}

// tryManaged joins what a person asked for.
func (r *radio) tryManaged(ctx context.Context, n policy.Network) (*networkmanager.Trial, error) {
	profile, saved := r.manager.profiles.Profile([]byte(n.SSID))
	network, uuid := profile.Network, profile.UUID
	if n.Candidate || !saved {
		var err error
		if network, err = r.network(n); err != nil {
			return nil, err
		}
		uuid = ""
	}
	network.Frequency = cmp.Or(network.Frequency, r.seenAt(network.SSID))
	if err := network.Check(); uuid == "" && err != nil {
		return nil, err
	}
	return r.manager.Join(ctx, network, uuid, air{r.iface})
}

// air is what the radio of that interface hears.
type air struct{ iface string }

// Cells implements networkmanager.Air. NetworkManager scans often, and on all
// channels, so its scans make room for ours.
func (a air) Cells(ctx context.Context, mhz ...int) ([]wifi.BSS, error) {
	return wifi.Scan(ctx, wifi.ScanRequest{Interface: a.iface, Preempt: true, Frequencies: mhz})
}

// Listen implements networkmanager.Air.
func (a air) Listen() (networkmanager.Frames, error) { return wifi.Listen(a.iface) }

// hint scans where the saved networks were: NetworkManager hears what that
// finds, and need not wait for its own scan of all channels, which takes 4 s.
func (r *radio) hint(ctx context.Context) {
	var mhz []int
	for _, n := range r.book.Networks() {
		if f := cmp.Or(r.seenAt(n.SSID), n.Frequency); f != 0 && !slices.Contains(mhz, f) {
			mhz = append(mhz, f)
		}
	}
	if mhz == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, hintLimit)
	defer cancel()
	if _, err := (air{r.iface}).Cells(ctx, mhz...); err != nil {
		r.log.Debug("look where the saved networks were", "err", err)
	}
}

// endTrial decides it: a network that leads nowhere is taken back, also when
// ctx ended before it was known.
func (r *radio) endTrial(ctx context.Context, trial *networkmanager.Trial, n policy.Network, err error) error {
	if err != nil {
		return errors.Join(err, trial.Undo(ctx))
	}
	if err := trial.Keep(ctx); err != nil {
		return errors.Join(err, trial.Undo(ctx))
	}
	if n.Candidate {
		r.manager.profiles.Joined(trial)
	}
	return nil
}

// verifyManaged is the proof that what NetworkManager has joined leads somewhere.
func (r *radio) verifyManaged(ctx context.Context, report func(policy.Stage)) error {
	association, err := r.manager.Association(ctx)
	if err != nil {
		return err
	}
	r.association.Store(&association)
	return r.verifyAddress(ctx, report)
}

// verifyAddress sees the carrier, which NetworkManager thinks is there for 15 s
// after it is lost, and the address, and asks the gateway; twice, as frames may
// be lost while the keys are new.
func (r *radio) verifyAddress(ctx context.Context, report func(policy.Stage)) error {
	ctx, cancel := context.WithTimeout(ctx, addressLimit)
	defer cancel()
	hint, stop := r.monitor.Subscribe()
	defer stop()
	missing := failure("lost", "carrier lost on %s", r.iface)
	asked := 0
	for has := (kernelView{}); ; {
		now := r.kernelView()
		if now.carrier && !has.carrier {
			missing = failure("no_address", "the network gave no address within %v", addressLimit)
			report(policy.StageAssociated)
		}
		if now.addressed && !has.addressed {
			missing = noGateway()
			report(policy.StageAddressed)
		}
		has.carrier, has.addressed = has.carrier || now.carrier, has.addressed || now.addressed
		if now.gateway.IsValid() || r.blind && now.addressed {
			if missing = newSession(r, nil).askGateway(ctx, now.gateway); missing == nil {
				return nil
			}
			if asked++; asked == gatewayTries {
				return missing
			}
			continue
		}
		select {
		case <-ctx.Done():
			return missing
		case <-hint:
		}
	}
}

// kernelView is what the kernel has of the radio's network. Without a carrier
// the rest of it is not true any more.
type kernelView struct {
	carrier, addressed bool
	gateway            netip.Addr
}

func (r *radio) kernelView() (view kernelView) {
	s := r.monitor.Snapshot()
	if s == nil {
		return view
	}
	if l, ok := s.Link(r.iface); ok && l.Carrier {
		view.carrier, view.addressed = true, addressed(s, l.Index)
		if view.addressed {
			view.gateway, _ = s.Gateway(l.Index)
		}
	}
	return view
}

// stayManaged blocks while the network holds. NetworkManager notices a router
// that is gone after 18 s; the carrier tells at once.
func (r *radio) stayManaged(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	changed := make(chan struct{}, 1)
	group.Go(func() error {
		return r.manager.Watch(ctx, func(c networkmanager.Change) {
			if c.Joined {
				nudge(changed)
			}
		})
	})
	group.Go(func() error {
		hint, stop := r.monitor.Subscribe()
		defer stop()
		var overdue <-chan time.Time
		for {
			reason := r.lostManaged(ctx)
			switch {
			case reason == "":
				overdue = nil
			case overdue == nil:
				overdue = time.After(lossGrace)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-hint:
			case <-changed:
			case <-overdue:
				return &wifi.LostError{Reason: reason}
			}
		}
	})
	return group.Wait()
}

// lostManaged says what is missing; empty: nothing.
func (r *radio) lostManaged(ctx context.Context) string {
	if s := r.monitor.Snapshot(); s != nil {
		if l, ok := s.Link(r.iface); !ok || !l.Carrier {
			return "carrier lost on " + r.iface
		}
	}
	device, err := r.manager.Device(ctx)
	switch {
	case err != nil:
		return err.Error()
	case !device.Activated():
		return "NetworkManager has left the network"
	}
	return ""
}
