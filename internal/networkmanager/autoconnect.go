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

// idleLimit is how long NetworkManager may do nothing with a radio that it has.
// It begins within half a second if it has heard of the network.
const idleLimit = 3 * time.Second

// Await waits until NetworkManager, which joins by itself what it knows, has
// done so, for as long as limit. The error is a *wifi.JoinError of what it
// tried, or CodeNotFound.
//
// What a router has thrown out while keys were exchanged NetworkManager gives up
// for good, since nobody is there to type another key. Often it was no wrong
// key but a frame that was lost, so it is told once to try again.
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

// activation waits until the radio is in a network (nil), joining one has failed,
// or something else has changed (nil, too). If nothing at all goes on for as
// long as idle, the error is errIdle.
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
		timer.Stop() // it is on its way
	}
}

// tryAgain has NetworkManager try what it has given up for lack of a key. It does
// so for each agent that comes and may know keys: so here is one, as long as
// the events are listened to. It knows none, and says so when it is asked.
func (e *events) tryAgain(ctx context.Context) error {
	const agents = nm.NetworkManagerInterface + ".AgentManager"
	manager := e.bus.Object(nm.NetworkManagerInterface, nm.NetworkManagerObjectPath+"/AgentManager")
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	// An error says that it is not there, which is as well.
	_ = manager.CallWithContext(ctx, agents+".Unregister", dbus.FlagNoAutoStart).Err
	if err := manager.CallWithContext(ctx, agents+".Register", dbus.FlagNoAutoStart, "netconnectd").Err; err != nil {
		return fmt.Errorf("register with NetworkManager as an agent: %w", err)
	}
	return nil
}
