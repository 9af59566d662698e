package wifi

import (
	"bytes"
	"strings"

	"github.com/netconnectd/netconnectd/client"
)

// variant is one way to join a network: the key management methods that
// wpa_supplicant may choose from (key_mgmt of wpa_supplicant.conf(5)), and how
// management frames are protected.
type variant struct {
	keyMgmt  string
	pmf      PMF
	strength strength
}

// strength orders variants by what an attacker has to overcome. A nearby attacker can
// make a stronger variant fail, by silence or a forged refusal, and hope for a weaker
// one.
type strength int

const (
	bare      strength = iota // management frames can be forged
	protected                 // management frames are safe, but a passphrase can be guessed from the key exchange
	strong                    // a passphrase cannot be guessed either (SAE), or there is none (OWE)
)

// abilities describe what a radio can do.
type abilities struct {
	sae, pmf            bool
	ftPSK, ftSAE, ftEAP bool // fast transition (802.11r)
}

// variants returns the ways to join the network, strongest first. A weaker one is
// used only where the air shows no cell that supports a stronger one (mayWeaken). If
// a person asked for a security, the list has that security only. Where SAE or OWE is
// all that a network has, the standard leaves no choice.
func (n Network) variants(radio abilities) []variant {
	ways := n.ways(radio)
	for i := range ways {
		ways[i].keyMgmt = radio.withFastTransition(ways[i].keyMgmt, n.security())
	}
	return ways
}

// withFastTransition adds the fast form of each method, which reveals no more to an
// attacker. wpa_supplicant chooses the fast form where a cell offers it, and some
// cells offer no other. WPA1 has no fast form.
func (r abilities) withFastTransition(keyMgmt string, security Security) string {
	switch method, _, _ := strings.Cut(keyMgmt, " "); {
	case method == "SAE" && r.ftSAE, method == "WPA-EAP" && r.ftEAP, method == "WPA-PSK" && r.ftPSK && security != WPA:
		return keyMgmt + " FT-" + strings.TrimPrefix(method, "WPA-")
	}
	return keyMgmt
}

// sae reports whether SAE proves the passphrase.
func (v variant) sae() bool { return strings.HasPrefix(v.keyMgmt, "SAE") }

// fast reports whether the variant includes fast transition.
func (v variant) fast() bool { return strings.Contains(v.keyMgmt, "FT-") }

func (n Network) ways(radio abilities) []variant {
	all := n.allVariants()
	switch {
	case n.security() == OWE: // the standard leaves no choice, and the variant is tried twice
		return all
	case n.PMF == PMFRequired, n.TransitionOver && n.security() == EAP:
		all[0].pmf = PMFRequired
		return all[:1]
	case n.PMF == PMFOff:
		return all[len(all)-1:]
	}
	for len(all) > 1 && (all[0].strength == strong && !radio.sae || all[0].strength >= protected && !radio.pmf) {
		all = all[1:]
	}
	return all
}

func (n Network) allVariants() []variant {
	plain := variant{"WPA-PSK", PMFOff, bare}
	switch security := n.security(); {
	case security == Open:
		return []variant{{keyMgmt: "NONE"}}
	case security == OWE:
		// A request to associate that had to be repeated, because OWE's keys took
		// longer than 100 ms, makes the router begin anew in the middle of the key
		// exchange: the attempt fails, or the association is lost at once (hostapd
		// 2.10).
		return []variant{{"OWE", PMFRequired, strong}, {"OWE", PMFRequired, strong}}
	case security == WPA3:
		return []variant{{"SAE", PMFRequired, strong}}
	case security == WPA:
		return []variant{{keyMgmt: "WPA-PSK"}}
	case security == EAP:
		return []variant{{"WPA-EAP WPA-EAP-SHA256", PMFOptional, protected}, {"WPA-EAP", PMFOff, bare}}
	case security == WPA2WPA3 && !n.rawKey():
		return []variant{{"SAE", PMFRequired, strong}, {"WPA-PSK WPA-PSK-SHA256", PMFOptional, protected}, plain}
	}
	// This also serves 64 digits on a transition router, which never connects with
	// SAE in the list.
	return []variant{{"WPA-PSK WPA-PSK-SHA256", PMFOptional, protected}, plain}
}

// isOf reports whether a cell is one through which the network may be joined.
func (n Network) isOf(cell BSS) bool {
	return bytes.Equal(cell.SSID, n.SSID) && (n.BSSID == nil || bytes.Equal(cell.BSSID, n.BSSID)) && n.accepts(cell.Security)
}

// offers returns the strength of the strongest variant that a cell accepts.
func (c BSS) offers() strength {
	switch {
	case c.Security == WPA3 || c.Security == WPA2WPA3 || c.Security == OWE:
		return strong
	case c.PMF:
		return protected
	}
	return bare
}

// mayWeaken reports whether the air has shown cells of the network, but no cell that
// supports more than v. best is the strongest variant that we could have used.
func (n Network) mayWeaken(v, best variant, air []BSS) bool {
	seen := false
	for _, cell := range air {
		if !n.isOf(cell) {
			continue
		}
		if min(cell.offers(), best.strength) > v.strength {
			return false
		}
		seen = true
	}
	return seen
}

// checkPMF refuses a level that the network's security does not have.
func (n Network) checkPMF() error {
	security := n.security()
	switch n.PMF {
	case "", PMFOptional:
		return nil
	case PMFRequired:
		if security == Open || security == WPA {
			return joinError(client.CodeUnsupported, "%s networks cannot protect management frames", security)
		}
		return nil
	case PMFOff:
		if security == WPA3 || security == OWE {
			return joinError(client.CodeUnsupported, "%s needs protected management frames", security)
		}
		return nil
	}
	return joinError(client.CodeUnsupported, "protection of management frames is required, optional or off, not %q", n.PMF)
}
