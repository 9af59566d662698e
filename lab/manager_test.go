//go:build lab

package lab

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestNetworkManager: the main job where NetworkManager has the radio. It joins
// what it knows; netconnectd takes the radio from it to be an access point, and
// hands it back.
func TestNetworkManager(t *testing.T) {
	l := New(t, "Side by side with NetworkManager")
	l.switchOn(t, l.Home)
	l.switchOn(t, l.Neighbour)
	m := l.Device.Manager(t)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.seeReleased(t, m)
	l.join(t, l.Home)
	l.Timeline.Step("NetworkManager has the network, and has saved it", func() string {
		files := m.Files(t)
		if state := m.State(); len(files) != 1 || !strings.HasPrefix(state, "100 ") {
			t.Fatalf("NetworkManager is in state %s and has saved %d profiles", state, len(files))
		}
		return m.String() + ", a file"
	})
	l.Timeline.Step("pi: the neighbour's network with a wrong passphrase", func() string {
		files := m.Files(t)
		l.Device.must(t, member, "configure_wifi", l.Neighbour.SSID, "guessed wrong")
		reply := l.refused(t, member, "select_wifi")
		if reply.Code != "wrong_key" {
			t.Errorf("select_wifi: %+v, want code wrong_key", reply)
		}
		if now := m.Files(t); !maps.Equal(now, files) {
			t.Errorf("the profiles became\n%v\nfrom\n%v", now, files)
		}
		return reply.Code + ": " + reply.Reason + "; the profiles are as they were"
	})
	l.seeOn(t, l.Home, joining)
	l.routerDies(t, l.Home)
	l.seeReleased(t, m)
	l.switchOn(t, l.Home)
	l.seeOn(t, l.Home, joining)
	l.Timeline.Step("daemon stopped, NetworkManager keeps the network", func() string {
		must(t, "", "systemctl", "stop", daemonUnit, socketUnit)
		if seen, ok := l.Device.On(l.Home); !ok {
			t.Errorf("the device is not on home any more: %s", seen)
		}
		return m.String()
	})
}

// seeReleased sees that NetworkManager has let go of the radio, and that nothing
// of it is on the interface.
func (l *Lab) seeReleased(t *testing.T, m *Manager) {
	t.Helper()
	l.Timeline.Step("NetworkManager has let go of the radio", func() string {
		if state := m.State(); !strings.HasPrefix(state, "10 ") {
			t.Errorf("NetworkManager has the radio: %s", state)
		}
		if found := m.foreignAddresses(); len(found) > 0 {
			t.Errorf("the access point has addresses of somebody else's: %v", found)
		}
		return m.String()
	})
}

// saved are NetworkManager's profiles as one text.
func (m *Manager) saved(t *testing.T) string {
	t.Helper()
	files := m.Files(t)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text.WriteString(name + "\n" + files[name])
	}
	return text.String()
}

// TestNetworkManagerReasons: why a network cannot be joined, found out through
// NetworkManager, which goes back to where it was.
func TestNetworkManagerReasons(t *testing.T) {
	l := New(t, "Why a network cannot be joined, with NetworkManager")
	l.switchOn(t, l.Home)
	m := l.Device.Manager(t)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	l.triesInVain(t, m.saved)
}

// TestNetworkManagerSecurities: every security. NetworkManager 1.42 would try
// SAE with a key of 64 digits, unless management frames are not protected.
func TestNetworkManagerSecurities(t *testing.T) {
	l := New(t, "Every security, with NetworkManager")
	l.switchOn(t, l.Home)
	m := l.Device.Manager(t)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	rows := l.knownSecurities(t)
	for i := range rows {
		rows[i].protected = rows[i].protected && rows[i].what != key64
	}
	l.securities(t, rows, m.saved)
}

// TestNetworkManagerComesAndGoes: whatever becomes of NetworkManager, the device
// is reached again without anybody's help.
func TestNetworkManagerComesAndGoes(t *testing.T) {
	l := New(t, "NetworkManager is restarted, stopped and started")
	l.switchOn(t, l.Home)
	m := l.Device.Manager(t)
	l.Device.Configure(t, false, "link_monitor.hold: 5")
	l.coldStart(t, servesAfterStart)
	hostapd := l.Device.child(t, "hostapd")
	l.Timeline.Step("restarted while there is an access point", func() string {
		must(t, "", "systemctl", "restart", "NetworkManager.service")
		until(t, noticed, "NetworkManager is back", func() (string, bool) { state := m.State(); return state, state != "" })
		return m.String()
	})
	l.seeAccessPoint(t, managerAgain)
	if now := l.Device.child(t, "hostapd"); now != hostapd {
		t.Errorf("the access point was interrupted: hostapd was %d and is %d", hostapd, now)
	}
	l.join(t, l.Home)
	l.Timeline.Step("restarted while joined", func() string {
		must(t, "", "systemctl", "restart", "NetworkManager.service")
		return "systemctl"
	})
	l.seeOn(t, l.Home, managerAgain)
	l.Timeline.Step("stopped while joined", func() string {
		must(t, "", "systemctl", "stop", "NetworkManager.service", "wpa_supplicant.service")
		return "systemctl"
	})
	l.seeAccessPoint(t, managerAgain)
	l.Timeline.Step("started again", func() string {
		m.Start(t)
		return m.String()
	})
	l.seeOn(t, l.Home, managerAgain)
}

// managerAgain is how long the device may be lost after NetworkManager came or
// went.
const managerAgain = 30 * time.Second
