package networkmanager

import (
	"maps"
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

// TestProfile checks that a network written as a profile is read back unchanged; its
// secrets are read separately.
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
			Address: netip.MustParsePrefix("192.0.2.7/24"), Gateway: netip.MustParseAddr("192.0.2.1"),
			DNS: []netip.Addr{netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("2001:db8::53")},
		}}},
		{"a static IPv6 address", store.Network{Network: wifi.Network{SSID: []byte("shop"), Security: wifi.Open}, Addressing: &store.Addressing{
			Address: netip.MustParsePrefix("2001:db8::7/64"), Gateway: netip.MustParseAddr("fe80::1"), DNS: []netip.Addr{netip.MustParseAddr("2001:db8::53")},
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

// TestKeyWithoutPassword checks that the profile says there is no password, because
// NetworkManager would otherwise wait for one.
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

// TestNoProfile checks which of NetworkManager's profiles are no network to join.
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

// TestOrigin checks which program counts as the author of a profile.
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

// TestSecretsRefused checks that nothing is written without the passphrase, since the
// write would lose it.
func TestSecretsRefused(t *testing.T) {
	f, _ := start(t)
	f.script(nil, dbus.NewError("org.freedesktop.NetworkManager.Settings.PermissionDenied", []any{"no"}))
	if err := update(fakeProfile, wholeProfile.mark); !isRefusal(explain(err, actionModify)) || f.notes() != "" {
		t.Errorf("%v, and it was told %q; want a refusal and nothing", err, f.notes())
	}
}

// TestSecretsUnknown checks NetworkManager's answers in place of secrets. Unless the
// answer means that there are none, nothing is returned and nothing is written.
func TestSecretsUnknown(t *testing.T) {
	n := store.Network{Network: wifi.Network{SSID: []byte("office"), Security: wifi.EAP, EAP: &wifi.EAPCredentials{
		Method: "tls", Identity: "me", CACert: "/ca.pem", PrivateKey: "/key.pem", PrivateKeyPassword: secret.New("geheim"),
	}}}
	for _, tt := range []struct {
		name, answer string
		none         bool
	}{
		{"there is no such setting", "Settings.Connection.SettingNotFound", true},
		{"it has none, and nobody knows any", "AgentManager.NoSecrets", true},
		{"polkit does not answer", "Settings.Failed", false},
		{"whoever is asked for them cancels", "AgentManager.UserCanceled", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, _ := start(t)
			saved := f.save(n, ourFile)
			p := f.profiles()
			f.script(nil, dbus.NewError(nm.NetworkManagerInterface+"."+tt.answer, []any{"no"}))
			found, err := p.Find(n.SSID)
			if (err == nil) != tt.none {
				t.Errorf("found %+v, %v", found, err)
			}
			if err := p.Adopt(n.SSID); (err == nil) != tt.none {
				t.Errorf("adopted: %v", err)
			}
			if key := saved.setting(settingEAP)["private-key-password"]; !tt.none && key.Value() != "geheim" {
				t.Errorf("then the password of the key is %v", key.Value())
			}
		})
	}
}

// TestBecome checks that a change of a network keeps what only NetworkManager knows.
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
	got.become(nil, n, settingsOf(n, "1"))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("it became\n%v, want\n%v", got, want)
	}
	open := store.Network{Network: wifi.Network{SSID: []byte("work"), Security: wifi.Open}, Addressing: &store.Addressing{Address: netip.MustParsePrefix("192.0.2.7/24")}}
	got.become(nil, open, settingsOf(open, "1"))
	if got["802-1x"] != nil || got["802-11-wireless-security"] != nil || got["ipv4"]["method"].Value() != "manual" || got["ipv4"]["dns-search"].Value() == nil {
		t.Errorf("opened, with a static address, it became\n%v", got)
	}
}

// TestBecomeAddressed checks how a profile changes to another address. Lists are as
// godbus reads them.
func TestBecomeAddressed(t *testing.T) {
	static := func(address, gateway string, dns ...string) *store.Addressing {
		a := &store.Addressing{Address: netip.MustParsePrefix(address), Gateway: netip.MustParseAddr(gateway)}
		for _, server := range dns {
			a.DNS = append(a.DNS, netip.MustParseAddr(server))
		}
		return a
	}
	data := func(address string, bits uint32) []map[string]dbus.Variant {
		return []map[string]dbus.Variant{{"address": dbus.MakeVariant(address), "prefix": dbus.MakeVariant(bits)}}
	}
	setting := func(keysAndValues ...any) map[string]dbus.Variant {
		s := map[string]dbus.Variant{}
		for i := 0; i < len(keysAndValues); i += 2 {
			s[keysAndValues[i].(string)] = dbus.MakeVariant(keysAndValues[i+1])
		}
		return s
	}
	const dns4 = 0x350200c0 // 192.0.2.53, in network byte order
	dns6 := netip.MustParseAddr("2001:db8::53")
	v4 := static("192.0.2.7/24", "192.0.2.1", "192.0.2.53")
	theirs4 := setting("method", "manual", "address-data", data("192.0.2.7", 24), "gateway", "192.0.2.1", "dns", []uint32{dns4},
		"dns-data", []string{"192.0.2.53#resolver.example"}, "dns-search", []string{"lan"}, "route-metric", int64(50))
	v6 := static("2001:db8::7/64", "fe80::1", "2001:db8::53")
	theirs6 := setting("method", "manual", "address-data", data("2001:db8::7", 64), "gateway", "fe80::1", "dns", [][]byte{dns6.AsSlice()}, "dns-data", []string{"2001:db8::53"})
	dhcp4, dhcp6 := setting("method", "auto", "dhcp-timeout", dhcpTimeout), setting("method", "auto")
	off := setting("method", "disabled")
	for _, tt := range []struct {
		name         string
		had          *store.Addressing
		ipv4, ipv6   map[string]dbus.Variant
		becomes      *store.Addressing
		want4, want6 map[string]dbus.Variant
	}{
		{"it keeps its static address", v4, theirs4, off, v4, theirs4, off},
		{"DHCP in place of it", v4, theirs4, off, nil, setting("method", "auto", "dhcp-timeout", dhcpTimeout, "dns-search", []string{"lan"}, "route-metric", int64(50)), off},
		{"an IPv6 server more", v4, theirs4, dhcp6, static("192.0.2.7/24", "192.0.2.1", "192.0.2.53", "2001:db8::53"),
			setting("method", "manual", "address-data", []map[string]any{{"address": "192.0.2.7", "prefix": uint32(24)}}, "gateway", "192.0.2.1", "dns", []uint32{dns4},
				"dns-search", []string{"lan"}, "route-metric", int64(50)),
			setting("method", "auto", "dns", [][]byte{dns6.AsSlice()})},
		{"it keeps its static IPv6 address", v6, off, theirs6, v6, off, theirs6},
		{"DHCP in place of that", v6, off, theirs6, nil, dhcp4, dhcp6},
		{"a static IPv6 address", nil, dhcp4, dhcp6, v6, off,
			setting("method", "manual", "address-data", []map[string]any{{"address": "2001:db8::7", "prefix": uint32(64)}}, "gateway", "fe80::1", "dns", [][]byte{dns6.AsSlice()})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := store.Network{Network: wifi.Network{SSID: []byte("shop"), Security: wifi.Open}, Addressing: tt.becomes}
			got := wholeProfile{"ipv4": maps.Clone(tt.ipv4), "ipv6": maps.Clone(tt.ipv6)}
			got.become(tt.had, n, settingsOf(n, "1"))
			if !reflect.DeepEqual(got["ipv4"], tt.want4) {
				t.Errorf("ipv4 became\n%v, want\n%v", got["ipv4"], tt.want4)
			}
			if !reflect.DeepEqual(got["ipv6"], tt.want6) {
				t.Errorf("ipv6 became\n%v, want\n%v", got["ipv6"], tt.want6)
			}
		})
	}
}

// TestMixedAddressing checks profiles for which store.Addressing has no room.
func TestMixedAddressing(t *testing.T) {
	static := func(address string) map[string]any {
		return map[string]any{"method": "manual", "address-data": []map[string]any{{"address": address, "prefix": uint32(64)}}}
	}
	for _, tt := range []struct {
		name       string
		ipv4, ipv6 map[string]any
		want       string // the static address; "": addresses are assigned
	}{
		{"an address of each family", map[string]any{"method": "manual", "address-data": []map[string]any{{"address": "192.0.2.7", "prefix": uint32(24)}}}, static("2001:db8::7"), "192.0.2.7/24"},
		{"IPv4 by DHCP, IPv6 static", map[string]any{"method": "auto"}, static("2001:db8::7"), ""},
		{"IPv6 only, static", map[string]any{"method": "disabled"}, static("2001:db8::7"), "2001:db8::7/64"},
		{"IPv6 only, given", map[string]any{"method": "disabled"}, map[string]any{"method": "auto"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if a := addressingOf(tt.ipv4, tt.ipv6); a != nil {
				got = a.Address.String()
			}
			if got != tt.want {
				t.Errorf("the address is %q, want %q", got, tt.want)
			}
		})
	}
}

// TestAdopt checks that everything in the profile stays, including the passphrase.
// Values that godbus would damage are left out, since their newer form stands for
// them.
func TestAdopt(t *testing.T) {
	f, _ := start(t)
	if err := update(fakeProfile, wholeProfile.mark); err != nil {
		t.Fatal(err)
	}
	if got, want := f.notes(), "update: Their home, correct horse, <nil>, map[org.netconnectd.made:1 their.own:x]"; got != want {
		t.Errorf("it was told %q, want %q", got, want)
	}
}
