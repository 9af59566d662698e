//go:build lab

package lab

import (
	"testing"
)

// TestForwarding checks that phones on the access point reach the cable's network,
// and that the device forwards nothing after the access point has ended.
func TestForwarding(t *testing.T) {
	l := New(t, "Forwarding from the access point to the cable")
	l.Cable.Socket(t)
	l.Cable.Plug(t)
	l.Timeline.Step("cable plugged in", func() string { return "systemd-networkd: " + l.awaitWiredLease(t) })
	before := l.Device.traces(t)
	l.Device.Configure(t, true, "ap.forwarding_to_wired: true")
	l.Device.Start(t)
	l.awaitUplink(t, "online")
	l.Timeline.Step("pi: netconnectcli start_ap", func() string {
		return firstLine(l.Device.must(t, member, "start_ap"))
	})
	l.seeAccessPoint(t, startingUp)
	l.phoneUses(t)
	l.Timeline.Step("phone reaches the cable's network", func() string {
		until(t, noticed, "the server behind the cable answers the phone", func() (string, bool) {
			return must(t, "", "nft", "list", "ruleset"), l.Phone.Reaches(wiredSubnet + ".1")
		})
		return "ping " + wiredSubnet + ".1"
	})
	l.Phone.Leave()
	l.stopsClean(t, before, "while forwarding")
}
