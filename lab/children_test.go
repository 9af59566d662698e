//go:build lab

package lab

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These are the promises.
const (
	servesAfterDeath = 5 * time.Second  // a child was killed
	servesAfterHang  = 15 * time.Second // a child no longer answers
)

// TestChildrenDie checks that a program that crashes is started again.
func TestChildrenDie(t *testing.T) {
	l := New(t, "hostapd, dnsmasq and wpa_supplicant are killed")
	l.childrenFail(t, "killed", syscall.SIGKILL, servesAfterDeath)
}

// TestChildrenHang checks that a program that runs but does not answer is replaced.
func TestChildrenHang(t *testing.T) {
	l := New(t, "hostapd, dnsmasq and wpa_supplicant hang")
	l.childrenFail(t, "stopped", syscall.SIGSTOP, servesAfterHang)
}

func (l *Lab) childrenFail(t *testing.T, what string, signal syscall.Signal, limit time.Duration) {
	t.Helper()
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	for _, name := range []string{"hostapd", "dnsmasq"} {
		l.childFails(t, name, what, signal, limit, l.Device.ServesAccessPoint)
	}
	l.phoneUses(t)
	l.Phone.Leave()
	l.switchOn(t, l.Home)
	l.join(t, l.Home)
	l.childFails(t, "wpa_supplicant", what, signal, limit, func() (string, bool) { return l.Device.On(l.Home) })
	l.Timeline.Step("guest: netconnectcli metrics", func() string {
		// The witnesses see the station before the daemon has its lease.
		until(t, noticed, "the metrics count all of it", func() (string, bool) {
			text := l.Device.must(t, stranger, "metrics")
			for _, line := range []string{
				`child_failures_total{role="hostapd"} 1`, `child_failures_total{role="dnsmasq"} 1`, `child_failures_total{role="wpa_supplicant"} 1`,
				`join_attempts_total{result="joined"} 2`, `join_duration_seconds_count 2`, `uplink_state{state="online"} 1`,
				`access_point_state{state="off"} 1`, `access_point_clients 0`,
			} {
				if !strings.Contains(text, "\nnetconnectd_"+line+"\n") {
					return fmt.Sprintf("no %s in\n%s", line, text), false
				}
			}
			return "", true
		})
		return "each program has failed once, and Home was joined twice"
	})
}

// childFails checks that another process replaces the failed one, and serves.
func (l *Lab) childFails(t *testing.T, name, what string, signal syscall.Signal, limit time.Duration, serves func() (string, bool)) {
	t.Helper()
	l.Timeline.Step(fmt.Sprintf("%s %s, serves again", name, what), func() (seen string) {
		old := l.Device.child(t, name)
		l.Device.signal(t, old, signal)
		took := until(t, noise()*limit, "another "+name+" serves", func() (answer string, ok bool) {
			pids := l.Device.Children(t)[name]
			if len(pids) != 1 || pids[0] == old {
				return fmt.Sprintf("%s runs as %v", name, pids), false
			}
			seen, ok = serves()
			return seen, ok
		})
		return fmt.Sprintf("%.2f s; %s", took.Seconds(), seen)
	})
}
