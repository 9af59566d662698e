//go:build lab

package lab

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDaemonKilled checks that clients of the device stay connected whatever happens
// to the daemon, because hostapd, dnsmasq and wpa_supplicant outlive it.
func TestDaemonKilled(t *testing.T) {
	l := New(t, "The daemon is killed, restarted, and started twice")
	l.Device.Configure(t, false)
	l.Device.HideConfig(t) // otherwise there is a warning beside the expected line
	l.coldStart(t, servesAfterStart)
	l.phoneUses(t)
	l.survives(t, l.Phone.ns, apAddress, "status says ap", func() (string, bool) {
		return "connections.ap false", l.Device.Status(t).Connections.AP
	})
	l.Phone.Leave()

	l.switchOn(t, l.Home)
	l.join(t, l.Home)
	l.tellsSignal(t)
	address := soleAddress(t, radioDevice)
	l.survives(t, l.Home.ns, address, "status says wifi", func() (string, bool) {
		return "connections.wifi false", l.Device.Status(t).Connections.WiFi
	})
	if now := link(radioDevice).addresses(); !slices.Equal(now, []string{address}) {
		t.Errorf("addresses %v after all that, want %s alone", now, address)
	}
	l.killedWhileJoining(t)
	killed := "started the run before crashed or was killed"
	l.remembers(t, []string{"started", killed, "ended", "started", killed, "ended", "started", killed})
}

// survives restarts and kills the daemon in every way that clients must not notice,
// while another party pings the device.
func (l *Lab) survives(t *testing.T, from namespace, address, what string, back func() (string, bool)) {
	t.Helper()
	before, routes := l.Device.Children(t), ownRoutes(t)
	same := func(done string) string {
		t.Helper()
		until(t, noticed, what, back)
		if now := l.Device.Children(t); !now.equal(before) {
			t.Errorf("%s: children are %v, want the same as before: %v", done, now, before)
		}
		if now := ownRoutes(t); now != routes {
			t.Errorf("%s: routes of protocol 78 are\n%s, want\n%s", done, now, routes)
		}
		return before.String()
	}
	pings := from.ping(t, l, address)
	l.Timeline.Step("daemon killed with -9, is back", func() string {
		old := l.Device.MainPID(t)
		l.Device.Kill(t)
		l.Device.awaitRestart(t, old)
		return same("after kill -9")
	})
	l.Timeline.Step("daemon restarted", func() string {
		l.Device.Restart(t)
		return same("after systemctl restart")
	})
	for _, who := range []string{daemonUser, "root"} {
		l.Timeline.Step("a second one by hand, as "+who+", refuses", func() string {
			first := l.Device.MainPID(t)
			reply := l.Device.byHand(t, who)
			if reply.Status != 1 || strings.Count(reply.Stdout+reply.Stderr, "\n") != 1 {
				t.Errorf("the second daemon: exit status %d, want 1 and one line\n%s%s", reply.Status, reply.Stdout, reply.Stderr)
			}
			if now := l.Device.MainPID(t); now != first {
				t.Errorf("the first daemon was %d and is now %d", first, now)
			}
			same("after a second daemon")
			return firstLine(reply.Stderr)
		})
	}
	l.Timeline.Step("who was on it noticed nothing", func() string { return pings.lostNone(t) })
}

// ownRoutes returns the routes with the daemon's own protocol number.
func ownRoutes(t *testing.T) string {
	t.Helper()
	return must(t, "", "ip", "route", "show", "table", "all", "proto", "78") +
		must(t, "", "ip", "-6", "route", "show", "table", "all", "proto", "78")
}

// killedWhileJoining kills the daemon during a return to a network. Nothing must be
// kept then, but nothing must run twice either.
func (l *Lab) killedWhileJoining(t *testing.T) {
	t.Helper()
	l.Home.DieSilently(t)
	l.awaitUplink(t, "joining")
	l.Timeline.Step("daemon killed with -9 while it does, is back", func() string {
		old := l.Device.MainPID(t)
		l.Device.signal(t, old, syscall.SIGKILL)
		return fmt.Sprintf("systemd: pid %d", l.Device.awaitRestart(t, old))
	})
	l.switchOn(t, l.Home)
	l.seeOn(t, l.Home, joining)
	if all := l.Device.Children(t); len(all) != 1 || len(all["wpa_supplicant"]) != 1 {
		t.Errorf("children: %v, want one wpa_supplicant", all)
	}
}

// TestSignalsLeaveTheDaemon checks that after any signal to the daemon, the device
// has a daemon again; only systemctl stop ends it.
func TestSignalsLeaveTheDaemon(t *testing.T) {
	l := New(t, "Signals do not leave the device without its daemon")
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGPIPE} {
		l.Timeline.Step(fmt.Sprintf("%v: the daemon goes on", s), func() string {
			old := l.Device.MainPID(t)
			l.Device.signal(t, old, s)
			l.Device.Status(t)
			if now := l.Device.MainPID(t); now != old {
				t.Errorf("the daemon was %d and is now %d", old, now)
			}
			return ""
		})
	}
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT} {
		l.Timeline.Step(fmt.Sprintf("%v: the daemon is back", s), func() string {
			old := l.Device.MainPID(t)
			l.Device.signal(t, old, s)
			return fmt.Sprintf("pid %d", l.Device.awaitRestart(t, old))
		})
	}
	l.Timeline.Step("systemctl stop is for good", func() string {
		l.Device.Stop(t)
		// This is longer than systemd waits between two starts.
		if after, answer, ok := poll(15*time.Second, func() (string, bool) {
			if !l.Device.startedAgain(t, 0) {
				return "no process", false
			}
			pid := l.Device.MainPID(t)
			return fmt.Sprintf("pid %d", pid), pid != 0
		}); ok {
			t.Errorf("the daemon is there again after %.1f s: %s", after.Seconds(), answer)
		}
		return ""
	})
}
