package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
)

// judgeUplinks names every link with a default route, and whether it counts as an
// uplink. If a link leads out but does not count, the radio stays an access point
// although the device is online.
func judgeUplinks(f *Facts) []verdict {
	n := f.Network
	if n.Snapshot == nil {
		return unseen("the default routes", n.Unseen)
	}
	var found []verdict
	for _, l := range n.Links {
		if !l.Loopback() && n.HasDefaultRoute(l.Index) {
			found = append(found, f.judgeUplink(l))
		}
	}
	if found == nil {
		return good("no interface has a default route at the moment")
	}
	return found
}

func (f *Facts) judgeUplink(l link.Link) verdict {
	has := fmt.Sprintf("%s (%s) has a default route and ", l.Name, kindOf(l))
	wired := f.Settings.Interfaces.Wired
	switch {
	case f.Network.IsUplink(l, f.Radio.Name, wired):
		return verdict{OK, has + "counts as an uplink", ""}
	case l.Tunnel():
		return verdict{OK, has + "does not count as an uplink", "a tunnel seems to work when what is below it is dead, so that counts instead; to have " + l.Name + " count, name it in interfaces.wired"}
	}
	return verdict{Warning, fmt.Sprintf("%sdoes not count as an uplink: interfaces.wired is %s", has, wired),
		"while nothing else works the access point comes up, although the device may be online; name " + l.Name + " in interfaces.wired of " + configPath(f.Settings) + ", or leave that empty to have every interface count that leads out"}
}

// arphrdRawIP is the type of a modem's interface that carries IP without a link
// layer (ARPHRD_RAWIP, linux/if_arp.h).
const arphrdRawIP = 519

// kindOf returns the kind of a link, for people.
func kindOf(l link.Link) string {
	switch {
	case l.Kind != "":
		return l.Kind
	case l.Wireless:
		return "Wi-Fi"
	case l.Type == unix.ARPHRD_ETHER:
		return "wired"
	case l.Type == arphrdRawIP:
		return "raw IP"
	case l.Type == unix.ARPHRD_PPP:
		return "PPP"
	}
	return fmt.Sprintf("type %d", l.Type)
}
