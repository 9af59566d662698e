package wifi

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
)

// cellTrace returns the events with one cell, up to its verdict.
func cellTrace(cell, verdict string) string {
	return scanDone + "SME: Trying to authenticate with " + cell + " (SSID='home' freq=2412 MHz)\n" +
		"Trying to associate with " + cell + " (SSID='home' freq=2412 MHz)\nAssociated with " + cell + "\n" + verdict
}

// TestStrangersCells checks what happens beside a stranger's network of the same
// name: the stranger's cell is passed over, ours is joined, and neither is excluded
// for good.
func TestStrangersCells(t *testing.T) {
	const (
		stranger, ours, third = "02:00:00:00:01:00", "02:00:00:00:02:00", "02:00:00:00:03:00"
		refuses               = "CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=15"
		lets                  = connected
	)
	for _, row := range []struct {
		name  string
		air   []string // the cells, the strongest first
		says  map[string]string
		joins int
		want  []string // the cells that were talked to, in all joins
		code  string   // the verdict's code of the last join; "": joined
	}{
		{"ours is weaker", []string{stranger, ours}, map[string]string{stranger: refuses, ours: lets}, 1, []string{stranger, ours}, ""},
		{"it is remembered", []string{stranger, ours}, map[string]string{stranger: refuses, ours: lets}, 2, []string{stranger, ours, ours}, ""},
		{"two of them", []string{stranger, third, ours}, map[string]string{stranger: refuses, third: refuses, ours: lets}, 1, []string{stranger, third, ours}, ""},
		{"nothing else is there", []string{stranger}, map[string]string{stranger: refuses}, 1, []string{stranger}, client.CodeWrongKey},
		{"the passphrase is wrong: all are tried, each time", []string{stranger, ours}, map[string]string{stranger: refuses, ours: refuses}, 2,
			[]string{stranger, ours, stranger, ours}, client.CodeWrongKey},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, s, _ := newProgram(t)
			var air []BSS
			for _, cell := range row.air {
				address, _ := net.ParseMAC(cell)
				air = append(air, BSS{SSID: homeWPA2.SSID, BSSID: address, Security: WPA2})
			}
			s.cells = airOf(air...)
			var tried []string
			p.script(func(string) string {
				ignored := ""
				if last := len(p.commands) - 1; last > 0 && strings.Contains(p.commands[last-1], " bssid_blacklist ") {
					ignored = p.commands[last-1]
				}
				for _, cell := range row.air {
					if !strings.Contains(ignored, cell) {
						tried = append(tried, cell)
						return cellTrace(cell, row.says[cell])
					}
				}
				return scanDone
			})
			var err error
			for range row.joins {
				_, err = s.join(t.Context(), homeWPA2, "5e")
			}
			var failed *JoinError
			if row.code == "" && err != nil || row.code != "" && (!errors.As(err, &failed) || failed.Code != row.code) {
				t.Errorf("ended with %v", err)
			}
			p.mu.Lock() // the script holds this lock
			defer p.mu.Unlock()
			if !slices.Equal(tried, row.want) {
				t.Errorf("tried %v, want %v", tried, row.want)
			}
		})
	}
}

// TestStrangersAreBounded checks that an attacker who makes up cells cannot fill the
// memory.
func TestStrangersAreBounded(t *testing.T) {
	_, s, _ := newProgram(t)
	other := BSS{SSID: homeWPA2.SSID, BSSID: net.HardwareAddr{2, 0, 0, 0, 2, 0}, Security: WPA2}
	s.cells = airOf(other)
	for i := range byte(100) {
		s.passOver(t.Context(), homeWPA2, "5e", &JoinError{cell: net.HardwareAddr{2, 0, 0, 0, 1, i}}, time.Now())
	}
	if n := len(s.strangers["5e"]); n != strangersLimit {
		t.Errorf("%d cells are remembered, want %d", n, strangersLimit)
	}
}

// able sets the answer to GET_CAPABILITY.
func (p *program) able(radio string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.radio = radio
}

// TestFastTransition checks that the fast forms are asked for where wpa_supplicant
// has them, and that elsewhere a network with no other form is refused at once.
func TestFastTransition(t *testing.T) {
	password := secret.New("correct horse")
	wpa2 := Network{SSID: homeWPA2.SSID, PSK: password, Security: WPA2}
	both := Network{SSID: homeWPA2.SSID, PSK: password, Security: WPA2WPA3}
	wpa1 := Network{SSID: homeWPA2.SSID, PSK: password, Security: WPA}
	eap := Network{SSID: homeWPA2.SSID, EAP: &EAPCredentials{Method: "peap", Identity: "me", Password: secret.New("x"), AnyServer: true}}
	const has, hasNot = "WPA-PSK FT-PSK FT-EAP SAE FT-SAE AES-128-CMAC", "WPA-PSK SAE AES-128-CMAC"
	for _, row := range []struct {
		name, radio string
		n           Network
		want        []string
	}{
		{"WPA2", has, wpa2, []string{"WPA-PSK WPA-PSK-SHA256 FT-PSK", "WPA-PSK FT-PSK"}},
		{"WPA3", has, both, []string{"SAE FT-SAE", "WPA-PSK WPA-PSK-SHA256 FT-PSK", "WPA-PSK FT-PSK"}},
		{"802.1X", has, eap, []string{"WPA-EAP WPA-EAP-SHA256 FT-EAP", "WPA-EAP FT-EAP"}},
		{"WPA1 has none", has, wpa1, []string{"WPA-PSK"}},
		{"wpa_supplicant has none", hasNot, wpa2, []string{"WPA-PSK WPA-PSK-SHA256", "WPA-PSK"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, s, _ := newProgram(t)
			p.able(row.radio)
			var got []string
			for _, v := range row.n.variants(s.abilities(t.Context())) {
				got = append(got, v.keyMgmt)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
	t.Run("the network has nothing else", func(t *testing.T) {
		p, s, _ := newProgram(t)
		p.able(hasNot)
		s.cells = airOf(BSS{SSID: wpa2.SSID, Security: WPA2, FastOnly: true})
		p.script(func(string) string { return scanDone + "CTRL-EVENT-NETWORK-NOT-FOUND" })
		_, err := s.join(t.Context(), wpa2, "5e")
		var failed *JoinError
		if !errors.As(err, &failed) || failed.Code != client.CodeUnsupported {
			t.Errorf("%v, want %s", err, client.CodeUnsupported)
		}
	})
}

// TestFastOnly checks how a beacon shows that a cell requires fast transition.
func TestFastOnly(t *testing.T) {
	for _, row := range []struct {
		name   string
		suites []byte
		want   bool
	}{
		{"FT-PSK alone", []byte{4}, true},
		{"FT-SAE and FT-PSK", []byte{9, 4}, true},
		{"FT-EAP alone", []byte{3}, true},
		{"beside PSK", []byte{4, 2}, false},
		{"PSK", []byte{2}, false},
		{"SAE", []byte{8}, false},
	} {
		body := []byte{1, 0, 0, 0x0f, 0xac, 4, 1, 0, 0, 0x0f, 0xac, 4, byte(len(row.suites)), 0}
		for _, suite := range row.suites {
			body = append(body, 0, 0x0f, 0xac, suite)
		}
		e := parseElements(append([]byte{elementRSN, byte(len(body))}, body...))
		if e.fastOnly() != row.want {
			t.Errorf("%s: %v", row.name, e.fastOnly())
		}
	}
}
