package daemon

import (
	"errors"
	"testing"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

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
			n, err := choose(tt.cells, server.ConfigWifi{SSID: []byte("home"), PSK: secret.New(tt.psk)})
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
