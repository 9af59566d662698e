package store

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/netconnectd/netconnectd/internal/address"
	"github.com/netconnectd/netconnectd/internal/ownfile"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// version is the version of the file's format. A higher version belongs to a later
// netconnectd, and this one does not guess at its meaning.
const version = 1

// ErrLater means that a later netconnectd has written the file. This netconnectd uses
// the parts that it understands, and does not change the file.
var ErrLater = errors.New("a later netconnectd has written it")

// document is the file. Records are decoded one by one, so that a bad record does not
// cost the others.
type document struct {
	Version   json.RawMessage   `json:"version"`
	Networks  []json.RawMessage `json:"networks"`
	Candidate json.RawMessage   `json:"candidate,omitempty"`
}

// record is a Network in the file. Only here is a passphrase written in the clear, as
// the person typed it.
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

// encode writes records that were not understood exactly as they were read.
func encode(c *contents) ([]byte, error) {
	doc := document{Version: json.RawMessage(strconv.Itoa(version)), Networks: []json.RawMessage{}, Candidate: c.unreadCandidate}
	for _, n := range c.networks {
		text, err := marshal(toRecord(n), "")
		if err != nil {
			return nil, err
		}
		doc.Networks = append(doc.Networks, text)
	}
	for _, u := range c.unread {
		doc.Networks = append(doc.Networks, u.text)
	}
	if c.candidate != nil {
		text, err := marshal(toRecord(*c.candidate), "")
		if err != nil {
			return nil, err
		}
		doc.Candidate = text
	}
	return marshal(doc, "  ")
}

// marshal leaves "&" readable.
func marshal(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
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

// readable returns the SSID if it is text that can be shown, else "".
func readable(ssid []byte) string {
	hidden := func(c rune) bool { return !unicode.IsPrint(c) }
	if !utf8.Valid(ssid) || bytes.ContainsFunc(ssid, hidden) {
		return ""
	}
	return string(ssid)
}

// decode reads a file. Its errors name places, not values, because the file contains
// passphrases. The contents hold what was understood, even with an error. err is
// ErrLater, or what is wrong with the file as a whole; faults are what is wrong with
// single records.
func decode(data []byte) (c *contents, faults []error, err error) {
	doc, err := decodeDocument(data)
	c = &contents{}
	for i, text := range doc.Networks {
		n, err := decodeRecord(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("networks[%d]: %w", i, err))
			c.unread = append(c.unread, unread{text, ssidOf(text)})
			continue
		}
		c.networks = append(c.networks, n)
	}
	if doc.Candidate != nil && string(doc.Candidate) != "null" {
		n, err := decodeRecord(doc.Candidate)
		if err != nil {
			faults = append(faults, fmt.Errorf("candidate: %w", err))
			c.unreadCandidate = doc.Candidate
		} else {
			c.candidate = &n
		}
	}
	return c, faults, err
}

// decodeDocument returns what comes before the first place that is not JSON. Its
// error names this place.
func decodeDocument(data []byte) (document, error) {
	var doc document
	d := json.NewDecoder(bytes.NewReader(data))
	err := doc.read(d)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = fmt.Errorf("something follows the JSON value at byte %d", d.InputOffset())
		}
	}
	return doc, errors.Join(doc.checkVersion(), err)
}

// checkVersion treats a version that it cannot read as a later one, so that the file
// is not changed.
func (doc *document) checkVersion() error {
	if doc.Version == nil {
		return errors.New("it says no version of its format")
	}
	var has int
	switch err := json.Unmarshal(doc.Version, &has); {
	case err != nil:
		return fmt.Errorf("%w: the version of its format is no number", ErrLater)
	case has > version:
		return fmt.Errorf("%w: its format has version %d, and this one knows %d", ErrLater, has, version)
	case has < 1:
		return fmt.Errorf("its format has version %d, which there never was", has)
	}
	return nil
}

// read decodes the file's parts in their order.
func (doc *document) read(d *json.Decoder) error {
	if err := opens(d, '{'); err != nil {
		return ownfile.Describe(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return ownfile.Describe(err)
		}
		switch key {
		case "version":
			err = d.Decode(&doc.Version)
		case "candidate":
			err = d.Decode(&doc.Candidate)
		case "networks":
			err = doc.readNetworks(d)
		default:
			err = d.Decode(new(json.RawMessage))
		}
		if err != nil {
			return ownfile.Describe(err)
		}
	}
	_, err := d.Token()
	if err != nil {
		return ownfile.Describe(err)
	}
	return nil
}

func (doc *document) readNetworks(d *json.Decoder) error {
	if err := opens(d, '['); err != nil {
		return err
	}
	for d.More() {
		var text json.RawMessage
		if err := d.Decode(&text); err != nil {
			return err
		}
		doc.Networks = append(doc.Networks, text)
	}
	_, err := d.Token()
	return err
}

// opens reads the start of an object or an array.
func opens(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if token != want {
		return &json.UnmarshalTypeError{Offset: d.InputOffset()}
	}
	return nil
}

func decodeRecord(text json.RawMessage) (Network, error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return Network{}, ownfile.Describe(err)
	}
	return r.network()
}

// ssidOf returns the SSID of a record that was not understood, or nil if the SSID
// itself cannot be read.
func ssidOf(text json.RawMessage) []byte {
	var r struct {
		SSID string `json:"ssid"`
	}
	if json.Unmarshal(text, &r) != nil {
		return nil
	}
	ssid, err := hex.DecodeString(r.SSID)
	if err != nil || len(ssid) == 0 {
		return nil
	}
	return ssid
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
		if n.BSSID, err = address.ParseCell(r.BSSID); err != nil {
			return Network{}, fmt.Errorf("bssid %w", err)
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
