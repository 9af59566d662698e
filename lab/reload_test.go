//go:build lab

package lab

import (
	"os"
	"strings"
	"testing"
)

// TestReload checks that a changed configuration is applied while the daemon runs,
// and that a configuration with a problem changes nothing.
func TestReload(t *testing.T) {
	l := New(t, "The configuration is changed and reloaded")
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	before := l.Device.Started(t)
	l.edit(t, "channel: 6", "channel: 15")
	l.Timeline.Step("pi: netconnectcli reload, with a channel that does not exist", func() string {
		reply := l.refused(t, member, "reload")
		if reply.Code != "bad_config" || !strings.Contains(reply.Error, "ap.channel: 15 ") {
			t.Fatalf("reload: %+v, want bad_config that names ap.channel", reply)
		}
		return reply.Code + ": " + firstLine(reply.Error)
	})
	l.seeAccessPoint(t, noticed)
	l.edit(t, "channel: 15", "channel: 11")
	l.edit(t, "ssid: "+apSSID, "ssid: renamed")
	l.Timeline.Step("pi: netconnectcli reload", func() string {
		return firstLine(l.Device.must(t, member, "reload"))
	})
	l.Timeline.Step("phone sees the renamed access point on its new channel", func() string {
		until(t, noticed, "the new name", func() (string, bool) {
			return "not seen", l.Phone.Sees("renamed", frequency(11))
		})
		return "iw scan"
	})
	if l.Device.Started(t) != before {
		t.Error("the daemon was restarted")
	}
	l.startsWrong(t)
}

// startsWrong starts the daemon with a problem in the configuration: the last valid
// settings stay in force until the file is corrected.
func (l *Lab) startsWrong(t *testing.T) {
	t.Helper()
	problem := func() string {
		for _, p := range l.Device.Status(t).Problems {
			if p.Code == "config" {
				return p.Text + " → " + p.Remedy
			}
		}
		return ""
	}
	l.edit(t, "channel: 11", "channel: 6")
	l.edit(t, "ssid: renamed", "ssid: "+apSSID)
	l.Device.must(t, member, "reload")
	l.edit(t, "channel: 6", "channel: 15")
	l.Device.Stop(t)
	l.coldStart(t, servesAfterStart)
	l.Timeline.Step("status names the problem", func() string {
		until(t, noticed, "the problem in status", func() (string, bool) {
			return problem(), strings.Contains(problem(), "ap.channel: 15 ")
		})
		const wrong = "\nnetconnectd_config_last_load_successful 0\n"
		if told := l.Device.must(t, stranger, "metrics"); !strings.Contains(told, wrong) {
			t.Errorf("no%sin the metrics:\n%s", wrong, told)
		}
		return problem()
	})
	l.edit(t, "channel: 15", "channel: 6")
	l.Timeline.Step("pi: netconnectcli reload", func() string {
		reply := firstLine(l.Device.must(t, member, "reload"))
		until(t, noticed, "status without the problem", func() (string, bool) { return problem(), problem() == "" })
		return reply
	})
}

// edit replaces text of the device's configuration file.
func (l *Lab) edit(t *testing.T, old, replacement string) {
	t.Helper()
	text, err := os.ReadFile(configFile)
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("no %q in the configuration: %v\n%s", old, err, text)
	}
	writeFile(t, configFile, strings.ReplaceAll(string(text), old, replacement))
}
