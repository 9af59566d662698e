package networkmanager

import (
	"context"
	"errors"
	"fmt"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// idleLimit is how long NetworkManager may do nothing with a radio that it manages.
// It starts within half a second if it has found the network.
const idleLimit = 3 * time.Second

// Await waits until NetworkManager, which joins known networks by itself, has joined
// one, but no longer than limit. The error is a *wifi.JoinError about the network
// that NetworkManager tried, or has the code CodeNotFound.
//
// If a router ends the exchange of keys, NetworkManager gives up the network for
// good, because there is no user who could type another key. Often the key was not
// wrong and a frame was lost, so Await makes NetworkManager try once more.
func (c *Client) Await(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errAwaited)
	defer cancel()
	events, err := c.follow(ctx)
	if err != nil {
		return err
	}
	defer events.close()
	verdict := &wifi.JoinError{Code: client.CodeNotFound, Reason: "NetworkManager has found no known network"}
	idle := idleLimit
	for {
		device, err := c.Device(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case device.Activated():
			return nil
		case device.Off:
			return radioOff()
		}
		failed, err := events.activation(ctx, idle)
		switch {
		case errors.Is(context.Cause(ctx), errAwaited):
			return verdict
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errIdle):
		case err != nil:
			return err
		case failed != nil:
			verdict = joinError(failed)
		}
		if idle < limit && (errors.Is(err, errIdle) || failed != nil && verdict.Code == client.CodeWrongKey) {
			idle = limit
			if err := events.tryAgain(ctx); err != nil {
				c.Log.Warn("NetworkManager cannot be told to try again", "iface", c.Interface, "err", err)
				continue
			}
			c.Log.Info("NetworkManager is told to try again", "iface", c.Interface, "reason", verdict.Reason)
		}
	}
}

var (
	errAwaited = errors.New("the time is up")
	errIdle    = errors.New("nothing happens")
)

// activation waits until the radio is in a network (nil), joining a network has
// failed, or something else has changed (also nil). If nothing happens at all for the
// time idle, the error is errIdle.
func (e *events) activation(ctx context.Context, idle time.Duration) (*stateError, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(idle, func() { cancel(errIdle) })
	defer timer.Stop()
	for {
		next, err := e.next(ctx)
		switch {
		case err != nil:
			return nil, err
		case next.state == nm.NmDeviceStateFailed:
			return &stateError{next.state, next.reason}, nil
		case next.active == "" && (next.state == nm.NmDeviceStateActivated || next.state <= nm.NmDeviceStateDisconnected):
			return nil, nil
		}
		timer.Stop() // the activation is under way
	}
}

// tryAgain makes NetworkManager try the network that it gave up for lack of a key. It
// does so whenever an agent appears that may know keys. So tryAgain registers an
// agent for as long as the events are received; the agent answers that it knows no
// key.
func (e *events) tryAgain(ctx context.Context) error {
	const agents = nm.NetworkManagerInterface + ".AgentManager"
	manager := e.bus.Object(nm.NetworkManagerInterface, nm.NetworkManagerObjectPath+"/AgentManager")
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	// An error means that the agent is not registered, which is fine.
	_ = manager.CallWithContext(ctx, agents+".Unregister", dbus.FlagNoAutoStart).Err
	if err := manager.CallWithContext(ctx, agents+".Register", dbus.FlagNoAutoStart, "netconnectd").Err; err != nil {
		return fmt.Errorf("register with NetworkManager as an agent: %w", err)
	}
	return nil
}
