package networkmanager

import (
	"maps"
	"reflect"
	"strings"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"

	"github.com/netconnectd/netconnectd/internal/store"
)

// wholeProfile is everything that NetworkManager stores of a profile, by settings and
// their keys. It is transferred by godbus, which keeps the types of settings that it
// does not know, except for the inner types of lists, which have newer names anyway.
type wholeProfile map[string]map[string]dbus.Variant

// update changes a profile and keeps everything that change does not touch.
func update(path dbus.ObjectPath, change func(wholeProfile)) error {
	bus, err := dbus.SystemBus()
	if err != nil {
		return err
	}
	profile := bus.Object(nm.NetworkManagerInterface, path)
	var all wholeProfile
	if err := profile.Call(nm.ConnectionGetSettings, 0).Store(&all); err != nil {
		return err
	}
	for _, setting := range []string{settingSecurity, settingEAP} {
		if _, ok := all[setting]; !ok {
			continue
		}
		var secrets wholeProfile
		err := profile.Call(nm.ConnectionGetSecrets, 0, setting).Store(&secrets)
		if err != nil && !hasNone(err) {
			return err // Update drops every value that it does not receive
		}
		maps.Copy(all[setting], secrets[setting]) // empty if it has none
	}
	for _, setting := range []string{settingIPv4, settingIPv6} {
		delete(all[setting], "addresses")
		delete(all[setting], "routes")
	}
	change(all)
	return profile.Call(nm.ConnectionUpdate, 0, all).Err
}

// mark marks the profile as ours.
func (all wholeProfile) mark() {
	data := map[string]string{}
	if user, ok := all[settingUser]["data"]; ok {
		_ = user.Store(&data) // if it is not a map of texts, there is nothing to keep
	}
	data[made] = "1"
	all[settingUser] = map[string]dbus.Variant{"data": dbus.MakeVariant(data)}
}

// known lists the keys that settingsOf writes if it has a value for them.
var known = map[string][]string{
	settingConnection: {"autoconnect-priority"},
	settingWireless:   {"hidden", "bssid"},
	settingSecurity:   {"key-mgmt", "psk", "pmf"},
	settingEAP: {
		"eap", "identity", "anonymous-identity", "domain-suffix-match", "password", "private-key-password", "private-key-password-flags",
		"phase2-auth", "ca-cert", "client-cert", "private-key",
	},
	settingIPv4: {"method", "address-data", "gateway", "dns", "dns-data", "dhcp-timeout"},
	settingIPv6: {"method", "address-data", "gateway", "dns", "dns-data"},
}

// become changes a profile to the settings that settingsOf returns for the network.
// had is the profile's addressing. Settings that are equal already stay unchanged,
// and so do those that only NetworkManager knows.
func (all wholeProfile) become(had *store.Addressing, n store.Network, s nm.ConnectionSettings) {
	same := reflect.DeepEqual(had, n.Addressing)
	for setting, keys := range known {
		switch {
		case s[setting] == nil:
			delete(all, setting)
			continue
		case setting == settingIPv4 && same, setting == settingIPv6 && same:
			continue
		case all[setting] == nil:
			all[setting] = map[string]dbus.Variant{}
		case setting == settingIPv6:
			keys = ipv6Changes(had, n.Addressing)
		}
		for _, key := range keys {
			if all.says(setting, key, s[setting][key]) {
				continue
			}
			delete(all[setting], key)
			if value, ok := s[setting][key]; ok {
				all[setting][key] = dbus.MakeVariant(value)
			}
		}
	}
}

// says reports whether a key has the value already; NetworkManager has more than one
// word for some values.
func (all wholeProfile) says(setting, key string, value any) bool {
	switch key {
	case "key-mgmt":
		now, _ := all[setting][key].Value().(string)
		return value == "wpa-eap" && strings.HasPrefix(now, "wpa-eap")
	case "phase2-auth":
		_, other := all[setting]["phase2-autheap"]
		return other && value == "mschapv2" // mschapv2 is the default
	}
	return false
}

// ipv6Changes returns the keys of ipv6 in which two addressings differ. If neither
// has an IPv6 address, we do not change how the network gets one.
func ipv6Changes(had, want *store.Addressing) []string {
	switch {
	case isIPv6(had) || isIPv6(want):
		return known[settingIPv6]
	case !reflect.DeepEqual(ipv6Servers(had), ipv6Servers(want)):
		return []string{"dns", "dns-data"}
	}
	return nil
}
