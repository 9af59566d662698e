package networkmanager

import (
	"fmt"
	"maps"
	"slices"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"github.com/netconnectd/netconnectd/internal/store"
)

// fakeSettings lists the profiles that a test saves, or else fakeProfile.
type fakeSettings struct{ *fakeManager }

func (s fakeSettings) GetConnectionByUuid(uuid string) (dbus.ObjectPath, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, saved := range s.saved {
		if saved.uuid == uuid && !saved.gone {
			return saved.path, nil
		}
	}
	if s.saved == nil {
		return fakeProfile, nil
	}
	return "/", dbus.NewError("org.freedesktop.NetworkManager.Settings.InvalidConnection", []any{"No connection with the UUID was found."})
}

func (s fakeSettings) ListConnections() ([]dbus.ObjectPath, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	paths := []dbus.ObjectPath{}
	for _, saved := range s.saved {
		if !saved.gone {
			paths = append(paths, saved.path)
		}
	}
	return paths, nil
}

// fakeSaved is a profile that a test has saved.
type fakeSaved struct {
	*fakeManager
	path     dbus.ObjectPath
	uuid     string
	settings wholeProfile
	gone     bool
}

// save makes n a profile of ours, or that of another program which uses such
// names of files.
func (f *fakeManager) save(n store.Network, file string) *fakeSaved {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &fakeSaved{fakeManager: f, uuid: newUUID(), settings: wholeProfile{}}
	p.path = dbus.ObjectPath(fmt.Sprintf("%s/%d", nm.SettingsObjectPath, len(f.saved)+2))
	for setting, values := range settingsOf(n, p.uuid) {
		p.settings[setting] = map[string]dbus.Variant{}
		for name, value := range values {
			if list, ok := value.([]map[string]any); ok { // the value as it comes from the bus
				value = []map[string]dbus.Variant{{"address": dbus.MakeVariant(list[0]["address"]), "prefix": dbus.MakeVariant(list[0]["prefix"])}}
			}
			p.settings[setting][name] = dbus.MakeVariant(value)
		}
	}
	f.saved = append(f.saved, p)
	_, err := prop.Export(f.bus, p.path, prop.Map{nm.ConnectionInterface: {"Flags": {Value: uint32(0)}, "Filename": {Value: file}}})
	if err == nil {
		err = f.bus.Export(p, p.path, nm.ConnectionInterface)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// GetSettings returns the settings without the secrets.
func (p *fakeSaved) GetSettings() (map[string]map[string]dbus.Variant, *dbus.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string]map[string]dbus.Variant{}
	for setting, values := range p.settings {
		all[setting] = maps.Clone(values)
		maps.DeleteFunc(all[setting], func(name string, _ dbus.Variant) bool { return slices.Contains(secrets, name) })
	}
	return all, nil
}

// GetSecrets returns the secrets.
func (p *fakeSaved) GetSecrets(setting string) (map[string]map[string]dbus.Variant, *dbus.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return nil, p.refuse
	}
	if p.settings[setting] == nil {
		return nil, dbus.NewError("org.freedesktop.NetworkManager.Settings.Connection.SettingNotFound", nil)
	}
	values := maps.Clone(p.settings[setting])
	maps.DeleteFunc(values, func(name string, _ dbus.Variant) bool { return !slices.Contains(secrets, name) })
	return map[string]map[string]dbus.Variant{setting: values}, nil
}

// setting returns one of the settings.
func (p *fakeSaved) setting(name string) map[string]dbus.Variant {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.settings[name])
}

// Update replaces the settings.
func (p *fakeSaved) Update(settings map[string]map[string]dbus.Variant) *dbus.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settings = settings
	return nil
}

// Update2 keeps the change for good.
func (p *fakeSaved) Update2(map[string]map[string]dbus.Variant, uint32, map[string]dbus.Variant) (map[string]dbus.Variant, *dbus.Error) {
	p.note("save %s", p.uuid)
	return map[string]dbus.Variant{}, nil
}

// Delete leaves the object on the bus, but removes it from NetworkManager's list.
func (p *fakeSaved) Delete() *dbus.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return p.refuse
	}
	p.gone = true
	return nil
}

// has returns the indices of the remaining profiles.
func (f *fakeManager) has() (left []int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, p := range f.saved {
		if !p.gone {
			left = append(left, i)
		}
	}
	return left
}
