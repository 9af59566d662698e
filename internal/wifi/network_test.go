package wifi

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
)

var digits64 = strings.Repeat("0123456789abcdef", 4)

// rendered returns the settings of each variant, one per line.
func rendered(n Network) string {
	var lines []string
	for _, v := range n.variants(abilities{sae: true, pmf: true}) {
		var words []string
		for _, s := range n.settings("5e", v) {
			words = append(words, s.name+"="+s.value)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return strings.Join(lines, "\n")
}

func TestNetworkSettings(t *testing.T) {
	const (
		open     = "key_mgmt=NONE"
		wpa2     = `key_mgmt=WPA-PSK WPA-PSK-SHA256 ieee80211w=1 psk="password"`
		wpa2Only = `key_mgmt=WPA-PSK psk="password"`
		sae      = `key_mgmt=SAE ieee80211w=2 psk="password"`
		digits   = "key_mgmt=WPA-PSK WPA-PSK-SHA256 ieee80211w=1 psk="
	)
	for _, row := range []struct {
		name string
		Network
		want []string // the variants' settings, in the order in which the variants are tried
	}{
		{"open", Network{Security: Open}, []string{open}},
		{"open, by having no passphrase", Network{}, []string{open}},
		{"hidden", Network{Security: Open, Hidden: true}, []string{"scan_ssid=1 " + open}},
		{"one cell", Network{Security: Open, BSSID: []byte{2, 0, 0, 0, 1, 0}}, []string{"bssid=02:00:00:00:01:00 " + open}},
		{"OWE, twice", Network{Security: OWE}, []string{"key_mgmt=OWE ieee80211w=2", "key_mgmt=OWE ieee80211w=2"}},
		{"OWE that has worked, twice", Network{Security: OWE, PMF: PMFRequired}, []string{"key_mgmt=OWE ieee80211w=2", "key_mgmt=OWE ieee80211w=2"}},
		{"WPA2", Network{PSK: secret.New("password"), Security: WPA2}, []string{wpa2, wpa2Only}},
		{"WPA1", Network{PSK: secret.New("password"), Security: WPA}, []string{`key_mgmt=WPA-PSK proto=WPA psk="password"`}},
		{"transition", Network{PSK: secret.New("password"), Security: WPA2WPA3}, []string{sae, wpa2, wpa2Only}},
		{"not known, but with passphrase", Network{PSK: secret.New("password")}, []string{sae, wpa2, wpa2Only}},
		{"WPA3", Network{PSK: secret.New("password"), Security: WPA3}, []string{`key_mgmt=SAE ieee80211w=2 sae_password="password"`}},
		{"64 digits, WPA2", Network{PSK: secret.New(digits64), Security: WPA2}, []string{digits + digits64, "key_mgmt=WPA-PSK psk=" + digits64}},
		{"64 digits, transition: never SAE", Network{PSK: secret.New(digits64), Security: WPA2WPA3}, []string{digits + digits64, "key_mgmt=WPA-PSK psk=" + digits64}},
		{"64 digits, not known", Network{PSK: secret.New(digits64)}, []string{digits + digits64, "key_mgmt=WPA-PSK psk=" + digits64}},
		{"quotes", Network{PSK: secret.New(`"a"b" c "`), Security: WPA}, []string{`key_mgmt=WPA-PSK proto=WPA psk=""a"b" c ""`}},
		{"what was asked for is all, also without", Network{PSK: secret.New("password"), Security: WPA2, PMF: PMFOff}, []string{wpa2Only}},
		{"no transition any more", Network{PSK: secret.New("password"), Security: WPA2WPA3, TransitionOver: true}, []string{`key_mgmt=SAE ieee80211w=2 sae_password="password"`}},
		{"nor where nobody has looked", Network{PSK: secret.New("password"), TransitionOver: true}, []string{`key_mgmt=SAE ieee80211w=2 sae_password="password"`}},
		{"whatever is set since", Network{PSK: secret.New("password"), Security: WPA2, TransitionOver: true}, []string{`key_mgmt=SAE ieee80211w=2 sae_password="password"`}},
		{"what was asked for is all", Network{PSK: secret.New("password"), Security: WPA2, PMF: PMFRequired},
			[]string{`key_mgmt=WPA-PSK WPA-PSK-SHA256 ieee80211w=2 psk="password"`}},
		{"PEAP", Network{EAP: &EAPCredentials{Method: "peap", Identity: "me", Password: secret.New(`a"b`), CACert: "/ca.pem", ServerName: "lab"}}, []string{
			"key_mgmt=WPA-EAP WPA-EAP-SHA256 ieee80211w=1 eap=PEAP identity=6d65 password=612262 phase2=617574683d4d53434841505632 ca_cert=2f63612e70656d domain_suffix_match=6c6162",
			"key_mgmt=WPA-EAP eap=PEAP identity=6d65 password=612262 phase2=617574683d4d53434841505632 ca_cert=2f63612e70656d domain_suffix_match=6c6162"}},
		{"802.1X without transition", Network{TransitionOver: true, EAP: &EAPCredentials{Method: "tls", Identity: "me", AnyServer: true, ClientCert: "/c", PrivateKey: "/k"}}, []string{
			"key_mgmt=WPA-EAP WPA-EAP-SHA256 ieee80211w=2 eap=TLS identity=6d65 client_cert=2f63 private_key=2f6b"}},
		{"TLS", Network{PMF: PMFRequired, EAP: &EAPCredentials{Method: "tls", Identity: "me", AnyServer: true, ClientCert: "/c", PrivateKey: "/k", PrivateKeyPassword: secret.New("p")}}, []string{
			"key_mgmt=WPA-EAP WPA-EAP-SHA256 ieee80211w=2 eap=TLS identity=6d65 client_cert=2f63 private_key=2f6b private_key_passwd=70"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.SSID = []byte("a\x00\"\n\xff")
			if err := row.Check(); err != nil {
				t.Fatal(err)
			}
			want := `ssid=6100220aff id_str="5e" ` + strings.Join(row.want, "\n"+`ssid=6100220aff id_str="5e" `)
			if diff := cmp.Diff(want, rendered(row.Network)); diff != "" {
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
		want     string
	}{
		{"shortest passphrase", "x", "8letters", "", ""},
		{"longest passphrase", "x", strings.Repeat("a", 63), WPA2, ""},
		{"UTF-8 passphrase", "x", "pässwörter", WPA2, ""},
		{"32 bytes of 0xff", strings.Repeat("\xff", 32), "", Open, ""},
		{"NUL as SSID", "\x00", "", Open, ""},
		{"no SSID", "", "", Open, client.CodeUnsupported},
		{"SSID too long", strings.Repeat("a", 33), "", Open, client.CodeUnsupported},
		{"too short", "x", "7letter", "", client.CodeUnsupported},
		{"too long", "x", strings.Repeat("g", 64), "", client.CodeUnsupported},
		{"with a newline", "x", "pass\nword", "", client.CodeUnsupported},
		{"with a NUL", "x", "pass\x00word", "", client.CodeUnsupported},
		{"64 digits, WPA3", "x", digits64, WPA3, client.CodeUnsupported},
		{"WPA2 without passphrase", "x", "", WPA2, client.CodeSecurityMismatch},
		{"open twin of a protected network", "x", "password", Open, client.CodeSecurityMismatch},
		{"OWE twin of a protected network", "x", "password", OWE, client.CodeSecurityMismatch},
		{"WEP", "x", "password", WEP, client.CodeUnsupported},
		{"EAP", "x", "password", EAP, client.CodeSecurityMismatch},
		{"unknown", "x", "password", Unknown, client.CodeUnsupported},
		{"a security that is none", "x", "password", "wpa9", client.CodeUnsupported},
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

// TestNetworkOfNoCell checks that joining does not wait for a cell address that no
// router can have.
func TestNetworkOfNoCell(t *testing.T) {
	for cell, fits := range map[string]bool{"02:00:00:00:01:00": true, "01:00:5e:00:00:01": false, "00:00:00:00:00:00": false} {
		n := Network{SSID: []byte("x"), Security: Open}
		n.BSSID, _ = net.ParseMAC(cell)
		var verdict *JoinError
		if err := n.Check(); (err == nil) != fits || !fits && (!errors.As(err, &verdict) || verdict.Code != client.CodeUnsupported) {
			t.Errorf("%s: %v", cell, err)
		}
	}
}

func TestNetworkCheckOfEAP(t *testing.T) {
	peap := EAPCredentials{Method: "peap", Identity: "me", Password: secret.New("hunter2"), CACert: "/ca.pem"}
	for _, row := range []struct {
		name   string
		change func(*EAPCredentials)
		want   string // part of the reason; "": accepted
	}{
		{"PEAP", func(*EAPCredentials) {}, ""},
		{"TTLS with PAP", func(c *EAPCredentials) { c.Method, c.Phase2 = "ttls", "pap" }, ""},
		{"TLS", func(c *EAPCredentials) {
			*c = EAPCredentials{Method: "tls", Identity: "me", CACert: "/ca", ClientCert: "/c", PrivateKey: "/k"}
		}, ""},
		{"any server, said so", func(c *EAPCredentials) { c.CACert, c.AnyServer = "", true }, ""},
		{"any server, not said", func(c *EAPCredentials) { c.CACert = "" }, "CA certificate"},
		{"nobody", func(c *EAPCredentials) { c.Identity = "" }, "identity"},
		{"no password", func(c *EAPCredentials) { c.Password = secret.Secret{} }, "password"},
		{"TLS without key", func(c *EAPCredentials) { c.Method, c.ClientCert = "tls", "/c" }, "private key"},
		{"PEAP with PAP", func(c *EAPCredentials) { c.Phase2 = "pap" }, "inner method"},
		{"LEAP", func(c *EAPCredentials) { c.Method = "leap" }, "peap, ttls or tls"},
		{"newline in the identity", func(c *EAPCredentials) { c.Identity = "me\nyou" }, "control characters"},
		{"endless password", func(c *EAPCredentials) { c.Password = secret.New(strings.Repeat("x", 254)) }, "longer than 253"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := peap
			row.change(&c)
			err := Network{SSID: []byte("x"), EAP: &c}.Check()
			var verdict *JoinError
			switch errors.As(err, &verdict); {
			case row.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case row.want != "" && (verdict == nil || !strings.Contains(verdict.Reason, row.want)):
				t.Errorf("error %v, want one about %s", err, row.want)
			}
		})
	}
}

func TestNetworkCheckOfPMF(t *testing.T) {
	psk := secret.New("password")
	for _, row := range []struct {
		name    string
		network Network
		fits    bool
	}{
		{"WPA2 required", Network{Security: WPA2, PSK: psk, PMF: PMFRequired}, true},
		{"WPA2 off", Network{Security: WPA2, PSK: psk, PMF: PMFOff}, true},
		{"open required", Network{Security: Open, PMF: PMFRequired}, false},
		{"WPA1 required", Network{Security: WPA, PSK: psk, PMF: PMFRequired}, false},
		{"WPA3 off", Network{Security: WPA3, PSK: psk, PMF: PMFOff}, false},
		{"OWE off", Network{Security: OWE, PMF: PMFOff}, false},
		{"no level", Network{Security: WPA2, PSK: psk, PMF: "maybe"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.network.SSID = []byte("x")
			if err := row.network.Check(); (err == nil) != row.fits {
				t.Errorf("error %v", err)
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
		{"EAP at EAP", Network{SSID: homeAny.SSID, EAP: &EAPCredentials{}}, EAP, true},
		{"EAP at WPA2", Network{SSID: homeAny.SSID, EAP: &EAPCredentials{}}, WPA2, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			verdict, present := row.network.Mismatch([]BSS{
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
		{SSID: []byte("homec"), PSK: secret.New("orrect horse")}, // SSID and passphrase in a row are the same bytes as those of homeWPA2
		{SSID: []byte("home")},
		{SSID: []byte("home"), EAP: &EAPCredentials{Identity: "me"}},
		{SSID: []byte("home"), EAP: &EAPCredentials{Identity: "me", Password: secret.New("x")}},
		{SSID: []byte("home"), PSK: homeWPA2.PSK, BSSID: []byte{2, 0, 0, 0, 1, 0}},
		{SSID: []byte("home"), PSK: homeWPA2.PSK, BSSID: []byte{2, 0, 0, 0, 2, 0}},
		{SSID: []byte("home"), PSK: homeWPA2.PSK, PMF: PMFRequired},
		{SSID: []byte("home"), PSK: homeWPA2.PSK, PMF: PMFRequired, BSSID: []byte{2, 0, 0, 0, 1, 0}},
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
	for _, level := range []PMF{PMFOptional, PMFOff} {
		worked := homeWPA2
		worked.PMF = level
		if worked.mark(key) != homeWPA2.mark(key) {
			t.Errorf("PMF that was found out, %s, changes the mark", level)
		}
	}
	if homeWPA2.mark(key) == homeWPA2.mark([]byte("other")) {
		t.Error("the mark does not depend on the key")
	}
}
