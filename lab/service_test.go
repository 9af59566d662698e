//go:build lab

package lab

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These are the promises.
const (
	mostExposed   = 2.0
	watchdogLimit = 30 * time.Second // WatchdogSec= of the unit
)

// granted are CAP_NET_BIND_SERVICE, CAP_NET_ADMIN and CAP_NET_RAW
// (linux/capability.h) as a mask.
const granted = 1<<10 | 1<<12 | 1<<13

// TestServiceRights checks that none of our programs has more rights than it needs,
// and that systemd shows the daemon's state.
func TestServiceRights(t *testing.T) {
	l := New(t, "What the service may do, and what systemd knows of it")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false)
	l.Timeline.Step("systemd-analyze security", func() string {
		var said []string
		for _, unit := range serviceUnits {
			level := l.Device.exposure(t, unit)
			if level > mostExposed {
				t.Errorf("%s is exposed by %.1f, want at most %.1f", unit, level, mostExposed)
			}
			said = append(said, fmt.Sprintf("%s %.1f", unit, level))
		}
		return strings.Join(said, ", ")
	})
	l.Timeline.Step("systemd-analyze verify finds nothing", func() string {
		// The machine has no man(1), with which verify looks for the pages that units
		// name.
		must(t, "", "systemd-analyze", "verify", "--man=no", daemonUnit, companionUnit, resolvUnit, waitUnit)
		return ""
	})
	l.coldStart(t, servesAfterStart)
	l.seeStatusText(t, `access point "`+apSSID+`" up: `)
	l.confined(t, "hostapd", "dnsmasq")
	l.join(t, l.Home)
	l.seeStatusText(t, "online by "+radioDevice)
	l.Timeline.Step("the router's name server is in use", func() string {
		until(t, noticed, "resolv.conf has it", func() (string, bool) {
			text, _ := os.ReadFile(resolvConf)
			return string(text), strings.Contains(string(text), "nameserver "+l.Home.Address())
		})
		return resolvConf
	})
	l.confined(t, "wpa_supplicant")
	l.Home.DieSilently(t)
	l.seeStatusText(t, "carrier lost on "+radioDevice+", joining")
}

// seeStatusText waits for a text in the output of `systemctl status`.
func (l *Lab) seeStatusText(t *testing.T, want string) {
	t.Helper()
	l.Timeline.Step("systemd knows it", func() (said string) {
		until(t, noticed, "StatusText begins with "+want, func() (string, bool) {
			said = l.Device.StatusText(t)
			return said, strings.HasPrefix(said, want)
		})
		return "StatusText: " + said
	})
}

// confined checks that the programs run in the daemon's sandbox, and none as root.
func (l *Lab) confined(t *testing.T, programs ...string) {
	t.Helper()
	l.Timeline.Step("no process of ours is root, all are confined", func() string {
		var all []privileges
		until(t, noticed, "no process with user id 0", func() (string, bool) {
			all = l.Device.inUnits(t) // the writer of resolv.conf runs as root, but only for a moment
			for _, p := range all {
				if p.isRoot() {
					return fmt.Sprintf("%s (pid %d) has user ids %v", p.name, p.pid, p.uids), false
				}
			}
			return "", true
		})
		missing := append([]string{"netconnectd"}, programs...)
		var said []string
		for _, p := range all {
			missing = slices.DeleteFunc(missing, func(name string) bool { return name == p.name })
			if p.noNewPrivileges != "1" || p.seccomp != "2" || p.capabilities&^granted != 0 {
				t.Errorf("%v, want NoNewPrivs 1, Seccomp 2 (a filter) and no capability but %x", p, uint64(granted))
			}
			said = append(said, p.String())
		}
		if len(missing) > 0 {
			t.Errorf("not among the processes of the units: %v", missing)
		}
		return strings.Join(said, ", ")
	})
}

// These belong to a daemon whose loop can be blocked (build tag labhook).
const (
	stallingBuild = "/run/lab/share/bin/netconnectd-labhook"
	stalling      = "/usr/local/sbin/netconnectd-labhook"
	stallFile     = "/run/netconnectd/stall"
	stallDropIn   = "/run/systemd/system/netconnectd.service.d/labhook.conf"
)

// TestWatchdog checks that a daemon which hangs is replaced, and that no user of the
// device notices.
func TestWatchdog(t *testing.T) {
	l := New(t, "The daemon is stopped by a signal, and its loop blocks")
	l.Device.canStall(t)
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.phoneUses(t)
	pings := l.Phone.ns.ping(t, l, apAddress)
	serves := func() (string, bool) { return "connections.ap false", l.Device.Status(t).Connections.AP }
	l.watchdogFires(t, "stopped by SIGSTOP", l.stop, serves)
	l.watchdogFires(t, "loop blocked", l.stall, serves)
	l.Timeline.Step("the phone noticed nothing", func() string { return pings.lostNone(t) })
	l.Phone.Leave()
	l.join(t, l.Home)
	pings = l.Home.ns.ping(t, l, soleAddress(t, radioDevice))
	l.watchdogFires(t, "loop blocked, joined", l.stall, func() (string, bool) {
		return "connections.wifi false", l.Device.Status(t).Connections.WiFi
	})
	l.Timeline.Step("the router noticed nothing", func() string { return pings.lostNone(t) })
}

// canStall makes systemd run the daemon whose loop can be blocked; the shipped daemon
// lacks that.
func (d *Device) canStall(t *testing.T) {
	t.Helper()
	for file, can := range map[string]bool{"/usr/sbin/netconnectd": false, stallingBuild: true} {
		program, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(program, []byte(stallFile)) != can {
			t.Fatalf("%s knows %s: %v, want %v", file, stallFile, !can, can)
		}
	}
	must(t, "", "install", stallingBuild, stalling)
	writeFile(t, stallDropIn, "[Service]\nExecStart=\nExecStart="+stalling+"\n")
	must(t, "", "systemctl", "daemon-reload")
	t.Cleanup(func() {
		_ = os.Remove(stallDropIn)
		must(t, "", "systemctl", "daemon-reload")
	})
}

func (l *Lab) stop(t *testing.T) { l.Device.signal(t, l.Device.MainPID(t), syscall.SIGSTOP) }

func (l *Lab) stall(t *testing.T) {
	writeFile(t, stallFile, "")
	until(t, watchdogLimit, "the loop blocks", func() (string, bool) {
		_, err := os.Stat(stallFile)
		return "it has not taken " + stallFile, os.IsNotExist(err)
	})
}

// watchdogFires checks that another daemon replaces one that hangs, with the same
// children.
func (l *Lab) watchdogFires(t *testing.T, what string, fail func(*testing.T), back func() (string, bool)) {
	t.Helper()
	l.Timeline.Step(what+": the watchdog fires, all goes on", func() string {
		before, old := l.Device.Children(t), l.Device.MainPID(t)
		fired := strings.Count(l.watchdogSaid(t), "Watchdog timeout")
		fail(t)
		_, took := l.Device.awaitRestartFor(t, watchdogLimit+noticed, old)
		until(t, noticed, "the status is as before", back)
		if now := l.Device.Children(t); !now.equal(before) {
			t.Errorf("children are %v, want the same as before: %v", now, before)
		}
		said := l.watchdogSaid(t)
		if strings.Count(said, "Watchdog timeout") != fired+1 || !strings.Contains(said, "goroutine ") {
			t.Errorf("the journal does not tell of the watchdog and of the goroutines:\n%s", said)
		}
		return fmt.Sprintf("%.1f s; systemd: Watchdog timeout; %v", took.Seconds(), before)
	})
}

func (l *Lab) watchdogSaid(t *testing.T) string {
	t.Helper()
	return must(t, "", "journalctl", "--boot", "--no-pager", "--output=cat", "-u", daemonUnit)
}
