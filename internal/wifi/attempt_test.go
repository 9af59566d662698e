package wifi

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// play feeds a trace to an attempt. Each line is an event without its "<3>";
// "(quiet)" means that patience is over. cells answer every readResults decision.
// play returns the actions until the verdict.
func play(a *attempt, trace string, cells []BSS) (actions []string, verdict *JoinError) {
	for line := range strings.Lines(trace) {
		line = strings.TrimSpace(line)
		a.began = time.Time{} // a trace has no times, so no result comes too early
		var d decision
		switch {
		case line == "":
			continue
		case line == "(quiet)" && a.patience() == 0:
			actions = append(actions, "not impatient")
		case line == "(quiet)":
			d = a.quiet()
		default:
			d = a.event(wpactrl.ParseEvent("<3>" + line))
		}
		if d.do == readResults {
			actions = append(actions, "read results")
			d = a.judgeCells(cells)
		}
		switch d.do {
		case searchFull:
			actions = append(actions, "search full")
		case joined:
			return append(actions, "joined"), nil
		case giveUp:
			return append(actions, string(d.fail.Code)), d.fail
		}
	}
	return actions, nil
}

var (
	homeWPA2   = Network{SSID: []byte("home"), PSK: secret.New("correct horse"), Security: WPA2}
	homeAny    = Network{SSID: []byte("home"), PSK: secret.New("correct horse")}
	homeEAP    = Network{SSID: []byte("home"), EAP: &EAPCredentials{Method: "peap", Identity: "me"}}
	homeTLS    = Network{SSID: []byte("home"), EAP: &EAPCredentials{Method: "tls", Identity: "me"}}
	homeWPA3   = Network{SSID: []byte("home"), PSK: secret.New("correct horse"), Security: WPA3}
	homeOpen   = Network{SSID: []byte("home"), Security: Open}
	homeHidden = Network{SSID: []byte("home"), PSK: secret.New("correct horse"), Security: WPA2, Hidden: true}
	homeOWE    = Network{SSID: []byte("home"), Security: OWE}
)

func hinted(n Network) Network {
	n.Frequency = 2412
	return n
}

// These traces were recorded from wpa_supplicant 2.10 on simulated radios.
const (
	scanDone = `
		CTRL-EVENT-SCAN-STARTED
		CTRL-EVENT-SCAN-RESULTS
		WPS-AP-AVAILABLE
	`
	associated = `
		SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
		Trying to associate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
		Associated with 02:00:00:00:01:00
		CTRL-EVENT-SUBNET-STATUS-UPDATE status=0
	`
	connected = `
		WPA: Key negotiation completed with 02:00:00:00:01:00 [PTK=CCMP GTK=CCMP]
		CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:01:00 completed [id=0 id_str=5e]
	`
	peapSelected = `
		CTRL-EVENT-EAP-STARTED EAP authentication started
		CTRL-EVENT-EAP-PROPOSED-METHOD vendor=0 method=25
		CTRL-EVENT-EAP-METHOD EAP vendor 0 method 25 (PEAP) selected
	`
	handshakeLost = associated + `
		CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=15
	`
	saeRefused = `
		SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
		CTRL-EVENT-AUTH-REJECT 02:00:00:00:01:00 auth_type=3 auth_transaction=2 status_code=1
	`
	refusedOnce = `
		SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
		CTRL-EVENT-AUTH-REJECT 02:00:00:00:01:00 auth_type=0 auth_transaction=2 status_code=17
	`
)

func TestAttemptVerdicts(t *testing.T) {
	at := func(security Security) []BSS { return []BSS{{SSID: []byte("home"), Security: security}} }
	for _, row := range []struct {
		name    string
		network Network
		trace   string
		cells   []BSS
		want    string
	}{
		{"WPA2, at the first try", homeWPA2, scanDone + associated + connected, nil, "joined"},
		{"open", homeOpen, scanDone + associated + connected, nil, "joined"},
		{"WPA2, wrong key", homeWPA2, scanDone + associated + `
			CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=15
			WPA: 4-Way Handshake failed - pre-shared key may be incorrect
			CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid="home" auth_failures=1 duration=10 reason=WRONG_KEY
			`, nil, "wrong_key"},
		{"wrong key, router says authentication not valid", homeWPA2, scanDone + associated +
			`CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=2`, nil, "wrong_key"},
		{"wrong key, router says MIC failure", homeWPA2, scanDone + associated +
			`CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=14`, nil, "wrong_key"},
		{"SAE, wrong key", homeAny, scanDone + saeRefused, nil, "wrong_key"},
		{"SAE, wrong key, challenge failure", homeAny, scanDone +
			`CTRL-EVENT-AUTH-REJECT 02:00:00:00:01:00 auth_type=3 auth_transaction=2 status_code=15`, nil, "wrong_key"},
		{"SAE, refused in its first message", homeAny, scanDone +
			`CTRL-EVENT-AUTH-REJECT 02:00:00:00:01:00 auth_type=3 auth_transaction=1 status_code=1`, nil, ""},
		{"router vanishes in the handshake: not a wrong key, whatever wpa_supplicant says", homeWPA2, scanDone + associated + `
			CTRL-EVENT-BEACON-LOSS
			CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=4 locally_generated=1
			WPA: 4-Way Handshake failed - pre-shared key may be incorrect
			CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid="home" auth_failures=1 duration=10 reason=WRONG_KEY
			`, nil, "lost"},
		{"router falls silent in the handshake but its beacons go on", homeWPA2, scanDone + associated +
			`CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=3 locally_generated=1`, nil, "timeout"},
		{"router does not answer at all", homeWPA2, scanDone + `
			SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
			SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
			SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
			SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
			CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid="home" auth_failures=1 duration=10 reason=CONN_FAILED
			`, nil, "lost"},
		{"router vanishes between two tries", homeWPA2, scanDone + `
			SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
			` + scanDone + `CTRL-EVENT-NETWORK-NOT-FOUND`, nil, "lost"},
		{"router of an earlier scan is gone", homeWPA2, `
			SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
			` + scanDone + `CTRL-EVENT-NETWORK-NOT-FOUND`, nil, "read results not_found"},
		{"router of an earlier scan is on another channel now", hinted(homeWPA2), `
			SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
			` + scanDone + `CTRL-EVENT-NETWORK-NOT-FOUND` + scanDone + associated + connected, nil, "search full joined"},
		{"router of an earlier scan is found again, and vanishes", homeWPA2, `
			SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
			` + scanDone + `SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
			` + scanDone + `CTRL-EVENT-NETWORK-NOT-FOUND`, nil, "lost"},
		{"router ends the association for a reason of its own", homeWPA2, scanDone + associated + `
			CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=5
			CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid="home" auth_failures=1 duration=10 reason=WRONG_KEY
			`, nil, "rejected"},
		{"OWE has no key that can be wrong", homeOWE, scanDone + strings.Repeat(handshakeLost, 2), nil, "rejected"},
		{"OWE, the first handshake is lost", homeOWE, scanDone + handshakeLost + associated + connected, nil, "joined"},
		{"WPA3 has proved the key before", homeWPA3, scanDone + strings.Repeat(handshakeLost, 2), nil, "rejected"},
		{"WPA3, the first handshake is lost", homeWPA3, scanDone + handshakeLost + associated + connected, nil, "joined"},
		{"router is full, says it once", homeWPA2, scanDone + refusedOnce + associated + connected, nil, "joined"},
		{"router is full, says it twice", homeWPA2, scanDone + refusedOnce + refusedOnce, nil, "rejected"},
		{"association refused twice", homeWPA2, scanDone + strings.Repeat(
			"CTRL-EVENT-ASSOC-REJECT bssid=02:00:00:00:01:00 status_code=1\n", 2), nil, "rejected"},
		{"radio is tied to another channel", homeWPA2, scanDone + `
			SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2437 MHz)
			SME: Authentication request to the driver failed
			CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid="home" auth_failures=1 duration=21 reason=CONN_FAILED
			`, nil, "rejected"},
		{"not there", homeWPA2, scanDone + `CTRL-EVENT-NETWORK-NOT-FOUND`, nil, "read results not_found"},
		{"not there, others are", homeWPA2, scanDone + `CTRL-EVENT-NETWORK-NOT-FOUND`,
			[]BSS{{SSID: []byte("home "), Security: WPA2}}, "read results not_found"},
		{"there, other security, wpa_supplicant says not found", homeWPA2, scanDone + `CTRL-EVENT-NETWORK-NOT-FOUND`,
			at(WPA3), "read results security_mismatch"},
		{"there, other security, wpa_supplicant says nothing", homeWPA2, scanDone + `(quiet)`,
			at(WPA3), "read results security_mismatch"},
		{"there with both securities in two cells", homeWPA2, scanDone + `(quiet)`,
			append(at(WPA3), at(WPA2)...), "read results"},
		{"there and fits, found by the second scan", homeWPA2, scanDone + `CTRL-EVENT-NETWORK-NOT-FOUND` + scanDone + associated + connected,
			at(WPA2), "read results joined"},
		{"NOT-FOUND before any scan is about older results", homeWPA2, `
			CTRL-EVENT-NETWORK-NOT-FOUND` + scanDone + associated + connected, nil, "joined"},
		{"hidden and not heard, all channels once more", homeHidden, scanDone + `
			CTRL-EVENT-NETWORK-NOT-FOUND` + scanDone + associated + connected, nil, "search full joined"},
		{"hidden and not there", homeHidden, scanDone + `
			CTRL-EVENT-NETWORK-NOT-FOUND` + scanDone + `CTRL-EVENT-NETWORK-NOT-FOUND`, nil, "search full read results not_found"},
		{"hidden, hint wrong and not there", hinted(homeHidden), scanDone + `
			CTRL-EVENT-NETWORK-NOT-FOUND` + scanDone + `
			CTRL-EVENT-NETWORK-NOT-FOUND` + scanDone + `CTRL-EVENT-NETWORK-NOT-FOUND`, nil, "search full search full read results not_found"},
		{"hint right", hinted(homeWPA2), scanDone + associated + connected, nil, "joined"},
		{"hint wrong: all channels before a verdict", hinted(homeWPA2), scanDone + `
			CTRL-EVENT-NETWORK-NOT-FOUND
			CTRL-EVENT-NETWORK-NOT-FOUND` + scanDone + associated + connected, nil, "search full joined"},
		{"hint wrong and not there", hinted(homeWPA2), scanDone + `
			CTRL-EVENT-NETWORK-NOT-FOUND
			CTRL-EVENT-NETWORK-NOT-FOUND` + scanDone + `CTRL-EVENT-NETWORK-NOT-FOUND`, nil, "search full read results not_found"},
		{"hint wrong and silence", hinted(homeWPA2), scanDone + "(quiet)\n" + scanDone + "(quiet)", at(OWE),
			"search full read results security_mismatch"},
		{"no impatience while something happens", homeWPA2, scanDone + associated + "(quiet)", nil, "not impatient"},
		{"802.1X", homeEAP, scanDone + associated + peapSelected + connected, nil, "joined"},
		{"802.1X, wrong password", homeEAP, scanDone + associated + peapSelected +
			`CTRL-EVENT-EAP-FAILURE EAP authentication failed`, nil, "wrong_key"},
		{"802.1X, wrong password, the server asks for another", homeEAP, scanDone + associated + peapSelected +
			`CTRL-REQ-PASSWORD-0:Password needed for SSID home`, nil, "wrong_key"},
		{"802.1X, wrong certificate of ours", homeTLS, scanDone + associated + peapSelected +
			`CTRL-EVENT-EAP-FAILURE EAP authentication failed`, nil, "wrong_key"},
		{"802.1X, unknown user or method", homeEAP, scanDone + associated + `
			CTRL-EVENT-EAP-STARTED EAP authentication started
			CTRL-EVENT-EAP-FAILURE EAP authentication failed`, nil, "rejected"},
		{"802.1X, wrong server", homeEAP, scanDone + associated + peapSelected + `
			CTRL-EVENT-EAP-TLS-CERT-ERROR reason=1 depth=0 subject='/CN=x err='fine'' err='unable to get local issuer certificate'
			CTRL-EVENT-EAP-FAILURE EAP authentication failed`, nil, "server_not_trusted"},
		{"EAP texts about a network without", homeWPA2, scanDone + associated +
			`CTRL-EVENT-EAP-FAILURE EAP authentication failed` + connected, nil, "joined"},
		{"radio switched off", homeWPA2, `CTRL-EVENT-SCAN-FAILED ret=-132`, nil, "radio_off"},
		{"interface down", homeWPA2, `CTRL-EVENT-SCAN-FAILED ret=-100 retry=1`, nil, "radio_off"},
		{"scan of somebody else in the way", homeWPA2, "CTRL-EVENT-SCAN-FAILED ret=-16 retry=1\n" + scanDone + associated + connected, nil, "joined"},
		{"end of the association before", homeWPA2, "CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:02:00 reason=3 locally_generated=1\n" +
			scanDone + associated + connected, nil, "joined"},
		{"another network's connection is not ours", homeWPA2,
			`CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:01:00 completed [id=7 id_str=]`, nil, ""},
		{"another network's failure is not ours", homeWPA2, scanDone + associated +
			`CTRL-EVENT-SSID-TEMP-DISABLED id=7 ssid="home" auth_failures=1 duration=10 reason=WRONG_KEY`, nil, ""},
		{"an SSID that poses as evidence", homeWPA2, scanDone + associated +
			`CTRL-EVENT-SSID-TEMP-DISABLED id=7 ssid="x\" id=0 y" auth_failures=1 duration=10 reason=CONN_FAILED`, nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			actions, verdict := play(newAttempt(row.network, variant{}, "0"), row.trace, row.cells)
			if got := strings.Join(actions, " "); got != row.want {
				t.Errorf("got %q, want %q (%v)", got, row.want, verdict)
			}
		})
	}
}

// TestAttemptLower checks after which failures a weaker variant may be tried.
func TestAttemptLower(t *testing.T) {
	for _, row := range []struct {
		name, trace string
		want        bool
	}{
		{"wrong key", associated + `CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=15`, false},
		{"SAE, wrong key", saeRefused, false},
		{"the driver does not take the key for management frames", associated +
			`CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=1 locally_generated=1`, true},
		{"the router vanished", associated + `
			CTRL-EVENT-BEACON-LOSS
			CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=4 locally_generated=1`, false},
		{"refused for robust management frames", strings.Repeat(
			"CTRL-EVENT-ASSOC-REJECT bssid=02:00:00:00:01:00 status_code=31\n", 2), true},
		{"the router is full", refusedOnce + refusedOnce, false},
		{"silence during SAE", `
			SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)
			CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid="home" auth_failures=1 duration=10 reason=CONN_FAILED`, true},
		{"not there", `CTRL-EVENT-NETWORK-NOT-FOUND`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, verdict := play(newAttempt(homeAny, variant{}, "0"), scanDone+row.trace, nil)
			if verdict == nil || verdict.lower != row.want {
				t.Errorf("verdict %+v, want one with lower %v", verdict, row.want)
			}
		})
	}
}

func TestCertificateError(t *testing.T) {
	for args, want := range map[string]string{
		`reason=1 depth=0 subject='/CN=a' err='self-signed certificate'`:           "self-signed certificate",
		`reason=6 depth=0 subject='/CN=a err='all is well'' err='Domain mismatch'`: "Domain mismatch",
		"reason=1 err='\x1b[2J\u202e" + strings.Repeat("x", 200) + "'":             "[2J" + strings.Repeat("x", 93),
		`reason=1`: "no reason was given",
	} {
		got := NotTrusted(certificateError(args)).Reason
		if want = "the server's certificate is not trusted: " + want; got != want {
			t.Errorf("certificate error of %q is %q, want %q", args, got, want)
		}
	}
}

func TestAttemptOverdueSaysWhatWasGoingOn(t *testing.T) {
	for _, row := range []struct{ name, trace, code, text string }{
		{"searching", "CTRL-EVENT-SCAN-STARTED", "timeout", "search"},
		{"no answer", scanDone + "SME: Trying to authenticate with 02:00:00:00:01:00 (SSID='home' freq=2412 MHz)", "timeout", "answer"},
		{"refused", scanDone + refusedOnce, "rejected", "status 17"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newAttempt(homeWPA2, variant{}, "0")
			play(a, row.trace, nil)
			if got := a.overdue(); string(got.Code) != row.code || !strings.Contains(got.Reason, row.text) {
				t.Errorf("overdue = %s %q, want %s with %q", got.Code, got.Reason, row.code, row.text)
			}
		})
	}
}

func FuzzAttempt(f *testing.F) {
	f.Add(scanDone+associated+connected, true)
	f.Add(scanDone+saeRefused, false)
	f.Fuzz(func(t *testing.T, trace string, hint bool) {
		n := homeWPA2
		if hint {
			n = hinted(n)
		}
		actions, verdict := play(newAttempt(n, variant{}, "0"), trace, nil)
		if verdict != nil && verdict.Code == client.CodeWrongKey &&
			!strings.Contains(trace, "CTRL-EVENT-DISCONNECTED") && !strings.Contains(trace, "CTRL-EVENT-AUTH-REJECT") {
			t.Errorf("wrong_key without evidence: %v", actions)
		}
	})
}

// TestResultsOfAnotherScan checks that results which come sooner than any scan of all
// channels could end are taken for an older scan's, and bring no verdict.
func TestResultsOfAnotherScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttempt(homeAny, variant{}, "0")
		time.Sleep(quickestScan / 2)
		if did := a.event(wpactrl.Event{Name: "CTRL-EVENT-SCAN-RESULTS"}); did.do != wait {
			t.Fatalf("after another scan's results: %+v", did)
		}
		if did := a.event(wpactrl.Event{Name: "CTRL-EVENT-NETWORK-NOT-FOUND"}); did.do != wait {
			t.Errorf("not found by another scan: %+v, want to go on waiting", did)
		}
		time.Sleep(quickestScan)
		a.event(wpactrl.Event{Name: "CTRL-EVENT-SCAN-RESULTS"})
		if did := a.event(wpactrl.Event{Name: "CTRL-EVENT-NETWORK-NOT-FOUND"}); did.do != readResults {
			t.Errorf("not found by its own scan: %+v, want to look at the results", did)
		}
	})
}
