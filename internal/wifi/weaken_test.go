package wifi

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
)

// TestWhenLessIsTried checks that a weaker variant is tried only where no cell of the
// network that is heard supports a stronger one: a nearby attacker can make any
// variant fail.
func TestWhenLessIsTried(t *testing.T) {
	const (
		sae, psk, plain  = "SAE", "WPA-PSK WPA-PSK-SHA256", "WPA-PSK"
		able, noSAE, old = "WPA-PSK SAE AES-128-CMAC", "WPA-PSK AES-128-CMAC", "WPA-PSK"
		silent           = scanDone + `
			SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
			CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid="home" auth_failures=1 duration=10 reason=CONN_FAILED`
	)
	name, password := homeWPA2.SSID, secret.New("correct horse")
	both, saved2 := Network{SSID: name, PSK: password, Security: WPA2WPA3}, Network{SSID: name, PSK: password, Security: WPA2}
	wpa2, wpa2PMF := BSS{SSID: name, Security: WPA2, Signal: -30}, BSS{SSID: name, Security: WPA2, PMF: true}
	transition, wpa3 := BSS{SSID: name, Security: WPA2WPA3, PMF: true, Signal: -70}, BSS{SSID: name, Security: WPA3, PMF: true}
	over := both
	over.TransitionOver = true
	for _, row := range []struct {
		name  string
		n     Network
		radio string
		air   []BSS
		want  []string // key_mgmt of the attempts, none of which is answered
	}{
		{"WPA3 falls silent", both, able, []BSS{transition}, []string{sae}},
		{"a stronger signal asks for less", both, able, []BSS{wpa2, transition}, []string{sae}},
		{"the better one is WPA3 only", both, able, []BSS{wpa2, wpa3}, []string{sae}},
		{"somebody else's WPA3 is none of ours", both, able, []BSS{wpa2, {SSID: []byte("other"), Security: WPA3}}, []string{psk, plain}},
		{"there is nothing but WPA2", both, able, []BSS{wpa2PMF}, []string{psk}},
		{"nor protection of management frames", both, able, []BSS{wpa2}, []string{psk, plain}},
		{"nobody is heard", both, able, nil, []string{sae}},
		{"the radio cannot do WPA3", both, noSAE, []BSS{transition}, []string{psk}},
		{"nor protect management frames", both, old, []BSS{transition}, []string{plain}},
		{"WPA2, where frames can be protected", saved2, able, []BSS{wpa2, wpa2PMF}, []string{psk}},
		{"WPA2, where they cannot", saved2, able, []BSS{wpa2}, []string{psk, plain}},
		{"the router has no weaker cells", over, able, []BSS{wpa2}, []string{sae}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, s, _ := newProgram(t)
			p.able(row.radio)
			s.cells = airOf(row.air...)
			p.script(func(string) string { return silent })
			for range 2 { // the second time must equal the first
				if _, err := s.join(t.Context(), row.n, "5e"); err == nil {
					t.Fatal("joined")
				}
			}
			var tried []string
			for line := range strings.Lines(p.did()) {
				if _, keys, ok := strings.Cut(strings.TrimSpace(line), " key_mgmt "); ok {
					tried = append(tried, keys)
				}
			}
			if want := slices.Concat(row.want, row.want); !slices.Equal(tried, want) {
				t.Errorf("tried %q, want %q", tried, want)
			}
		})
	}
}

// TestTransitionDisable checks that the router's indication is read although it comes
// just after CTRL-EVENT-CONNECTED, and only where its sender is proved.
func TestTransitionDisable(t *testing.T) {
	both, wpa2 := Network{SSID: homeWPA2.SSID, PSK: secret.New("correct horse"), Security: WPA2WPA3}, homeWPA2
	eap := Network{SSID: homeWPA2.SSID, EAP: &EAPCredentials{Method: "peap", Identity: "me", Password: secret.New("x"), AnyServer: true}}
	for _, row := range []struct {
		name, said string
		n          Network
		want       bool
	}{
		{"WPA3-Personal", "TRANSITION-DISABLE 01", both, true},
		{"with other bits", "TRANSITION-DISABLE 0f", both, true},
		{"WPA3-Enterprise is not ours", "TRANSITION-DISABLE 04", both, false},
		{"nothing said", "", both, false},
		{"nonsense", "TRANSITION-DISABLE zz", both, false},
		{"joined with WPA2", "TRANSITION-DISABLE 01", wpa2, false},
		{"802.1X", "TRANSITION-DISABLE 04", eap, true},
	} {
		for _, order := range []string{"after", "before"} {
			t.Run(row.name+" "+order+" the association", func(t *testing.T) {
				p, s, _ := newProgram(t)
				trace := scanDone + associated + connected + row.said
				if order == "before" {
					trace = scanDone + associated + row.said + "\n" + connected
				}
				p.script(func(string) string { return trace })
				a, err := s.join(t.Context(), row.n, "5e")
				if err != nil || a.TransitionOver != row.want {
					t.Errorf("TransitionOver %v, %v, want %v", a.TransitionOver, err, row.want)
				}
			})
		}
	}
}

// TestSearchForSAE checks that all channels are searched, which takes seconds, only
// where the hint's channel and recent scans leave open whether a cell of the network
// supports SAE.
func TestSearchForSAE(t *testing.T) {
	name := homeWPA2.SSID
	both := Network{SSID: name, PSK: secret.New("correct horse"), Security: WPA2WPA3}
	wpa3 := Network{SSID: name, PSK: secret.New("correct horse"), Security: WPA3}
	plain, strongCell := BSS{SSID: name, Security: WPA2}, BSS{SSID: name, Security: WPA2WPA3, PMF: true}
	const notFound = scanDone + "CTRL-EVENT-NETWORK-NOT-FOUND\n"
	for _, row := range []struct {
		name  string
		n     Network
		cells []BSS
		want  string
	}{
		{"the router has WPA2 alone", hinted(both), []BSS{plain}, "read results security_mismatch"},
		{"another cell of it has SAE", hinted(both), []BSS{plain, strongCell}, "read results search full"},
		{"the router has moved", hinted(both), nil, "read results search full"},
		{"somebody else's cell", hinted(both), []BSS{{SSID: []byte("other"), Security: WPA2}}, "read results search full"},
		{"WPA3 alone is wanted", hinted(wpa3), []BSS{plain}, "read results search full"},
	} {
		t.Run(row.name, func(t *testing.T) {
			sae := row.n.variants(abilities{sae: true, pmf: true})[0]
			got, _ := play(newAttempt(row.n, sae, "0"), notFound, row.cells)
			if strings.Join(got, " ") != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

// TestVerdictOfTheWayOnOffer checks that the lack of SAE is not the verdict where
// WPA2 was tried afterwards.
func TestVerdictOfTheWayOnOffer(t *testing.T) {
	both := Network{SSID: homeWPA2.SSID, PSK: secret.New("correct horse"), Security: WPA2WPA3}
	p, s, _ := newProgram(t)
	s.cells = airOf(BSS{SSID: homeWPA2.SSID, Security: WPA2, PMF: true})
	p.script(func(string) string {
		return scanDone + associated + `
			CTRL-EVENT-BEACON-LOSS
			CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=4 locally_generated=1`
	})
	_, err := s.join(t.Context(), hinted(both), "5e")
	var failed *JoinError
	if !errors.As(err, &failed) || failed.Code != client.CodeLost {
		t.Errorf("%v, want %s", err, client.CodeLost)
	}
}
