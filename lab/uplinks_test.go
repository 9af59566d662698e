//go:build lab

package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBondIsUplink checks that a bond that another program has made keeps the access
// point away while one of its ports works, and no longer.
func TestBondIsUplink(t *testing.T) {
	const (
		bond   = "bond-wan"
		subnet = "192.168.81"
	)
	l := New(t, "A bond of two cables is the way out")
	network := namespace("switch")
	network.create(t)
	must(t, network, "ip", "link", "add", "sw0", "type", "bridge")
	must(t, network, "ip", "addr", "add", subnet+".1/24", "dev", "sw0")
	must(t, network, "ip", "link", "set", "sw0", "up")
	must(t, "", "ip", "link", "add", bond, "type", "bond", "mode", "active-backup", "miimon", "100")
	t.Cleanup(func() { _, _ = namespace("").run("ip", "link", "delete", bond) })
	cables := []string{"cable0", "cable1"}
	for _, cable := range cables {
		far := "far-" + cable
		must(t, "", "ip", "link", "add", cable, "type", "veth", "peer", "name", far, "netns", string(network))
		t.Cleanup(func() { _, _ = namespace("").run("ip", "link", "delete", cable) })
		must(t, network, "ip", "link", "set", far, "master", "sw0", "up")
		must(t, "", "ip", "link", "set", cable, "master", bond)
	}
	must(t, "", "ip", "addr", "add", subnet+".2/24", "dev", bond)
	must(t, "", "ip", "link", "set", bond, "up")
	must(t, "", "ip", "route", "add", "default", "via", subnet+".1")
	l.Device.Configure(t, false)
	l.Timeline.Step("netconnectd started", func() string { l.Device.Start(t); return "" })
	l.seeOnlineBy(t, bond)
	l.Timeline.Step("one cable is pulled", func() string {
		must(t, network, "ip", "link", "set", "far-"+cables[0], "down")
		return "the other one is left"
	})
	l.staysOnline(t, bond)
	l.Timeline.Step("the other cable is pulled", func() string {
		must(t, network, "ip", "link", "set", "far-"+cables[1], "down")
		return "none is left"
	})
	l.seeAccessPoint(t, hold+noticed+startingUp)
	l.Timeline.Step("a cable is back", func() string {
		must(t, network, "ip", "link", "set", "far-"+cables[0], "up")
		return ""
	})
	l.seeOnlineBy(t, bond)
	l.seeNoAccessPoint(t)
}

// TestModemIsUplink checks that a modem, whose link has neither Ethernet addresses nor a
// gateway, keeps the access point away while the modem has its default route, and no
// longer.
func TestModemIsUplink(t *testing.T) {
	l := New(t, "A modem with raw IP is the way out")
	modem := newModem(t)
	must(t, "", "ip", "link", "set", modem, "up")
	must(t, "", "ip", "addr", "add", "100.64.0.2/32", "dev", modem)
	must(t, "", "ip", "route", "add", "default", "dev", modem)
	l.Device.Configure(t, false)
	l.Timeline.Step("netconnectd started", func() string {
		l.Device.Start(t)
		return firstLine(must(t, "", "ip", "-d", "-o", "link", "show", "dev", modem))
	})
	l.seeOnlineBy(t, modem)
	l.staysOnline(t, modem)
	l.Timeline.Step("the modem loses its network", func() string {
		must(t, "", "ip", "route", "del", "default", "dev", modem)
		return "ip: no default route"
	})
	l.seeAccessPoint(t, hold+noticed+startingUp)
	l.Timeline.Step("the modem has a network again", func() string {
		must(t, "", "ip", "route", "add", "default", "dev", modem)
		return "ip: a default route"
	})
	l.seeOnlineBy(t, modem)
	l.seeNoAccessPoint(t)
}

// newModem plugs in a simulated modem of the WWAN subsystem, and returns its link.
func newModem(t *testing.T) string {
	t.Helper()
	const folder = "/sys/kernel/debug/wwan_hwsim"
	if _, err := os.Stat(folder); err != nil {
		must(t, "", "mount", "-t", "debugfs", "debugfs", "/sys/kernel/debug")
		t.Cleanup(func() { _, _ = namespace("").run("umount", "/sys/kernel/debug") })
	}
	before := modems(t)
	writeFile(t, filepath.Join(folder, "devcreate"), "1")
	after := modems(t)
	if len(after) != len(before)+1 {
		t.Fatalf("modems before %v, after %v", before, after)
	}
	simulated, _ := filepath.Glob(filepath.Join(folder, "hwsim*"))
	t.Cleanup(func() { writeFile(t, filepath.Join(simulated[len(simulated)-1], "destroy"), "1") })
	return after[len(after)-1]
}

// modems returns the links of the WWAN subsystem.
func modems(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("/sys/class/net/wwan*")
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return found
}

// seeOnlineBy checks that the device is online by an uplink.
func (l *Lab) seeOnlineBy(t *testing.T, uplink string) {
	t.Helper()
	l.Timeline.Step("the device is online by "+uplink, func() string {
		until(t, noticed, "status says online by "+uplink, func() (string, bool) {
			status := l.Device.Status(t)
			return status.Text, status.Link && strings.Contains(status.Text, `"interface":"`+uplink+`","portal"`)
		})
		return "netconnectcli status"
	})
}

// staysOnline checks that there is no access point after a time in which a loss would
// have brought one.
func (l *Lab) staysOnline(t *testing.T, uplink string) {
	t.Helper()
	time.Sleep(hold + noticed + startingUp) // this long nothing may happen
	l.seeOnlineBy(t, uplink)
	l.Timeline.Step("there is no access point", func() string {
		seen, ok := l.Device.HasNoAccessPoint(t)
		if !ok {
			t.Error(seen)
		}
		return seen
	})
}
