package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/netsettings"
	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// listNetworks returns the saved networks, without their secrets.
func (d *daemon) listNetworks() []client.SavedNetwork {
	all := []client.SavedNetwork{}
	association := d.radio.Association()
	for _, n := range d.radio.Networks().Networks() {
		saved := netsettings.Show(n)
		saved.InUse = association != nil && bytes.Equal(association.SSID, n.SSID)
		all = append(all, saved)
	}
	return all
}

// addNetwork saves a network without trying it.
func (d *daemon) addNetwork(ctx context.Context, req server.AddNetwork) (any, error) {
	n, err := netsettings.Apply(ctx, store.Network{Network: wifi.Network{SSID: req.SSID}}, req.Settings)
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
	n, err := netsettings.Apply(ctx, saved, req.Settings)
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
