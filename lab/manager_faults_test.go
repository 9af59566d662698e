//go:build lab

package lab

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// managerAgain is how long the device may be lost after NetworkManager starts or
// ends.
const managerAgain = 30 * time.Second

// TestNetworkManagerComesAndGoes checks that whatever happens to NetworkManager, the
// device becomes reachable again without any help.
func TestNetworkManagerComesAndGoes(t *testing.T) {
	l := New(t, "NetworkManager and D-Bus are restarted, removed and installed")
	l.switchOn(t, l.Home)
	m := l.Device.Manager(t)
	l.Device.Configure(t, false, "link_monitor.hold: 5", "ap.rescan: 5")
	l.coldStart(t, servesAfterStart)
	daemon, hostapd := l.Device.MainPID(t), l.Device.child(t, "hostapd")
	uninterrupted := func() {
		t.Helper()
		l.seeAccessPoint(t, managerAgain)
		if now := l.Device.child(t, "hostapd"); now != hostapd {
			t.Errorf("the access point was interrupted: hostapd was %d and is %d", hostapd, now)
		}
	}
	l.Timeline.Step("NetworkManager restarted while there is an access point", func() string { return m.restart(t) })
	uninterrupted()
	l.Timeline.Step("D-Bus restarted while there is an access point", func() string { return m.losesBus(t) })
	uninterrupted()
	l.Timeline.Step("NetworkManager, which has ended with D-Bus, is started", func() string { m.Start(t); return m.String() })
	l.join(t, l.Home)
	l.Timeline.Step("NetworkManager restarted while joined", func() string { return m.restart(t) })
	l.seeOn(t, l.Home, managerAgain)
	l.Timeline.Step("D-Bus restarted while joined", func() string { return m.losesBus(t) })
	l.seeAccessPoint(t, managerAgain)
	l.Timeline.Step("NetworkManager, which has ended with D-Bus, is started", func() string { m.Start(t); return m.String() })
	l.seeOn(t, l.Home, managerAgain)
	l.Timeline.Step("NetworkManager restarted while a network is being joined", func() string {
		l.Device.must(t, member, "add_network", l.Neighbour.SSID, l.Neighbour.passphrase, "--hidden")
		replied := make(chan Reply)
		go func() { replied <- l.Device.Run(t, member, "--json", "connect", l.Neighbour.SSID) }()
		until(t, noticed, "the device joins it", func() (string, bool) {
			state := l.Device.Status(t).Uplink.State
			return state, state == "joining"
		})
		m.restart(t)
		return refusal(t, "connect", <-replied).Code
	})
	l.seeOn(t, l.Home, managerAgain)
	l.Timeline.Step("NetworkManager removed while joined", func() string {
		m.dpkg(t, "dpkg --remove network-manager")
		must(t, "", "systemctl", "stop", "wpa_supplicant.service")
		return "dpkg"
	})
	l.seeAccessPoint(t, managerAgain)
	l.Timeline.Step("NetworkManager installed", func() string {
		m.dpkg(t, "dpkg --install /var/lib/packages/network-manager_*.deb")
		m.Start(t)
		return m.String()
	})
	l.seeOn(t, l.Home, managerAgain)
	if now := l.Device.MainPID(t); now != daemon {
		t.Errorf("the daemon was %d and is %d", daemon, now)
	}
}

func (m *Manager) dpkg(t *testing.T, command string) {
	t.Helper()
	if out, err := namespace("").runFor(time.Minute, "sh", "-c", command); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// restart waits until NetworkManager knows the radio again.
func (m *Manager) restart(t *testing.T) string {
	t.Helper()
	must(t, "", "systemctl", "restart", "NetworkManager.service")
	m.awaitRadio(t)
	return m.String()
}

// losesBus restarts D-Bus. NetworkManager then ends in order, so that systemd does
// not start it again.
func (m *Manager) losesBus(t *testing.T) string {
	t.Helper()
	must(t, "", "systemctl", "restart", "dbus.service")
	until(t, noticed, "NetworkManager has ended", func() (string, bool) {
		out, _ := namespace("").run("systemctl", "is-active", "NetworkManager.service")
		return out, strings.TrimSpace(out) == "inactive"
	})
	return "systemctl"
}

// TestNetworkManagerGetsItBack checks that a radio which was taken for the access
// point returns to NetworkManager, whatever happens to the daemon or the radio.
func TestNetworkManagerGetsItBack(t *testing.T) {
	l := New(t, "NetworkManager gets its radio back")
	l.switchOn(t, l.Home)
	m := l.Device.Manager(t)
	l.Device.Configure(t, false, "ap.rescan: 5")
	l.coldStart(t, servesAfterStart)
	l.pullRadio(t)
	l.plugRadio(t)
	l.seeAccessPoint(t, noticed+startingUp)
	l.seeReleased(t, m, noticed)
	l.seeAccessPoint(t, startingUp)
	l.Timeline.Step("daemon killed with -9 and not restarted", func() string {
		l.Device.Kill(t)
		must(t, "", "systemctl", "stop", daemonUnit, socketUnit)
		until(t, managerAgain, "NetworkManager has the radio", func() (string, bool) {
			state := m.State()
			return state, state != "" && !strings.HasPrefix(state, "10 ")
		})
		return m.String()
	})
	l.Device.Start(t)
	l.seeAccessPoint(t, startingUp)
	l.join(t, l.Home)
	l.pullRadio(t)
	l.plugRadio(t)
	l.seeOn(t, l.Home, joining)
}

// TestNetworkManagerRights checks that the daemon's user may ask NetworkManager for
// what the rules name, and for nothing else on the bus. Without the rules, replies
// and status must name those that are missing.
func TestNetworkManagerRights(t *testing.T) {
	l := New(t, "What the daemon may do on D-Bus")
	m := l.Device.Manager(t)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.Timeline.Step("NetworkManager allows its user three things", func() string {
		want := []string{"checkpoint-rollback", "network-control", "settings.modify.system"}
		if got := m.allowed(t); !slices.Equal(got, want) {
			t.Errorf("allowed are %v, want %v", got, want)
		}
		return "GetPermissions: " + strings.Join(want, ", ")
	})
	l.Timeline.Step("everything else is refused", func() string { return l.Device.tries(t) })
	l.Timeline.Step("without the rules status says which are missing", func() string {
		must(t, "", "mv", rulesFile, "/run/rules")
		t.Cleanup(func() {
			if _, err := os.Stat("/run/rules"); err == nil {
				restoreRules(t, "/run/rules")
			}
		})
		until(t, noticed, "polkit has noticed", func() (string, bool) { now := m.allowed(t); return fmt.Sprint(now), len(now) == 0 })
		must(t, "", "systemctl", "stop", daemonUnit, socketUnit) // hands the radio back, if the rights suffice
		must(t, "", "nmcli", "device", "set", radioDevice, "managed", "yes")
		l.Device.Start(t)
		var reason string
		until(t, noticed, "status names the action", func() (string, bool) {
			reason = l.Device.Status(t).AccessPoint.Reason
			return reason, strings.Contains(reason, "org.freedesktop.NetworkManager.network-control")
		})
		return reason
	})
	l.Timeline.Step("and so does a reply", func() string {
		reply := l.refused(t, member, "add_network", "home", "correct horse")
		if reply.Code != "permission_denied" || !strings.Contains(reply.Error, "org.freedesktop.NetworkManager.settings.modify.system") {
			t.Errorf("add_network: %+v", reply)
		}
		return reply.Code + ": " + reply.Error
	})
	l.Timeline.Step("with the rules again", func() string {
		restoreRules(t, "/run/rules")
		return rulesFile + ", polkit started anew"
	})
	l.seeAccessPoint(t, 2*managerAgain)
}

// allowed returns the permissions that NetworkManager grants the daemon's user, as it
// reports them to that user.
func (m *Manager) allowed(t *testing.T) []string {
	t.Helper()
	out := must(t, "", asDaemon("busctl", "--json=short", "call", "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager",
		"org.freedesktop.NetworkManager", "GetPermissions")...)
	var reply struct{ Data []map[string]string }
	if err := json.Unmarshal([]byte(out), &reply); err != nil || len(reply.Data) != 1 {
		t.Fatalf("GetPermissions: %v\n%s", err, out)
	}
	permissions := reply.Data[0]
	maps.DeleteFunc(permissions, func(_, answer string) bool { return answer != "yes" })
	var names []string
	for name := range permissions {
		names = append(names, strings.TrimPrefix(name, "org.freedesktop.NetworkManager."))
	}
	return slices.Sorted(slices.Values(names))
}

func asDaemon(argv ...string) []string {
	return append([]string{"setpriv", "--reuid=" + daemonUser, "--regid=" + daemonUser, "--clear-groups"}, argv...)
}

// tries makes requests as the daemon's user that must be refused.
func (d *Device) tries(t *testing.T) string {
	t.Helper()
	const manager, settings = "org.freedesktop.NetworkManager /org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager /org/freedesktop/NetworkManager/Settings"
	witness := func() string {
		return must(t, "", "nmcli", "networking") + must(t, "", "nmcli", "radio", "wifi") + must(t, "", "hostname")
	}
	before := witness()
	refusal := regexp.MustCompile("(?i)denied|not allowed|insufficient privileges|authentication (is )?required|authorization failed|not authorized")
	all := []string{
		"call " + manager + " org.freedesktop.NetworkManager Enable b false",
		"call " + manager + " org.freedesktop.NetworkManager Sleep b true",
		"call " + manager + " org.freedesktop.NetworkManager Reload u 0",
		"set-property " + manager + " org.freedesktop.NetworkManager WirelessEnabled b false",
		"call " + settings + " org.freedesktop.NetworkManager.Settings SaveHostname s taken",
		"call org.freedesktop.hostname1 /org/freedesktop/hostname1 org.freedesktop.hostname1 SetHostname sb taken false",
		"call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StopUnit ss lab.service replace",
		"call fi.w1.wpa_supplicant1 /fi/w1/wpa_supplicant1 fi.w1.wpa_supplicant1 GetInterface s " + radioDevice,
		"get-property fi.w1.wpa_supplicant1 /fi/w1/wpa_supplicant1 fi.w1.wpa_supplicant1 Interfaces",
		"call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus RequestName su org.freedesktop.NetworkManager2 0",
	}
	for _, try := range all {
		_, err := namespace("").run(asDaemon(append([]string{"busctl"}, strings.Fields(try)...)...)...)
		if err == nil || !refusal.MatchString(err.Error()) {
			t.Errorf("busctl %s: %v, want a refusal", try, err)
		}
	}
	if now := witness(); now != before {
		t.Errorf("networking, radio and name are\n%s, want\n%s", now, before)
	}
	return fmt.Sprintf("busctl, %d tries; nmcli, hostname", len(all))
}
