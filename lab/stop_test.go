//go:build lab

package lab

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStopLeavesNothing checks from every state that a stopped netconnectd leaves the
// device as if it had never run.
func TestStopLeavesNothing(t *testing.T) {
	l := New(t, "systemctl stop leaves nothing")
	before := l.Device.traces(t)
	stopped := func(from string) { t.Helper(); l.stopsClean(t, before, from) }

	l.Device.Configure(t, false, "link_monitor.hold: 2", "start.settle: 2")
	l.coldStart(t, servesAfterStart)
	l.phoneUses(t)
	l.Phone.Leave()
	stopped("as access point")

	l.switchOn(t, l.Home)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	l.Timeline.Step("the router's name server is in use", func() string {
		until(t, noticed, "resolv.conf has it", func() (string, bool) {
			text, _ := os.ReadFile(resolvConf)
			return string(text), strings.Contains(string(text), "nameserver "+l.Home.Address())
		})
		return resolvConf
	})
	stopped("joined")

	l.Device.Start(t)
	l.seeOn(t, l.Home, joining)
	events := l.events(t)
	l.Home.DieSilently(t)
	l.Timeline.Step("uplink is joining", func() string { // it lasts for 2 s, so the status may miss it
		until(t, noticed, "the uplink is joining", func() (string, bool) {
			seen := strings.Join(events.transitions(t), "\n")
			return seen, strings.Contains(seen, " -> joining: ")
		})
		return "netconnectcli events"
	})
	stopped("joining")

	for _, later := range stopsAfterCrash() {
		l.Device.Start(t)
		l.seeAccessPoint(t, startingUp)
		l.Timeline.Step("daemon killed with -9", func() string { l.Device.Kill(t); return "" })
		time.Sleep(later) // any moment of its return is suitable
		stopped(fmt.Sprintf("%v after that, as access point", later))
	}

	// hostapd turns the radio back into a station, if it can.
	l.Device.Start(t)
	l.seeAccessPoint(t, startingUp)
	l.Timeline.Step("daemon and hostapd killed with -9", func() string {
		hostapd := l.Device.child(t, "hostapd")
		l.Device.Kill(t)
		l.Device.signal(t, hostapd, syscall.SIGKILL)
		return ""
	})
	stopped("without hostapd")

	l.Device.Start(t)
	l.seeAccessPoint(t, startingUp)
	l.Timeline.Step("hostapd hangs", func() string {
		l.Device.signal(t, l.Device.child(t, "hostapd"), syscall.SIGSTOP)
		return ""
	})
	stopped("with a hostapd that hangs")
}

// stopsAfterCrash returns the times from a crash to the stop: at once, and in the
// soak also while the next daemon waits, starts, and has taken over.
func stopsAfterCrash() []time.Duration {
	all := []time.Duration{0}
	for later := 500 * time.Millisecond; later <= short(0, 4*time.Second); later += 500 * time.Millisecond {
		all = append(all, later)
	}
	return all
}

// stopsClean stops the daemon and checks that the device is as it was before.
func (l *Lab) stopsClean(t *testing.T, before traces, from string) {
	t.Helper()
	l.Timeline.Step("stopped "+from+": nothing is left", func() string {
		l.Device.Stop(t)
		_, left, ok := poll(5*time.Second, func() (string, bool) {
			changes := before.differ(l.Device.traces(t))
			return strings.Join(changes, "\n"), len(changes) == 0
		})
		if !ok {
			t.Errorf("stopped %s, and this is not as before:\n%s", from, left)
		}
		return "processes, ip, iw, nft, /proc/sys/net, resolv.conf"
	})
}

// awaitUplink waits until the daemon reports that state of its uplink.
func (l *Lab) awaitUplink(t *testing.T, want string) {
	t.Helper()
	l.Timeline.Step("uplink is "+want, func() string {
		until(t, noticed, "status says "+want, func() (string, bool) {
			state := l.Device.Status(t).Uplink.State
			return "uplink " + state, state == want
		})
		return "netconnectcli status"
	})
}
