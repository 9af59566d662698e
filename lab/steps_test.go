//go:build lab

package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// These are the promises.
const (
	servesAfterStart   = 3 * time.Second  // access point after the daemon's start, with nothing to wait for
	settle             = 10 * time.Second // start.settle: the same with a wired interface into which a cable could be plugged
	hold               = 15 * time.Second // link_monitor.hold: access point after a loss
	servesAfterVerdict = 5 * time.Second  // access point after a failed join
)

// noise is the factor by which an action may exceed its promised time before a
// scenario fails. lab/run sets it: 1 in virtual time; 4 on Debian's own kernel, in a
// machine that is emulated on cores that others share.
func noise() time.Duration {
	if n, err := strconv.Atoi(os.Getenv("LAB_NOISE")); err == nil && n > 0 {
		return time.Duration(n)
	}
	return 4
}

// short returns how long an endless scenario runs: usually a short time, but with
// LAB_LONG=1 (make soak) as long as the issue asks for.
func short(usually, long time.Duration) time.Duration {
	if os.Getenv("LAB_LONG") == "1" {
		return long
	}
	return usually
}

// rounds returns how many times a scenario repeats its event with the same daemon:
// once, or as often as make soak says.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("LAB_ROUNDS")); err == nil && n > 0 {
		return n
	}
	return 1
}

// These limits bound waits for events that must come, but whose time is not promised.
const (
	noticed    = 20 * time.Second // a loss, or an end, is noticed
	startingUp = 20 * time.Second // from the decision for the access point until the phone sees it
	joining    = 90 * time.Second // a return that no person asks for
)

// coldStart starts the daemon with nothing saved, and checks that the access point
// serves within limit, counted from the moment at which systemd executed the daemon.
func (l *Lab) coldStart(t *testing.T, limit time.Duration) {
	t.Helper()
	l.Timeline.Step("netconnectd started, access point serves", func() string {
		l.Device.Start(t)
		var seen time.Duration
		var witness string
		until(t, noise()*limit+startingUp, "the access point serves", func() (answer string, ok bool) {
			witness, ok = l.Device.ServesAccessPoint()
			seen = monotonic()
			return witness, ok
		})
		took := seen - l.Device.Started(t)
		if took > noise()*limit {
			t.Errorf("the access point served %.2f s after the daemon's start, want at most %d times %v", took.Seconds(), noise(), limit)
		}
		return fmt.Sprintf("%.2f s after systemd's start of it; %s", took.Seconds(), witness)
	})
}

// phoneUses checks that a person's phone joins the access point and reaches the
// device.
func (l *Lab) phoneUses(t *testing.T) {
	t.Helper()
	l.Timeline.Step("phone joins it with the passphrase", func() string {
		l.Phone.Join(t, apSSID, apPassphrase, frequency(apChannel), 15*time.Second)
		return "wpa_cli COMPLETED"
	})
	l.Timeline.Step("phone gets a lease and reaches the device", func() string {
		address := l.Phone.Lease(t)
		if !inRange(address, apFirst, apLast) {
			t.Fatalf("the phone's address %s is not in ap.range", address)
		}
		until(t, 3*time.Second, "the device answers the phone", func() (string, bool) {
			return "no answer", l.Phone.Reaches(apAddress)
		})
		return "udhcpc: " + address + ", ping " + apAddress
	})
}

// switchOn switches a router on.
func (l *Lab) switchOn(t *testing.T, r *Router) {
	t.Helper()
	l.Timeline.Step("router "+r.name+" on the air", func() string {
		r.Start(t)
		return "hostapd_cli, port 67 bound"
	})
}

// join configures a network through the device's socket, as a person does who has
// logged in as the user pi.
func (l *Lab) join(t *testing.T, r *Router) {
	t.Helper()
	l.Timeline.Step("pi: netconnectcli configure_wifi", func() string {
		return firstLine(l.Device.must(t, member, "configure_wifi", r.SSID, r.passphrase))
	})
	l.Timeline.Step("pi: netconnectcli select_wifi", func() string {
		said := firstLine(l.Device.must(t, member, "select_wifi"))
		if said != "connected to wifi" {
			t.Fatalf("select_wifi printed %q, want connected to wifi", said)
		}
		return said
	})
	l.seeOn(t, r, noticed)
}

// seeOn checks that the device is on the router, and that its access point has ended.
func (l *Lab) seeOn(t *testing.T, r *Router, limit time.Duration) {
	t.Helper()
	l.Timeline.Step("device is on "+r.name, func() (seen string) {
		until(t, limit, "the device is on "+r.name, func() (answer string, ok bool) {
			seen, ok = l.Device.On(r)
			return seen, ok
		})
		return seen
	})
	l.seeNoAccessPoint(t)
}

func (l *Lab) seeNoAccessPoint(t *testing.T) {
	t.Helper()
	l.Timeline.Step("access point gone", func() (seen string) {
		until(t, noticed, "the access point is gone", func() (answer string, ok bool) {
			seen, ok = l.Device.HasNoAccessPoint(t)
			return seen, ok
		})
		return seen
	})
}

// seeAccessPoint checks that the access point serves within limit.
func (l *Lab) seeAccessPoint(t *testing.T, limit time.Duration) {
	t.Helper()
	l.Timeline.Step("access point serves", func() (seen string) {
		until(t, limit, "the access point serves", func() (answer string, ok bool) {
			seen, ok = l.Device.ServesAccessPoint()
			return seen, ok
		})
		return seen
	})
}

// routerDies cuts the router's power and checks that the access point starts after
// hold. It returns the time of the cut.
func (l *Lab) routerDies(t *testing.T, r *Router) time.Time {
	t.Helper()
	r.DieSilently(t)
	cut := time.Now()
	var connected time.Time
	l.Timeline.Step("router loses power, device loses its carrier", func() string {
		connected = losesCarrier(t)
		return "ip: " + link(radioDevice).String()
	})
	l.seeAccessPoint(t, hold+startingUp)
	if waited := time.Since(connected); waited < hold {
		t.Errorf("the access point came %.1f s after the loss, before the %v that the router had to return", waited.Seconds(), hold)
	}
	return cut
}

// losesCarrier waits until the device's radio has lost its carrier, and returns the
// last time at which it still had a carrier.
func losesCarrier(t *testing.T) (connected time.Time) {
	t.Helper()
	connected = time.Now()
	until(t, noticed, "the carrier is lost", func() (string, bool) {
		asked := time.Now()
		wifi := link(radioDevice)
		if wifi.carrier() {
			connected = asked
		}
		return wifi.String(), wifi != nil && !wifi.carrier()
	})
	return connected
}

// away keeps the router off until the given time after its death. The access point
// must serve during that time.
func (l *Lab) away(t *testing.T, cut time.Time, duration time.Duration) {
	t.Helper()
	l.Timeline.Step(fmt.Sprintf("router stays away for %v, access point stays", duration), func() string {
		before := carrierChanges(t)
		until(t, duration, "the time is over", func() (string, bool) {
			if air := radio(radioDevice); air.Type != "AP" {
				t.Fatalf("the access point did not stay: radio %+v", air)
			}
			return "", time.Since(cut) >= duration
		})
		if now := carrierChanges(t); now != before {
			t.Fatalf("the access point went and came back: its interface's carrier_changes went from %s to %s", before, now)
		}
		if answer, ok := l.Device.ServesAccessPoint(); !ok {
			t.Fatalf("the phone does not see the access point: %s", answer)
		}
		return "iw: type AP all the time, sysfs: carrier never lost, phone's iw scan"
	})
}

// carrierChanges returns how many times the carrier of the radio's interface has
// changed.
func carrierChanges(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(readFile(t, "/sys/class/net/"+radioDevice+"/carrier_changes"))
}

// monotonic returns the clock of systemd's …TimestampMonotonic properties.
func monotonic() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(fmt.Sprintf("read the monotonic clock: %v", err))
	}
	return time.Duration(now.Nano())
}

// errorReply is the output of `netconnectcli --json` for a failed request.
type errorReply struct {
	Error  string `json:"error"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// refused runs a netconnectcli command that must fail, and returns the reason.
func (l *Lab) refused(t *testing.T, user string, arguments ...string) errorReply {
	t.Helper()
	return refusal(t, arguments[0]+" as "+user, l.Device.Run(t, user, append([]string{"--json"}, arguments...)...))
}

// refusal returns the reason from the output of netconnectcli --json.
func refusal(t *testing.T, command string, r Reply) errorReply {
	t.Helper()
	var reply errorReply
	if err := json.Unmarshal([]byte(r.Stdout), &reply); err != nil || r.Status != 1 || reply.Error == "" {
		t.Fatalf("netconnectcli %s: exit status %d, want 1 and an error reply\n%s%s", command, r.Status, r.Stdout, r.Stderr)
	}
	return reply
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
