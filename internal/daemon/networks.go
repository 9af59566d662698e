package daemon

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/address"
	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// listNetworks returns the saved networks, without their secrets.
func (d *daemon) listNetworks() []client.SavedNetwork {
	all := []client.SavedNetwork{}
	association := d.radio.Association()
	for _, n := range d.radio.Networks().Networks() {
		saved := savedNetwork(n)
		saved.InUse = association != nil && bytes.Equal(association.SSID, n.SSID)
		all = append(all, saved)
	}
	return all
}

func savedNetwork(n store.Network) client.SavedNetwork {
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

// addNetwork saves a network without trying it.
func (d *daemon) addNetwork(ctx context.Context, req server.AddNetwork) (any, error) {
	n, err := applySettings(store.Network{Network: wifi.Network{SSID: req.SSID}}, req.Settings)
	if err == nil {
		err = checkFiles(ctx, req.Settings)
	}
	if err != nil {
		return nil, err
	}
	err = d.radio.Networks().Add(n)
	if errors.Is(err, store.ErrExists) {
		return nil, &client.Error{
			Code:    client.CodeExists,
			Message: client.SSIDInText(req.SSID) + " is saved already: change it with set_network, or try another passphrase with config_wifi",
		}
	}
	return d.reportChange(ctx, "add a network", req.SSID, err, client.ResultAdded(req.SSID))
}

// setNetwork changes a saved network. If the radio is in that network, the change
// applies at the next join.
func (d *daemon) setNetwork(ctx context.Context, req server.SetNetwork) (any, error) {
	saved, err := d.radio.Networks().Find(req.SSID)
	if err != nil {
		return nil, clientRefusal(req.SSID, err)
	}
	n, err := applySettings(saved, req.Settings)
	if err == nil {
		err = checkFiles(ctx, req.Settings)
	}
	if err != nil {
		return nil, err
	}
	err = d.radio.Networks().Replace(n)
	return d.reportChange(ctx, "change a network", req.SSID, err, client.ResultChanged(req.SSID))
}

// adopt marks a NetworkManager profile of another program as netconnectd's.
// Networks that netconnectd has saved need no mark.
func (d *daemon) adopt(ctx context.Context, ssid []byte) (any, error) {
	if _, ok := d.findListed(ssid); !ok {
		return nil, notSaved(ssid)
	}
	var err error
	if d.radio.Managed() {
		err = d.profiles.Adopt(ssid)
	}
	return d.reportChange(ctx, "adopt a network", ssid, err, client.ResultAdopted(ssid))
}

// removeNetwork forgets one saved network. The radio leaves that network.
func (d *daemon) removeNetwork(ctx context.Context, ssid []byte) (any, error) {
	err := d.radio.Networks().Remove(ssid)
	return d.reportChange(ctx, "remove a network", ssid, err, client.ResultRemoved(ssid))
}

// reportChange posts the networks to the policy, even after an error, as a part of
// the change may have been made. A change that our store could not write is logged
// and applies until the daemon ends. A change that NetworkManager refuses is an
// error for the client.
func (d *daemon) reportChange(ctx context.Context, what string, ssid []byte, err error, result string) (any, error) {
	d.postNetworks()
	var coded *client.Error
	switch err := clientRefusal(ssid, err); {
	case errors.As(err, &coded), err != nil && d.radio.Managed():
		return nil, err
	case err != nil:
		d.log.Error(what, "err", err)
	}
	return result, nil
}

// clientRefusal converts the reason why a network was not found or changed into a
// client.Error if a person can remedy it.
func clientRefusal(ssid []byte, err error) error {
	var refusal *networkmanager.Refusal
	var foreign *networkmanager.ForeignError
	var file *networkmanager.FileError
	switch {
	case errors.Is(err, store.ErrUnknown): // another program may have removed it meanwhile
		return notSaved(ssid)
	case errors.As(err, &file):
		return &client.Error{Code: client.CodeUnsupported, Message: file.Error()}
	case errors.As(err, &foreign):
		return &client.Error{Code: client.CodeForeign, Message: foreign.Error()}
	case errors.As(err, &refusal):
		return &client.Error{Code: client.CodePermissionDenied, Message: refusal.Error()}
	case errors.Is(err, networkmanager.ErrAbsent):
		return &client.Error{
			Code:    client.CodeInternal,
			Message: "NetworkManager does not answer: it is being restarted, or systemctl status NetworkManager says why",
		}
	}
	return err
}

// explainKept adds to the result of a reset which networks are still saved, and why.
func (d *daemon) explainKept(result any, err error) (any, error) {
	if err != nil || !d.radio.Managed() {
		return result, err
	}
	text := fmt.Sprint(result)
	for _, n := range d.radio.Networks().Networks() {
		why := "NetworkManager did not remove it, the log has the reason"
		if n.Origin != store.Ours {
			why = (&networkmanager.ForeignError{Origin: n.Origin}).Error()
		}
		text += "; " + client.SSIDInText(n.SSID) + " stays: " + why
	}
	return text, nil
}

// findListed returns the saved network of that SSID from the list. NetworkManager's
// profiles are listed without their secrets.
func (d *daemon) findListed(ssid []byte) (store.Network, bool) {
	for _, n := range d.radio.Networks().Networks() {
		if bytes.Equal(n.SSID, ssid) {
			return n, true
		}
	}
	return store.Network{}, false
}

func notSaved(ssid []byte) error {
	return &client.Error{Code: client.CodeNotFound, Message: "no saved network is called " + client.SSIDInText(ssid)}
}

// Methods of client.Addressing.
const (
	addressedByDHCP     = "dhcp"
	addressedStatically = "static"
)

// applySettings returns the network with the given settings. The error is for the
// client and names the wrong setting.
func applySettings(n store.Network, s server.NetworkSettings) (store.Network, error) {
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

// checkFiles reads the files that the given credentials name, with the same checks
// as a later join. The error is for the client.
func checkFiles(ctx context.Context, given server.NetworkSettings) error {
	if given.EAP == nil {
		return nil
	}
	return forClient(credentials(nil, given.EAP).CheckFiles(ctx))
}

// forClient converts a wifi.JoinError into a client.Error.
func forClient(err error) error {
	var join *wifi.JoinError
	if errors.As(err, &join) {
		return &client.Error{Code: string(join.Code), Message: join.Reason}
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
