package networkmanager

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"golang.org/x/sync/semaphore"

	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// ForeignError means that another program made a profile.
type ForeignError struct {
	Origin  store.Origin
	Removed bool // a profile of ours for the same network was removed
}

// Error includes how the profile can be changed.
func (e *ForeignError) Error() string {
	beside := ""
	if e.Removed {
		beside = "netconnectd's profile is removed, and another one is still there: "
	}
	switch e.Origin {
	case store.Netplan:
		return beside + "the network was saved by netplan: change it in /etc/netplan, then run netplan apply"
	case store.CloudInit:
		return beside + "the network was saved by cloud-init, which writes it anew: change cloud-init's network configuration"
	}
	return beside + "the network was saved by somebody else in NetworkManager: change it with nmcli, or adopt it first (netconnectcli adopt)"
}

// Profiles offers NetworkManager's saved networks in place of a store's. The
// candidate stays in the store: NetworkManager receives it when it is tried.
type Profiles struct {
	*store.Store // holds the candidate

	log     *slog.Logger
	notes   *notes
	reading *semaphore.Weighted // held by one Refresh at a time, so that none replaces newer results with older ones
	current atomic.Pointer[[]Profile]
	trial   atomic.Pointer[Trial] // a trial that has worked and is to be saved
}

// OpenProfiles opens the file that holds what NetworkManager does not store of its
// profiles. An error means that the file could not be read; the profiles can be used
// nevertheless.
func OpenProfiles(candidate *store.Store, file string, log *slog.Logger) (*Profiles, error) {
	notes, err := openNotes(file)
	return &Profiles{Store: candidate, notes: notes, log: log, reading: semaphore.NewWeighted(1)}, err
}

// transient holds the NMSettingsConnectionFlags of profiles that no user saved:
// generated, volatile, external.
const transient = 0x2 | 0x4 | 0x8

// Refresh reads the profiles. If notes cannot be written, that is no error here: they
// are kept in memory until the process ends.
func (p *Profiles) Refresh(ctx context.Context) error {
	if err := p.reading.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("read NetworkManager's profiles: %w", err)
	}
	defer p.reading.Release(1)
	var all []Profile
	err := read(ctx, func() error {
		settings, err := openSettings()
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
				continue // the profile vanished meanwhile, or is about to
			}
			s, err := c.GetSettings()
			if err != nil {
				continue // we may not see this profile
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
	if err := p.notes.keep(all); err != nil {
		p.log.Warn("forget the notes on profiles that are gone", "err", err)
	}
	return nil
}

// openSettings opens the place where NetworkManager, if it runs, keeps its profiles.
func openSettings() (nm.Settings, error) {
	if err := running(); err != nil {
		return nil, err
	}
	return nm.NewSettings()
}

func (p *Profiles) all() []Profile {
	if all := p.current.Load(); all != nil {
		return *all
	}
	return nil
}

// Networks returns the profiles as networks, one for each SSID, the best first.
func (p *Profiles) Networks() []store.Network {
	var networks []store.Network
	for _, profile := range p.all() {
		if !slices.ContainsFunc(networks, func(n store.Network) bool { return bytes.Equal(n.SSID, profile.SSID) }) {
			networks = append(networks, profile.clone().Network)
		}
	}
	return networks
}

// Profile returns the best profile of that SSID.
func (p *Profiles) Profile(ssid []byte) (Profile, bool) {
	all := p.all()
	i := slices.IndexFunc(all, func(profile Profile) bool { return bytes.Equal(profile.SSID, ssid) })
	if i < 0 {
		return Profile{}, false
	}
	return all[i].clone(), true
}

// Find returns the saved network of that SSID, the one that Replace would change,
// with its secrets. The error is store.ErrUnknown, or why NetworkManager does not
// return the secrets.
func (p *Profiles) Find(ssid []byte) (store.Network, error) {
	profile, ok := p.oursFirst(ssid)
	if !ok {
		return store.Network{}, store.ErrUnknown
	}
	err := p.change(profile.UUID, func(c nm.Connection) error {
		for _, setting := range []string{settingSecurity, settingEAP} {
			s, err := c.GetSecrets(setting)
			switch {
			case err == nil:
				profile.withSecrets(s)
			case !hasNone(err):
				return err // Replace would otherwise drop the unknown secrets
			}
		}
		return nil
	})
	if err != nil {
		return store.Network{}, fmt.Errorf("read the secrets of network %q: %w", ssid, err)
	}
	return profile.Network, nil
}

// Add saves a network that has not been tried.
func (p *Profiles) Add(n store.Network) error {
	if _, ok := p.Profile(n.SSID); ok {
		return fmt.Errorf("add network %q: %w", n.SSID, store.ErrExists)
	}
	if err := checkFiles(n.EAP, nil); err != nil {
		return err
	}
	return p.refreshAfter("add network", ask(context.Background(), actionModify, func() error {
		settings, err := openSettings()
		if err == nil {
			_, err = settings.AddConnection(settingsOf(n, newUUID()))
		}
		return err
	}))
}

// Replace changes the saved network of n's SSID to n.
func (p *Profiles) Replace(n store.Network) error {
	profile, err := p.own(n.SSID)
	if err == nil {
		err = checkFiles(n.EAP, profile.EAP)
	}
	if err != nil {
		return fmt.Errorf("change network %q: %w", n.SSID, err)
	}
	return p.refreshAfter("change network", p.change(profile.UUID, func(c nm.Connection) error {
		return update(c.GetPath(), func(all wholeProfile) { all.become(profile.Addressing, n, settingsOf(n, profile.UUID)) })
	}))
}

// Adopt marks the profile of that SSID as ours and changes nothing else in it.
func (p *Profiles) Adopt(ssid []byte) error {
	profile, ok := p.Profile(ssid)
	switch {
	case !ok:
		return fmt.Errorf("adopt network %q: %w", ssid, store.ErrUnknown)
	case profile.Origin == store.Netplan, profile.Origin == store.CloudInit:
		return fmt.Errorf("adopt network %q: %w", ssid, &ForeignError{Origin: profile.Origin})
	}
	return p.refreshAfter("adopt network", p.change(profile.UUID, func(c nm.Connection) error {
		return update(c.GetPath(), wholeProfile.mark)
	}))
}

// Remove removes the saved network of that SSID: all its profiles that are ours. If
// another program's profile is left, the network is still saved, and the error is a
// *ForeignError.
func (p *Profiles) Remove(ssid []byte) error {
	if _, ok := p.Profile(ssid); !ok {
		return fmt.Errorf("remove network %q: %w", ssid, store.ErrUnknown)
	}
	ours := p.ours(ssid)
	err := p.remove(ours)
	if left, ok := p.Profile(ssid); err == nil && ok && left.Origin != store.Ours {
		err = &ForeignError{left.Origin, len(ours) > 0}
	}
	if err != nil {
		return fmt.Errorf("remove network %q: %w", ssid, err)
	}
	return nil
}

// Forget removes the profiles that are ours, the candidate, and the networks that our
// own backend has saved, so that none of them comes back with another backend.
func (p *Profiles) Forget() (had bool, err error) {
	had, err = p.Store.Forget()
	ours := p.ours(nil)
	if err = errors.Join(err, p.remove(ours)); err != nil {
		err = fmt.Errorf("forget networks: %w", err)
	}
	return had || len(ours) > 0, err
}

// ours returns the profiles that are ours, of that SSID; nil means all.
func (p *Profiles) ours(ssid []byte) []Profile {
	return slices.DeleteFunc(slices.Clone(p.all()), func(profile Profile) bool {
		return profile.Origin != store.Ours || ssid != nil && !bytes.Equal(profile.SSID, ssid)
	})
}

// remove deletes profiles. If one cannot be deleted, the others are deleted
// nevertheless.
func (p *Profiles) remove(profiles []Profile) error {
	var err error
	for _, profile := range profiles {
		if failed := p.change(profile.UUID, nm.Connection.Delete); !errors.Is(failed, store.ErrUnknown) {
			err = errors.Join(err, failed)
		}
	}
	return errors.Join(err, p.Refresh(context.Background()))
}

// Promote saves the candidate that has just been joined, in place of our profiles
// with its SSID.
func (p *Profiles) Promote(n store.Network) error {
	trial := p.trial.Swap(nil)
	if _, ok := p.Store.Candidate(); trial == nil || !ok {
		return fmt.Errorf("promote candidate: %w", store.ErrNoCandidate)
	}
	former := p.ours(n.SSID)
	err := trial.Save(context.Background())
	if err != nil {
		return err
	}
	if err = p.remove(former); err != nil {
		err = fmt.Errorf("promote candidate: %w", err)
	}
	// The candidate is removed only after the network is saved.
	return errors.Join(err, p.DropCandidate(n))
}

// Joined remembers a trial that Promote will save.
func (p *Profiles) Joined(t *Trial) { p.trial.Store(t) }

// Worked records a success. NetworkManager itself stores its time.
func (p *Profiles) Worked(ssid []byte, seen wifi.Association, _ time.Time) error {
	profile, ok := p.Profile(ssid)
	if !ok {
		return nil
	}
	return errors.Join(p.notes.worked(profile.UUID, seen.Frequency), p.Refresh(context.Background()))
}

// Failed records a failure.
func (p *Profiles) Failed(ssid []byte) error {
	profile, ok := p.Profile(ssid)
	if !ok {
		return nil
	}
	p.notes.failed(profile.UUID)
	return p.Refresh(context.Background())
}

// own returns the profile of that SSID if it is ours to change.
func (p *Profiles) own(ssid []byte) (Profile, error) {
	profile, ok := p.oursFirst(ssid)
	switch {
	case !ok:
		return profile, store.ErrUnknown
	case profile.Origin != store.Ours:
		return profile, &ForeignError{Origin: profile.Origin}
	}
	return profile, nil
}

// oursFirst returns the best of our profiles with that SSID, or the best of all if
// none is ours. Once our profile's key is wrong, it ranks behind another program's
// profile, but must still be found, so that the key can be changed.
func (p *Profiles) oursFirst(ssid []byte) (Profile, bool) {
	profile, ok := p.Profile(ssid)
	if ours := p.ours(ssid); ok && len(ours) > 0 {
		profile = ours[0].clone()
	}
	return profile, ok
}

// change calls how with a profile. The error is store.ErrUnknown if the profile has
// vanished meanwhile.
func (p *Profiles) change(uuid string, how func(nm.Connection) error) error {
	return ask(context.Background(), actionModify, func() error {
		settings, err := openSettings()
		if err != nil {
			return err
		}
		c, err := settings.GetConnectionByUUID(uuid)
		if isUnknown(err) {
			return store.ErrUnknown
		} else if err != nil {
			return err
		}
		return how(c)
	})
}

// refreshAfter reads the profiles anew after a change.
func (p *Profiles) refreshAfter(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return p.Refresh(context.Background())
}
