package netsettings

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// TestChooseTheBestSecurity checks that a cell of the same name with weaker security,
// however near, does not decide how the network is joined.
func TestChooseTheBestSecurity(t *testing.T) {
	cell := func(s wifi.Security, signal, mhz int) wifi.BSS {
		return wifi.BSS{SSID: []byte("home"), Security: s, Signal: signal, Frequency: mhz}
	}
	passphrase, key := secret.New("correct horse"), secret.New(strings.Repeat("0f", 32))
	for _, row := range []struct {
		name  string
		psk   secret.Secret
		cells []wifi.BSS
		want  wifi.Security
		mhz   int
	}{
		{"WPA2 is nearer", passphrase, []wifi.BSS{cell(wifi.WPA2, -30, 2412), cell(wifi.WPA2WPA3, -70, 5180)}, wifi.WPA2WPA3, 5180},
		{"and the better one is WPA3 only", passphrase, []wifi.BSS{cell(wifi.WPA3, -70, 5180), cell(wifi.WPA2, -30, 2412)}, wifi.WPA3, 5180},
		{"WPA1 is nearer", passphrase, []wifi.BSS{cell(wifi.WPA, -30, 2412), cell(wifi.WPA2, -70, 5180)}, wifi.WPA2, 5180},
		{"of equals the nearer", passphrase, []wifi.BSS{cell(wifi.WPA2, -70, 2412), cell(wifi.WPA2, -30, 5180)}, wifi.WPA2, 5180},
		{"a key of 64 digits cannot do WPA3", key, []wifi.BSS{cell(wifi.WPA3, -30, 5180), cell(wifi.WPA2, -70, 2412)}, wifi.WPA2, 2412},
		{"open is nearer than encrypted", secret.Secret{}, []wifi.BSS{cell(wifi.Open, -30, 2412), cell(wifi.OWE, -70, 5180)}, wifi.OWE, 5180},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, err := Choose(row.cells, server.ConfigWifi{SSID: []byte("home"), PSK: row.psk})
			if err != nil || n.Security != row.want || n.Frequency != row.mhz {
				t.Errorf("%s on %d MHz, %v, want %s on %d MHz", n.Security, n.Frequency, err, row.want, row.mhz)
			}
		})
	}
}

// TestRetyped checks that a new passphrase changes no other setting.
func TestRetyped(t *testing.T) {
	saved := store.Network{
		Network:  wifi.Network{SSID: []byte("home"), PSK: secret.New("the old one"), Hidden: true, BSSID: []byte{2, 0, 0, 0, 0, 1}, PMF: wifi.PMFOff, TransitionOver: true},
		Priority: 3, Addressing: &store.Addressing{Address: netip.MustParsePrefix("192.0.2.7/24")},
	}
	typed := store.Network{Network: wifi.Network{SSID: []byte("home"), PSK: secret.New("the new one"), Security: wifi.WPA3, Frequency: 2412}}
	want := saved
	want.PSK, want.Security, want.Frequency, want.PMF = typed.PSK, typed.Security, typed.Frequency, ""
	if diff := cmp.Diff(want, Retype(saved, typed), sameSaved); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestChooseCell(t *testing.T) {
	cell := func(security wifi.Security, frequency, signal int) wifi.BSS {
		return wifi.BSS{SSID: []byte("home"), Security: security, Frequency: frequency, Signal: signal}
	}
	for _, tt := range []struct {
		name      string
		cells     []wifi.BSS
		psk       string
		security  wifi.Security
		frequency int
		code      string
	}{
		{"the strongest", []wifi.BSS{cell(wifi.WPA2, 2412, -70), cell(wifi.WPA2, 5180, -50)}, "longenough", wifi.WPA2, 5180, ""},
		{"open", []wifi.BSS{cell(wifi.Open, 2412, -70)}, "", wifi.Open, 2412, ""},
		{"a stronger open twin never gets the passphrase", []wifi.BSS{cell(wifi.Open, 2462, -20), cell(wifi.WPA2, 2412, -70)}, "longenough", wifi.WPA2, 2412, ""},
		{"only an open twin", []wifi.BSS{cell(wifi.Open, 2462, -20)}, "longenough", "", 0, "security_mismatch"},
		{"no passphrase for a protected network", []wifi.BSS{cell(wifi.WPA2, 2412, -70)}, "", "", 0, "security_mismatch"},
		{"not there", nil, "longenough", "", 0, "not_found"},
		{"too short a passphrase", []wifi.BSS{cell(wifi.WPA2, 2412, -70)}, "short", "", 0, "unsupported"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := Choose(tt.cells, server.ConfigWifi{SSID: []byte("home"), PSK: secret.New(tt.psk)})
			var coded *client.Error
			if errors.As(err, &coded); tt.code != "" && (coded == nil || coded.Code != tt.code || coded.Message == "") {
				t.Fatalf("error %v, want code %s", err, tt.code)
			}
			if tt.code == "" && err != nil {
				t.Fatal(err)
			}
			if n.Security != tt.security || n.Frequency != tt.frequency {
				t.Errorf("chose %s at %d MHz, want %s at %d", n.Security, n.Frequency, tt.security, tt.frequency)
			}
		})
	}
}
