//go:build lab

package lab

import (
	"os"
	"testing"
	"time"
)

// TestStory is the main story, from a device without saved networks to one that is
// online. After it the machine reboots, and TestStoryAfterReboot continues. With
// LAB_MANAGER, NetworkManager joins the network.
func TestStory(t *testing.T) {
	l := New(t, "The main job of netconnectd")
	if err := l.Timeline.Begin(); err != nil {
		t.Fatal(err)
	}
	l.switchOn(t, l.Home)
	if os.Getenv("LAB_MANAGER") != "" {
		l.Device.Manager(t)
	}
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.phoneUses(t)
	l.Phone.Leave()
	l.listNetworks(t)
	l.join(t, l.Home)
	l.restart(t)
	l.Device.KeepForReboot = true
	l.Timeline.Step("the device reboots", func() string { return "" })
}

// TestStoryAfterReboot checks what the device does without any help.
func TestStoryAfterReboot(t *testing.T) {
	l := New(t, "… after the reboot")
	if err := l.Timeline.Continue(); err != nil {
		t.Fatal(err)
	}
	l.switchOn(t, l.Home)
	l.bootOn(t)
	cut := l.routerDies(t, l.Home)
	l.phoneUses(t)
	l.Phone.Leave()
	l.away(t, cut, 60*time.Second)
	l.switchOn(t, l.Home)
	l.seeOn(t, l.Home, joining)
}
