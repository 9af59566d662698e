// Package netsettings translates between a saved network and its forms on the socket:
// the settings that a client sends, the passphrase that a person types for a name in
// reach, and the list of saved networks, which has no secrets. Its errors are for the
// client.
package netsettings

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/address"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Methods of client.Addressing.
const (
	addressedByDHCP     = "dhcp"
	addressedStatically = "static"
)

// Apply returns the network with the given settings, after the files that they name
// were read with the checks of a later join. The error is for the client and names
// the wrong setting.
func Apply(ctx context.Context, n store.Network, s server.NetworkSettings) (store.Network, error) {
	n, err := apply(n, s)
	if err == nil && s.EAP != nil {
		err = forClient(credentials(nil, s.EAP).CheckFiles(ctx))
	}
	return n, err
}

func apply(n store.Network, s server.NetworkSettings) (store.Network, error) {
	set(&n.Hidden, s.Hidden)
	set(&n.Priority, s.Priority)
	set((*string)(&n.Security), s.Security)
	set((*string)(&n.PMF), s.PMF)
	if s.PSK != nil {
		n.PSK, n.EAP = *s.PSK, nil
	}
	if s.EAP != nil {
		n.PSK, n.EAP = secret.Secret{}, credentials(n.EAP, s.EAP)
	}
	if s.BSSID != nil {
		n.BSSID = nil // any cell
		if *s.BSSID != "" {
			bssid, err := address.ParseCell(*s.BSSID)
			if err != nil {
				return n, badSetting("bssid " + err.Error())
			}
			n.BSSID = bssid
		}
	}
	if s.Addressing != nil {
		var err error
		if n.Addressing, err = addressing(*s.Addressing); err != nil {
			return n, badSetting("addressing: " + err.Error())
		}
	}
	return n, forClient(n.Check())
}

// forClient converts a wifi.JoinError into a client.Error.
func forClient(err error) error {
	var join *wifi.JoinError
	if errors.As(err, &join) {
		return &client.Error{Code: join.Code, Message: join.Reason}
	}
	return err
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func badSetting(text string) error { return &client.Error{Code: client.CodeBadRequest, Message: text} }

// credentials returns the given credentials, with the saved passwords where none was
// given.
func credentials(saved *wifi.EAPCredentials, given *server.EAP) *wifi.EAPCredentials {
	c := wifi.EAPCredentials{
		Method: given.Method, Identity: given.Identity, AnonymousIdentity: given.AnonymousIdentity, Phase2: given.Phase2,
		CACert: given.CACert, ServerName: given.ServerName, AnyServer: given.AnyServer,
		ClientCert: given.ClientCert, PrivateKey: given.PrivateKey,
	}
	if saved != nil {
		c.Password, c.PrivateKeyPassword = saved.Password, saved.PrivateKeyPassword
	}
	set(&c.Password, given.Password)
	set(&c.PrivateKeyPassword, given.PrivateKeyPassword)
	return &c
}

// addressing returns the static addressing, or nil for DHCP.
func addressing(given client.Addressing) (*store.Addressing, error) {
	switch given.Method {
	case addressedByDHCP:
		if given.Address != "" || given.Gateway != "" || len(given.DNS) > 0 {
			return nil, errors.New("address, gateway and dns are for the method static")
		}
		return nil, nil
	case addressedStatically:
	default:
		return nil, errors.New("method is dhcp or static")
	}
	return address.ParseStatic(given.Address, given.Gateway, given.DNS)
}

// Show returns a saved network as the socket shows it, without its secrets. InUse is
// not set.
func Show(n store.Network) client.SavedNetwork {
	saved := client.SavedNetwork{
		Network: client.NewNetwork(n.SSID), Security: string(n.Security), HasPSK: hasPSK(n), Hidden: n.Hidden,
		BSSID: client.FormatAddress(n.BSSID), Priority: n.Priority, PMF: string(n.PMF), Frequency: n.Frequency,
		Addressing: client.Addressing{Method: addressedByDHCP}, Failures: n.Failures,
		Origin: cmp.Or(string(n.Origin), "netconnectd"),
	}
	if !n.LastSuccess.IsZero() {
		saved.LastSuccess = &n.LastSuccess
	}
	if c := n.EAP; c != nil {
		saved.EAP = &client.EAP{
			Method: c.Method, Identity: c.Identity, AnonymousIdentity: c.AnonymousIdentity, Phase2: c.Phase2, CACert: c.CACert,
			ServerName: c.ServerName, AnyServer: c.AnyServer, ClientCert: c.ClientCert, PrivateKey: c.PrivateKey,
		}
	}
	if a := n.Addressing; a != nil {
		saved.Addressing = client.Addressing{Method: addressedStatically, Address: a.Address.String()}
		if a.Gateway.IsValid() {
			saved.Addressing.Gateway = a.Gateway.String()
		}
		for _, server := range a.DNS {
			saved.Addressing.DNS = append(saved.Addressing.DNS, server.String())
		}
	}
	return saved
}

// hasPSK reports whether the network has a passphrase. For NetworkManager's
// profiles the kind of security decides, as NetworkManager does not hand out their
// secrets.
func hasPSK(n store.Network) bool {
	return !n.PSK.IsZero() || slices.Contains([]wifi.Security{wifi.WPA, wifi.WPA2, wifi.WPA3, wifi.WPA2WPA3}, n.Security)
}
