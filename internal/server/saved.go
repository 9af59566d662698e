package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
)

// ListNetworks asks for the saved networks, best first: []client.SavedNetwork.
type ListNetworks struct{}

// AddNetwork saves a network without joining it now. If the SSID is saved already,
// the error has the code client.CodeExists.
type AddNetwork struct {
	SSID     []byte
	Settings NetworkSettings
}

// SetNetwork changes the saved network of that SSID.
type SetNetwork struct {
	SSID     []byte
	Settings NetworkSettings
}

// NetworkSettings mirrors client.NetworkSettings with secrets wrapped in
// secret.Secret. A nil field was absent from the request.
type NetworkSettings struct {
	PSK        *secret.Secret     `json:"psk"`
	Security   *string            `json:"security"`
	Hidden     *bool              `json:"hidden"`
	BSSID      *string            `json:"bssid"`
	Priority   *int               `json:"priority"`
	PMF        *string            `json:"pmf"`
	EAP        *EAP               `json:"eap"`
	Addressing *client.Addressing `json:"addressing"`
}

// EAP mirrors client.EAP with secrets wrapped in secret.Secret. A nil field was
// absent from the request.
type EAP struct {
	Method             string         `json:"method"`
	Identity           string         `json:"identity"`
	AnonymousIdentity  string         `json:"anonymous_identity"`
	Password           *secret.Secret `json:"password"`
	Phase2             string         `json:"phase2"`
	CACert             string         `json:"ca_cert"`
	ServerName         string         `json:"server_name"`
	AnyServer          bool           `json:"any_server"`
	ClientCert         string         `json:"client_cert"`
	PrivateKey         string         `json:"private_key"`
	PrivateKeyPassword *secret.Secret `json:"private_key_password"`
}

func (ListNetworks) Command() string { return "list_networks" }
func (AddNetwork) Command() string   { return "add_network" }
func (SetNetwork) Command() string   { return "set_network" }

// decodeNetwork returns a decoder for a request that sets what is saved. Its error
// names an unknown parameter: a misspelt setting would otherwise be lost silently.
func decodeNetwork(request func(ssid []byte, settings NetworkSettings) Request) func(params) (Request, *client.Error) {
	return func(p params) (Request, *client.Error) {
		ssid, err := p.ssid()
		if err != nil {
			return nil, err
		}
		if len(ssid) == 0 {
			return nil, &client.Error{Code: client.CodeBadRequest, Message: "ssid is empty: a hidden network has a name, too"}
		}
		delete(p, "ssid")
		delete(p, "ssid_hex")
		settings, err := decodeSettings(p)
		if err != nil {
			return nil, err
		}
		return request(ssid, settings), nil
	}
}

func decodeSettings(p params) (settings NetworkSettings, bad *client.Error) {
	text, err := json.Marshal(p)
	if err != nil {
		return settings, unreadable("the parameters are not valid JSON")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&settings); err != nil {
		return settings, &client.Error{Code: client.CodeBadRequest, Message: describe(err)}
	}
	return settings, nil
}

// describe says which parameter is wrong, and reveals nothing of its value.
func describe(err error) string {
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return "parameter " + wrongType.Field + " has the wrong type"
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return "unknown parameter " + strings.TrimPrefix(err.Error(), "json: unknown field ")
	}
	return "the parameters are not those of a network"
}
