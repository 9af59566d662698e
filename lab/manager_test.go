//go:build lab

package lab

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestNetworkManager is the main story where NetworkManager manages the radio.
// NetworkManager joins the networks that it knows; netconnectd takes the radio to be
// an access point, and hands it back.
func TestNetworkManager(t *testing.T) {
	l := New(t, "Side by side with NetworkManager")
	l.Cable.Socket(t)
	l.switchOn(t, l.Home)
	l.switchOn(t, l.Neighbour)
	m := l.Device.Manager(t)
	l.Device.Configure(t, true)
	l.coldStart(t, settle)
	l.seeReleased(t, m, 0)
	l.phoneUses(t)
	l.Phone.Leave()
	l.listNetworks(t)
	l.join(t, l.Home)
	l.Timeline.Step("NetworkManager has the network, and has saved it", func() string {
		files := m.Files(t)
		if state := m.State(); len(files) != 1 || !strings.HasPrefix(state, "100 ") {
			t.Fatalf("NetworkManager is in state %s and has saved %d profiles", state, len(files))
		}
		return m.String() + ", a file"
	})
	l.restart(t)
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
	l.seeReleased(t, m, 0)
	l.plugCable(t)
	l.seeNoAccessPoint(t)
	l.pullCable(t)
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

// seeReleased checks that NetworkManager has let go of the radio, and that the
// interface carries nothing of NetworkManager's. within is 0 where netconnectd took
// the radio before the access point started. A radio that was plugged in becomes
// NetworkManager's by itself, if need be after that, and is taken then.
func (l *Lab) seeReleased(t *testing.T, m *Manager, within time.Duration) {
	t.Helper()
	l.Timeline.Step("NetworkManager has let go of the radio", func() string {
		until(t, within, "NetworkManager has let go of the radio", func() (string, bool) {
			state := m.State()
			return state, strings.HasPrefix(state, "10 ")
		})
		if found := m.foreignAddresses(); len(found) > 0 {
			t.Errorf("the access point has addresses of somebody else's: %v", found)
		}
		return m.String()
	})
}

// saved returns NetworkManager's profiles as one text.
func (m *Manager) saved(t *testing.T) string {
	t.Helper()
	files := m.Files(t)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text.WriteString(name + "\n" + files[name])
	}
	return text.String()
}

// TestNetworkManagerReasons checks that netconnectd finds the reasons of failed joins
// through NetworkManager, which must return to its previous network.
func TestNetworkManagerReasons(t *testing.T) {
	l := New(t, "Why a network cannot be joined, with NetworkManager")
	l.switchOn(t, l.Home)
	m := l.Device.Manager(t)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	l.triesInVain(t, m.saved)
}

// TestNetworkManagerSecurities checks every security that NetworkManager 1.42
// supports. Two rows are left out: with a passphrase NetworkManager tries SAE as
// well, whatever the profile says. So a key of 64 digits, which SAE cannot use, does
// not work where the router also has WPA3, and a network that is saved as WPA2 joins
// WPA3.
func TestNetworkManagerSecurities(t *testing.T) {
	l := New(t, "Every security, with NetworkManager")
	l.switchOn(t, l.Home)
	m := l.Device.Manager(t)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	rows := slices.DeleteFunc(l.knownSecurities(t), func(row securityRow) bool { return row.what == key64 || row.what == asWPA2 })
	l.securities(t, rows, m.saved)
}
