package radio

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// Backends of Settings.Backend: the program that joins networks.
const (
	BackendAuto           = "auto" // NetworkManager if it manages the radio, else our wpa_supplicant
	BackendOurs           = "wpa_supplicant"
	BackendNetworkManager = "networkmanager"
)

// backend joins networks with a radio. There are two: supplicant, which is our own,
// and managed, which is NetworkManager.
type backend interface {
	// running returns the network in which the previous run left the radio; the
	// zero Station if it left it in none.
	running(ctx context.Context) policy.Station

	// join joins a network, proves that it leads somewhere, and holds it until it is
	// lost or ctx ends.
	join(ctx context.Context, t policy.Station, report func(policy.Stage)) error

	// release leaves the radio to an access point.
	release(ctx context.Context) error

	// idle leaves the radio in no network.
	idle(ctx context.Context) error

	// watchIdle blocks while the radio is as idle left it. present is true if the
	// interface was there when idle returned.
	watchIdle(ctx context.Context, present bool) error

	// tearDown removes what a station of the backend has left on the interface.
	tearDown(ctx context.Context) error
}

const (
	// restartLimit is how long NetworkManager may be absent before our
	// wpa_supplicant takes over. A restart of NetworkManager takes 1 to 3 s.
	restartLimit = 8 * time.Second

	// busAgain is the pause before the D-Bus is tried again.
	busAgain = 5 * time.Second
)

func (s *Slot) networkManager() *networkmanager.Client {
	return networkManager(s.Interface(), s.Log)
}

func (s *Slot) loan() loan { return loan{s.RuntimeDir} }

// WatchNetworkManager chooses the backend again, until ctx ends, after each change
// in NetworkManager that matters for the choice, and after each Configure.
func (s *Slot) WatchNetworkManager(ctx context.Context) {
	for ctx.Err() == nil {
		err := hear(ctx, s.networkManager().Watch, s.recheck, func(profiles bool) { s.syncBackend(ctx, profiles) })
		s.syncBackend(ctx, false)
		if ctx.Err() == nil {
			s.Log.Debug("no word from NetworkManager", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-s.recheck:
		case <-time.After(busAgain):
		}
	}
}

// hear calls sync for each relevant change that watch reports and for each hint,
// one call at a time, until ctx or watch ends.
func hear(ctx context.Context, watch func(context.Context, func(networkmanager.Change)) error, hint <-chan struct{}, sync func(profiles bool)) error {
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
				sync(c.Profiles)
			case <-hint:
				sync(false)
			}
		}
	})
	return group.Wait()
}

// syncBackend takes over what has changed in NetworkManager. profiles is true if its
// saved networks have changed.
func (s *Slot) syncBackend(ctx context.Context, profiles bool) {
	device, err := s.networkManager().Device(ctx)
	if s.Managed() && errors.Is(err, networkmanager.ErrAbsent) {
		device, err = s.networkManager().Back(ctx, restartLimit)
		profiles = true
	}
	if ctx.Err() != nil {
		return
	}
	fresh := s.wantsManager(s.current.Load().choice, device, err) && (profiles || !s.Managed())
	if fresh {
		s.refreshProfiles(ctx)
	}
	change, askErr := s.chooseBackend(ctx, device, err)
	switch {
	case askErr != nil: // ctx has ended
		return
	case change.is != change.was:
		if change.is && !fresh { // other settings have come into force meanwhile
			s.refreshProfiles(ctx)
		}
		s.Log.Info("wifi backend", "networkmanager", change.is, "iface", s.Interface())
		s.Events.Backend(ctx)
		s.Events.Networks()
		s.Events.Taken(ctx, "the radio is joined to networks by "+s.Backend()+" now")
	case change.is && profiles:
		s.Events.Networks()
	case err == nil && device.Managed && s.serving.Load():
		// The radio was replugged, or another program has handed it back to
		// NetworkManager. A Hold that is not ready takes the radio by itself.
		s.Log.Info("NetworkManager has taken the radio", "iface", s.Interface())
		s.Events.Taken(ctx, "NetworkManager has taken the radio")
	}
	if err == nil && device.Managed && s.current.Load().Free {
		s.free(ctx)
	}
}

// backendChange is whether NetworkManager joined networks before, and does so now.
type backendChange struct{ was, is bool }

// chooseBackend lets the owner of the slot choose the backend, from the device that
// NetworkManager has returned or from its error.
func (s *Slot) chooseBackend(ctx context.Context, device networkmanager.Device, deviceErr error) (change backendChange, err error) {
	err = s.ask(ctx, func(c choice) (choice, bool) {
		change.was, change.is = c.managed, s.wantsManager(c, device, deviceErr)
		c.managed = change.is
		return c, change.was != change.is
	})
	return change, err
}

// refreshProfiles reads NetworkManager's saved networks.
func (s *Slot) refreshProfiles(ctx context.Context) {
	if err := s.Profiles.Refresh(ctx); err != nil {
		s.Log.Warn("read the saved networks", "err", err)
	}
}

// free takes the radio from NetworkManager for good (wifi.free).
func (s *Slot) free(ctx context.Context) {
	if err := s.loan().take(ctx, s.networkManager()); err != nil {
		s.Log.Error("take the radio from NetworkManager", "err", err)
		return
	}
	s.Events.Taken(ctx, "the radio was taken from NetworkManager")
}

// wantsManager reports whether NetworkManager is to join networks. The settings
// decide. If they leave the choice open, NetworkManager joins networks if it manages
// the radio, or did before netconnectd took the radio. err is the error of asking
// for the device. Nothing changes if err does not show whether NetworkManager runs.
func (s *Slot) wantsManager(c choice, device networkmanager.Device, err error) bool {
	switch {
	case err != nil && !errors.Is(err, networkmanager.ErrAbsent):
		return c.managed
	case c.Settings.Backend == BackendNetworkManager:
		return true
	case c.Settings.Backend != BackendAuto, c.Free, err != nil:
		return false
	}
	return device.Managed || s.loan().noted()
}
