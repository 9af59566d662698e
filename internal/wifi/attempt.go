package wifi

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// attempt decides from wpa_supplicant's events how one attempt to join a network
// goes. It is pure: it performs no I/O and does not wait; its decisions say what to
// do next. The event texts are those of wpa_supplicant 2.10 (wpa_ctrl.h, events.c,
// sme.c).
//
// wpa_supplicant's own conclusion (SSID-TEMP-DISABLED reason=WRONG_KEY) is not
// trusted: wpa_supplicant also reports a wrong key when the router vanishes in the
// handshake. What counts is which side ended the handshake, when, and why.
type attempt struct {
	network Network
	variant variant
	id      string // the network block's id, as in events

	cell       net.HardwareAddr // the cell we are talking to, or talked to last; nil: none
	phase      phase
	full       bool      // the running scan, or the next one, covers all channels
	again      bool      // at least one scan of all channels came before
	scanned    bool      // a scan ended since the network was selected
	heard      bool      // likewise, and that stays while we join
	remembered bool      // the cell we are talking to is one of an earlier scan
	began      time.Time // the earliest time at which that scan could begin
	beaconLoss bool
	refusals   int
	refusal    string // the last refusal, as a text for people
	final      bool   // no other variant would help
	selected   bool   // the EAP server accepts our method

	transitionOver bool // the router announced that all its cells can do WPA3 (Transition Disable)
}

type phase int

const (
	searching      phase = iota
	authenticating       // 802.11 authentication; SAE happens here
	associating
	keyExchange // associated; the 4-way handshake runs, if there is a key
)

// decision is what the session does next.
type decision struct {
	do   action
	fail *JoinError // set with giveUp
}

type action int

const (
	wait        action = iota // wait for the next event, or call quiet when patience is over
	searchFull                // select the network again, without a hint
	readResults               // read the scan results and pass them to judgeCells
	joined
	giveUp
)

const (
	// silence bounds the pause after a scan in which wpa_supplicant found something
	// to join; such a pause lasts only for milliseconds.
	silence = time.Second

	// quickestScan is the shortest time that a scan of all channels takes: a radio
	// stays for 20 ms or more on each of the eleven channels of 2.4 GHz.
	quickestScan = 200 * time.Millisecond

	// refusalLimit is how often a router may refuse us before the attempt ends.
	// wpa_supplicant's second try, half a second later, goes to another cell of the
	// network if there is one; before its third try it searches all channels, which
	// takes 8 s.
	refusalLimit = 2
)

// newAttempt returns an attempt. If the network has a frequency hint, the first scan
// covers only that frequency.
func newAttempt(n Network, v variant, id string) *attempt {
	return &attempt{network: n, variant: v, id: id, full: n.Frequency == 0, began: time.Now()}
}

// foreign reports whether the results that have just come must be those of a scan
// that began before the network was selected. Another program may have started that
// scan, or we did for a list of networks; wpa_supplicant announces both like a scan
// of its own. Such results prove nothing about all channels.
func (a *attempt) foreign() bool { return a.full && time.Since(a.began) < quickestScan }

// endsTransition reads the bitmap of the router's Transition Disable indication, in
// hexadecimal: bit 0 is WPA3-Personal, bit 2 WPA3-Enterprise. The indication came in
// an encrypted frame. It is ignored if we joined with less than SAE, because that
// encryption proves too little about the sender.
func (a *attempt) endsTransition(bitmap string) bool {
	bits, err := strconv.ParseUint(strings.TrimSpace(bitmap), 16, 8)
	if err != nil {
		return false
	}
	return bits&1 != 0 && a.variant.sae() || bits&4 != 0 && a.network.security() == EAP && a.variant.strength >= protected
}

// event takes the next message and returns what to do.
func (a *attempt) event(e wpactrl.Event) decision {
	switch e.Name {
	case "CTRL-EVENT-SCAN-FAILED":
		return a.scanFailed(e)
	case "CTRL-EVENT-SCAN-RESULTS":
		a.scanned = a.phase == searching && !a.foreign()
		a.heard = a.heard || !a.foreign()
		if a.scanned && !a.full && a.variant.sae() {
			return decision{do: readResults}
		}
	case "CTRL-EVENT-NETWORK-NOT-FOUND":
		return a.notFound()
	case "SME:": // "SME: Trying to authenticate with <bssid> (SSID=…"
		return a.sme(e)
	case "Trying": // "Trying to associate with <bssid> …"
		a.talksTo(e)
		a.phase, a.beaconLoss = associating, false
	case "Associated": // "Associated with <bssid>"
		a.talksTo(e)
		a.phase = keyExchange
	case "CTRL-EVENT-BEACON-LOSS":
		a.beaconLoss = true
	case "CTRL-EVENT-AUTH-REJECT":
		return a.authRejected(e)
	case "CTRL-EVENT-ASSOC-REJECT":
		return a.refusedWith("the router refused the association", e.Param("status_code"))
	case "CTRL-EVENT-EAP-METHOD": // "EAP vendor 0 method 25 (PEAP) selected"
		a.selected = true
	case "CTRL-EVENT-EAP-TLS-CERT-ERROR":
		return decision{do: giveUp, fail: NotTrusted(certificateError(e.Args))}
	case "CTRL-EVENT-EAP-FAILURE":
		return a.eapFailed()
	case "CTRL-EVENT-DISCONNECTED":
		return a.disconnected(e)
	case "CTRL-EVENT-SSID-TEMP-DISABLED":
		return a.tempDisabled(e)
	case "TRANSITION-DISABLE":
		a.transitionOver = a.transitionOver || a.endsTransition(e.Args)
	case "CTRL-EVENT-CONNECTED":
		if e.Param("id") == a.id {
			return decision{do: joined}
		}
	}
	if strings.HasPrefix(e.Name, "CTRL-REQ-") { // "CTRL-REQ-PASSWORD-0:…": the server refuses the password that we have
		return a.eapFailed()
	}
	return decision{}
}

// talksTo remembers the cell of an event that reads "… with <bssid> …".
func (a *attempt) talksTo(e wpactrl.Event) {
	_, rest, _ := strings.Cut(" "+e.Args, " with ")
	address, _, _ := strings.Cut(rest, " ")
	if cell, err := net.ParseMAC(address); err == nil {
		a.cell = cell
	}
}

// eapFailed handles a refusal by the server of a network with 802.1X. The server does
// not say why, but if it did not even accept our method, the password cannot be the
// cause.
func (a *attempt) eapFailed() decision {
	switch eap := a.network.EAP; {
	case eap == nil:
		return decision{}
	case !a.selected:
		return fail(client.CodeRejected, "the network's server does not know the identity, or does not offer EAP %s", strings.ToUpper(eap.Method))
	default:
		return decision{do: giveUp, fail: eap.NotAccepted()}
	}
}

// certificateError returns the TLS library's text from "… subject='…' err='…'". What
// stands before that text comes from the server, and may contain anything.
func certificateError(args string) string {
	const mark = " err='"
	i := strings.LastIndex(args, mark)
	if i < 0 {
		return "no reason was given"
	}
	return strings.TrimSuffix(args[i+len(mark):], "'")
}

// scanFailed gives up on -ENETDOWN and -ERFKILL, which do not pass by themselves.
func (a *attempt) scanFailed(e wpactrl.Event) decision {
	if ret := e.Param("ret"); ret == "-100" || ret == "-132" {
		return decision{do: giveUp, fail: radioOff()}
	}
	return decision{}
}

func radioOff() *JoinError {
	return joinError(client.CodeRadioOff, "the radio is switched off or its interface is down")
}

// notFound handles wpa_supplicant's report that it sees no such network. The report
// also comes at once when the network is selected while older scan results are still
// valid, and then proves nothing yet.
func (a *attempt) notFound() decision {
	switch {
	case a.phase == authenticating && a.remembered:
		// The router has not answered, and the scan has not found it: it was gone
		// before we began.
		a.phase, a.scanned = searching, true
	case a.phase != searching:
		return fail(client.CodeLost, "the router vanished while we joined")
	case !a.scanned:
		return decision{}
	}
	return a.unfound()
}

func (a *attempt) unfound() decision {
	// The router may have moved to another channel. A hidden router is only seen if
	// it hears the single request of the scan, and we hear its answer.
	if !a.full || a.network.Hidden && !a.again {
		a.again, a.full, a.scanned, a.began = a.full, true, false, time.Now()
		return decision{do: searchFull}
	}
	return decision{do: readResults}
}

// patience returns how long wpa_supplicant may be silent before quiet must be called;
// 0 means as long as it wants.
func (a *attempt) patience() time.Duration {
	if a.phase == searching && a.scanned {
		return silence
	}
	return 0
}

// quiet is called when patience is over: wpa_supplicant may be silent about a network
// whose security does not fit.
func (a *attempt) quiet() decision {
	if a.phase != searching || !a.scanned {
		return decision{}
	}
	return a.unfound()
}

// judgeCells takes the cells that were heard, after the decision readResults. They come
// from the scan of all channels, or, before that scan, from the scan of the hint and
// from other recent scans.
func (a *attempt) judgeCells(cells []BSS) decision {
	if !a.full {
		return a.seenAtHint(cells)
	}
	verdict, present := a.network.Mismatch(cells)
	switch {
	case verdict != nil:
		return decision{do: giveUp, fail: verdict}
	case !present:
		return fail(client.CodeNotFound, "the network was not found")
	case !a.offered(cells):
		return a.noSAE()
	case !a.variant.fast() && a.network.onlyFast(cells):
		return fail(client.CodeUnsupported, "the network lets in only those who do fast transition (802.11r), which this wpa_supplicant or radio cannot")
	}
	// The network is there and fits: wpa_supplicant found the signal too weak, or
	// will try to join after its next scan.
	a.scanned = false
	return decision{}
}

// seenAtHint ends the search for SAE where cells of the network are heard and none
// has SAE: a search of all channels would take seconds more.
func (a *attempt) seenAtHint(cells []BSS) decision {
	if slices.ContainsFunc(cells, a.network.isOf) && !a.offered(cells) {
		return a.noSAE()
	}
	return decision{}
}

func (a *attempt) noSAE() decision {
	return lower(client.CodeSecurityMismatch, "no cell of the network offers SAE")
}

// offered reports whether one of the network's cells accepts SAE, if the attempt asks
// for SAE.
func (a *attempt) offered(cells []BSS) bool {
	return !a.variant.sae() || slices.ContainsFunc(cells, func(c BSS) bool { return a.network.isOf(c) && c.offers() == strong })
}

func (a *attempt) sme(e wpactrl.Event) decision {
	switch {
	case strings.HasPrefix(e.Args, "Trying to"):
		a.talksTo(e)
		a.phase, a.beaconLoss, a.remembered = authenticating, false, !a.heard
	case e.Args == "Authentication request to the driver failed":
		a.refusal, a.final = "the driver refused to authenticate (the radio may be in use on another channel)", true
	}
	return decision{}
}

func (a *attempt) authRejected(e wpactrl.Event) decision {
	status := e.Param("status_code")
	if saeDenied(integer(e.Param("auth_type")), integer(e.Param("auth_transaction")), integer(status)) {
		return decision{do: giveUp, fail: wrongKey()}
	}
	return a.refusedWith("the router refused to authenticate us", status)
}

func wrongKey() *JoinError {
	return joinError(client.CodeWrongKey, "the passphrase is not the router's")
}

// refusedWith handles a refusal that carries an IEEE 802.11 status code.
func (a *attempt) refusedWith(what, status string) decision {
	full := status == "17" // WLAN_STATUS_AP_UNABLE_TO_HANDLE_NEW_STA
	return a.refused(what+" (status "+number(status)+")", full)
}

func (a *attempt) refused(refusal string, final bool) decision {
	a.refusal, a.final = refusal, final
	a.refusals++
	if a.refusals < refusalLimit {
		return decision{}
	}
	return decision{do: giveUp, fail: a.rejected()}
}

// rejected returns the verdict on refusals. Some routers refuse the elements that
// protected management frames or SAE add, so a weaker variant may work.
func (a *attempt) rejected() *JoinError {
	if a.final {
		return joinError(client.CodeRejected, "%s", a.refusal)
	}
	return lowerError(client.CodeRejected, "%s", a.refusal)
}

// disconnected decides during the key exchange only; before that phase wpa_supplicant
// tries again by itself.
//
// The first sign of a wrong key decides. Waiting for a second sign would cost the 10
// s for which wpa_supplicant disables the network, and the verdict may take 8. The
// price: a link that loses every frame of a handshake for 4 s, but none before, is
// reported as a wrong key; callers who know that the key has worked must allow for
// that. Where no key can be wrong, the end counts as an ordinary refusal.
func (a *attempt) disconnected(e wpactrl.Event) decision {
	if a.phase != keyExchange {
		return decision{}
	}
	reason, local := e.Param("reason"), e.Param("locally_generated") == "1"
	switch {
	case vanished(local, integer(reason), a.beaconLoss):
		return fail(client.CodeLost, "the router vanished during the key exchange")
	case local: // the driver may also have refused the key for management frames
		return lower(client.CodeTimeout, "the router did not finish the key exchange")
	case a.network.keyExchangeProves() && handshakeRefused(integer(reason)):
		return decision{do: giveUp, fail: wrongKey()}
	}
	return a.refused("the router ended the association (reason "+number(reason)+")", false)
}

// tempDisabled ends the attempt: wpa_supplicant has given up for 10 s or longer.
func (a *attempt) tempDisabled(e wpactrl.Event) decision {
	switch {
	case e.Param("id") != a.id:
		return decision{}
	case a.refusal != "":
		return decision{do: giveUp, fail: a.rejected()}
	case a.beaconLoss:
		return fail(client.CodeLost, "the router stopped answering")
	case a.phase == authenticating || a.phase == associating: // firmware that cannot do SAE also falls silent
		return lower(client.CodeLost, "the router stopped answering")
	}
	return lower(client.CodeTimeout, "the router did not finish the key exchange")
}

// overdue returns the verdict when the attempt's time is over.
func (a *attempt) overdue() *JoinError {
	switch {
	case a.refusal != "":
		return a.rejected()
	case a.phase == searching:
		return joinError(client.CodeTimeout, "the search for the network took too long")
	}
	return joinError(client.CodeTimeout, "the router did not answer in time")
}

func fail(code string, format string, args ...any) decision {
	return decision{do: giveUp, fail: joinError(code, format, args...)}
}

func lower(code string, format string, args ...any) decision {
	return decision{do: giveUp, fail: lowerError(code, format, args...)}
}
