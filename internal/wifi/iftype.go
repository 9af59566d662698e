package wifi

import (
	"context"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// SetStation turns an interface that is down back into a station (iw: "managed").
// hostapd does so itself, but not when it is killed.
//
// Errors wrap ErrNotSupported, ErrBusy (the interface is up), ErrNoInterface or the
// context's error.
func SetStation(ctx context.Context, ifname string) error {
	return configure(ctx, ifname, "make %s a station's", func(n *nl80211, ifindex int) error {
		ae := netlink.NewAttributeEncoder()
		ae.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(ifindex))
		ae.Uint32(unix.NL80211_ATTR_IFTYPE, unix.NL80211_IFTYPE_STATION)
		data, err := ae.Encode()
		if err != nil {
			return err
		}
		return n.command(unix.NL80211_CMD_SET_INTERFACE, data)
	})
}
