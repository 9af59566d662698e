package networkmanager

import (
	"context"
	"fmt"
	"slices"
	"strings"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"
)

// event is a change of the radio's state or of an activation, a report of 802.1X, or
// another change: NetworkManager, a device or a profile appeared or vanished.
type event struct {
	state, former nm.NmDeviceState
	reason        nm.NmDeviceStateReason

	active     dbus.ObjectPath // the path of the activation; "": none
	activation nm.NmActiveConnectionState

	authentication eapSignal

	profiles bool // the profiles may have changed
}

// events receives the signals that concern the radio, over a connection of its own.
type events struct {
	client  *Client
	radio   dbus.ObjectPath // "": NetworkManager does not know the radio now
	bus     *dbus.Conn
	signals chan *dbus.Signal
}

// Names of signals.
const (
	deviceAdded      = nm.NetworkManagerInterface + ".DeviceAdded"
	accessPointAdded = nm.DeviceWirelessInterface + ".AccessPointAdded"
	ownerChanged     = "org.freedesktop.DBus.NameOwnerChanged"
)

func member(signal string) string { return signal[strings.LastIndexByte(signal, '.')+1:] }

// matches selects the signals. Frequent signals, such as those about scan results,
// are not among them.
var matches = [][]dbus.MatchOption{
	{dbus.WithMatchInterface(nm.DeviceInterface), dbus.WithMatchMember("StateChanged")},
	{dbus.WithMatchInterface(nm.ActiveConnectionInterface), dbus.WithMatchMember("StateChanged")},
	{dbus.WithMatchInterface(nm.NetworkManagerInterface), dbus.WithMatchMember(member(deviceAdded))},
	{dbus.WithMatchInterface(nm.SettingsInterface)},
	{dbus.WithMatchInterface(nm.ConnectionInterface)},
	{dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember(member(ownerChanged)), dbus.WithMatchArg(0, nm.NetworkManagerInterface)},
}

// newCells selects the signals that report an access point which NetworkManager has
// found.
var newCells = []dbus.MatchOption{dbus.WithMatchInterface(nm.DeviceWirelessInterface), dbus.WithMatchMember(member(accessPointAdded))}

// follow subscribes to matches, and more.
func (c *Client) follow(ctx context.Context, more ...[]dbus.MatchOption) (*events, error) {
	e := &events{client: c, signals: make(chan *dbus.Signal, 64)}
	err := read(ctx, func() (err error) {
		if e.bus, err = dbus.ConnectSystemBus(dbus.WithContext(ctx), dbus.WithSignalHandler(dbus.NewSequentialSignalHandler())); err != nil {
			return fmt.Errorf("%w (%w)", ErrAbsent, err)
		}
		e.bus.Signal(e.signals)
		for _, match := range slices.Concat(matches, more) {
			if err := e.bus.AddMatchSignal(match...); err != nil {
				return err
			}
		}
		e.find(ctx)
		return nil
	})
	if err != nil {
		e.close()
		return nil, fmt.Errorf("listen to NetworkManager: %w", err)
	}
	return e, nil
}

// find stores the radio's path, which changes when its device is created again. It
// does not start a NetworkManager that does not run.
func (e *events) find(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	e.radio = ""
	// An error means that there is no such device, or no NetworkManager.
	_ = e.bus.Object(nm.NetworkManagerInterface, nm.NetworkManagerObjectPath).
		CallWithContext(ctx, nm.NetworkManagerInterface+".GetDeviceByIpIface", dbus.FlagNoAutoStart, e.client.Interface).Store(&e.radio)
}

func (e *events) close() {
	if e.bus != nil {
		e.bus.Close()
	}
}

// next waits for a signal. The error is that of ctx, or ErrAbsent when the bus is
// gone.
func (e *events) next(ctx context.Context) (event, error) {
	for {
		select {
		case <-ctx.Done():
			return event{}, context.Cause(ctx)
		case signal, ok := <-e.signals:
			if !ok && ctx.Err() != nil {
				return event{}, context.Cause(ctx)
			} else if !ok {
				return event{}, fmt.Errorf("%w (the bus is gone)", ErrAbsent)
			}
			if e, ok := e.decode(ctx, signal); ok {
				return e, nil
			}
		}
	}
}

// decode decodes a signal, and reports whether it concerns the radio.
func (e *events) decode(ctx context.Context, signal *dbus.Signal) (event, bool) {
	switch signal.Name {
	case nm.DeviceInterface + ".StateChanged":
		return e.ofOurs(signal)
	case nm.ActiveConnectionInterface + ".StateChanged":
		var state, reason uint32
		err := dbus.Store(signal.Body, &state, &reason)
		return event{active: signal.Path, activation: nm.NmActiveConnectionState(state)}, err == nil
	case supplicant + ".EAP":
		var heard eapSignal
		err := dbus.Store(signal.Body, &heard.status, &heard.parameter)
		return event{authentication: heard}, err == nil
	case deviceAdded:
		e.find(ctx)
		return event{}, true
	case ownerChanged:
		e.find(ctx)
	case accessPointAdded:
		return event{}, true
	}
	return event{profiles: true}, true
}

// ofOurs decodes a StateChanged signal (new, old, reason) of our radio.
func (e *events) ofOurs(signal *dbus.Signal) (found event, ours bool) {
	var numbers [3]uint32
	if signal.Path != e.radio || dbus.Store(signal.Body, &numbers[0], &numbers[1], &numbers[2]) != nil {
		return event{}, false
	}
	return event{
		state: nm.NmDeviceState(numbers[0]), former: nm.NmDeviceState(numbers[1]), reason: nm.NmDeviceStateReason(numbers[2]),
	}, true
}

// Change lists what may have changed.
type Change struct {
	Managed  bool // whether NetworkManager runs, and has the radio
	Joined   bool // whether the radio is in a network
	Profiles bool
}

// Watch calls changed at its start and after everything that may have changed the
// result of Device or the profiles, until ctx ends or the bus is gone.
func (c *Client) Watch(ctx context.Context, changed func(Change)) error {
	e, err := c.follow(ctx)
	if err != nil {
		return err
	}
	defer e.close()
	changed(Change{true, true, true})
	for {
		next, err := e.next(ctx)
		if err != nil {
			return err
		}
		changed(next.change())
	}
}

// change returns what an event may have changed. An event without a state concerns
// NetworkManager, its devices or its profiles.
func (e event) change() Change {
	if e.active != "" || e.state != 0 {
		managed := func(s nm.NmDeviceState) bool { return s > nm.NmDeviceStateUnmanaged }
		return Change{Managed: e.state != 0 && managed(e.state) != managed(e.former), Joined: true}
	}
	return Change{true, true, e.profiles}
}
