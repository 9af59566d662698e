//go:build lab

package lab

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestParties checks the world around the device without any netconnectd, so that the
// lab's own faults are not blamed on the daemon.
func TestParties(t *testing.T) {
	l := New(t, "The parties themselves")
	l.Timeline.Step("router switched on", func() string {
		l.Home.Start(t)
		return "hostapd ENABLED, port 67 bound"
	})
	l.Timeline.Step("phone sees it", func() string {
		until(t, 5*time.Second, "the phone sees home", func() (string, bool) {
			return "not in iw scan", l.Phone.Sees(l.Home.SSID, l.Home.Frequency())
		})
		return "iw scan"
	})
	l.Timeline.Step("phone joins it", func() string {
		l.Phone.Join(t, l.Home.SSID, l.Home.passphrase, l.Home.Frequency(), 10*time.Second)
		on, err := l.Home.Stations()
		if err != nil || len(on) != 1 {
			t.Fatalf("stations on the router: %v, %v, want the phone alone", on, err)
		}
		return "wpa_cli COMPLETED, router's station dump"
	})
	l.Timeline.Step("phone gets a lease", func() string {
		address := l.Phone.Lease(t)
		if !l.Home.Leases(address) {
			t.Fatalf("the phone's address %s is not from the router's pool", address)
		}
		if !l.Phone.Reaches(l.Home.Address()) {
			t.Fatal("the router does not answer the phone's ping")
		}
		return "udhcpc: " + address + ", ping"
	})
	l.Timeline.Step("router loses power", func() string {
		l.Home.DieSilently(t)
		until(t, 10*time.Second, "the phone notices", func() (string, bool) {
			return l.Phone.state(), !l.Phone.Connected()
		})
		return "wpa_cli: " + l.Phone.lastDisconnect(t)
	})
	if why := l.Phone.lastDisconnect(t); !strings.Contains(why, "locally_generated=1") {
		t.Errorf("the router said goodbye: %s", why)
	}
	l.Timeline.Step("router returns, phone is back", func() string {
		l.Home.Start(t)
		until(t, 20*time.Second, "the phone is back", func() (string, bool) {
			return l.Phone.state(), l.Phone.Connected()
		})
		return "wpa_cli COMPLETED"
	})
	l.Timeline.Step("neighbour switched on beside it", func() string {
		l.Neighbour.Start(t)
		return "hostapd ENABLED, port 67 bound"
	})
	l.testCable(t)
}

func (l *Lab) testCable(t *testing.T) {
	l.Timeline.Step("device has a socket without a cable", func() string {
		l.Cable.Socket(t)
		return "ip: " + link(wiredDevice).String()
	})
	for _, round := range []string{"", " again"} {
		l.Timeline.Step("cable plugged in"+round, func() string {
			l.Cable.Plug(t)
			return "systemd-networkd: " + l.awaitWiredLease(t)
		})
		l.Timeline.Step("cable pulled"+round, func() string {
			l.Cable.Pull(t)
			until(t, 10*time.Second, "eth0 loses its address", func() (string, bool) {
				eth0 := link(wiredDevice)
				return eth0.String(), len(eth0.addresses()) == 0
			})
			return "ip: " + link(wiredDevice).String()
		})
	}
}

// awaitWiredLease waits for systemd-networkd's DHCP on eth0.
func (l *Lab) awaitWiredLease(t *testing.T) string {
	t.Helper()
	until(t, 15*time.Second, "eth0 has an address", func() (string, bool) {
		eth0 := link(wiredDevice)
		found := eth0.addresses()
		return eth0.String(), len(found) == 1 && l.Cable.Leases(found[0])
	})
	return link(wiredDevice).addresses()[0]
}

// lastDisconnect returns what the phone's wpa_supplicant logged about its last
// disconnection.
func (p *Phone) lastDisconnect(t *testing.T) string {
	t.Helper()
	log, err := os.ReadFile(p.log("wpa_supplicant"))
	if err != nil {
		t.Fatal(err)
	}
	_, last, _ := strings.Cut(string(log), "CTRL-EVENT-DISCONNECTED ")
	for {
		_, next, more := strings.Cut(last, "CTRL-EVENT-DISCONNECTED ")
		if !more {
			break
		}
		last = next
	}
	first, _, _ := strings.Cut(last, "\n")
	return strings.TrimSpace(fmt.Sprint(first))
}
