package radio

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// supplicant is the backend that joins networks with our own wpa_supplicant.
type supplicant struct{ *radio }

// running implements backend.
func (s supplicant) running(context.Context) policy.Station {
	if _, ok := s.runner.Find(wifi.Role); !ok {
		return policy.Station{}
	}
	for _, n := range s.networks.Networks() {
		if s.loadLease(n.SSID) != nil {
			return policy.Station{Wanted: true, Network: policy.Network{SSID: string(n.SSID), Hidden: n.Hidden}}
		}
	}
	return policy.Station{}
}

// release implements backend.
func (s supplicant) release(context.Context) error { return nil }

// tearDown implements backend.
func (s supplicant) tearDown(ctx context.Context) error {
	return s.clear(ctx, link.Spec{Name: s.iface})
}

// idle implements backend.
func (s supplicant) idle(ctx context.Context) error {
	if err := errors.Join(s.endAP(ctx), s.endStation(ctx)); err != nil {
		return err
	}
	return s.clear(ctx, link.Spec{Name: s.iface, Up: true})
}

// join implements backend.
func (s supplicant) join(ctx context.Context, t policy.Station, report func(policy.Stage)) error {
	network, err := s.network(t.Network)
	if err != nil {
		return s.failed(client.CodeInternal, err)
	}
	previous := s.loadLease(network.SSID)
	if previous == nil { // the interface is not yet a station of that network
		if err := errors.Join(s.endAP(ctx), s.clear(ctx, link.Spec{Name: s.iface, Up: true})); err != nil {
			return s.failed(client.CodeRadioFailed, err)
		}
	}
	s.keepSettings() // before the first router can advertise itself
	report(policy.StageCleared)
	hinted := network.Network
	hinted.Frequency = cmp.Or(hinted.Frequency, s.seenAt(hinted.SSID))
	association, err := s.station.Associate(ctx, hinted)
	if err != nil {
		// The next attempt starts from a clean interface.
		return s.failed(client.CodeRejected, errors.Join(err, s.dropLease()))
	}
	if previous, err = s.stillValid(ctx, previous, association); err != nil {
		return s.failed(client.CodeRadioFailed, err)
	}
	s.association.Store(&association)
	report(policy.StageAssociated)
	stay := newSession(s.radio, network.SSID)
	stay.static, stay.report = network.Addressing, report
	stay.adopted = association.Adopted && !t.Network.Candidate && !t.Asked
	return s.failed(client.CodeNoAddress, stay.run(ctx, previous))
}

// watchIdle implements backend. It returns when the interface is down or gone: rfkill
// sets it down, and it is down after it was plugged in again. An interface that has
// never been there is no reason to return.
func (s supplicant) watchIdle(ctx context.Context, seen bool) error {
	reason, err := s.awaitLoss(ctx, nil, func() string {
		links := s.monitor.Snapshot()
		if links == nil {
			return ""
		}
		l, there := links.Link(s.iface)
		seen = seen || there
		switch {
		case there && !l.Up:
			return s.iface + " is down"
		case !there && seen:
			return s.iface + " is gone"
		}
		return ""
	})
	if err != nil {
		return err
	}
	return failure(client.CodeLost, "%s", reason)
}

// network returns the stored network that the policy names.
func (r *radio) network(n policy.Network) (store.Network, error) {
	if n.Candidate {
		c, ok := r.networks.Candidate()
		r.tried.Store(&c)
		if !ok || string(c.SSID) != n.SSID {
			return c, notStored(n)
		}
		return c, nil
	}
	saved, err := r.networks.Find([]byte(n.SSID))
	if errors.Is(err, store.ErrUnknown) {
		err = notStored(n)
	}
	return saved, err
}

func notStored(n policy.Network) error {
	return &supervisor.Failed{Failure: policy.Failure{Code: client.CodeNotConfigured, Reason: fmt.Sprintf("%q is not stored any more", n.SSID)}}
}

// clear removes what a station left on the interface.
func (r *radio) clear(ctx context.Context, rest link.Spec) error {
	return errors.Join(r.links.Release(ctx, rest), r.dropLease())
}
