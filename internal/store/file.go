package store

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// version is that of the file's format. A higher one is of a later
// netconnectd and is not guessed at.
const version = 1

// document is the file.
type document struct {
	Version   int      `json:"version"`
	Networks  []record `json:"networks"`
	Candidate *record  `json:"candidate,omitempty"`
}

// record is a Network in the file. This is the one place where a passphrase
// is written in the clear, as it was typed.
type record struct {
	Name        string      `json:"name,omitempty"` // the SSID for people; never read
	SSID        string      `json:"ssid"`           // hexadecimal
	PSK         string      `json:"psk,omitempty"`
	Security    string      `json:"security,omitempty"`
	Frequency   int         `json:"frequency,omitempty"`
	Hidden      bool        `json:"hidden,omitempty"`
	BSSID       string      `json:"bssid,omitempty"`
	PMF         string      `json:"pmf,omitempty"`
	EAP         *eapRecord  `json:"eap,omitempty"`
	Priority    int         `json:"priority,omitempty"`
	Addressing  *Addressing `json:"addressing,omitempty"`
	LastSuccess *time.Time  `json:"last_success,omitempty"`

	TransitionOver bool `json:"transition_over,omitempty"`
}

// eapRecord is a wifi.EAPCredentials in the file.
type eapRecord struct {
	Method             string `json:"method"`
	Identity           string `json:"identity"`
	AnonymousIdentity  string `json:"anonymous_identity,omitempty"`
	Password           string `json:"password,omitempty"`
	Phase2             string `json:"phase2,omitempty"`
	CACert             string `json:"ca_cert,omitempty"`
	ServerName         string `json:"server_name,omitempty"`
	AnyServer          bool   `json:"any_server,omitempty"`
	ClientCert         string `json:"client_cert,omitempty"`
	PrivateKey         string `json:"private_key,omitempty"`
	PrivateKeyPassword string `json:"private_key_password,omitempty"`
}

func encode(c *contents) ([]byte, error) {
	doc := document{Version: version, Networks: []record{}}
	for _, n := range c.networks {
		doc.Networks = append(doc.Networks, toRecord(n))
	}
	if c.candidate != nil {
		r := toRecord(*c.candidate)
		doc.Candidate = &r
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // "&" stays readable
	e.SetIndent("", "  ")
	err := e.Encode(doc)
	return b.Bytes(), err
}

func toRecord(n Network) record {
	r := record{
		Name:       readable(n.SSID),
		SSID:       hex.EncodeToString(n.SSID),
		PSK:        n.PSK.Reveal(),
		Security:   string(n.Security),
		Frequency:  n.Frequency,
		Hidden:     n.Hidden,
		BSSID:      n.BSSID.String(),
		PMF:        string(n.PMF),
		Priority:   n.Priority,
		Addressing: n.Addressing,

		TransitionOver: n.TransitionOver,
	}
	if c := n.EAP; c != nil {
		r.EAP = &eapRecord{
			Method: c.Method, Identity: c.Identity, AnonymousIdentity: c.AnonymousIdentity, Password: c.Password.Reveal(),
			Phase2: c.Phase2, CACert: c.CACert, ServerName: c.ServerName, AnyServer: c.AnyServer,
			ClientCert: c.ClientCert, PrivateKey: c.PrivateKey, PrivateKeyPassword: c.PrivateKeyPassword.Reveal(),
		}
	}
	if !n.LastSuccess.IsZero() {
		r.LastSuccess = new(n.LastSuccess.UTC())
	}
	return r
}

func (r *eapRecord) credentials() *wifi.EAPCredentials {
	if r == nil {
		return nil
	}
	return &wifi.EAPCredentials{
		Method: r.Method, Identity: r.Identity, AnonymousIdentity: r.AnonymousIdentity, Password: secret.New(r.Password),
		Phase2: r.Phase2, CACert: r.CACert, ServerName: r.ServerName, AnyServer: r.AnyServer,
		ClientCert: r.ClientCert, PrivateKey: r.PrivateKey, PrivateKeyPassword: secret.New(r.PrivateKeyPassword),
	}
}

// readable is the SSID if it is text that can be shown.
func readable(ssid []byte) string {
	hidden := func(c rune) bool { return !unicode.IsPrint(c) }
	if !utf8.Valid(ssid) || bytes.ContainsFunc(ssid, hidden) {
		return ""
	}
	return string(ssid)
}

// decode reads a file. Its errors name places, not values, because the file
// holds passphrases.
func decode(data []byte) (*contents, error) {
	doc, err := decodeDocument(data)
	if err != nil {
		return nil, err
	}
	c := &contents{}
	for i, r := range doc.Networks {
		n, err := r.network()
		if err != nil {
			return nil, fmt.Errorf("networks[%d]: %w", i, err)
		}
		c.networks = append(c.networks, n)
	}
	if doc.Candidate != nil {
		n, err := doc.Candidate.network()
		if err != nil {
			return nil, fmt.Errorf("candidate: %w", err)
		}
		c.candidate = &n
	}
	return c, nil
}

func decodeDocument(data []byte) (document, error) {
	var doc document
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&doc); err != nil {
		return doc, describe(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return doc, fmt.Errorf("something follows the JSON value at byte %d", d.InputOffset())
	}
	if doc.Version != version {
		return doc, fmt.Errorf("its format has version %d, not %d", doc.Version, version)
	}
	return doc, nil
}

// describe keeps what encoding/json says about places and leaves out text of
// the file.
func describe(err error) error {
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrongType):
		return fmt.Errorf("%s has the wrong type at byte %d", strings.TrimPrefix(wrongType.Field, "."), wrongType.Offset)
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON at byte %d", syntax.Offset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("not JSON: it ends too early")
	}
	return errors.New("not JSON of the right shape")
}

func (r record) network() (Network, error) {
	ssid, err := hex.DecodeString(r.SSID)
	if err != nil || len(ssid) == 0 || len(ssid) > 32 {
		return Network{}, errors.New("ssid is not 1 to 32 bytes in hexadecimal")
	}
	if r.Frequency < 0 {
		return Network{}, errors.New("frequency is negative")
	}
	n := Network{
		Network: wifi.Network{
			SSID: ssid, PSK: secret.New(r.PSK), Security: wifi.Security(r.Security), Frequency: r.Frequency,
			Hidden: r.Hidden, PMF: wifi.PMF(r.PMF), EAP: r.EAP.credentials(),
			TransitionOver: r.TransitionOver,
		},
		Priority:   r.Priority,
		Addressing: r.Addressing,
	}
	if r.BSSID != "" {
		if n.BSSID, err = net.ParseMAC(r.BSSID); err != nil || len(n.BSSID) != 6 {
			return Network{}, errors.New("bssid is not an address of 6 bytes")
		}
	}
	if r.Addressing != nil {
		if err := r.Addressing.Check(); err != nil {
			return Network{}, fmt.Errorf("addressing: %w", err)
		}
	}
	if r.LastSuccess != nil {
		n.LastSuccess = r.LastSuccess.UTC()
	}
	return n, nil
}
