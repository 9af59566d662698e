package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/netsettings"
	"github.com/netconnectd/netconnectd/internal/radio"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/supervisor"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
	"github.com/netconnectd/netconnectd/state/kernel"
)

// Handle implements server.Handler.
func (d *daemon) Handle(ctx context.Context, peer server.Peer, req server.Request) (any, error) {
	what, changes := d.affected(req)
	result, err := d.carryOutRequest(ctx, peer, req)
	if changes && err == nil {
		d.recordNetworks(peer, req.Command(), what)
	}
	return result, err
}

func (d *daemon) carryOutRequest(ctx context.Context, peer server.Peer, req server.Request) (any, error) {
	switch req := req.(type) {
	case server.Show:
		return show(ctx, req)
	case server.Watch: // a lost event is reported to the subscriber alone, as any user could fill the log with such reports
		return nil, noInterface(req.Filter, kernel.Watch(ctx, req.Filter, slog.New(slog.DiscardHandler), req.Seen))
	case server.ListWifi:
		return d.listWifi(ctx, req.Force)
	case server.ConfigWifi:
		return d.configWifi(ctx, req)
	case server.StartWifi:
		return d.do(ctx, policy.Join, client.TextCouldNotConnect)
	case server.Connect:
		return d.carryOut(ctx, policy.Command{Kind: policy.Connect, SSID: string(req.SSID)}, client.TextCouldNotConnect)
	case server.ListNetworks:
		return d.listNetworks(), nil
	case server.Interfaces:
		return d.lane.List(), nil
	case server.History:
		return d.history.Last(req.Limit), nil
	case server.AddNetwork:
		return d.addNetwork(ctx, req)
	case server.SetNetwork:
		return d.setNetwork(ctx, req)
	case server.Adopt:
		return d.adopt(ctx, req.SSID)
	case server.RemoveNetwork:
		return d.removeNetwork(ctx, req.SSID)
	case server.ForgetWifi:
		return d.explainKept(d.do(ctx, policy.Forget, "could not forget the network"))
	case server.Reset:
		return d.explainKept(d.do(ctx, policy.Reset, "could not reset the daemon"))
	case server.StartAP:
		return d.do(ctx, policy.StartAP, "could not start the access point")
	case server.StopAP:
		return d.do(ctx, policy.StopAP, "could not stop the access point")
	case server.Metrics:
		return d.metrics.Text(d.signal()), nil
	case server.Reload:
		return d.trial.Reload(ctx)
	case server.StopDaemon:
		return d.stop()
	}
	return d.carryOutDeclared(ctx, peer, req)
}

// carryOutDeclared carries out a request about the declared network or a configuration on
// trial.
func (d *daemon) carryOutDeclared(ctx context.Context, peer server.Peer, req server.Request) (any, error) {
	switch req := req.(type) {
	case server.InterfaceDump:
		return d.declared.Dump(), nil
	case server.InterfaceStatus:
		return d.declared.Status(req.Name)
	case server.InterfaceUp:
		return nil, d.declared.Ask(ctx, req.Name, true)
	case server.InterfaceDown:
		return nil, d.declared.Ask(ctx, req.Name, false)
	case server.Plan:
		if !req.Config.IsZero() {
			return d.planFor(ctx, req.Config.Reveal())
		}
		return d.declared.Plan(ctx)
	case server.Apply:
		return d.trial.Begin(ctx, userName(peer.UID), req.Confirm)
	case server.Confirm:
		return client.ResultConfirmed, d.trial.Confirm(ctx, userName(peer.UID), req.Accepted)
	case server.Revert:
		return client.ResultReverted, d.trial.Revert(ctx, userName(peer.UID))
	case server.Extend:
		return d.trial.Extend(ctx, userName(peer.UID), req.By)
	}
	return nil, fmt.Errorf("carry out %s: unknown request", req.Command())
}

// stop ends the daemon. Under systemd it refuses, as systemd would start the daemon
// again at once.
func (d *daemon) stop() (any, error) {
	if os.Getenv("NOTIFY_SOCKET") != "" { // sd_notify(3)
		return nil, &client.Error{Code: client.CodeSupervised, Message: client.TextSupervised}
	}
	d.Stop()
	return client.ResultStopping, nil
}

func (d *daemon) do(ctx context.Context, kind policy.CommandKind, text string) (any, error) {
	return d.carryOut(ctx, policy.Command{Kind: kind}, text)
}

// carryOut lets the policy carry out a command. text is the message with which
// foosel's netconnectd answered any failure.
func (d *daemon) carryOut(ctx context.Context, c policy.Command, text string) (any, error) {
	result, err := d.sup.Do(ctx, c)
	var failed *supervisor.Failed
	if !errors.As(err, &failed) {
		return result, err
	}
	switch failed.Code {
	case client.CodeNoRadio:
		return nil, &client.Error{Code: failed.Code, Message: client.TextNotPresent(d.radio.Interface())}
	case client.CodeNotConfigured:
		return nil, &client.Error{Code: failed.Code, Message: client.TextNotConfigured}
	case "not_saved":
		return nil, notSaved([]byte(c.SSID))
	}
	return nil, &client.Error{Code: failed.Code, Message: text, Reason: failed.Reason}
}

func (d *daemon) listWifi(ctx context.Context, force bool) (any, error) {
	cells, err := d.cells(ctx, force)
	if err != nil {
		return nil, err
	}
	saved := map[string]bool{}
	for _, n := range d.radio.Networks().Networks() {
		saved[string(n.SSID)] = true
	}
	here := d.radio.Association()
	list := make([]client.BSS, 0, len(cells))
	for _, c := range cells {
		b := client.NewBSS(c.SSID, c.BSSID)
		b.Channel, b.Frequency = c.Channel, c.Frequency
		b.Encrypted, b.Security = c.Privacy, string(c.Security)
		b.Signal = &c.Signal
		b.Current = here != nil && isCellOf(c, *here)
		b.Saved = saved[string(c.SSID)] || b.Current && saved[string(here.SSID)]
		list = append(list, b)
	}
	return list, nil
}

// isCellOf reports whether the radio is associated with a cell. A cell with a hidden
// SSID is listed without one, so its BSSID decides.
func isCellOf(c wifi.BSS, here wifi.Association) bool {
	hidden := len(bytes.Trim(c.SSID, "\x00")) == 0
	return bytes.Equal(c.BSSID, here.BSSID) && (hidden || bytes.Equal(c.SSID, here.SSID))
}

// cells returns the cells in reach. If the radio cannot scan while it is an access
// point, force ends the access point for the time of the scan.
func (d *daemon) cells(ctx context.Context, force bool) ([]wifi.BSS, error) {
	cells, err := d.radio.Cells(ctx, force)
	if !force || !errors.Is(err, radio.ErrCannotScan) {
		return cells, d.scanError(err)
	}
	again := policy.Resume
	if d.sup.State().AP.Cause == policy.CauseAsked {
		again = policy.StartAP
	}
	if _, err := d.sup.Do(ctx, policy.Command{Kind: policy.StopAP}); err != nil {
		return nil, fmt.Errorf("stop the access point to scan: %w", err)
	}
	cells, err = d.radio.Cells(ctx, true)
	_, againErr := d.sup.Do(ctx, policy.Command{Kind: again})
	return cells, errors.Join(d.scanError(err), againErr)
}

// scanError converts the error of a scan into a client.Error if a person can remedy
// its cause.
func (d *daemon) scanError(err error) error {
	iface := d.radio.Interface()
	switch {
	case errors.Is(err, radio.ErrCannotScan):
		return &client.Error{Code: client.CodeBusy, Message: client.TextCannotScan}
	case errors.Is(err, wifi.ErrNoInterface):
		return &client.Error{Code: client.CodeNoRadio, Message: client.TextNotPresent(iface)}
	case errors.Is(err, wifi.ErrDown), errors.Is(err, unix.ERFKILL):
		soft, hard, blockedErr := ap.Blocked(iface)
		return downError(iface, blockedErr == nil && (soft || hard))
	}
	return err
}

// downError returns the error, with its remedy, for a radio that cannot scan because
// it is down.
func downError(iface string, blocked bool) error {
	text := "Wifi interface " + iface + " is down: try again in some seconds"
	if blocked {
		text = "Wifi interface " + iface + " is switched off: turn it on by `rfkill unblock wlan`, or by the device's switch"
	}
	return &client.Error{Code: client.CodeRadioOff, Message: text}
}

// configWifi stores a network as the candidate, which start_wifi tries. The saved
// networks stay.
func (d *daemon) configWifi(ctx context.Context, req server.ConfigWifi) (any, error) {
	cells, err := d.cells(ctx, req.Force)
	if err != nil {
		return nil, err
	}
	found := radio.CellsOf(cells, req.SSID)
	if len(found) == 0 && !req.Force { // the cell may have appeared since the last scan
		if cells, err = d.radio.Cells(ctx, true); err != nil {
			return nil, d.scanError(err)
		}
		found = radio.CellsOf(cells, req.SSID)
	}
	candidate, err := netsettings.Choose(found, req)
	if err != nil {
		return nil, err
	}
	if saved, ok := d.findListed(req.SSID); ok {
		candidate = netsettings.Retype(saved, candidate)
	}
	if err := d.radio.Networks().SetCandidate(candidate); err != nil {
		d.log.Error("store the candidate", "err", err)
	}
	d.postNetworks()
	return client.ResultConfigured(d.cfg.Load().Wifi.Name), nil
}
