//go:build lab

package lab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestCountry checks that a channel which the country does not allow is reported and
// locks no user out: the access point uses another channel until the setting is
// corrected.
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
	l.Timeline.Step("status says where the access point is, as the kernel does", func() string {
		status := l.Device.Status(t)
		until(t, startingUp, "status says up", func() (string, bool) {
			status = l.Device.Status(t)
			return status.Text, status.AccessPoint.State == "up"
		})
		info, at := must(t, "", "iw", "dev", radioDevice, "info"), status.AccessPoint
		if want := fmt.Sprintf("channel %d (%d MHz), width: %d MHz", at.Channel, at.Frequency, at.Width); !strings.Contains(info, want) {
			t.Errorf("status says %s, iw\n%s", want, info)
		}
		if !slices.Contains(at.Addresses, apAddress+"/24") {
			t.Errorf("status says that the access point's addresses are %q", at.Addresses)
		}
		return "netconnectcli status; iw"
	})
}

func (l *Lab) awaitChannel(t *testing.T, channel string) {
	t.Helper()
	until(t, startingUp, "the access point is on "+channel, func() (string, bool) {
		info := must(t, "", "iw", "dev", radioDevice, "info")
		return info, strings.Contains(info, "type AP") && strings.Contains(info, channel)
	})
}
