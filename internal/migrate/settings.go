package migrate

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/netconnectd/netconnectd/client"
)

// settings are those of a block, or why we cannot have such a network.
func (b *block) settings() (s client.NetworkSettings, p *Problem) {
	if p := b.foreign(); p != nil {
		return s, p
	}
	switch akm := b.words("key_mgmt"); {
	case slices.ContainsFunc(akm, func(w string) bool { return strings.HasPrefix(w, "WPA-EAP") }) || b.has("eap"):
		s.EAP, p = b.eap()
	case slices.Contains(akm, "OWE"):
		s.Security = pointer("owe")
	case slices.Contains(akm, "NONE"):
		s.PSK = pointer("")
	default:
		if b.onlySAE() {
			s.Security = pointer("wpa3")
		}
		s.PSK, p = b.passphrase()
	}
	if p != nil {
		return s, p
	}
	s.Addressing = b.static
	return s, b.common(&s)
}

// foreign says what in a block only other programs do.
func (b *block) foreign() *Problem {
	switch {
	case b.word("disabled") == "1":
		return b.refusal("disabled", "left out, it is disabled; delete that line to have it")
	case b.has("wep_key0") || b.has("wep_key1") || b.has("wep_key2") || b.has("wep_key3"):
		return b.refusal("wep_key0", "WEP is not supported, it does not protect anything; give the router WPA2")
	case b.has("mode") && b.word("mode") != "0":
		return b.refusal("mode", "left out, it is no network of an access point (mode %s)", short(b.word("mode")))
	case slices.Contains(b.words("key_mgmt"), "IEEE8021X"):
		return b.refusal("key_mgmt", "802.1X with WEP keys is not supported; give the router WPA2")
	}
	return nil
}

func (b *block) onlySAE() bool { return slices.Equal(b.words("key_mgmt"), []string{"SAE"}) }

// inUTF8 is what helps where a text has to be one.
const inUTF8 = "write it in UTF-8, or change it to ASCII"

// passphrase is the one of WPA2 or WPA3, or a key of 64 digits.
func (b *block) passphrase() (*string, *Problem) {
	v, ok := b.variables["sae_password"]
	if !ok {
		v, ok = b.variables["psk"]
	}
	switch {
	case !ok && b.has("key_mgmt"):
		return nil, b.refusal("key_mgmt", "it has no passphrase (psk)")
	case !ok:
		return nil, b.refusal("", "it has neither a passphrase (psk) nor key_mgmt=NONE")
	case !v.quoted && strings.HasPrefix(v.value, "ext:"):
		return nil, &Problem{v.line, "its passphrase is kept elsewhere (ext:…); add the network by hand"}
	}
	remedy := "give the key as 64 hexadecimal digits (wpa_passphrase prints them)"
	if b.onlySAE() { // which has no such key
		remedy = inUTF8
	}
	return textOf(v, "its passphrase", remedy)
}

// eap is the user of a network with 802.1X.
func (b *block) eap() (*client.EAP, *Problem) {
	methods := b.words("eap")
	i := slices.IndexFunc(methods, func(m string) bool { return slices.Contains([]string{"PEAP", "TTLS", "TLS"}, m) })
	if i < 0 {
		return nil, b.refusal("eap", "EAP by PEAP, TTLS or TLS is supported, not by %s", short(strings.Join(methods, " ")))
	}
	e := &client.EAP{
		Method: strings.ToLower(methods[i]), Identity: b.word("identity"), AnonymousIdentity: b.word("anonymous_identity"),
		CACert: b.word("ca_cert"), ClientCert: b.word("client_cert"), PrivateKey: b.word("private_key"),
		ServerName: cmp.Or(b.word("domain_suffix_match"), b.word("domain_match")),
	}
	if e.CACert == "" {
		return nil, b.refusal("eap", "it has no ca_cert, so anybody could pretend to be it; "+
			"name the certificate in the file, or add the network by hand with --any-server")
	}
	for _, check := range []string{"altsubject_match", "subject_match"} {
		if b.has(check) && e.ServerName == "" {
			return nil, b.refusal(check, "it tells its server by %s, which is not supported, so that every server with a certificate "+
				"of ca_cert would do; name the server with domain_suffix_match in the file", check)
		}
	}
	if e.Method == "tls" {
		if v, ok := b.variables["private_key_passwd"]; ok {
			return e, b.secret(&e.PrivateKeyPassword, v)
		}
		return e, nil
	}
	inner := strings.ToLower(b.word("phase2"))
	_, inner, _ = strings.Cut(inner, "=") // auth= or autheap=
	switch inner, _, _ = strings.Cut(inner, " "); inner {
	case "", "mschapv2", "pap":
		e.Phase2 = inner
	default:
		return nil, b.refusal("phase2", "inner authentication by MSCHAPV2 or PAP is supported, not by %s", short(inner))
	}
	v, ok := b.variables["password"]
	switch {
	case !ok:
		return nil, b.refusal("identity", "it has no password")
	case !v.quoted && (strings.HasPrefix(v.value, "hash:") || strings.HasPrefix(v.value, "ext:")):
		return nil, &Problem{v.line, "its password is kept elsewhere or as a hash; add the network by hand"}
	}
	return e, b.secret(&e.Password, v)
}

func (b *block) secret(to *string, v variable) *Problem {
	text, p := textOf(v, "its password", inUTF8)
	if p == nil {
		*to = *text
	}
	return p
}

// common are the settings that do not depend on the security.
func (b *block) common(s *client.NetworkSettings) *Problem {
	if b.word("scan_ssid") == "1" {
		s.Hidden = pointer(true)
	}
	if v := b.word("bssid"); v != "" && !strings.EqualFold(v, "any") {
		s.BSSID = pointer(v)
	}
	if v, ok := b.variables["priority"]; ok {
		n, err := strconv.Atoi(v.value)
		if err != nil {
			return &Problem{v.line, "priority is not a number"}
		}
		s.Priority = &n
	}
	if v, ok := b.variables["ieee80211w"]; ok {
		level, known := map[string]string{"0": "off", "1": "optional", "2": "required"}[v.value]
		if !known {
			return &Problem{v.line, "ieee80211w is 0, 1 or 2"}
		}
		s.PMF = &level
	}
	return nil
}

func pointer[T any](v T) *T { return &v }

// short keeps a word of a file from filling a message, or a terminal.
func short(word string) string {
	quoted := strconv.QuoteToASCII(word)
	return quoted[1:min(len(quoted)-1, 41)]
}

// unhex is what hexadecimal digits stand for.
func unhex(digits string) (string, bool) {
	b, err := hex.DecodeString(digits)
	return string(b), err == nil
}
