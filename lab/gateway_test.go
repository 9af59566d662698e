//go:build lab

package lab

import (
	"fmt"
	"testing"
	"time"
)

// softLoss is max_link_down times interval in the scenarios' configuration: only
// after that time a network that still has carrier counts as lost.
const softLoss = 3 * 5 * time.Second

// TestGatewaySilent has a router that sends beacons and gives leases, but whose
// address no longer answers.
func TestGatewaySilent(t *testing.T) {
	l := New(t, "The gateway falls silent and comes back")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false, "ap.rescan: 5")
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	l.Home.FallSilent(t)
	silent := time.Now()
	l.Timeline.Step("gateway silent, access point serves", func() (seen string) {
		// Each of the failing checks takes another 3 s.
		until(t, 2*softLoss+startingUp, "the access point serves", func() (answer string, ok bool) {
			air := radio(radioDevice)
			if waited := time.Since(silent); air.Type == "AP" && waited < softLoss {
				t.Fatalf("the radio is an access point %.1f s after the gateway's last answer, before %v", waited.Seconds(), softLoss)
			}
			seen, ok = l.Device.ServesAccessPoint()
			return seen, ok
		})
		return seen
	})
	l.Timeline.Step("gateway answers again", func() string { l.Home.Recover(t); return "nft" })
	l.seeOn(t, l.Home, joining)
}

// TestLossyGateway checks that the device stays on a network that loses packets.
func TestLossyGateway(t *testing.T) {
	l := New(t, "The gateway loses 30 % of all packets")
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false)
	l.coldStart(t, servesAfterStart)
	l.join(t, l.Home)
	duration := short(time.Minute, 5*time.Minute)
	l.Timeline.Step(fmt.Sprintf("30 %% lost for %v, nothing changes", duration), func() string {
		events := l.events(t)
		l.Home.Lose(t, 30)
		l.staysStation(t, duration)
		return events.none(t) + ", iw: managed"
	})
}

// staysStation checks for the given time that the radio stays a station.
func (l *Lab) staysStation(t *testing.T, duration time.Duration) {
	t.Helper()
	end := time.Now().Add(duration)
	until(t, duration+time.Second, "the time is over", func() (string, bool) {
		if air := radio(radioDevice); air.Type != "managed" {
			t.Fatalf("the radio became %+v", air)
		}
		time.Sleep(10 * pollInterval) // other work of the machine
		return "", time.Now().After(end)
	})
}
