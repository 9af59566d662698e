//go:build lab

package lab

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestIPv6Only checks that the device is online, with name servers, in a network
// without any IPv4, and that the next daemon is, too.
func TestIPv6Only(t *testing.T) {
	l := New(t, "The router has IPv6 alone")
	before := l.Device.traces(t)
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
	l.hasNamesByIPv6(t)
	l.Timeline.Step("daemon restarted", func() string { l.Device.Restart(t); return "systemctl" })
	l.hasNamesByIPv6(t)
	l.stopsClean(t, before, "in a network of IPv6 alone")
}

// hasNamesByIPv6 checks that the router's name server is in use, and that its default
// route has the metric of the configuration.
func (l *Lab) hasNamesByIPv6(t *testing.T) {
	t.Helper()
	l.Timeline.Step("the router's name server is in use", func() string {
		until(t, noticed, "resolv.conf has it, and the uplink works", func() (string, bool) {
			text, _ := os.ReadFile(resolvConf)
			return string(text), strings.Contains(string(text), "nameserver "+ipv6Router+"\n") && l.Device.Status(t).Connections.WiFi
		})
		return resolvConf
	})
	l.Timeline.Step("its default route has wifi.metric", func() string {
		routes := must(t, "", "ip", "-6", "route", "show", "default", "dev", radioDevice)
		if !strings.Contains(routes, " metric 600 ") {
			t.Errorf("default routes: %s", routes)
		}
		return firstLine(routes)
	})
}
