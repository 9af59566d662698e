//go:build lab

package lab

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestClockJumps sets the clock while the daemon runs: a device without a battery
// learns the time from the network, long after its start. The daemon must not depend
// on the wall clock.
func TestClockJumps(t *testing.T) {
	l := New(t, "The wall clock jumps by 10 years and back, again and again")
	l.restoreClock(t)
	server := &DHCPServer{}
	server.Behave(Manners{Lease: shortLease / 2}) // renewed every 7 s
	l.Home.StartWith(t, server)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	l.jumpsJoined(t, server)
	l.jumpsDuringHold(t)
	l.phoneUses(t)
	l.jumpsAsAccessPoint(t)
}

// jumps are the arguments for date(1), one after another; their sum is zero.
var jumps = []string{"+10 years", "-20 years", "+10 years"}

func (l *Lab) jump(t *testing.T, by string) {
	t.Helper()
	must(t, "", "date", "--set="+by)
}

// restoreClock sets the clock back after the scenario.
func (l *Lab) restoreClock(t *testing.T) {
	began := time.Now()
	t.Cleanup(func() {
		now := began.Add(time.Since(began)) // by the monotonic clock
		must(t, "", "date", fmt.Sprintf("--set=@%.3f", float64(now.UnixMilli())/1000))
	})
}

// jumpsJoined sets the clock once before each renewal of the lease.
func (l *Lab) jumpsJoined(t *testing.T, server *DHCPServer) {
	t.Helper()
	l.Timeline.Step("jumps while joined, one before each renewal of the lease", func() string {
		events := l.events(t)
		address := link(radioDevice).addresses()
		began := time.Now()
		before := l.Device.Status(t).Uplink.Seconds
		for _, by := range jumps {
			_, acks, _ := server.Acks()
			l.jump(t, by)
			age := l.Device.Status(t).Uplink.Seconds
			if most := before + int64(time.Since(began).Seconds()) + 1; age < before || age > most {
				t.Errorf("after the jump by %s status says the uplink is online for %d s, want %d to %d", by, age, before, most)
			}
			until(t, shortLease, "the lease is renewed", func() (string, bool) {
				if wifi := link(radioDevice); !slices.Equal(wifi.addresses(), address) {
					t.Fatalf("after the jump by %s: %s, want address %v", by, wifi, address)
				}
				_, now, _ := server.Acks()
				return "not renewed", now > acks
			})
		}
		if seen, ok := l.Device.On(l.Home); !ok {
			t.Fatalf("the device is not on the router: %s", seen)
		}
		return fmt.Sprintf("%d renewals, %s", len(jumps), events.none(t))
	})
}

// jumpsDuringHold checks that the router's time to return does not change.
func (l *Lab) jumpsDuringHold(t *testing.T) {
	t.Helper()
	l.Timeline.Step("router dies, jumps while it may return", func() string {
		l.Home.DieSilently(t)
		lost, next := losesCarrier(t), 0
		until(t, hold+startingUp, "the radio is an access point", func() (string, bool) {
			waited := time.Since(lost)
			if next < len(jumps) && waited > time.Duration(next+1)*3*time.Second {
				l.jump(t, jumps[next])
				next++
			}
			air := radio(radioDevice)
			return fmt.Sprintf("%+v", air), air.Type == "AP"
		})
		waited := time.Since(lost)
		if waited < hold || next < len(jumps) {
			t.Errorf("access point %.1f s after the loss and %d jumps, want %v and %d", waited.Seconds(), next, hold, len(jumps))
		}
		return fmt.Sprintf("iw: type AP %.1f s after the loss", waited.Seconds())
	})
	l.seeAccessPoint(t, startingUp)
}

func (l *Lab) jumpsAsAccessPoint(t *testing.T) {
	t.Helper()
	l.Timeline.Step("jumps while a phone uses the access point", func() string {
		events := l.events(t)
		pings := l.Phone.ns.ping(t, l, apAddress)
		for _, by := range jumps {
			l.jump(t, by)
			before := len(pings.replies(t))
			until(t, noticed, "20 more pings are answered", func() (string, bool) {
				now := len(pings.replies(t))
				return fmt.Sprintf("%d replies", now-before), now >= before+20
			})
		}
		return pings.lostNone(t) + ", " + events.none(t)
	})
}
