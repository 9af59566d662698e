//go:build lab

package lab

import (
	"slices"
	"strings"
	"testing"
)

// TestCountry: a channel that the country does not allow is refused, and keeps
// nobody out: the access point comes up on another one until it is set right.
func TestCountry(t *testing.T) {
	l := New(t, "A channel that the country does not allow")
	l.Device.Configure(t, false, "ap.country: US")
	must(t, "", "sed", "-i", "s/channel: .*/channel: 13/", configFile)
	l.Timeline.Step("netconnectd started, access point on channel 1", func() string {
		l.Device.Start(t)
		l.awaitChannel(t, "channel 1 ")
		return "iw"
	})
	hostapd := l.Device.child(t, "hostapd")
	l.Timeline.Step("the log says why, status has the country", func() string {
		said := must(t, "", "journalctl", "--no-pager", "--output=cat", "-u", daemonUnit)
		if !slices.ContainsFunc(strings.Split(said, "\n"), func(line string) bool {
			return strings.Contains(line, "wanted=13 channel=1") && strings.Contains(line, "not allowed for AP mode")
		}) {
			t.Errorf("the log does not say why:\n%s", said)
		}
		if status := l.Device.Status(t); !strings.Contains(status.Text, `"country":"US"`) {
			t.Errorf("status: %s", status.Text)
		}
		return "journalctl, netconnectcli status; iw reg get: " + firstLine(strings.SplitAfter(must(t, "", "iw", "reg", "get"), "\n")[1])
	})
	l.Timeline.Step("a restart leaves it alone", func() string {
		l.Device.Restart(t)
		l.awaitChannel(t, "channel 1 ")
		if now := l.Device.child(t, "hostapd"); now != hostapd {
			t.Errorf("hostapd was %d and is %d", hostapd, now)
		}
		return "the same hostapd"
	})
	l.Timeline.Step("another country allows it", func() string {
		must(t, "", "sed", "-i", "s/country: US/country: DE/", configFile)
		l.Device.must(t, "root", "reload")
		l.awaitChannel(t, "channel 13 ")
		return "iw"
	})
}

func (l *Lab) awaitChannel(t *testing.T, channel string) {
	t.Helper()
	until(t, startingUp, "the access point is on "+channel, func() (string, bool) {
		info := must(t, "", "iw", "dev", radioDevice, "info")
		return info, strings.Contains(info, "type AP") && strings.Contains(info, channel)
	})
}
