package networkmanager

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v3"

	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// ForeignError says that a profile was made by somebody else.
type ForeignError struct{ Origin store.Origin }

// Error says how it can be changed.
func (e *ForeignError) Error() string {
	switch e.Origin {
	case store.Netplan:
		return "the network was saved by netplan: change it in /etc/netplan, then run netplan apply"
	case store.CloudInit:
		return "the network was saved by cloud-init, which writes it anew: change cloud-init's network configuration"
	}
	return "the network was saved by somebody else in NetworkManager: change it with nmcli, or adopt it first (netconnectcli adopt)"
}

// Profiles are NetworkManager's saved networks in the place of a store's. The
// candidate stays in the store: NetworkManager gets it when it is tried.
type Profiles struct {
	*store.Store // of the candidate

	notes   *notes
	current atomic.Pointer[[]Profile]
	trial   atomic.Pointer[Trial] // that has worked and is to be saved
}

// OpenProfiles keeps what NetworkManager does not keep of its profiles in a
// file. The error says that it could not be read; the profiles can be used all
// the same.
func OpenProfiles(candidate *store.Store, file string) (*Profiles, error) {
	notes, err := openNotes(file)
	return &Profiles{Store: candidate, notes: notes}, err
}

// transient are the NMSettingsConnectionFlags of profiles that nobody saved:
// generated, volatile, external.
const transient = 0x2 | 0x4 | 0x8

// Refresh reads the profiles.
func (p *Profiles) Refresh(ctx context.Context) error {
	var all []Profile
	err := read(ctx, func() error {
		if err := running(); err != nil {
			return err
		}
		settings, err := nm.NewSettings()
		if err != nil {
			return err
		}
		connections, err := settings.ListConnections()
		if err != nil {
			return err
		}
		for _, c := range connections {
			flags, err := c.GetPropertyFlags()
			if err != nil || flags&transient != 0 {
				continue // it went meanwhile, or will
			}
			s, err := c.GetSettings()
			if err != nil {
				continue // it is not for us to see
			}
			file, err := c.GetPropertyFilename()
			if err != nil {
				continue
			}
			if profile, ok := profileOf(s, file); ok {
				all = append(all, profile)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read NetworkManager's profiles: %w", err)
	}
	for i := range all {
		kept := p.notes.of(all[i].UUID)
		all[i].Frequency, all[i].Failures = kept.Frequency, kept.failures
	}
	bestFirst(all)
	p.current.Store(&all)
	return p.notes.keep(all)
}

func (p *Profiles) all() []Profile {
	if all := p.current.Load(); all != nil {
		return *all
	}
	return nil
}

// Networks are the profiles, one of each SSID, the best first.
func (p *Profiles) Networks() []store.Network {
	var networks []store.Network
	for _, profile := range p.all() {
		if !slices.ContainsFunc(networks, func(n store.Network) bool { return bytes.Equal(n.SSID, profile.SSID) }) {
			networks = append(networks, profile.Network)
		}
	}
	return networks
}

// Profile is the best of that SSID.
func (p *Profiles) Profile(ssid []byte) (Profile, bool) {
	i := slices.IndexFunc(p.all(), func(profile Profile) bool { return bytes.Equal(profile.SSID, ssid) })
	if i < 0 {
		return Profile{}, false
	}
	return p.all()[i], true
}

// Find is the saved network of that SSID, with its secrets if NetworkManager
// gives them.
func (p *Profiles) Find(ssid []byte) (store.Network, bool) {
	profile, ok := p.Profile(ssid)
	if !ok {
		return store.Network{}, false
	}
	err := p.change(profile.UUID, func(c nm.Connection) error {
		for _, setting := range []string{settingSecurity, settingEAP} {
			s, err := c.GetSecrets(setting)
			if err == nil {
				profile.withSecrets(s)
			} else if isRefusal(explain(err, actionModify)) {
				return err
			} // else it has none
		}
		return nil
	})
	return profile.Network, err == nil || isRefusal(err) // then Replace is refused as well
}

// Add saves a network that nobody has tried.
func (p *Profiles) Add(n store.Network) error {
	if _, ok := p.Profile(n.SSID); ok {
		return fmt.Errorf("add network %q: %w", n.SSID, store.ErrExists)
	}
	return p.done("add network", ask(context.Background(), actionModify, func() error {
		settings, err := nm.NewSettings()
		if err == nil {
			_, err = settings.AddConnection(settingsOf(n, newUUID()))
		}
		return err
	}))
}

// Replace changes the saved network of n's SSID to n.
func (p *Profiles) Replace(n store.Network) error {
	profile, err := p.own(n.SSID)
	if err != nil {
		return fmt.Errorf("change network %q: %w", n.SSID, err)
	}
	return p.done("change network", p.change(profile.UUID, func(c nm.Connection) error {
		return update(c.GetPath(), func(all wholeProfile) { all.become(n, settingsOf(n, profile.UUID)) })
	}))
}

// Adopt marks the profile of that SSID as ours and leaves everything else in it
// as it is.
func (p *Profiles) Adopt(ssid []byte) error {
	profile, ok := p.Profile(ssid)
	switch {
	case !ok:
		return fmt.Errorf("adopt network %q: %w", ssid, store.ErrUnknown)
	case profile.Origin == store.Netplan, profile.Origin == store.CloudInit:
		return fmt.Errorf("adopt network %q: %w", ssid, &ForeignError{profile.Origin})
	}
	return p.done("adopt network", p.change(profile.UUID, func(c nm.Connection) error {
		return update(c.GetPath(), wholeProfile.mark)
	}))
}

// Remove forgets the saved network of that SSID.
func (p *Profiles) Remove(ssid []byte) error {
	profile, err := p.own(ssid)
	if err != nil {
		return fmt.Errorf("remove network %q: %w", ssid, err)
	}
	return p.done("remove network", p.change(profile.UUID, nm.Connection.Delete))
}

// Forget removes the profiles that are ours, and the candidate.
func (p *Profiles) Forget() (had bool, err error) {
	had, err = p.Store.Forget()
	for _, profile := range p.all() {
		if profile.Origin == store.Ours {
			had = true
			err = errors.Join(err, p.change(profile.UUID, nm.Connection.Delete))
		}
	}
	return had, p.done("forget networks", err)
}

// Promote saves the candidate that has just been joined, in the place of a
// profile of ours with its SSID.
func (p *Profiles) Promote(n store.Network) error {
	trial := p.trial.Swap(nil)
	if _, ok := p.Store.Candidate(); trial == nil || !ok {
		return fmt.Errorf("promote candidate: %w", store.ErrNoCandidate)
	}
	former, err := p.own(n.SSID)
	if err := trial.Save(context.Background()); err != nil {
		return err
	}
	if err == nil {
		err = p.change(former.UUID, nm.Connection.Delete)
	} else {
		err = nil // there is none, or it is somebody else's
	}
	// Before the candidate goes the network is seen to be saved.
	return errors.Join(p.done("promote candidate", err), p.DropCandidate(n))
}

// Joined remembers a trial that Promote will save.
func (p *Profiles) Joined(t *Trial) { p.trial.Store(t) }

// Worked notes a success; NetworkManager keeps the time of it by itself.
func (p *Profiles) Worked(ssid []byte, seen wifi.Association, _ time.Time) error {
	profile, ok := p.Profile(ssid)
	if !ok {
		return nil
	}
	return errors.Join(p.notes.worked(profile.UUID, seen.Frequency), p.Refresh(context.Background()))
}

// Failed notes a failure.
func (p *Profiles) Failed(ssid []byte) error {
	profile, ok := p.Profile(ssid)
	if !ok {
		return nil
	}
	p.notes.failed(profile.UUID)
	return p.Refresh(context.Background())
}

// own is the profile of that SSID, if it is ours to change.
func (p *Profiles) own(ssid []byte) (Profile, error) {
	profile, ok := p.Profile(ssid)
	switch {
	case !ok:
		return profile, store.ErrUnknown
	case profile.Origin != store.Ours:
		return profile, &ForeignError{profile.Origin}
	}
	return profile, nil
}

func (p *Profiles) change(uuid string, how func(nm.Connection) error) error {
	return ask(context.Background(), actionModify, func() error {
		settings, err := nm.NewSettings()
		if err != nil {
			return err
		}
		c, err := settings.GetConnectionByUUID(uuid)
		if err != nil {
			return err
		}
		return how(c)
	})
}

// done reads the profiles anew after a change of them.
func (p *Profiles) done(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return p.Refresh(context.Background())
}
