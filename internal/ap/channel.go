package ap

import (
	"context"
	"errors"
)

// worldChannel is allowed to access points everywhere: the world's regulatory
// domain of wireless-regdb has 1 to 11.
const worldChannel = 1

// channelError is the error of a radio that may not, or cannot, be an access point
// on the channel.
type channelError struct{ error }

func (e channelError) Unwrap() error { return e.error }

// onSomeChannel serves on the configured channel or, if the radio may not use that
// channel, on worldChannel: a wrong setting must not lock out the people who could
// correct it.
func (a *AccessPoint) onSomeChannel(ctx context.Context, ready func()) error {
	if other := a.on(worldChannel); a.replacedBy(other) {
		return other.serve(ctx, ready) // the hostapd of the previous run serves there
	}
	err := a.serve(ctx, ready)
	var wrong channelError
	if !errors.As(err, &wrong) || a.config.Channel == worldChannel {
		return err
	}
	a.log.Error("the access point uses another channel", "iface", a.config.Interface,
		"wanted", a.config.Channel, "channel", worldChannel, "reason", err)
	return a.on(worldChannel).serve(ctx, ready)
}

// on returns the same access point on another channel.
func (a *AccessPoint) on(channel int) *AccessPoint {
	other := *a
	other.config.Channel = channel
	other.hostapdConfig = rendered(other.config)
	return &other
}

// replacedBy reports whether the running hostapd has the configuration of other, and
// not ours.
func (a *AccessPoint) replacedBy(other *AccessPoint) bool {
	running, found := a.runner.Find(RoleHostapd)
	return found && running.Hash() != a.hostapdChild().Hash && running.Hash() == other.hostapdChild().Hash
}
