package wifi

import (
	"encoding/hex"
	"strings"

	"github.com/netconnectd/netconnectd/client"
)

// These limits bound what a person enters: an identity is at most a RADIUS User-Name
// (RFC 2865 5.1), a path at most PATH_MAX.
const (
	maxIdentity = 253
	maxPath     = 4096
)

// check reports whether the credentials can work at all. It reads no file; CheckFiles
// does.
func (c *EAPCredentials) check() error {
	for _, text := range []struct {
		what, value string
		limit       int
	}{
		{"identity", c.Identity, maxIdentity}, {"anonymous identity", c.AnonymousIdentity, maxIdentity},
		{"password", c.Password.Reveal(), maxIdentity}, {"password of the private key", c.PrivateKeyPassword.Reveal(), maxIdentity},
		{"CA certificate", c.CACert, maxPath}, {"server name", c.ServerName, maxIdentity},
		{"client certificate", c.ClientCert, maxPath}, {"private key", c.PrivateKey, maxPath},
	} {
		switch {
		case len(text.value) > text.limit:
			return joinError(client.CodeUnsupported, "the %s is longer than %d bytes", text.what, text.limit)
		case strings.ContainsFunc(text.value, func(r rune) bool { return r < 0x20 || r == 0x7f }):
			return joinError(client.CodeUnsupported, "the %s has control characters", text.what)
		}
	}
	if err := c.checkMethod(); err != nil {
		return err
	}
	switch {
	case c.Identity == "":
		return joinError(client.CodeUnsupported, "802.1X wants an identity: the name of the user")
	case c.CACert == "" && !c.AnyServer:
		// An attacker who imitates the network would get the password.
		return joinError(client.CodeUnsupported, "802.1X wants a CA certificate, to know the right server by; "+
			"without one, say that any server may be trusted")
	}
	return nil
}

func (c *EAPCredentials) checkMethod() error {
	switch c.Method {
	case "tls":
		if c.ClientCert == "" || c.PrivateKey == "" {
			return joinError(client.CodeUnsupported, "EAP-TLS wants a client certificate and its private key")
		}
		return nil
	case "peap", "ttls":
		if c.Password.IsZero() {
			return joinError(client.CodeUnsupported, "EAP %s wants a password", strings.ToUpper(c.Method))
		}
	default:
		return joinError(client.CodeUnsupported, "the EAP method is peap, ttls or tls, not %q", c.Method)
	}
	switch c.Phase2 {
	case "", "mschapv2":
		return nil
	case "pap":
		if c.Method == "ttls" {
			return nil
		}
	}
	return joinError(client.CodeUnsupported, "the inner method is mschapv2, or with TTLS pap, not %q", c.Phase2)
}

// settings renders the credentials for SET_NETWORK, in hexadecimal, so that no text
// can be more than a value. The credentials must have passed check.
func (c *EAPCredentials) settings() []setting {
	phase2 := map[string]string{"": "auth=MSCHAPV2", "mschapv2": "auth=MSCHAPV2", "pap": "auth=PAP"}[c.Phase2]
	if c.Method == "tls" {
		phase2 = ""
	}
	list := []setting{{"eap", strings.ToUpper(c.Method)}}
	for _, s := range []setting{
		{"identity", c.Identity}, {"anonymous_identity", c.AnonymousIdentity},
		{"password", c.Password.Reveal()}, {"phase2", phase2},
		{"ca_cert", c.CACert}, {"domain_suffix_match", c.ServerName},
		{"client_cert", c.ClientCert}, {"private_key", c.PrivateKey},
		{"private_key_passwd", c.PrivateKeyPassword.Reveal()},
	} {
		if s.value != "" {
			list = append(list, setting{s.name, hex.EncodeToString([]byte(s.value))})
		}
	}
	return list
}

// NotTrusted returns the verdict on a server whose certificate we do not trust. why
// is the TLS library's text, including what the server put into it.
func NotTrusted(why string) *JoinError {
	why = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, why[:min(len(why), 100)])
	return joinError(client.CodeServerNotTrusted, "the server's certificate is not trusted: %s", why)
}

// NotAccepted returns the verdict on a server that refuses us after it accepted our
// method.
func (c *EAPCredentials) NotAccepted() *JoinError {
	if c.Method == "tls" {
		return joinError(client.CodeWrongKey, "the network's server does not accept the client certificate")
	}
	return joinError(client.CodeWrongKey, "the network's server does not accept the identity or the password")
}
