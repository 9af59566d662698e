//go:build lab

package lab

import (
	"fmt"
	"strings"
	"testing"
)

// TestWhoMayChange checks the rights of users who are logged in, and whom the kernel
// reports to the daemon. See lab/image for their groups.
func TestWhoMayChange(t *testing.T) {
	l := New(t, "Who may read, and who may change the network")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	home := l.Home.SSID
	configure, add := []string{"configure_wifi", home, l.Home.passphrase}, []string{"add_network", home, l.Home.passphrase}
	l.Timeline.Step("guest, no member of the group, reads", func() string {
		return l.allMay(t, stranger, [][]string{{"status"}, {"list_wifi"}, {"list_networks"}, {"history"}, {"metrics"}, {"show"}, {"version"}})
	})
	l.Timeline.Step("guest is refused every change", func() string {
		changes := [][]string{
			configure, {"select_wifi"}, add, {"set_network", home, "--priority", "1"}, {"connect", home}, {"adopt", home}, {"remove_network", home},
			{"list_wifi", "--force"}, {"start_ap"}, {"stop_ap"}, {"forget_wifi"}, {"reset"}, {"reload"},
		}
		for _, change := range changes {
			reply := l.refused(t, stranger, change...)
			if reply.Code != "permission_denied" || !strings.Contains(reply.Error, "sudo adduser guest netconnect") {
				t.Errorf("%s: %+v, want permission_denied and its remedy", change, reply)
			}
		}
		if known := l.Device.Status(t).WiFi.Networks; len(known) > 0 {
			t.Errorf("saved nevertheless: %v", known)
		}
		return fmt.Sprintf("%d commands: permission_denied, sudo adduser guest netconnect", len(changes))
	})
	l.Timeline.Step("pi, a member, may", func() string {
		return l.allMay(t, member, [][]string{
			add, {"set_network", home, "--priority", "1"}, {"remove_network", home}, {"list_wifi", "--force"}, {"reload"}, {"forget_wifi"},
		})
	})
	l.Device.Configure(t, false, "permissions.change: everyone")
	l.Device.Restart(t)
	l.seeAccessPoint(t, noticed)
	l.Timeline.Step("permissions.change: everyone, and guest joins a network", func() string {
		return l.allMay(t, stranger, [][]string{configure, {"select_wifi"}})
	})
	l.seeOn(t, l.Home, noticed)
}

// allMay checks that every command succeeds, and returns their names.
func (l *Lab) allMay(t *testing.T, user string, commands [][]string) string {
	t.Helper()
	var names []string
	for _, command := range commands {
		l.Device.must(t, user, command...)
		names = append(names, command[0])
	}
	return strings.Join(names, ", ")
}
