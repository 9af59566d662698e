package networkmanager

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"

	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

const (
	// joinLimit bounds an attempt: NetworkManager waits 25 s for a router and 45 s
	// for its DHCP server.
	joinLimit = 75 * time.Second

	// rollbackAfter is the time in seconds after which NetworkManager rolls back by
	// itself if we end in the middle of an attempt. It is longer than joining,
	// checking the address and the gateway, and polkit may take.
	rollbackAfter = 150

	// undoLimit bounds the steps that must happen although ctx has ended.
	undoLimit = 2 * askLimit

	// allowOverlapping is a flag of NMCheckpointCreateFlags: a checkpoint that a
	// killed process has left prevents no other.
	allowOverlapping = 8
)

// Trial is a network that was joined and may still be rolled back.
type Trial struct {
	client     *Client
	checkpoint nm.Checkpoint // nil: the radio was in no network before
	candidate  bool          // the profile is one that NetworkManager forgets by itself
	device     Device
	profile    dbus.ObjectPath
	active     dbus.ObjectPath // the path of the activation
}

// Join makes NetworkManager, which must manage the radio, join a network: with a
// profile, or without one (uuid "") with credentials that have not been tried. If
// that fails, everything is as before, and the error is a *wifi.JoinError or an error
// of the bus.
func (c *Client) Join(ctx context.Context, n store.Network, uuid string, air Air) (*Trial, error) {
	ctx, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	if uuid == "" {
		if err := checkFiles(n.EAP, nil); err != nil {
			return nil, err
		}
	}
	device, err := c.Device(ctx)
	if err != nil {
		return nil, err
	}
	events, err := c.follow(ctx, newCells, authentication)
	if err != nil {
		return nil, err
	}
	defer events.close()
	if !n.Hidden {
		if err := c.see(ctx, device, events, n, air); err != nil {
			return nil, err
		}
	}
	t := &Trial{client: c, device: device, candidate: uuid == ""}
	err = t.keep(ctx)
	if err == nil {
		err = t.attempt(ctx, n, uuid, events, air)
	}
	if err != nil {
		return nil, errors.Join(c.verdict(ctx, n, err, air), t.Undo(ctx))
	}
	return t, nil
}

// keep creates the checkpoint, unless the radio is in no network: to roll back to no
// network, NetworkManager would deactivate the tried one as if a person had done so,
// and would never join it by itself again.
func (t *Trial) keep(ctx context.Context) error {
	if t.device.State <= nm.NmDeviceStateDisconnected {
		return nil
	}
	err := ask(ctx, actionCheckpoint, func() error {
		manager, err := nm.NewNetworkManager()
		if err != nil {
			return err
		}
		t.checkpoint, err = manager.CheckpointCreate([]nm.Device{t.device.proxy}, rollbackAfter, allowOverlapping)
		return err
	})
	if err != nil {
		return fmt.Errorf("have NetworkManager keep what %s has: %w", t.client.Interface, err)
	}
	return nil
}

// attempt joins the network. The router's frames often show the cause of a failure
// earlier and more precisely than NetworkManager does.
func (t *Trial) attempt(ctx context.Context, n store.Network, uuid string, events *events, air Air) error {
	frames, err := air.Listen()
	if err != nil {
		return err
	}
	defer frames.Close()
	if err := t.activate(ctx, n, uuid); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	keysDone, stopListening := context.WithCancel(ctx)
	var listening sync.WaitGroup
	listening.Go(func() {
		if verdict, err := frames.Verdict(keysDone, n.Network); err == nil {
			cancel(verdict)
		}
	})
	err = t.await(ctx, events, n, stopListening)
	stopListening()
	listening.Wait()
	return err
}

// activate asks for the network. A profile is activated. New credentials become a
// profile that NetworkManager forgets by itself unless Save is called.
func (t *Trial) activate(ctx context.Context, n store.Network, uuid string) error {
	err := ask(ctx, actionControl, func() error {
		if uuid == "" {
			return t.addAndActivate(settingsOf(n, newUUID()))
		}
		settings, err := openSettings()
		if err != nil {
			return err
		}
		profile, err := settings.GetConnectionByUUID(uuid)
		if err != nil {
			return err
		}
		manager, err := nm.NewNetworkManager()
		if err != nil {
			return err
		}
		t.profile = profile.GetPath()
		active, err := manager.ActivateConnection(profile, t.device.proxy, nil)
		if err == nil {
			t.active = active.GetPath()
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("have NetworkManager join a network: %w", err)
	}
	return nil
}

// addAndActivate makes the call that gonetworkmanager lacks.
func (t *Trial) addAndActivate(s nm.ConnectionSettings) error {
	bus, err := dbus.SystemBus()
	if err != nil {
		return err
	}
	var result map[string]dbus.Variant
	return bus.Object(nm.NetworkManagerInterface, nm.NetworkManagerObjectPath).
		Call(nm.NetworkManagerInterface+".AddAndActivateConnection2", 0, s, t.device.proxy.GetPath(), dbus.ObjectPath("/"),
			map[string]dbus.Variant{"persist": dbus.MakeVariant("volatile")}).
		Store(&t.profile, &t.active, &result)
}

// stateError says how NetworkManager ended an activation.
type stateError struct {
	state  nm.NmDeviceState
	reason nm.NmDeviceStateReason
}

func (e *stateError) Error() string {
	state, reason := fmt.Sprint(e.state), fmt.Sprint(e.reason)
	return fmt.Sprintf("NetworkManager: %s, %s", strings.TrimPrefix(state, "NmDeviceState"), strings.TrimPrefix(reason, "NmDeviceStateReason"))
}

// await waits for the end of the activation, and calls keysDone when the keys are in
// place. The radio's state contains the cause of a failure; NetworkManager's previous
// network may fail meanwhile as well. Once the keys are in place, the network has
// AddressLimit to assign an address: NetworkManager itself waits longer for router
// advertisements.
func (t *Trial) await(ctx context.Context, events *events, n store.Network, keysDone func()) error {
	why := &stateError{state: nm.NmDeviceStateDisconnected}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := t.client.AddressLimit
	addressing := sync.OnceFunc(func() {
		keysDone()
		if limit > 0 {
			timer := time.AfterFunc(limit, func() { cancel(noAddress(limit)) })
			context.AfterFunc(ctx, func() { timer.Stop() })
		}
	})
	for {
		e, err := events.next(ctx)
		if err != nil {
			return fmt.Errorf("wait for NetworkManager: %w", err)
		}
		if verdict := e.authentication.verdict(n); verdict != nil {
			return verdict
		}
		switch ours := e.active == t.active; {
		case ours && e.activation == nm.NmActiveConnectionStateActivated:
			return nil
		case ours && e.activation == nm.NmActiveConnectionStateDeactivated:
			return why
		case e.state == nm.NmDeviceStateIpConfig:
			addressing()
		case e.state == nm.NmDeviceStatePrepare, e.state == nm.NmDeviceStateFailed, e.state == nm.NmDeviceStateDeactivating:
			why = &stateError{e.state, e.reason}
		}
	}
}

// Save keeps the profile for good, in place of an earlier profile of ours.
func (t *Trial) Save(ctx context.Context) error {
	err := ask(ctx, actionModify, func() error {
		bus, err := dbus.SystemBus()
		if err != nil {
			return err
		}
		const toDisk = uint32(1) // NMSettingsUpdate2Flags
		return bus.Object(nm.NetworkManagerInterface, t.profile).
			Call(nm.ConnectionInterface+".Update2", 0, map[string]map[string]dbus.Variant{}, toDisk, map[string]dbus.Variant{}).Err
	})
	if err != nil {
		return fmt.Errorf("have NetworkManager save the network: %w", err)
	}
	return nil
}

// Keep ends the trial; afterwards Undo is impossible.
func (t *Trial) Keep(ctx context.Context) error {
	if t.checkpoint == nil {
		return nil
	}
	return t.end(ctx, actionCheckpoint, func(m nm.NetworkManager) error { return m.CheckpointDestroy(t.checkpoint) })
}

// Undo ends the trial, even when ctx has ended: NetworkManager returns to the network
// that it had. If it had none, it leaves a candidate; a saved network it may keep
// until the radio is taken from it.
func (t *Trial) Undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	switch {
	case t.checkpoint != nil:
		return t.end(ctx, actionCheckpoint, func(m nm.NetworkManager) error {
			_, err := m.CheckpointRollback(t.checkpoint)
			return err
		})
	case t.candidate && t.active != "":
		return t.end(ctx, actionControl, func(m nm.NetworkManager) error {
			active, err := nm.NewActiveConnection(t.active)
			if err == nil {
				err = m.DeactivateConnection(active)
			}
			if notActive(err) {
				return nil // the activation has ended by itself
			}
			return err
		})
	}
	return nil
}

func notActive(err error) bool {
	var failed dbus.Error
	return errors.As(err, &failed) && (failed.Name == nm.NetworkManagerInterface+".ConnectionNotActive" || slices.Contains(absent, failed.Name))
}

func (t *Trial) end(ctx context.Context, action string, how func(nm.NetworkManager) error) error {
	err := ask(ctx, action, func() error {
		manager, err := nm.NewNetworkManager()
		if err != nil {
			return err
		}
		return how(manager)
	})
	if err != nil {
		return fmt.Errorf("end NetworkManager's trial: %w", err)
	}
	return nil
}

// Association returns the network that the radio is in.
func (c *Client) Association(ctx context.Context) (a wifi.Association, err error) {
	device, err := c.Device(ctx)
	if err != nil {
		return a, err
	}
	err = read(ctx, func() error {
		wireless, ok := device.proxy.(nm.DeviceWireless)
		if !ok {
			return fmt.Errorf("%s is no radio to NetworkManager", c.Interface)
		}
		cell, err := wireless.GetPropertyActiveAccessPoint()
		if err != nil || cell == nil {
			return errors.Join(err, errors.New("there is no access point"))
		}
		ssid, err1 := cell.GetPropertySSID()
		address, err2 := cell.GetPropertyHWAddress()
		mhz, err3 := cell.GetPropertyFrequency()
		a.SSID, a.Frequency = []byte(ssid), int(mhz)
		a.BSSID, _ = net.ParseMAC(address)
		return errors.Join(err1, err2, err3)
	})
	if err != nil {
		return a, fmt.Errorf("ask NetworkManager for the network: %w", err)
	}
	return a, nil
}
