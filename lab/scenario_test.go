//go:build lab

package lab

import (
	"strings"
	"testing"
	"time"
)

// TestColdStart starts with no saved network and no wired interface, so the daemon
// has nothing to wait for.
func TestColdStart(t *testing.T) {
	l := New(t, "Cold start, nothing saved, no wired interface")
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.phoneUses(t)
}

// TestColdStartUnplugged checks that the daemon waits for a wired interface without a
// cable, but only for a short time.
func TestColdStartUnplugged(t *testing.T) {
	l := New(t, "Cold start, nothing saved, wired interface without a cable")
	l.Cable.Socket(t)
	l.Device.Configure(t, true)
	l.coldStart(t, settle)
	l.phoneUses(t)
}

// TestJoinThroughSocket lets a user without privileges move the device from its
// access point to the router, and checks that it stays there.
func TestJoinThroughSocket(t *testing.T) {
	l := New(t, "A network is given to the device through its socket")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.listNetworks(t)
	l.join(t, l.Home)
	l.seeMarked(t)
	l.restart(t)
	l.Timeline.Step("daemon stopped: nothing of it is left", func() string {
		l.Device.Stop(t)
		return "no process of its user, no address, iw: managed"
	})
	l.Device.Start(t)
	l.seeOn(t, l.Home, joining)
}

// listNetworks checks that a person on the access point sees the router's network.
func (l *Lab) listNetworks(t *testing.T) {
	t.Helper()
	l.Timeline.Step("pi: netconnectcli list_wifi", func() string {
		list := l.Device.must(t, member, "list_wifi")
		for line := range strings.Lines(list) {
			if strings.Contains(line, l.Home.SSID) {
				return strings.Join(strings.Fields(line), " ")
			}
		}
		t.Fatalf("list_wifi does not show %s:\n%s", l.Home.SSID, list)
		return ""
	})
}

// seeMarked checks that the list marks the network that the device has joined.
func (l *Lab) seeMarked(t *testing.T) {
	t.Helper()
	l.Timeline.Step("pi: netconnectcli list_wifi marks the network", func() string {
		list := l.Device.must(t, member, "list_wifi")
		for line := range strings.Lines(list) {
			if strings.HasPrefix(line, l.Home.SSID) && strings.HasSuffix(line, "current, saved\n") {
				return strings.Join(strings.Fields(line), " ")
			}
		}
		t.Errorf("list_wifi does not mark %s:\n%s", l.Home.SSID, list)
		return ""
	})
}

// restart checks that an upgrade or a crash does not cost the connection.
func (l *Lab) restart(t *testing.T) {
	t.Helper()
	l.Timeline.Step("daemon restarted", func() string {
		before := l.Device.Started(t)
		l.Device.Restart(t)
		if l.Device.Started(t) == before {
			t.Fatal("systemd did not restart the daemon")
		}
		return "systemctl"
	})
	l.seeOn(t, l.Home, noticed)
	l.Timeline.Step("the daemon reports the access point as up", func() string {
		until(t, noticed, "status says wifi", func() (string, bool) {
			return "connections.wifi false", l.Device.Status(t).Connections.WiFi
		})
		return "netconnectcli status: connections.wifi"
	})
}

// TestBeforeReboot leaves a device that knows a network. See TestAfterReboot.
func TestBeforeReboot(t *testing.T) {
	l := New(t, "A network is saved; then the device reboots")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	l.Device.KeepForReboot = true
}

// TestAfterReboot runs in the next boot after TestBeforeReboot.
func TestAfterReboot(t *testing.T) {
	l := New(t, "After the reboot")
	l.switchOn(t, l.Home)
	l.bootOn(t)
}

// TestBeforeRebootManaged is TestBeforeReboot where NetworkManager joins networks.
func TestBeforeRebootManaged(t *testing.T) {
	l := New(t, "NetworkManager has saved a network; then the device reboots")
	l.switchOn(t, l.Home)
	l.Device.Manager(t)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	l.Device.KeepForReboot = true
}

// TestAfterRebootManaged runs in the next boot after TestBeforeRebootManaged.
func TestAfterRebootManaged(t *testing.T) {
	l := New(t, "After the reboot, with NetworkManager")
	manager := &Manager{l.Device}
	t.Cleanup(func() { manager.close(t) }) // so that NetworkManager is as it was before TestBeforeRebootManaged
	l.switchOn(t, l.Home)
	l.bootOn(t)
	l.Timeline.Step("NetworkManager has the network", manager.String)
}

// bootOn lets the boot continue with the neighbourhood on the air: the device's
// systemd starts the daemon, and no person does anything.
func (l *Lab) bootOn(t *testing.T) {
	t.Helper()
	must(t, "", "systemctl", "start", "--no-block", "multi-user.target")
	l.seeOn(t, l.Home, joining)
}

// TestRouterDies cuts the router's power, so that beacons and answers stop without a
// farewell. In a soak that happens to the same daemon again and again, and the daemon
// must not grow.
func TestRouterDies(t *testing.T) {
	l := New(t, "The router loses power and returns 60 s later")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	var g growth
	for range rounds() {
		cut := l.routerDies(t, l.Home)
		l.away(t, cut, 60*time.Second)
		l.switchOn(t, l.Home)
		l.seeOn(t, l.Home, joining)
		g.sample(t, l.Device)
	}
	g.judge(t)
}

// TestCableDuringFallback checks that a cable is an uplink that ends the access
// point, for as long as it is plugged in.
func TestCableDuringFallback(t *testing.T) {
	l := New(t, "A cable is plugged in while the access point serves, and pulled")
	l.Cable.Socket(t)
	l.Device.Configure(t, true)
	l.coldStart(t, settle)
	l.plugCable(t)
	l.seeNoAccessPoint(t)
	l.pullCable(t)
	l.seeAccessPoint(t, hold+startingUp)
	if l.Device.Status(t).Connections.Wired {
		t.Error("status still says wired, without a cable")
	}
}

func (l *Lab) plugCable(t *testing.T) {
	t.Helper()
	l.Timeline.Step("cable plugged in", func() string {
		l.Cable.Plug(t)
		return "systemd-networkd: " + l.awaitWiredLease(t)
	})
	l.Timeline.Step("the daemon notices that", func() string {
		until(t, noticed, "status says wired", func() (string, bool) {
			status := l.Device.Status(t)
			return "connections.wired false", status.Connections.Wired && status.Link
		})
		return "netconnectcli status: connections.wired"
	})
}

func (l *Lab) pullCable(t *testing.T) {
	t.Helper()
	l.Timeline.Step("cable pulled", func() string {
		l.Cable.Pull(t)
		return "ip: " + link(wiredDevice).String()
	})
}

// TestWrongPassphrase checks that a join is a transaction: it fails with its reason,
// and the previous network still works.
func TestWrongPassphrase(t *testing.T) {
	l := New(t, "A wrong passphrase harms nothing")
	l.switchOn(t, l.Home)
	l.switchOn(t, l.Neighbour)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	l.routerDies(t, l.Home)
	l.Timeline.Step("pi: the neighbour's network with a wrong passphrase", func() string {
		l.Device.must(t, member, "configure_wifi", l.Neighbour.SSID, "guessed wrong")
		reply := l.refused(t, member, "select_wifi")
		if !strings.HasPrefix(reply.Error, "could not connect") || reply.Code != "wrong_key" {
			t.Fatalf("select_wifi: %+v, want could not connect with code wrong_key", reply)
		}
		return reply.Error + ", code " + reply.Code
	})
	l.seeAccessPoint(t, noise()*servesAfterVerdict)
	l.switchOn(t, l.Home)
	l.seeOn(t, l.Home, joining)
}
