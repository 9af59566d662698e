package daemon

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// Backends of the configuration's wifi.backend: who joins networks.
const (
	backendAuto           = "auto"
	backendOurs           = "wpa_supplicant"
	backendNetworkManager = "networkmanager"
)

const (
	// restartLimit is how long NetworkManager may be away before the radio is
	// ours: a restart takes it 1 to 3 s.
	restartLimit = 8 * time.Second

	// busAgain is the pause before the bus is looked for again.
	busAgain = 5 * time.Second
)

// backend is who joins networks, in the words of wifi.backend.
func (d *daemon) backend() string {
	if d.managed.Load() {
		return backendNetworkManager
	}
	return backendOurs
}

func (d *daemon) networkManager() *networkmanager.Client {
	return &networkmanager.Client{Interface: d.radio.iface(), Log: d.log}
}

// watchNetworkManager finds out, until ctx ends, who the radio belongs to.
func (d *daemon) watchNetworkManager(ctx context.Context) {
	for ctx.Err() == nil {
		err := hear(ctx, d.networkManager().Watch, d.backends, func(profiles bool) { d.meetNetworkManager(ctx, profiles) })
		d.meetNetworkManager(ctx, false)
		if ctx.Err() == nil {
			d.log.Debug("no word from NetworkManager", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-d.backends:
		case <-time.After(busAgain):
		}
	}
}

// hear calls meet, until ctx or watch ends, for what is watched and for each
// hint; one at a time.
func hear(ctx context.Context, watch func(context.Context, func(networkmanager.Change)) error, hint <-chan struct{}, meet func(profiles bool)) error {
	group, ctx := errgroup.WithContext(ctx)
	changes := make(chan networkmanager.Change)
	group.Go(func() error {
		return watch(ctx, func(c networkmanager.Change) {
			if c.Managed || c.Profiles {
				select {
				case changes <- c:
				case <-ctx.Done():
				}
			}
		})
	})
	group.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case c := <-changes:
				meet(c.Profiles)
			case <-hint:
				meet(false)
			}
		}
	})
	return group.Wait()
}

// meetNetworkManager takes over what has changed of NetworkManager.
func (d *daemon) meetNetworkManager(ctx context.Context, profiles bool) {
	device, err := d.networkManager().Device(ctx)
	had := d.radio.current.Load().manager != nil
	if had && errors.Is(err, networkmanager.ErrAbsent) {
		device, err = d.networkManager().Back(ctx, restartLimit)
		profiles = true
	}
	managed := had
	if err == nil || errors.Is(err, networkmanager.ErrAbsent) {
		managed = d.wantsManager(device, err)
	}
	if ctx.Err() != nil {
		return
	}
	if managed && (profiles || !had) {
		if err := d.profiles.Refresh(ctx); err != nil {
			d.log.Warn("read the saved networks", "err", err)
		}
	}
	switch target, ready := d.sup.State().Target(); {
	case managed != had:
		d.managed.Store(managed)
		d.radio.current.Store(d.newRadio(d.radio.iface()))
		d.log.Info("wifi backend", "networkmanager", managed, "iface", d.radio.iface())
		d.sup.Post(ctx, policy.ConfigChanged{Config: d.policyConfig(d.cfg.Load())})
		d.tellNetworks()
		d.sup.Post(ctx, policy.RadioChanged{Reason: "the radio is joined to networks by " + d.backend() + " now"})
	case managed && profiles:
		d.tellNetworks()
	case err == nil && device.Managed && target.Role == policy.RoleAccessPoint && ready:
		// It was replugged, or somebody else gave it back. A Hold that is not
		// ready takes it by itself.
		d.log.Info("NetworkManager has taken the radio", "iface", d.radio.iface())
		d.sup.Post(ctx, policy.RadioChanged{Reason: "NetworkManager has taken the radio"})
	}
	if err == nil && device.Managed && d.cfg.Load().Wifi.Free {
		d.free(ctx)
	}
}

// free takes the radio from NetworkManager for good (wifi.free).
func (d *daemon) free(ctx context.Context) {
	m := &manager{Client: d.networkManager(), marker: markerFile(d.cfg.Load().RuntimeDir)}
	if err := m.release(ctx); err != nil {
		d.log.Error("take the radio from NetworkManager", "err", err)
		return
	}
	d.sup.Post(ctx, policy.RadioChanged{Reason: "the radio was taken from NetworkManager"})
}

// wantsManager decides by the configuration, and if that leaves it open by who
// has the radio, or had it before we took it.
func (d *daemon) wantsManager(device networkmanager.Device, err error) bool {
	cfg := d.cfg.Load()
	switch {
	case cfg.Wifi.Backend == backendNetworkManager:
		return true
	case cfg.Wifi.Backend != backendAuto, cfg.Wifi.Free, err != nil:
		return false
	}
	return device.Managed || (&manager{marker: markerFile(cfg.RuntimeDir)}).released()
}
