//go:build lab

package lab

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// Limits of the time until wrong credentials are reported.
const (
	verdictWPA2 = 8 * time.Second // hostapd gives up after four messages, in 4 s
	verdictSAE  = 3 * time.Second
	verdictEAP  = 8 * time.Second
)

// peap returns the flags for a network with PEAP, followed by more.
func peap(more ...string) []string {
	return append([]string{"--eap", "peap", "--identity", eapUser, "--anonymous-identity", "anonymous",
		"--ca-cert", certificates + "/ca.pem", "--server-name", eapServer}, more...)
}

// TestSecurities joins every security against a real hostapd. First it uses wrong
// credentials, after which the store must be byte for byte the same and the reply
// must name the reason. Then it uses the right ones, and checks the suite and the
// protection of management frames that hostapd reports.
func TestSecurities(t *testing.T) {
	l := New(t, "Every security, with wrong and right credentials")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.securities(t, l.knownSecurities(t), savedFile)
}

// These rows do not work with every backend: a key that SAE cannot use, and a network
// that is saved with less than its router has now.
const (
	key64  = "a key of 64 digits"
	asWPA2 = "known as WPA2"
)

// securityRow is a router and the way to join it.
type securityRow struct {
	router    security
	what      string
	wrong     []string // parameters of add_network with wrong credentials; nil: none can be wrong
	code      string
	verdict   time.Duration
	right     []string
	suite     string
	protected bool
}

func (l *Lab) knownSecurities(t *testing.T) []securityRow {
	t.Helper()
	psk := []string{l.Home.passphrase}
	digits := pskOf(t, l.Home.SSID, l.Home.passphrase)
	tls := func(ca string) []string {
		return []string{"--eap", "tls", "--identity", "device", "--ca-cert", certificates + ca,
			"--client-cert", certificates + "/client.pem", "--private-key", certificates + "/client.key"}
	}
	return []securityRow{
		{noSecurity, "", nil, "", 0, []string{"--open"}, "", false},
		{owe, "", nil, "", 0, []string{"--open", "--security", "owe"}, "00-0f-ac-18", true},
		{wpa2, "", []string{"guessed wrong"}, "wrong_key", verdictWPA2, psk, "00-0f-ac-2", false},
		{wpa2, "a static address", nil, "", 0, append(psk, "--ip", l.Home.subnet+".120/24", "--gateway", l.Home.Address()), "00-0f-ac-2", false},
		{wpa2Required, "", nil, "", 0, psk, "00-0f-ac-6", true},
		{fastOnly, "", nil, "", 0, psk, "00-0f-ac-4", false},
		{transition, "", []string{"guessed wrong"}, "wrong_key", verdictSAE, psk, "00-0f-ac-8", true},
		{transition, key64, []string{strings.Repeat("0123456789abcdef", 4)}, "wrong_key", verdictWPA2, []string{digits}, "00-0f-ac-2", true},
		{wpa3, "", []string{"guessed wrong"}, "wrong_key", verdictSAE, psk, "00-0f-ac-8", true},
		{wpa3, asWPA2, append(psk, "--security", "wpa2"), "security_mismatch", 0, append(psk, "--security", "wpa3"), "00-0f-ac-8", true},
		{wpa3H2E, "", nil, "", 0, psk, "00-0f-ac-8", true},
		{eap, "PEAP", peap("wrong"), "wrong_key", verdictEAP, peap(eapPassword), "00-0f-ac-1", false},
		{eap, "PEAP, wrong server", []string{eapPassword, "--eap", "peap", "--identity", eapUser, "--ca-cert", certificates + "/stranger.pem"},
			"server_not_trusted", verdictEAP, peap(eapPassword), "00-0f-ac-1", false},
		{eap, "PEAP, server of another name", peap(eapPassword, "--server-name", "radius.example"), "server_not_trusted", verdictEAP,
			peap(eapPassword), "00-0f-ac-1", false},
		{eap, "TTLS with PAP", peap("wrong", "--eap", "ttls", "--phase2", "pap"), "wrong_key", verdictEAP,
			peap(eapPassword, "--eap", "ttls", "--phase2", "pap"), "00-0f-ac-1", false},
		{eap, "TLS", tls("/stranger.pem"), "server_not_trusted", verdictEAP, tls("/ca.pem"), "00-0f-ac-1", false},
	}
}

// securities joins the rows; saved returns the device's saved networks, byte for
// byte.
func (l *Lab) securities(t *testing.T, rows []securityRow, saved func(*testing.T) string) {
	t.Helper()
	l.Timeline.Step("the device sees where the router is", func() string {
		l.Device.sees(t, l.Home.SSID)
		return "netconnectcli list_wifi"
	})
	for _, row := range rows {
		l.Timeline.Step(fmt.Sprintf("router becomes %s", row.router), func() string {
			l.Home.Become(t, func(c *routerConfig) { c.security = row.router })
			return "hostapd_cli"
		})
		if row.wrong != nil {
			l.refusedBy(t, row, saved)
		}
		l.connect(t, l.Home, row.what, row.right)
		if suite, protected := l.Home.keys(t, hardwareAddress(t, radioDevice)); suite != row.suite || protected != row.protected {
			t.Errorf("%s %s: hostapd has suite %s, protected %v; want %s, %v", row.router, row.what, suite, protected, row.suite, row.protected)
		}
		l.Device.must(t, member, "remove_network", l.Home.SSID)
	}
}

// sees waits until the device knows the network's frequency, so that a join starts
// there. The first list may come from an earlier scan. Later scans may fail when the
// radio has more urgent work, and a scan may miss a beacon.
func (d *Device) sees(t *testing.T, ssid string) {
	t.Helper()
	seen := fmt.Sprintf(`"ssid_hex":"%x"`, ssid)
	command := []string{"--json", "list_wifi"}
	until(t, joining, "the device sees "+ssid, func() (string, bool) {
		r := d.Run(t, member, command...)
		command = []string{"--json", "list_wifi", "--force"}
		return r.Stdout + r.Stderr, r.Status == 0 && strings.Contains(r.Stdout, seen)
	})
}

// refusedBy saves wrong credentials, tries them, and removes them again.
func (l *Lab) refusedBy(t *testing.T, row securityRow, saved func(*testing.T) string) {
	t.Helper()
	l.Timeline.Step(fmt.Sprintf("%s: wrong credentials", strings.TrimSpace(string(row.router)+" "+row.what)), func() string {
		l.Device.must(t, member, append([]string{"add_network", l.Home.SSID}, row.wrong...)...)
		before := saved(t)
		start := time.Now()
		reply := l.refused(t, member, "connect", l.Home.SSID)
		took := time.Since(start)
		if reply.Code != row.code {
			t.Errorf("connect: %+v, want code %s", reply, row.code)
		}
		if row.verdict > 0 && took > noise()*row.verdict {
			t.Errorf("verdict after %.1f s, want %d times %v at most", took.Seconds(), noise(), row.verdict)
		}
		if after := saved(t); after != before {
			t.Errorf("what is saved became\n%s\nfrom\n%s", after, before)
		}
		l.Device.must(t, member, "remove_network", l.Home.SSID)
		return fmt.Sprintf("%s: %s, after %.1f s; what is saved is as it was", reply.Code, reply.Reason, took.Seconds())
	})
}

// connect saves a network and joins it.
func (l *Lab) connect(t *testing.T, r *Router, what string, arguments []string) {
	t.Helper()
	l.Timeline.Step(fmt.Sprintf("%s: connect", strings.TrimSpace(string(r.security)+" "+what)), func() string {
		l.Device.must(t, member, append([]string{"add_network", r.SSID}, arguments...)...)
		start := time.Now()
		said := firstLine(l.Device.must(t, member, "connect", r.SSID))
		return fmt.Sprintf("%s, after %.2f s", said, time.Since(start).Seconds())
	})
	until(t, noticed, "the device is on "+r.name, func() (string, bool) { return l.Device.On(r) })
}

// savedFile returns the daemon's file of saved networks, byte for byte.
func savedFile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(stateFolder + "/networks.json")
	if err != nil {
		t.Fatalf("read what is saved: %v", err)
	}
	return string(text)
}

// pskOf returns the key that wpa_passphrase(8) derives from a passphrase: 64 digits.
func pskOf(t *testing.T, ssid, passphrase string) string {
	t.Helper()
	for line := range strings.Lines(must(t, "", "wpa_passphrase", ssid, passphrase)) {
		if key, ok := strings.CutPrefix(strings.TrimSpace(line), "psk="); ok {
			return key
		}
	}
	t.Fatal("wpa_passphrase made no key")
	return ""
}
