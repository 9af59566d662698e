//go:build lab

package lab

import (
	"maps"
	"strings"
	"testing"
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
