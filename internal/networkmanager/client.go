// Package networkmanager drives one radio through NetworkManager, over D-Bus: whether
// NetworkManager manages the radio, taking the radio from it and handing the radio
// back, its profiles, and joining a network so that a failure changes nothing.
//
// Calls use gonetworkmanager, which has no deadlines (call.go). Signals, and the one
// call that gonetworkmanager lacks, use godbus: gonetworkmanager's own subscription
// receives the signals of every device, and mistakes the former state for the reason.
package networkmanager

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"
)

// manageLimit bounds the change between managed and unmanaged, once polkit allows it.
// Measured: 1.2 s.
const manageLimit = 15 * time.Second

// ErrAbsent means that NetworkManager does not run, or does not know the radio.
var ErrAbsent = errors.New("NetworkManager does not have the radio")

// Client drives one radio. Its methods may be called concurrently.
type Client struct {
	Interface    string        // the radio's name, e.g. "wlan0"
	AddressLimit time.Duration // how long a network that is being joined may take to assign an address; 0: as long as NetworkManager waits
	Log          *slog.Logger
}

// Device is the radio as NetworkManager reports it.
type Device struct {
	Managed bool
	State   nm.NmDeviceState
	Off     bool // unavailable, because Wi-Fi is switched off in NetworkManager or by rfkill

	proxy nm.Device
}

// Available reports whether NetworkManager manages the radio and can use it.
func (d Device) Available() bool {
	return d.Managed && d.State > nm.NmDeviceStateUnavailable
}

// Activated reports whether the radio is in a network, with an address.
func (d Device) Activated() bool { return d.State == nm.NmDeviceStateActivated }

// Device asks NetworkManager about the radio. The error is ErrAbsent if
// NetworkManager does not know the radio.
func (c *Client) Device(ctx context.Context) (d Device, err error) {
	err = read(ctx, func() error {
		if err := running(); err != nil {
			return err
		}
		manager, err := nm.NewNetworkManager()
		if err != nil {
			return err
		}
		if d.proxy, err = manager.GetDeviceByIpIface(c.Interface); err != nil {
			return err
		}
		if d.Managed, err = d.proxy.GetPropertyManaged(); err != nil {
			return err
		}
		if d.State, err = d.proxy.GetPropertyState(); err != nil || d.State != nm.NmDeviceStateUnavailable {
			return err
		}
		on, err := manager.GetPropertyWirelessEnabled() // this property also reflects rfkill
		d.Off = err == nil && !on
		return err
	})
	if err != nil {
		return Device{}, fmt.Errorf("ask NetworkManager of %s: %w", c.Interface, err)
	}
	return d, nil
}

// Back waits, for as long as limit, until a NetworkManager that is being restarted
// has the radio among its devices.
func (c *Client) Back(ctx context.Context, limit time.Duration) (Device, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		d, err := c.back(limited)
		if !errors.Is(err, ErrAbsent) {
			return d, err
		}
		select {
		case <-limited.Done():
			return d, err
		case <-time.After(busAgain): // the bus is being restarted, too
		}
	}
}

// busAgain is the pause before the next attempt to reach a missing bus.
const busAgain = 500 * time.Millisecond

// back is Back for as long as there is a bus.
func (c *Client) back(ctx context.Context) (Device, error) {
	events, err := c.follow(ctx)
	if err != nil {
		return Device{}, err
	}
	defer events.close()
	for {
		d, err := c.Device(ctx)
		if !errors.Is(err, ErrAbsent) {
			return d, err
		}
		if _, waitErr := events.next(ctx); waitErr != nil {
			return d, err
		}
	}
}

// running asks the bus first, because a call to a service that does not run could
// start it.
func running() error {
	bus, err := dbus.SystemBus()
	if err != nil {
		return ErrAbsent
	}
	var has bool
	if err := bus.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, nm.NetworkManagerInterface).Store(&has); err != nil {
		return err
	}
	if !has {
		return ErrAbsent
	}
	return nil
}

// Release takes the radio from NetworkManager and returns when NetworkManager no
// longer manages it. The caller must clear what NetworkManager leaves on the
// interface, such as its address.
func (c *Client) Release(ctx context.Context) error {
	return c.manage(ctx, false, func(d Device) bool { return d.State == nm.NmDeviceStateUnmanaged })
}

// HandBack returns the radio to NetworkManager and returns when NetworkManager can
// use it. The error is a *wifi.JoinError if the radio is switched off.
func (c *Client) HandBack(ctx context.Context) error {
	return c.manage(ctx, true, Device.Available)
}

func (c *Client) manage(ctx context.Context, managed bool, done func(Device) bool) error {
	events, err := c.follow(ctx)
	if err != nil {
		return err
	}
	defer events.close()
	device, err := c.Device(ctx)
	if err != nil {
		return err
	}
	if device.Managed != managed {
		if err := ask(ctx, actionControl, func() error { return device.proxy.SetPropertyManaged(managed) }); err != nil {
			return fmt.Errorf("have NetworkManager manage %s: %v: %w", c.Interface, managed, err)
		}
		c.Log.Info("NetworkManager", "iface", c.Interface, "managed", managed)
	}
	ctx, cancel := context.WithTimeout(ctx, manageLimit)
	defer cancel()
	for {
		switch device, err = c.Device(ctx); {
		case err != nil || done(device):
			return err
		case managed && device.Off:
			return radioOff()
		}
		if _, err := events.next(ctx); err != nil {
			return fmt.Errorf("wait for NetworkManager to manage %s: %v: %w", c.Interface, managed, err)
		}
	}
}
