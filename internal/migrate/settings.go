package migrate

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/netconnectd/netconnectd/client"
)

// These are the words of key_mgmt that allow each kind of network, as in
// wpa_supplicant.conf(5). These words decide, not which credentials stand beside
// them.
var (
	byPSK = []string{"WPA-PSK", "WPA-PSK-SHA256", "FT-PSK"}
	bySAE = []string{"SAE", "FT-SAE", "SAE-EXT-KEY", "FT-SAE-EXT-KEY"}
	byEAP = []string{"WPA-EAP", "WPA-EAP-SHA256", "FT-EAP", "FT-EAP-SHA384", "WPA-EAP-SUITE-B", "WPA-EAP-SUITE-B-192",
		"FILS-SHA256", "FILS-SHA384", "FT-FILS-SHA256", "FT-FILS-SHA384"}
	others = []string{"NONE", "OWE", "IEEE8021X", "WPA-NONE", "WPS", "DPP", "OSEN"}
)

// keyManagement returns the words of key_mgmt; the default is WPA-PSK and WPA-EAP.
func (b *block) keyManagement() []string {
	if words := b.words("key_mgmt"); len(words) > 0 {
		return words
	}
	return []string{"WPA-PSK", "WPA-EAP"}
}

func anyOf(words, of []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(of, w) })
}

// settings returns the settings of a block, or why we cannot join such a network.
func (b *block) settings() (s client.NetworkSettings, p *Problem) {
	if p := b.foreign(); p != nil {
		return s, p
	}
	akm := b.keyManagement()
	secret := b.has("psk") || b.has("sae_password")
	switch {
	case anyOf(akm, byEAP) && (b.has("eap") || !secret && b.has("key_mgmt") && !anyOf(akm, byPSK) && !anyOf(akm, bySAE)):
		s.EAP, p = b.eap()
	case anyOf(akm, byPSK) || anyOf(akm, bySAE):
		s.Security, s.PSK, p = b.personal(akm)
	case slices.Contains(akm, "OWE"):
		s.Security = pointer("owe")
	case slices.Contains(akm, "NONE"):
		s.PSK, p = b.open()
	default:
		p = b.refusal("key_mgmt", "%s is not supported", short(strings.Join(akm, " ")))
	}
	if p != nil {
		return s, p
	}
	s.Addressing = b.static
	return s, b.common(&s)
}

// foreign refuses a block with a feature that only other programs have.
func (b *block) foreign() *Problem {
	for _, word := range b.words("key_mgmt") {
		if !slices.Contains(slices.Concat(byPSK, bySAE, byEAP, others), word) {
			return b.refusal("key_mgmt", "key_mgmt cannot be read: wpa_supplicant knows no %s; the network is left out", short(word))
		}
	}
	switch {
	case b.number("disabled") != 0:
		return b.refusal("disabled", "left out, it is disabled; delete that line to have it")
	case b.number("mode") != 0:
		return b.refusal("mode", "left out, it is no network of an access point (mode %s)", short(b.word("mode")))
	case slices.Contains(b.words("key_mgmt"), "IEEE8021X"):
		return b.refusal("key_mgmt", "802.1X with WEP keys is not supported; give the router WPA2")
	}
	return nil
}

// wep refuses a network that has a WEP key.
func (b *block) wep() *Problem {
	for _, name := range []string{"wep_key0", "wep_key1", "wep_key2", "wep_key3"} {
		if b.has(name) {
			return b.refusal(name, "WEP is not supported, it does not protect anything; give the router WPA2")
		}
	}
	return nil
}

// open returns a network without a passphrase, unless it has a WEP key.
func (b *block) open() (*string, *Problem) {
	if p := b.wep(); p != nil {
		return nil, p
	}
	for _, name := range []string{"psk", "sae_password"} {
		if b.has(name) {
			b.note(b.variables[name].line, "key_mgmt=NONE makes the network open: its passphrase is not taken over")
		}
	}
	return pointer(""), nil
}

// inUTF8 is the remedy where a text must be UTF-8.
const inUTF8 = "write it in UTF-8, or change it to ASCII"

// personal returns a network with a passphrase or a key of 64 digits.
func (b *block) personal(akm []string) (security, psk *string, p *Problem) {
	withPSK, withSAE := anyOf(akm, byPSK), anyOf(akm, bySAE)
	v, ok := b.variables["psk"]
	if other, has := b.variables["sae_password"]; has && withSAE {
		if ok && withPSK && v.quoted && v.value != other.value {
			b.note(other.line, "sae_password is not taken over: psk is another passphrase, and a network has only one")
		} else {
			v, ok = other, true
		}
	}
	remedy := "give the key as 64 hexadecimal digits (wpa_passphrase prints them)"
	switch proto := b.words("proto"); {
	case withSAE && !withPSK: // SAE cannot use such a key
		security, remedy = pointer("wpa3"), inUTF8
	case len(proto) > 0 && !slices.Contains(proto, "RSN") && !slices.Contains(proto, "WPA2"):
		security = pointer("wpa")
	}
	if p := b.wep(); !ok && p != nil { // a WEP key is the only one
		return nil, nil, p
	}
	switch {
	case !ok && b.has("key_mgmt"):
		return nil, nil, b.refusal("key_mgmt", "it has no passphrase (psk)")
	case !ok:
		return nil, nil, b.refusal("", "it has neither a passphrase (psk) nor key_mgmt=NONE")
	case !v.quoted && strings.HasPrefix(v.value, "ext:"):
		return nil, nil, &Problem{v.line, "its passphrase is kept elsewhere (ext:…); add the network by hand"}
	case !utf8.ValidString(v.value):
		return nil, nil, &Problem{v.line, "its passphrase is not UTF-8; " + remedy}
	}
	return security, &v.value, nil
}

// common sets the settings that do not depend on the security.
func (b *block) common(s *client.NetworkSettings) *Problem {
	if b.number("scan_ssid") == 1 {
		s.Hidden = pointer(true)
	}
	if v := b.word("bssid"); v != "" {
		s.BSSID = pointer(v)
	}
	if b.has("priority") {
		s.Priority = pointer(b.number("priority"))
	}
	if b.has("ieee80211w") {
		level, known := map[int]string{0: "off", 1: "optional", 2: "required"}[b.number("ieee80211w")]
		if !known {
			return b.refusal("ieee80211w", "ieee80211w is 0, 1 or 2")
		}
		s.PMF = &level
	}
	if b.has("scan_ssid") && b.number("scan_ssid") > 1 {
		return b.refusal("scan_ssid", "scan_ssid is 0 or 1")
	}
	return nil
}

func pointer[T any](v T) *T { return &v }

// short shortens a word of a file so that it does not fill a message or a terminal.
func short(word string) string {
	quoted := strconv.QuoteToASCII(word)
	return quoted[1:min(len(quoted)-1, 41)]
}
