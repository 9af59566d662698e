package wifi

import (
	"context"
	"fmt"
	"net"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// SetPowerSave makes the radio sleep between beacons, or not
// (NL80211_CMD_SET_POWER_SAVE). Some radios that sleep answer late or not at all. An
// access point never sleeps in this way: drivers on mac80211 then return
// ErrNotSupported, drivers with a firmware of their own accept the command. The
// setting stays with the interface until it is removed.
//
// Errors wrap ErrNotSupported, ErrNoInterface or the context's error.
func SetPowerSave(ctx context.Context, ifname string, on bool) error {
	return configure(ctx, ifname, "set power save of %s", func(n *nl80211, ifindex int) error {
		return n.setPowerSave(ifindex, on)
	})
}

// configure carries out one command on one interface; what names the command in
// errors.
func configure(ctx context.Context, ifname, what string, do func(n *nl80211, ifindex int) error) error {
	what = fmt.Sprintf(what, ifname)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	ifi, err := net.InterfaceByName(ifname)
	if err != nil {
		return fmt.Errorf("%s: %w", what, ErrNoInterface)
	}
	conn, err := dialNL80211("")
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer conn.Close()
	if err := do(conn, ifi.Index); err != nil {
		return fmt.Errorf("%s: %w", what, explain(err))
	}
	return nil
}

func (n *nl80211) setPowerSave(ifindex int, on bool) error {
	state := uint32(unix.NL80211_PS_DISABLED)
	if on {
		state = unix.NL80211_PS_ENABLED
	}
	ae := netlink.NewAttributeEncoder()
	ae.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(ifindex))
	ae.Uint32(unix.NL80211_ATTR_PS_STATE, state)
	data, err := ae.Encode()
	if err != nil {
		return err
	}
	return n.command(unix.NL80211_CMD_SET_POWER_SAVE, data)
}
