package radio

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

const (
	// autoLimit is how long NetworkManager may take to join one of its saved
	// networks. It takes 6 s to 7.5 s after it was given the radio, 4 s of that for
	// its scan.
	autoLimit = 20 * time.Second

	// hintLimit bounds a scan of some channels: a third of a second each.
	hintLimit = 5 * time.Second

	// gatewayTries is how often a gateway that does not answer is asked, for 3 s
	// each time.
	gatewayTries = 2
)

// managed is the backend that lets NetworkManager join networks. NetworkManager
// chooses among its saved networks by itself; a network that a command asked for is
// joined under a checkpoint.
type managed struct {
	*radio
	client   *networkmanager.Client
	profiles *networkmanager.Profiles
}

// running implements backend.
func (m managed) running(ctx context.Context) policy.Station {
	device, err := m.client.Device(ctx)
	if err != nil || !device.Activated() {
		return policy.Station{}
	}
	a, err := m.client.Association(ctx)
	if err != nil {
		return policy.Station{}
	}
	return policy.Station{Wanted: true, Network: policy.Network{SSID: string(a.SSID)}}
}

// join implements backend.
func (m managed) join(ctx context.Context, t policy.Station, report func(policy.Stage)) error {
	if err := m.idle(ctx); err != nil {
		return m.failed(client.CodeRadioFailed, err)
	}
	report(policy.StageCleared)
	var trial *networkmanager.Trial
	var err error
	if t.Asked {
		trial, err = m.try(ctx, t.Network)
	} else {
		m.hint(ctx)
		err = m.client.Await(ctx, autoLimit)
	}
	if err == nil {
		err = m.verify(ctx, report)
	}
	if trial != nil {
		err = m.endTrial(ctx, trial, t.Network, err)
	}
	if err != nil {
		return m.failed(client.CodeRejected, err)
	}
	report(policy.StageReady)
	return m.failed(client.CodeLost, m.stay(ctx))
}

// tearDown implements backend. The address and the routes are NetworkManager's.
func (m managed) tearDown(context.Context) error { return m.dropLease() }

// release implements backend.
func (m managed) release(ctx context.Context) error { return loan{m.dir}.take(ctx, m.client) }

// idle implements backend. It returns the radio to NetworkManager.
func (m managed) idle(ctx context.Context) error {
	note := loan{m.dir}
	if _, serving := m.runner.Find(ap.RoleHostapd); serving || note.noted() {
		if err := m.endAP(ctx); err != nil {
			return err
		}
	}
	return errors.Join(m.endStation(ctx), m.dropLease(), note.handBack(ctx, m.client))
}

// watchIdle implements backend. It watches nothing, as NetworkManager sets the radio
// up itself.
func (m managed) watchIdle(ctx context.Context, _ bool) error {
	<-ctx.Done()
	return ctx.Err()
}

// try joins the network that a command asked for.
func (m managed) try(ctx context.Context, n policy.Network) (*networkmanager.Trial, error) {
	profile, saved := m.profiles.Profile([]byte(n.SSID))
	network, uuid := profile.Network, profile.UUID
	if n.Candidate || !saved {
		var err error
		if network, err = m.network(n); err != nil {
			return nil, err
		}
		uuid = ""
	}
	network.Frequency = cmp.Or(network.Frequency, m.seenAt(network.SSID))
	if err := network.Check(); uuid == "" && err != nil {
		return nil, err
	}
	return m.client.Join(ctx, network, uuid, air{m.iface})
}

// air scans and listens with the radio of that interface.
type air struct{ iface string }

// Cells implements networkmanager.Air. It aborts a scan of NetworkManager, which
// scans all channels often.
func (a air) Cells(ctx context.Context, mhz ...int) ([]wifi.BSS, error) {
	return wifi.Scan(ctx, wifi.ScanRequest{Interface: a.iface, Preempt: true, Frequencies: mhz})
}

// Listen implements networkmanager.Air.
func (a air) Listen() (networkmanager.Frames, error) { return wifi.Listen(a.iface) }

// hint scans the last known channels of the saved networks. NetworkManager gets the
// results, and need not wait for its own scan of all channels, which takes 4 s.
func (m managed) hint(ctx context.Context) {
	var mhz []int
	for _, n := range m.networks.Networks() {
		if f := cmp.Or(m.seenAt(n.SSID), n.Frequency); f != 0 && !slices.Contains(mhz, f) {
			mhz = append(mhz, f)
		}
	}
	if mhz == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, hintLimit)
	defer cancel()
	if _, err := (air{m.iface}).Cells(ctx, mhz...); err != nil {
		m.log.Debug("scan the last known channels of the saved networks", "err", err)
	}
}

// endTrial keeps the trial if the network works. Otherwise it undoes the trial, also
// if ctx ended before the outcome was known.
func (m managed) endTrial(ctx context.Context, trial *networkmanager.Trial, n policy.Network, err error) error {
	if err != nil {
		return errors.Join(err, trial.Undo(ctx))
	}
	if err := trial.Keep(ctx); err != nil {
		return errors.Join(err, trial.Undo(ctx))
	}
	if n.Candidate {
		m.profiles.Joined(trial)
	}
	return nil
}

// verify proves that the network that NetworkManager has joined leads somewhere.
func (m managed) verify(ctx context.Context, report func(policy.Stage)) error {
	association, err := m.client.Association(ctx)
	if err != nil {
		return err
	}
	m.association.Store(&association)
	return m.verifyAddress(ctx, report)
}

// verifyAddress waits for the carrier and the address, and asks the gateway. It does
// not trust NetworkManager for the carrier, which NetworkManager still reports for
// 15 s after its loss. It asks the gateway twice, as frames may be lost while the
// keys are new.
func (m managed) verifyAddress(ctx context.Context, report func(policy.Stage)) error {
	ctx, cancel := context.WithTimeout(ctx, addressLimit)
	defer cancel()
	hint, stop := m.monitor.Subscribe()
	defer stop()
	missing := failure(client.CodeLost, "carrier lost on %s", m.iface)
	asked := 0
	for has := (kernelView{}); ; {
		now := m.kernelView()
		if now.carrier && !has.carrier {
			missing = failure(client.CodeNoAddress, "the network gave no address within %v", addressLimit)
			report(policy.StageAssociated)
		}
		if now.addressed && !has.addressed {
			missing = noGateway()
			report(policy.StageAddressed)
		}
		has.carrier, has.addressed = has.carrier || now.carrier, has.addressed || now.addressed
		if now.gateway.IsValid() || m.SkipGateway && now.addressed {
			if missing = m.askGateway(ctx, now.gateway); missing == nil {
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

// kernelView is what the kernel has of the radio's network. Without a carrier the
// address and the gateway are outdated, so they are left out.
type kernelView struct {
	carrier, addressed bool
	gateway            netip.Addr
}

func (m managed) kernelView() (view kernelView) {
	s := m.monitor.Snapshot()
	if s == nil {
		return view
	}
	if l, ok := s.Link(m.iface); ok && l.Carrier {
		view.carrier, view.addressed = true, s.Addressed(l.Index)
		if view.addressed {
			view.gateway, _ = s.Gateway(l.Index)
		}
	}
	return view
}

// stay blocks while the network holds. NetworkManager notices only after 18 s that a
// router is gone; the carrier shows that at once.
func (m managed) stay(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	changed := make(chan struct{}, 1)
	group.Go(func() error {
		return m.client.Watch(ctx, func(c networkmanager.Change) {
			if c.Joined {
				nudge(changed)
			}
		})
	})
	group.Go(func() error {
		reason, err := m.awaitLoss(ctx, changed, func() string { return m.missing(ctx) })
		if err != nil {
			return err
		}
		return &wifi.LostError{Reason: reason}
	})
	return group.Wait()
}

// missing returns what the network lacks, "" for nothing. The policy notices a lost
// carrier sooner, but not a carrier that was lost just before the network counted as
// joined.
func (m managed) missing(ctx context.Context) string {
	if s := m.monitor.Snapshot(); s != nil {
		if l, ok := s.Link(m.iface); !ok || !l.Carrier {
			return "carrier lost on " + m.iface
		}
	}
	device, err := m.client.Device(ctx)
	switch {
	case err != nil:
		return err.Error()
	case !device.Activated():
		return "NetworkManager has left the network"
	}
	return ""
}
