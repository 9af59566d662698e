package migrate

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/netconnectd/netconnectd/client"
)

// eap returns the credentials of a network with 802.1X.
func (b *block) eap() (*client.EAP, *Problem) {
	methods := b.words("eap")
	i := slices.IndexFunc(methods, func(m string) bool { return slices.Contains([]string{"PEAP", "TTLS", "TLS"}, m) })
	if i < 0 {
		return nil, b.refusal("eap", "EAP by PEAP, TTLS or TLS is supported, not by %s", cmp.Or(short(strings.Join(methods, " ")), "anything"))
	}
	e := &client.EAP{
		Method: strings.ToLower(methods[i]), Identity: b.word("identity"), AnonymousIdentity: b.word("anonymous_identity"),
		CACert: b.word("ca_cert"), ClientCert: b.word("client_cert"), PrivateKey: b.word("private_key"),
		ServerName: b.word("domain_suffix_match"),
	}
	for _, check := range []func(*client.EAP) *Problem{b.checkTexts, b.checkFiles, b.checkServer} {
		if p := check(e); p != nil {
			return nil, p
		}
	}
	if e.Method == "tls" {
		e.PrivateKeyPassword = b.word("private_key_passwd")
		return e, nil
	}
	if p := b.inner(e); p != nil {
		return nil, p
	}
	v, ok := b.variables["password"]
	switch {
	case !ok:
		return nil, b.refusal("identity", "it has no password")
	case !v.quoted && (strings.HasPrefix(v.value, "hash:") || strings.HasPrefix(v.value, "ext:")):
		return nil, &Problem{v.line, "its password is kept elsewhere or as a hash; add the network by hand"}
	}
	e.Password = v.value
	return e, nil
}

// checkTexts refuses texts that JSON cannot represent.
func (b *block) checkTexts(*client.EAP) *Problem {
	for _, name := range []string{"identity", "anonymous_identity", "password", "private_key_passwd", "ca_cert", "client_cert",
		"private_key", "domain_suffix_match"} {
		if v := b.variables[name]; !utf8.ValidString(v.value) {
			return &Problem{v.line, "its " + name + " is not UTF-8; " + inUTF8}
		}
	}
	return nil
}

// checkFiles refuses values that wpa_supplicant accepts in place of a file.
func (b *block) checkFiles(e *client.EAP) *Problem {
	for _, name := range []string{"ca_cert", "client_cert", "private_key"} {
		scheme, _, found := strings.Cut(b.word(name), "://")
		if !found && strings.HasPrefix(b.word(name), "pkcs11:") {
			scheme, found = "pkcs11", true
		}
		if found {
			return b.refusal(name, "its %s is no file but %s:…; write it into a file of its own (PEM), and name that", name, short(scheme))
		}
	}
	if e.CACert == "" {
		return b.refusal("eap", "it has no ca_cert, so anybody could pretend to be it; "+
			"name the certificate in the file, or add the network by hand with --any-server")
	}
	return nil
}

// checkServer refuses a network whose server is recognised by a property that we
// cannot check. domain_match requires the whole name, and our check accepts
// subdomains.
func (b *block) checkServer(e *client.EAP) *Problem {
	for _, check := range []string{"altsubject_match", "subject_match", "check_cert_subject"} {
		if b.has(check) && e.ServerName == "" && !b.has("domain_match") {
			return b.refusal(check, "it tells its server by %s, which is not supported, so that every server with a certificate "+
				"of ca_cert would do; name the server with domain_suffix_match in the file", check)
		}
	}
	if v, ok := b.variables["domain_match"]; ok && e.ServerName == "" {
		e.ServerName = v.value
		b.note(v.line, "domain_match is taken as domain_suffix_match: servers whose names end so are trusted, too")
		delete(b.variables, "domain_match")
	}
	if !utf8.ValidString(e.ServerName) {
		return b.refusal("domain_match", "its domain_match is not UTF-8; "+inUTF8)
	}
	return nil
}

// inner reads the method within the tunnel: auth= names a method without EAP, or in
// PEAP one with EAP; autheap= names in TTLS one with EAP.
func (b *block) inner(e *client.EAP) *Problem {
	phase2 := strings.Trim(b.word("phase2"), `"`) // wpa_supplicant searches the value for these words
	way, method, _ := strings.Cut(phase2, "=")
	method, _, _ = strings.Cut(strings.ToLower(method), " ")
	switch {
	case phase2 == "":
	case way == "auth" && (method == "mschapv2" || method == "pap"):
		e.Phase2 = method
	case way == "autheap" && method == "mschapv2" && e.Method == "peap":
		e.Phase2 = method
	default:
		return b.refusal("phase2", "inner authentication by MSCHAPV2 or PAP is supported, not by %s", short(strings.TrimPrefix(strings.ToLower(phase2), "auth=")))
	}
	return nil
}
