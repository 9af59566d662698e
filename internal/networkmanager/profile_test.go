package networkmanager

import (
	"net/netip"
	"reflect"
	"testing"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// TestProfile: a network that becomes a profile comes back as it was; secrets
// come from elsewhere.
func TestProfile(t *testing.T) {
	psk := secret.New("correct horse")
	for _, tt := range []struct {
		name string
		n    store.Network
	}{
		{"open", store.Network{Network: wifi.Network{SSID: []byte("cafe"), Security: wifi.Open}}},
		{"OWE", store.Network{Network: wifi.Network{SSID: []byte("cafe"), Security: wifi.OWE, PMF: wifi.PMFRequired}}},
		{"a passphrase", store.Network{Network: wifi.Network{SSID: []byte("home"), Security: wifi.WPA2WPA3, PSK: psk}, Priority: 3}},
		{"WPA3, hidden, one cell, any bytes", store.Network{Network: wifi.Network{
			SSID: []byte("\x00\xff"), Security: wifi.WPA3, PSK: psk, Hidden: true, BSSID: []byte{2, 0, 0, 0, 1, 0}, PMF: wifi.PMFRequired,
		}}},
		{"802.1X", store.Network{Network: wifi.Network{SSID: []byte("work"), Security: wifi.EAP, PMF: wifi.PMFOff, EAP: &wifi.EAPCredentials{
			Method: "peap", Identity: "me", AnonymousIdentity: "anonymous", Password: psk, Phase2: "mschapv2", CACert: "/ca.pem", ServerName: "radius.example",
		}}}},
		{"802.1X by certificate", store.Network{Network: wifi.Network{SSID: []byte("work"), Security: wifi.EAP, EAP: &wifi.EAPCredentials{
			Method: "tls", Identity: "me", CACert: "/ca.pem", ClientCert: "/c.pem", PrivateKey: "/k.pem", PrivateKeyPassword: psk,
		}}}},
		{"a static address", store.Network{Network: wifi.Network{SSID: []byte("shop"), Security: wifi.Open}, Addressing: &store.Addressing{
			Address: netip.MustParsePrefix("192.0.2.7/24"), Gateway: netip.MustParseAddr("192.0.2.1"), DNS: []netip.Addr{netip.MustParseAddr("192.0.2.53")},
		}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			settings := settingsOf(tt.n, newUUID())
			profile, ok := profileOf(settings, "/etc/NetworkManager/system-connections/x.nmconnection")
			if !ok || profile.UUID == "" {
				t.Fatalf("%v, %+v", ok, profile)
			}
			profile.withSecrets(settings)
			diff := cmp.Diff(tt.n, profile.Network, cmp.Comparer(func(a, b secret.Secret) bool { return a == b }),
				cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}))
			if diff != "" {
				t.Errorf("(-saved +read):\n%s", diff)
			}
		})
	}
}

// TestKeyWithoutPassword: NetworkManager is told that there is none, since it
// would wait for one.
func TestKeyWithoutPassword(t *testing.T) {
	c := wifi.EAPCredentials{Method: "tls", Identity: "me", ClientCert: "/c.pem", PrivateKey: "/k.pem"}
	if got := eapSettings(&c)["private-key-password-flags"]; got != uint32(4) {
		t.Errorf("without a password the flags are %v, want 4 (not required)", got)
	}
	c.PrivateKeyPassword = secret.New("secret")
	if got, ok := eapSettings(&c)["private-key-password-flags"]; ok {
		t.Errorf("with a password the flags are %v, want none", got)
	}
}

// TestNoProfile lists what of NetworkManager's is no network to join.
func TestNoProfile(t *testing.T) {
	home := func(change func(nm.ConnectionSettings)) nm.ConnectionSettings {
		s := nm.ConnectionSettings{"connection": {"uuid": "1"}, "802-11-wireless": {"ssid": []byte("home")}}
		change(s)
		return s
	}
	for _, tt := range []struct {
		name string
		s    nm.ConnectionSettings
		ok   bool
	}{
		{"somebody else's network", home(func(nm.ConnectionSettings) {}), true},
		{"a cable", nm.ConnectionSettings{"connection": {"uuid": "1"}, "802-3-ethernet": {}}, false},
		{"a hotspot", home(func(s nm.ConnectionSettings) { s["802-11-wireless"]["mode"] = "ap" }), false},
		{"not joined by itself", home(func(s nm.ConnectionSettings) { s["connection"]["autoconnect"] = false }), false},
		{"no name", home(func(s nm.ConnectionSettings) { delete(s["802-11-wireless"], "ssid") }), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, ok := profileOf(tt.s, ""); ok != tt.ok {
				t.Errorf("a network to join: %v, want %v", ok, tt.ok)
			}
		})
	}
}

// TestOrigin lists who may have made a profile.
func TestOrigin(t *testing.T) {
	theirs := nm.ConnectionSettings{"connection": {"uuid": "1"}, "802-11-wireless": {"ssid": []byte("home")}}
	ours := settingsOf(store.Network{Network: wifi.Network{SSID: []byte("home")}}, "1")
	for _, tt := range []struct {
		name, file string
		s          nm.ConnectionSettings
		want       store.Origin
	}{
		{"nmcli", "/etc/NetworkManager/system-connections/home.nmconnection", theirs, store.NetworkManager},
		{"netconnectd", "/etc/NetworkManager/system-connections/home.nmconnection", ours, store.Ours},
		{"netplan, as on Raspberry Pi OS", "/run/NetworkManager/system-connections/netplan-wlan0-home.nmconnection", theirs, store.Netplan},
		{"netplan, whoever asked for it", "/run/NetworkManager/system-connections/netplan-wlan0-home.nmconnection", ours, store.Netplan},
		{"cloud-init", "/etc/NetworkManager/system-connections/cloud-init-wlan0.nmconnection", theirs, store.CloudInit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if p, ok := profileOf(tt.s, tt.file); !ok || p.Origin != tt.want {
				t.Errorf("%v, %q, want %q", ok, p.Origin, tt.want)
			}
		})
	}
}

// TestSecretsRefused: without the passphrase nothing is written, which would lose
// it.
func TestSecretsRefused(t *testing.T) {
	f, _ := start(t)
	f.script(nil, dbus.NewError("org.freedesktop.NetworkManager.Settings.PermissionDenied", []any{"no"}))
	if err := update(fakeProfile, wholeProfile.mark); !isRefusal(explain(err, actionModify)) || f.notes() != "" {
		t.Errorf("%v, and it was told %q; want a refusal and nothing", err, f.notes())
	}
}

// TestBecome: a change of a network leaves alone what only NetworkManager knows.
func TestBecome(t *testing.T) {
	theirs := func() wholeProfile {
		return wholeProfile{
			"connection":               {"id": dbus.MakeVariant("Their work"), "uuid": dbus.MakeVariant("1"), "zone": dbus.MakeVariant("trusted")},
			"802-11-wireless":          {"ssid": dbus.MakeVariant([]byte("work")), "bssid": dbus.MakeVariant([]byte{2, 0, 0, 0, 0, 1})},
			"802-11-wireless-security": {"key-mgmt": dbus.MakeVariant("wpa-eap-suite-b-192")},
			"802-1x": {"eap": dbus.MakeVariant([]string{"peap"}), "identity": dbus.MakeVariant("me"), "password": dbus.MakeVariant("old"),
				"phase2-autheap": dbus.MakeVariant("gtc"), "system-ca-certs": dbus.MakeVariant(true)},
			"ipv4": {"method": dbus.MakeVariant("auto"), "dns-search": dbus.MakeVariant([]string{"lan"})},
			"ipv6": {"method": dbus.MakeVariant("disabled")},
		}
	}
	n := store.Network{Priority: 5, Network: wifi.Network{SSID: []byte("work"), Security: wifi.EAP, EAP: &wifi.EAPCredentials{Method: "peap", Identity: "me", Password: secret.New("new")}}}
	want := theirs()
	want["connection"]["autoconnect-priority"] = dbus.MakeVariant(int32(5))
	want["802-11-wireless"]["hidden"] = dbus.MakeVariant(false)
	delete(want["802-11-wireless"], "bssid")
	want["802-1x"]["password"] = dbus.MakeVariant("new")
	got := theirs()
	got.become(n, settingsOf(n, "1"))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("it became\n%v, want\n%v", got, want)
	}
	open := store.Network{Network: wifi.Network{SSID: []byte("work"), Security: wifi.Open}, Addressing: &store.Addressing{Address: netip.MustParsePrefix("192.0.2.7/24")}}
	got.become(open, settingsOf(open, "1"))
	if got["802-1x"] != nil || got["802-11-wireless-security"] != nil || got["ipv4"]["method"].Value() != "manual" || got["ipv4"]["dns-search"].Value() == nil {
		t.Errorf("opened, with a static address, it became\n%v", got)
	}
}

// TestAdopt: everything in the profile stays, the passphrase too; what godbus
// would spoil is left out, and its newer form stands for it.
func TestAdopt(t *testing.T) {
	f, _ := start(t)
	if err := update(fakeProfile, wholeProfile.mark); err != nil {
		t.Fatal(err)
	}
	if got, want := f.notes(), "update: Their home, correct horse, <nil>, map[org.netconnectd.made:1 their.own:x]"; got != want {
		t.Errorf("it was told %q, want %q", got, want)
	}
}
