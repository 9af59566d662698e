//go:build lab

package lab

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestReasons lets a person try the neighbour's network, which fails in every way in
// which a network can fail. The reply, the status and the events must name the
// reason, the store must stay byte for byte the same, and the device must return to
// its previous network.
func TestReasons(t *testing.T) {
	l := New(t, "Why a network cannot be joined")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	l.triesInVain(t, savedFile)
}

// triesInVain runs TestReasons; saved returns the device's saved networks, byte for
// byte.
func (l *Lab) triesInVain(t *testing.T, saved func(*testing.T) string) {
	t.Helper()
	right, wrong := []string{l.Neighbour.passphrase}, []string{"guessed wrong"}
	mute := &DHCPServer{}
	mute.Behave(Manners{Silent: true})
	nothing := func() {}
	for _, row := range []struct {
		what     string
		settings []string // the settings of the neighbour's network
		before   func()   // runs before the attempt
		during   func()
		code     string
	}{
		{"the router is not there", right, nothing, nothing, "not_found"},
		{"the router has another passphrase", wrong, func() { l.Neighbour.Start(t) }, nothing, "wrong_key"},
		{"the router dies during the handshake", wrong, nothing, func() {
			l.Neighbour.awaitHandshake(t)
			l.Neighbour.DieSilently(t)
		}, "lost"},
		{"the DHCP server is silent", right, func() { l.Neighbour.StartWith(t, mute) }, nothing, "no_address"},
		{"the router has another security", append(right, "--security", "wpa3"), nothing, nothing, "security_mismatch"},
		{"the gateway is silent", append(right, "--ip", l.Neighbour.subnet+".120/24", "--gateway", l.Neighbour.Address()),
			func() { l.Neighbour.FallSilent(t) }, nothing, "no_gateway"},
	} {
		row.before()
		l.Device.must(t, member, append([]string{"add_network", l.Neighbour.SSID}, row.settings...)...)
		before, events := saved(t), l.events(t)
		l.Timeline.Step("pi: netconnectcli connect: "+row.what, func() string {
			start := time.Now()
			replied := make(chan Reply)
			go func() { replied <- l.Device.Run(t, member, "--json", "connect", l.Neighbour.SSID) }()
			row.during()
			reply := refusal(t, "connect", <-replied)
			if reply.Code != row.code || reply.Reason == "" {
				t.Errorf("connect: %+v, want code %s and a reason", reply, row.code)
			}
			return fmt.Sprintf("%s: %s, after %.1f s", reply.Code, reply.Reason, time.Since(start).Seconds())
		})
		l.seeOn(t, l.Home, joining)
		l.Timeline.Step("status and events say the same, the store is as it was", func() string {
			if e := l.Device.Status(t).WiFi.LastError; e == nil || e.Code != row.code || e.SSID != l.Neighbour.SSID {
				t.Errorf("last_error is %+v, want %s of %s", e, row.code, l.Neighbour.SSID)
			}
			if failed := events.failures(t); len(failed) != 1 || failed[0] != l.Neighbour.SSID+" "+row.code {
				t.Errorf("events tell of failures %q, want one of %s, %s", failed, l.Neighbour.SSID, row.code)
			}
			if now := saved(t); now != before {
				t.Errorf("what is saved became\n%s\nfrom\n%s", now, before)
			}
			return "netconnectcli status, events"
		})
		l.Device.must(t, member, "remove_network", l.Neighbour.SSID)
	}
}

// awaitHandshake waits until the device is associated and not yet authorized. With a
// wrong passphrase, hostapd lets the device wait for some seconds.
func (r *Router) awaitHandshake(t *testing.T) {
	t.Helper()
	until(t, noticed, "the device is in the handshake", func() (string, bool) {
		dump, _ := r.ns.run("iw", "dev", r.device, "station", "dump")
		return dump, strings.Contains(dump, "Station "+link(radioDevice).MAC) && hasLine(dump, "authorized:\tno")
	})
}

// TestPassphraseChanges changes the passphrase of a router that the device knows. The
// device must report that, and accept the new passphrase from a person.
func TestPassphraseChanges(t *testing.T) {
	l := New(t, "The router gets another passphrase")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	saved := savedFile(t)
	l.Timeline.Step("router restarts with another passphrase", func() string {
		l.Home.Become(t, func(c *routerConfig) { c.passphrase = "quite another horse" })
		return "hostapd_cli"
	})
	l.Timeline.Step("status says wrong_key", func() string {
		until(t, joining, "last_error is wrong_key", func() (string, bool) {
			status := l.Device.Status(t)
			return status.Text, status.WiFi.LastError != nil && status.WiFi.LastError.Code == "wrong_key"
		})
		return "netconnectcli status"
	})
	l.seeAccessPoint(t, hold+startingUp)
	if now := savedFile(t); now != saved {
		t.Errorf("the store became\n%s\nfrom\n%s", now, saved)
	}
	l.join(t, l.Home)
}

// TestHiddenNetwork checks that a hidden network is joined if it is saved as hidden,
// also after a restart and after its router was away.
func TestHiddenNetwork(t *testing.T) {
	l := New(t, "A hidden network")
	l.Home.hidden = true
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false, "link_monitor.hold: 5", "ap.rescan: 3")
	l.coldStart(t, servesAfterStart)
	l.Timeline.Step("it is not listed by its name", func() string {
		// The router answers only requests that name it, so a scan finds it only if
		// one of its beacons falls into the 30 ms on its channel.
		until(t, joining, "it is listed without a name", func() (string, bool) {
			list := l.Device.must(t, member, "--json", "list_wifi", "--force")
			if strings.Contains(list, `"ssid":"`+l.Home.SSID+`"`) {
				t.Fatalf("it is listed by its name: %s", list)
			}
			return list, strings.Contains(list, `"ssid":""`)
		})
		return "netconnectcli list_wifi"
	})
	l.connect(t, l.Home, "hidden", []string{l.Home.passphrase, "--hidden"})
	l.Timeline.Step("daemon restarted", func() string { l.Device.Restart(t); return "systemctl" })
	l.seeOn(t, l.Home, joining)
	l.Timeline.Step("router loses power", func() string { l.Home.DieSilently(t); return "killed" })
	l.seeAccessPoint(t, startingUp)
	l.switchOn(t, l.Home)
	l.seeOn(t, l.Home, joining)
}
