package networkmanager

import (
	"maps"
	"reflect"
	"strings"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"

	"github.com/netconnectd/netconnectd/internal/store"
)

// wholeProfile is everything that NetworkManager has of a profile, by settings and
// their keys. It goes over godbus, which keeps the types of settings that it does
// not know; but for the inner types of lists that have newer names anyway.
type wholeProfile map[string]map[string]dbus.Variant

// update changes a profile and keeps everything that change leaves alone.
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
			return err // Update drops what it does not get
		}
		maps.Copy(all[setting], secrets[setting]) // none, if it has none
	}
	for _, setting := range []string{settingIPv4, settingIPv6} {
		delete(all[setting], "addresses")
		delete(all[setting], "routes")
	}
	change(all)
	return profile.Call(nm.ConnectionUpdate, 0, all).Err
}

// mark says that the profile is ours.
func (all wholeProfile) mark() {
	data := map[string]string{}
	if user, ok := all[settingUser]["data"]; ok {
		_ = user.Store(&data) // no map of texts: nothing to keep
	}
	data[made] = "1"
	all[settingUser] = map[string]dbus.Variant{"data": dbus.MakeVariant(data)}
}

// known are the keys that settingsOf writes, if there is something to write.
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

// become changes a profile, whose addressing is had, to what settingsOf says of
// the network. What is the same already stays as it is, and so does what only
// NetworkManager knows.
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

// says: NetworkManager has more words for the same.
func (all wholeProfile) says(setting, key string, value any) bool {
	switch key {
	case "key-mgmt":
		now, _ := all[setting][key].Value().(string)
		return value == "wpa-eap" && strings.HasPrefix(now, "wpa-eap")
	case "phase2-auth":
		_, other := all[setting]["phase2-autheap"]
		return other && value == "mschapv2" // the default
	}
	return false
}

// ipv6Changes are the keys of ipv6 in which two addressings differ. How a
// network gets IPv6 addresses is not ours to change where neither has one.
func ipv6Changes(had, want *store.Addressing) []string {
	switch {
	case isIPv6(had) || isIPv6(want):
		return known[settingIPv6]
	case !reflect.DeepEqual(ipv6Servers(had), ipv6Servers(want)):
		return []string{"dns", "dns-data"}
	}
	return nil
}
