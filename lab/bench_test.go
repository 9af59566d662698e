//go:build lab

package lab

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// benchRounds is how many times each path is measured.
const benchRounds = 20

// TestBenchFallback measures what netconnectd costs: the time from the lost carrier
// to the access point, compared with a script that starts the same programs at the
// same event.
func TestBenchFallback(t *testing.T) {
	l := New(t, "From the lost carrier to the access point, with hold 0")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false, "link_monitor.hold: 0", "ap.rescan: 1")
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	var ours, theirs []time.Duration
	l.Timeline.Step(fmt.Sprintf("netconnectd, %d times", benchRounds), func() string {
		for round := range benchRounds {
			ours = append(ours, l.fallback(t, round == 0))
			l.Home.Start(t)
			until(t, joining, "the device is on home", func() (string, bool) { return l.Device.On(l.Home) })
		}
		return figures(ours)
	})
	l.Device.Stop(t)
	l.Timeline.Step(fmt.Sprintf("the script, %d times", benchRounds), func() string {
		for round := range benchRounds {
			script := l.Device.startScript(t, l.Home)
			until(t, joining, "the device is on home", func() (string, bool) { return l.Device.On(l.Home) })
			theirs = append(theirs, l.fallback(t, round == 0))
			script.end(t)
			l.Home.Start(t)
		}
		return figures(theirs)
	})
	ratio := median(ours).Seconds() / median(theirs).Seconds()
	l.Timeline.Step("ratio of the medians", func() string { return fmt.Sprintf("%.2f, aim: at most 1.5", ratio) })
}

// fallback cuts the router's power and returns the time from the device's lost
// carrier until the device serves phones. Its kernel must then send beacons, it must
// have the access point's address, and DHCP must answer. With check, a phone also
// gets a lease and an answer.
func (l *Lab) fallback(t *testing.T, check bool) time.Duration {
	t.Helper()
	l.Home.DieSilently(t)
	deadline := time.Now().Add(noticed)
	wait := func(what string, so func() bool) time.Time {
		for !so() {
			if time.Now().After(deadline) {
				t.Fatalf("not within %v: %s; %s", noticed, what, link(radioDevice))
			}
			time.Sleep(2 * time.Millisecond)
		}
		return time.Now()
	}
	lost := wait("the carrier is lost", func() bool { return !hasCarrier() })
	served := wait("the access point serves", func() bool {
		return hasCarrier() && hasAddress(apAddress) && listensUDP(os.Getpid(), 67)
	})
	if air := radio(radioDevice); air.Type != "AP" || air.SSID != apSSID {
		t.Fatalf("the radio is no access point: %+v", air)
	}
	if check {
		l.Phone.Join(t, apSSID, apPassphrase, frequency(apChannel), 15*time.Second)
		l.Phone.Lease(t)
		if !l.Phone.Reaches(apAddress) {
			t.Fatal("the device does not answer the phone")
		}
		l.Phone.Leave()
	}
	return served.Sub(lost)
}

func hasAddress(address string) bool {
	nic, err := net.InterfaceByName(radioDevice)
	if err != nil {
		return false
	}
	all, _ := nic.Addrs()
	return slices.ContainsFunc(all, func(a net.Addr) bool { return strings.HasPrefix(a.String(), address+"/") })
}

func median(all []time.Duration) time.Duration { return percentile(all, 50) }

// percentile returns the smallest value that the given percentage of values does not
// exceed.
func percentile(all []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)*percent+99)/100-1]
}

func figures(all []time.Duration) string {
	return fmt.Sprintf("median %.0f ms, 95th percentile %.0f ms, from %.0f ms to %.0f ms",
		ms(median(all)), ms(percentile(all, 95)), ms(slices.Min(all)), ms(slices.Max(all)))
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// connectLimit is the promised time to join a network whose frequency is known.
const connectLimit = 2 * time.Second

// TestBenchConnect measures how long a person waits when the device changes from one
// saved network to another.
func TestBenchConnect(t *testing.T) {
	l := New(t, "From one saved network to another")
	l.switchOn(t, l.Home)
	l.switchOn(t, l.Neighbour)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	l.join(t, l.Neighbour)
	var took []time.Duration
	l.Timeline.Step(fmt.Sprintf("netconnectcli connect, %d times", benchRounds), func() string {
		for range benchRounds / 2 {
			for _, r := range []*Router{l.Home, l.Neighbour} {
				start := time.Now()
				l.Device.must(t, member, "connect", r.SSID)
				took = append(took, time.Since(start))
				if seen, ok := l.Device.On(r); !ok {
					t.Fatalf("the device is not on %s: %s", r.name, seen)
				}
			}
		}
		return figures(took)
	})
	if median(took) > noise()*connectLimit {
		t.Errorf("connect took %.2f s at the median, want at most %d times %v", median(took).Seconds(), noise(), connectLimit)
	}
}

// returnLimit is the promised time to return through NetworkManager, from the
// router's first beacon to the verified network.
const returnLimit = 10 * time.Second

// TestBenchManagedReturn measures how long the device stays an access point after its
// router came back, where NetworkManager joins networks.
func TestBenchManagedReturn(t *testing.T) {
	l := New(t, "Back to the router, with NetworkManager")
	l.switchOn(t, l.Home)
	l.Device.Manager(t)
	l.Device.Configure(t, false, "link_monitor.hold: 0", "ap.rescan: 1")
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	var took []time.Duration
	l.Timeline.Step(fmt.Sprintf("the router dies and returns, %d times", benchRounds), func() string {
		for range benchRounds {
			l.Home.DieSilently(t)
			until(t, joining, "the access point serves", l.Device.ServesAccessPoint)
			l.Home.Start(t)
			start := time.Now()
			until(t, noise()*returnLimit, "the device is on home", func() (string, bool) { return l.Device.On(l.Home) })
			took = append(took, time.Since(start))
		}
		return figures(took)
	})
	if slowest := percentile(took, 95); slowest > noise()*returnLimit {
		t.Errorf("the way back took %.1f s at the 95th percentile, want at most %d times %v", slowest.Seconds(), noise(), returnLimit)
	}
}

// These are the promises for the daemon at rest.
const (
	idleResident  = 12 << 10 // kB
	idleAnonymous = 4 << 10  // kB
	idleWakeUps   = 1.0      // per second
)

// TestBenchIdle measures what the daemon uses while nothing happens: 10 minutes each
// with LAB_LONG=1.
func TestBenchIdle(t *testing.T) {
	l := New(t, "The daemon at rest")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false, "link_monitor.interval: 10") // the default
	l.coldStart(t, servesAfterStart)
	l.idle(t, "as access point")
	l.join(t, l.Home)
	l.idle(t, "joined")
}

// restsAfter is the time after which the daemon has released what it needed before.
const restsAfter = 30 * time.Second

func (l *Lab) idle(t *testing.T, when string) {
	t.Helper()
	idle := short(time.Minute, 10*time.Minute)
	l.Timeline.Step(fmt.Sprintf("idle for %v, %s", idle, when), func() string {
		pid := l.Device.MainPID(t)
		time.Sleep(restsAfter)
		before := wakeUps(t, pid)
		time.Sleep(idle) // a look at the daemon would wake it
		status := procStatus(t, fmt.Sprintf("/proc/%d/status", pid))
		perSecond := float64(wakeUps(t, pid)-before) / idle.Seconds()
		// Work that takes longer, as in this machine, makes threads sleep in between.
		mostWakeUps := idleWakeUps * float64(noise())
		if status["VmRSS"] > idleResident || status["RssAnon"] > idleAnonymous || perSecond > mostWakeUps {
			t.Errorf("at rest %s: want at most %d kB resident, %d kB anonymous, %.1f wake-ups/s", when, idleResident, idleAnonymous, mostWakeUps)
		}
		l.write(t, "smaps-"+strings.Fields(when)[0]+".txt", "", "cat", fmt.Sprintf("/proc/%d/smaps", pid))
		return fmt.Sprintf("/proc/%d/status: VmRSS %d kB, RssAnon %d kB, RssFile %d kB; %.2f wake-ups/s (voluntary_ctxt_switches of all threads)",
			pid, status["VmRSS"], status["RssAnon"], status["RssFile"], perSecond)
	})
}

// wakeUps counts how many times a thread of the process slept and ran again.
func wakeUps(t *testing.T, pid int) (sum int) {
	t.Helper()
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, file := range threads {
		sum += procStatus(t, file)["voluntary_ctxt_switches"]
	}
	return sum
}

var procLine = regexp.MustCompile(`(?m)^(\w+):\s+(\d+)`)

// procStatus returns the numbers in a /proc/PID/status, memory in kB.
func procStatus(t *testing.T, file string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, m := range procLine.FindAllStringSubmatch(string(text), -1) {
		found[m[1]], _ = strconv.Atoi(m[2])
	}
	return found
}
