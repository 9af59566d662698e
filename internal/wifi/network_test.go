package wifi

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/secret"
)

var digits64 = strings.Repeat("0123456789abcdef", 4)

func TestNetworkSettings(t *testing.T) {
	for _, row := range []struct {
		name     string
		psk      string
		security Security
		hidden   bool
		want     string
	}{
		{"open", "", Open, false, "key_mgmt=NONE"},
		{"open, by having no passphrase", "", "", false, "key_mgmt=NONE"},
		{"hidden", "", Open, true, "scan_ssid=1 key_mgmt=NONE"},
		{"OWE", "", OWE, false, "key_mgmt=OWE ieee80211w=2"},
		{"WPA2", "password", WPA2, false, `key_mgmt=WPA-PSK psk="password"`},
		{"WPA1", "password", WPA, false, `key_mgmt=WPA-PSK proto=WPA psk="password"`},
		{"transition", "password", WPA2WPA3, false, `key_mgmt=WPA-PSK SAE ieee80211w=1 psk="password"`},
		{"not known, but with passphrase", "password", "", false, `key_mgmt=WPA-PSK SAE ieee80211w=1 psk="password"`},
		{"WPA3", "password", WPA3, false, `key_mgmt=SAE ieee80211w=2 sae_password="password"`},
		{"64 digits, WPA2", digits64, WPA2, false, "key_mgmt=WPA-PSK psk=" + digits64},
		{"64 digits, transition: never SAE", digits64, WPA2WPA3, false, "key_mgmt=WPA-PSK psk=" + digits64},
		{"64 digits, not known", digits64, "", false, "key_mgmt=WPA-PSK psk=" + digits64},
		{"quotes", `"a"b" c "`, WPA2, false, `key_mgmt=WPA-PSK psk=""a"b" c ""`},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := Network{SSID: []byte("a\x00\"\n\xff"), PSK: secret.New(row.psk), Security: row.security, Hidden: row.hidden}
			if err := n.Check(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range n.settings("5e") {
				got = append(got, s.name+"="+s.value)
			}
			want := `ssid=6100220aff id_str="5e" ` + row.want
			if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNetworkCheck(t *testing.T) {
	for _, row := range []struct {
		name     string
		ssid     string
		psk      string
		security Security
		want     Code
	}{
		{"shortest passphrase", "x", "8letters", "", ""},
		{"longest passphrase", "x", strings.Repeat("a", 63), WPA2, ""},
		{"UTF-8 passphrase", "x", "pässwörter", WPA2, ""},
		{"32 bytes of 0xff", strings.Repeat("\xff", 32), "", Open, ""},
		{"NUL as SSID", "\x00", "", Open, ""},
		{"no SSID", "", "", Open, CodeUnsupported},
		{"SSID too long", strings.Repeat("a", 33), "", Open, CodeUnsupported},
		{"too short", "x", "7letter", "", CodeUnsupported},
		{"too long", "x", strings.Repeat("g", 64), "", CodeUnsupported},
		{"with a newline", "x", "pass\nword", "", CodeUnsupported},
		{"with a NUL", "x", "pass\x00word", "", CodeUnsupported},
		{"64 digits, WPA3", "x", digits64, WPA3, CodeUnsupported},
		{"WPA2 without passphrase", "x", "", WPA2, CodeSecurityMismatch},
		{"open twin of a protected network", "x", "password", Open, CodeSecurityMismatch},
		{"OWE twin of a protected network", "x", "password", OWE, CodeSecurityMismatch},
		{"WEP", "x", "password", WEP, CodeUnsupported},
		{"EAP", "x", "password", EAP, CodeUnsupported},
		{"unknown", "x", "password", Unknown, CodeUnsupported},
		{"a security that is none", "x", "password", "wpa9", CodeUnsupported},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := Network{SSID: []byte(row.ssid), PSK: secret.New(row.psk), Security: row.security}.Check()
			var verdict *JoinError
			switch errors.As(err, &verdict); {
			case row.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case row.want != "" && (verdict == nil || verdict.Code != row.want):
				t.Errorf("error %v, want code %s", err, row.want)
			case err != nil && row.psk != "" && strings.Contains(err.Error(), row.psk):
				t.Errorf("the passphrase is in %q", err)
			}
		})
	}
}

func TestNetworkMismatch(t *testing.T) {
	for _, row := range []struct {
		name    string
		network Network
		seen    Security
		fits    bool
	}{
		{"WPA2 at WPA2", homeWPA2, WPA2, true},
		{"WPA2 at transition", homeWPA2, WPA2WPA3, true},
		{"WPA2 at WPA3", homeWPA2, WPA3, false},
		{"WPA2 at open", homeWPA2, Open, false},
		{"any at WPA3", homeAny, WPA3, true},
		{"any at WPA", homeAny, WPA, true},
		{"any at EAP", homeAny, EAP, false},
		{"64 digits at WPA3", Network{SSID: homeAny.SSID, PSK: secret.New(digits64)}, WPA3, false},
		{"64 digits at transition", Network{SSID: homeAny.SSID, PSK: secret.New(digits64)}, WPA2WPA3, true},
		{"open at open", homeOpen, Open, true},
		{"open at OWE", homeOpen, OWE, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			verdict, present := row.network.mismatch([]BSS{
				{SSID: []byte("other"), Security: WEP},
				{SSID: []byte("home"), Security: row.seen},
			})
			if !present || (verdict == nil) != row.fits {
				t.Errorf("present %v, verdict %v, want fits %v", present, verdict, row.fits)
			}
		})
	}
}

func TestMarkTellsNetworksApartAndNothingElse(t *testing.T) {
	key := []byte("key")
	seen := map[string]string{}
	for _, n := range []Network{
		homeWPA2,
		{SSID: []byte("home2"), PSK: homeWPA2.PSK},
		{SSID: []byte("home"), PSK: secret.New("correct horsf")},
		{SSID: []byte("homec"), PSK: secret.New("orrect horse")}, // same bytes in a row
		{SSID: []byte("home")},
	} {
		mark := n.mark(key)
		what := fmt.Sprintf("%q/%d", n.SSID, len(n.PSK.Reveal()))
		if other, twice := seen[mark]; twice {
			t.Errorf("%s and %s have the same mark", what, other)
		}
		seen[mark] = what
	}
	if homeWPA2.mark(key) != hinted(homeWPA2).mark(key) || homeWPA2.mark(key) != homeAny.mark(key) {
		t.Error("a hint or what a scan saw changes the mark")
	}
	if homeWPA2.mark(key) == homeWPA2.mark([]byte("other")) {
		t.Error("the mark does not depend on the key")
	}
}
