package wifi

import (
	"fmt"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Country returns the country whose rules the radios obey, as the kernel reports it:
// two capitals of ISO 3166-1, "00" for what is allowed all over the world, or "98"
// and "99" for the hardware's own rules (NL80211_CMD_GET_REG). Without cfg80211 there
// is no country: the result is "".
func Country() (string, error) {
	conn, err := genetlink.Dial(nil)
	if err != nil {
		return "", fmt.Errorf("read the country: %w", err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(commandDeadline))
	family, err := conn.GetFamily(unix.NL80211_GENL_NAME)
	if err != nil {
		return "", nil
	}
	replies, err := conn.Execute(genetlink.Message{
		Header: genetlink.Header{Command: unix.NL80211_CMD_GET_REG, Version: family.Version},
	}, family.ID, netlink.Request)
	if err != nil {
		return "", fmt.Errorf("read the country: %w", err)
	}
	for _, reply := range replies {
		ad, err := netlink.NewAttributeDecoder(reply.Data)
		if err != nil {
			return "", fmt.Errorf("read the country: %w", err)
		}
		for ad.Next() {
			if ad.Type() == unix.NL80211_ATTR_REG_ALPHA2 {
				return ad.String(), nil
			}
		}
	}
	return "", nil
}
