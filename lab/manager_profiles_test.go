//go:build lab

package lab

import (
	"slices"
	"strings"
	"testing"
)

// TestNetworkManagerProfiles checks that a profile made with nmcli is used, and
// changed only when it is adopted, and then only in what was asked for. It also
// checks that the device can return to a network that a person tried without success.
func TestNetworkManagerProfiles(t *testing.T) {
	l := New(t, "A profile that somebody made with nmcli")
	l.switchOn(t, l.Home)
	l.Device.Manager(t)
	l.Device.Configure(t, false, "ap.rescan: 5")
	l.coldStart(t, servesAfterStart)
	const name = "Their home"
	l.Timeline.Step("root: nmcli connection add", func() string {
		return firstLine(must(t, "", "nmcli", "connection", "add", "type", "wifi", "ifname", radioDevice, "con-name", name, "ssid", l.Home.SSID,
			"wifi-sec.key-mgmt", "wpa-psk", "wifi-sec.psk", l.Home.passphrase,
			"connection.zone", "trusted", "ipv6.method", "disabled", "ipv4.dns-search", "example.org"))
	})
	l.seeOn(t, l.Home, joining)
	l.Timeline.Step("pi: set_network is refused, and works after adopt", func() string {
		change := []string{"set_network", l.Home.SSID, "--priority", "5"}
		if reply := l.refused(t, member, change...); reply.Code != "foreign" {
			t.Errorf("set_network: %+v, want code foreign", reply)
		}
		l.Device.must(t, member, "adopt", l.Home.SSID)
		l.Device.must(t, member, change...)
		fields := "connection.autoconnect-priority,connection.zone,ipv6.method,ipv4.dns-search,802-11-wireless-security.psk"
		got := strings.Split(strings.TrimSpace(must(t, "", "nmcli", "--show-secrets", "--get-values", fields, "connection", "show", name)), "\n")
		want := []string{"5", "trusted", "disabled", "example.org", l.Home.passphrase}
		if !slices.Equal(got, want) {
			t.Errorf("nmcli says %q, want %q", got, want)
		}
		return "nmcli: " + strings.Join(got[:4], ", ")
	})
	l.seeOn(t, l.Home, noticed)

	l.routerDies(t, l.Home)
	l.Home.FallSilent(t)
	l.switchOn(t, l.Home)
	l.Timeline.Step("pi: netconnectcli connect, and its gateway is silent", func() string {
		reply := l.refused(t, member, "connect", l.Home.SSID)
		if reply.Code != "no_gateway" {
			t.Errorf("connect: %+v, want code no_gateway", reply)
		}
		return reply.Code + ": " + reply.Reason
	})
	l.Home.Recover(t)
	l.seeOn(t, l.Home, joining)
}
