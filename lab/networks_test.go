//go:build lab

package lab

import (
	"strings"
	"testing"
	"time"
)

// otherNetwork is how long the device may take to change to its other network: 2 s to
// be sure of the loss, a scan of the known channels, a join.
const otherNetwork = 8 * time.Second

// TestBetterNetworkDies switches off the router in use, the better of two saved
// networks. The device changes to the other network and never becomes an access
// point; a restart keeps it there although the better one is back. A person moves it
// to the better network, and away from there by removing that network.
func TestBetterNetworkDies(t *testing.T) {
	l := New(t, "Two known networks, the better router dies")
	l.switchOn(t, l.Home)
	l.switchOn(t, l.Neighbour)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	l.join(t, l.Neighbour)
	l.Timeline.Step("both are saved, the last one first", func() string {
		var saved []string
		for _, n := range l.Device.Status(t).WiFi.Networks {
			saved = append(saved, n.SSID)
		}
		if want := l.Neighbour.SSID + " " + l.Home.SSID; strings.Join(saved, " ") != want {
			t.Fatalf("saved are %q, want %q", saved, want)
		}
		return "netconnectcli status"
	})
	cursor := journalCursor(t)
	l.Timeline.Step("the router in use dies", func() string {
		l.Neighbour.DieSilently(t)
		return "killed"
	})
	l.seeOn(t, l.Home, noise()*otherNetwork)
	l.switchOn(t, l.Neighbour)
	l.Timeline.Step("netconnectd restarted", func() string {
		l.Device.Restart(t)
		return "systemctl"
	})
	l.seeOn(t, l.Home, joining)
	l.Timeline.Step("pi: netconnectcli connect to the better one", func() string {
		return firstLine(l.Device.must(t, member, "connect", l.Neighbour.SSID))
	})
	l.seeOn(t, l.Neighbour, noticed)
	l.Timeline.Step("pi: netconnectcli remove_network", func() string {
		return firstLine(l.Device.must(t, member, "remove_network", l.Neighbour.SSID))
	})
	l.seeOn(t, l.Home, joining)
	said := must(t, "", "journalctl", "--no-pager", "--output=cat", "--after-cursor="+cursor, "-u", daemonUnit)
	for line := range strings.Lines(said) {
		if strings.Contains(line, `msg="access point"`) && strings.Contains(line, "new=starting") {
			t.Errorf("there was an access point in between: %s", line)
		}
	}
	if saved := l.Device.Status(t).WiFi.Networks; len(saved) != 1 {
		t.Errorf("saved are %v, want one", saved)
	}
}
