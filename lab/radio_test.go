//go:build lab

package lab

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// switchedOff matches the daemon's texts about a radio that rfkill blocks.
var switchedOff = regexp.MustCompile(`(?i)rfkill|switched off|blocked`)

// TestRfkill checks that a radio which is switched off is reported, and used again
// when it is switched on.
func TestRfkill(t *testing.T) {
	l := New(t, "The radio is switched off and on by rfkill")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false, "ap.rescan: 5")
	l.coldStart(t, servesAfterStart)
	l.rfkill(t, "block")
	l.Timeline.Step("status says why there is no access point", func() string {
		var said Condition
		until(t, noticed, "access_point.reason names it", func() (string, bool) {
			said = l.Device.Status(t).AccessPoint.Condition
			return fmt.Sprintf("%+v", said), said.State != "up" && switchedOff.MatchString(said.Reason)
		})
		return fmt.Sprintf("%s: %s", said.State, said.Reason)
	})
	l.Timeline.Step("and 10 s later it still does", func() string {
		time.Sleep(10 * time.Second) // time for several attempts
		said := l.Device.Status(t).AccessPoint
		if said.State == "up" || !switchedOff.MatchString(said.Reason) {
			t.Errorf("access point %s: %s", said.State, said.Reason)
		}
		return fmt.Sprintf("%s: %s", said.State, said.Reason)
	})
	l.rfkill(t, "unblock")
	l.seeAccessPoint(t, joining)
	l.Timeline.Step("the daemon reports the access point as up", func() string {
		until(t, noticed, "status says ap", func() (string, bool) {
			status := l.Device.Status(t)
			return fmt.Sprintf("%+v", status.AccessPoint), status.Connections.AP
		})
		return "netconnectcli status: connections.ap"
	})

	l.join(t, l.Home)
	l.rfkill(t, "block")
	l.Timeline.Step("status says why there is no network", func() (said string) {
		until(t, noticed, "uplink.reason or wifi.last_error names it", func() (string, bool) {
			status := l.Device.Status(t)
			said = status.Uplink.State + ": " + status.Uplink.Reason
			if status.WiFi.LastError != nil {
				said += "; wifi: " + status.WiFi.LastError.Text
			}
			return said, status.Uplink.State != "online" && switchedOff.MatchString(said)
		})
		return said
	})
	l.rfkill(t, "unblock")
	l.seeOn(t, l.Home, joining)
}

// TestRfkillReset checks that with wifi.kill the daemon switches its radio on by
// itself, as access point and as station.
func TestRfkillReset(t *testing.T) {
	l := New(t, "The radio is switched off, and wifi.kill is set")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false, "ap.rescan: 5", "wifi.kill: true")
	l.coldStart(t, servesAfterStart)
	l.rfkill(t, "block")
	l.seeAccessPoint(t, joining)
	l.join(t, l.Home)
	l.rfkill(t, "block")
	l.seeOn(t, l.Home, joining)
}

func (l *Lab) rfkill(t *testing.T, verb string) {
	t.Helper()
	l.Timeline.Step("rfkill "+verb, func() string {
		found, err := filepath.Glob(fmt.Sprintf("/sys/class/ieee80211/phy%d/rfkill*", deviceRadio))
		if err != nil || len(found) != 1 {
			t.Fatalf("find the switch of the device's radio: %v, %v", found, err)
		}
		switchNumber := strings.TrimPrefix(filepath.Base(found[0]), "rfkill")
		must(t, "", "rfkill", verb, switchNumber)
		if verb == "block" {
			t.Cleanup(func() { must(t, "", "rfkill", "unblock", switchNumber) })
		}
		return "rfkill " + switchNumber
	})
}

// TestRadioReplugged pulls a USB radio and plugs it in again, as access point and as
// station.
func TestRadioReplugged(t *testing.T) {
	l := New(t, "The radio is pulled and plugged in again")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false, "ap.rescan: 5")
	l.coldStart(t, servesAfterStart)
	l.pullRadio(t)
	l.plugRadio(t)
	l.seeAccessPoint(t, noticed+startingUp)
	l.phoneUses(t)
	l.Phone.Leave()
	l.join(t, l.Home)
	l.pullRadio(t)
	l.plugRadio(t)
	l.seeOn(t, l.Home, joining)
}

// TestRadioLate checks that the daemon waits for a radio that does not exist yet.
func TestRadioLate(t *testing.T) {
	l := New(t, "The radio appears long after the daemon")
	l.Device.Configure(t, false)
	l.Device.pull(t)
	l.Timeline.Step("netconnectd started without a radio, and says so", func() string {
		l.Device.Start(t)
		var status Status
		until(t, noticed, "status says that there is no radio", func() (string, bool) {
			if r := l.Device.Run(t, stranger, "status"); r.Status != 0 {
				return r.Stderr, false
			}
			status = l.Device.Status(t)
			return status.Text, !status.WiFi.Present && !status.Connections.AP
		})
		time.Sleep(5 * time.Second) // so that the radio does not come just when the daemon first looks for it
		return "access point " + status.AccessPoint.State + ": " + status.AccessPoint.Reason
	})
	l.plugRadio(t)
	l.seeAccessPoint(t, noticed+startingUp)
	l.phoneUses(t)
}

func (l *Lab) pullRadio(t *testing.T) {
	t.Helper()
	l.Timeline.Step("radio pulled, status says so", func() string {
		l.Device.pull(t)
		until(t, noticed, "status says that there is no radio", func() (string, bool) {
			status := l.Device.Status(t)
			return status.Text, !status.WiFi.Present && !status.Connections.AP && !status.Connections.WiFi
		})
		return "netconnectcli status: wifi.present false"
	})
}

func (l *Lab) plugRadio(t *testing.T) {
	t.Helper()
	l.Timeline.Step("radio plugged in", func() string {
		l.Device.plug(t)
		return "ip: " + link(radioDevice).String()
	})
}

// drawer is the namespace of the device's radio while the radio is not plugged in.
const drawer = namespace("drawer")

// pull takes the radio out of the device. For the device, the interface has vanished.
func (d *Device) pull(t *testing.T) {
	t.Helper()
	drawer.create(t)
	d.index = must(t, "", "cat", "/sys/class/net/"+radioDevice+"/ifindex")
	must(t, "", "iw", "phy", devicePHY, "set", "netns", "name", string(drawer))
	t.Cleanup(func() {
		if link(radioDevice) == nil {
			d.plug(t)
		}
	})
}

// plug puts the radio back as a driver creates it: a station, down, with another
// index.
func (d *Device) plug(t *testing.T) {
	t.Helper()
	must(t, drawer, "ip", "link", "set", radioDevice, "down")
	must(t, drawer, "iw", "dev", radioDevice, "set", "type", "managed")
	must(t, drawer, "ip", "addr", "flush", "dev", radioDevice)
	// The kernel would reuse the old index if it were free.
	must(t, "", "ip", "link", "add", "name", "spare", "index", strings.TrimSpace(d.index), "type", "veth", "peer", "name", "spare1")
	must(t, drawer, "iw", "phy", devicePHY, "set", "netns", "1") // the namespace of process 1
	must(t, "", "ip", "link", "delete", "spare")
}
