//go:build lab

package lab

import (
	"slices"
	"strings"
	"testing"
)

// TestIPv6Only: a network without any IPv4 is a network.
func TestIPv6Only(t *testing.T) {
	l := New(t, "The router has IPv6 alone")
	l.Timeline.Step("router home on the air, IPv6 alone", func() string {
		l.Home.StartIPv6(t)
		return "hostapd_cli"
	})
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.Timeline.Step("pi: netconnectcli configure_wifi, select_wifi", func() string {
		l.Device.must(t, member, "configure_wifi", l.Home.SSID, l.Home.passphrase)
		return firstLine(l.Device.must(t, member, "select_wifi"))
	})
	l.Timeline.Step("device is on home", func() (seen string) {
		until(t, noticed, "an address of the router's prefix, and the router answers", func() (string, bool) {
			wifi := link(radioDevice)
			seen = wifi.String()
			if !slices.ContainsFunc(wifi.addresses(), func(a string) bool { return strings.HasPrefix(a, ipv6Prefix[:len(ipv6Prefix)-1]) }) {
				return seen, false
			}
			_, err := namespace("").run("ping", "-6", "-n", "-c", "1", "-W", "1", "-I", radioDevice, ipv6Router)
			return seen + ", no answer", err == nil && l.Device.Status(t).Connections.WiFi
		})
		return seen + ", ping -6, netconnectcli status"
	})
	l.seeNoAccessPoint(t)
}
