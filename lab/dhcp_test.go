//go:build lab

package lab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// shortLease is a lease that is renewed after 15 s.
const shortLease = 30 * time.Second

// TestDHCPServers checks the device with all that a router's DHCP server may do.
func TestDHCPServers(t *testing.T) {
	l := New(t, "A DHCP server that is silent, slow, refuses, and goes away")
	server := &DHCPServer{}
	server.Behave(Manners{Silent: true})
	l.Home.StartWith(t, server)
	l.Device.Configure(t, false, "link_monitor.hold: 5")
	l.coldStart(t, servesAfterStart)
	l.silentServer(t)

	server.Behave(Manners{Delay: 8 * time.Second, Lease: shortLease})
	l.Timeline.Step("each answer takes 8 s: pi: netconnectcli select_wifi", func() string {
		return firstLine(l.Device.must(t, member, "select_wifi"))
	})
	l.seeOn(t, l.Home, noticed)

	server.Behave(Manners{Lease: shortLease})
	l.renews(t, server, short(40*time.Second, 5*time.Minute))
	l.renewalRefused(t, server)
	l.serverGone(t, server)
}

func (l *Lab) silentServer(t *testing.T) {
	t.Helper()
	l.Timeline.Step("no answer: select_wifi says so", func() string {
		l.Device.must(t, member, "configure_wifi", l.Home.SSID, l.Home.passphrase)
		reply := l.refused(t, member, "select_wifi")
		if reply.Code != "no_address" {
			t.Fatalf("select_wifi: %+v, want code no_address", reply)
		}
		return reply.Error + ", code " + reply.Code
	})
	l.seeAccessPoint(t, noise()*servesAfterVerdict)
}

// renews checks that a lease of 30 s is renewed again and again without any
// interruption.
func (l *Lab) renews(t *testing.T, server *DHCPServer, duration time.Duration) {
	t.Helper()
	l.Timeline.Step(fmt.Sprintf("lease of %v for %v", shortLease, duration), func() string {
		events := l.events(t)
		_, before, _ := server.Acks()
		l.staysStation(t, duration)
		if seen, ok := l.Device.On(l.Home); !ok {
			t.Fatalf("the device is not on the router: %s", seen)
		}
		_, after, _ := server.Acks()
		if after < before+2 {
			t.Fatalf("%d renewals in %v, want at least 2", after-before, duration)
		}
		return fmt.Sprintf("%d renewals, %s", after-before, events.none(t))
	})
}

// renewalRefused lets the server refuse the address at the next renewal.
func (l *Lab) renewalRefused(t *testing.T, server *DHCPServer) {
	t.Helper()
	l.Timeline.Step("renewal refused, the device takes another address", func() string {
		server.Behave(Manners{Refuse: true, Lease: shortLease})
		old := server.Address()
		until(t, shortLease, "the refused address is gone", func() (string, bool) {
			wifi := link(radioDevice)
			return wifi.String(), !slices.Contains(wifi.addresses(), old)
		})
		server.Behave(Manners{Lease: shortLease})
		until(t, noticed, "the device has the new address", func() (string, bool) {
			wifi := link(radioDevice)
			return wifi.String(), slices.Equal(wifi.addresses(), []string{server.Address()})
		})
		return "ip: " + link(radioDevice).String()
	})
	l.seeOn(t, l.Home, noticed)
}

// serverGone checks that an address is used until its lease ends, and no longer.
func (l *Lab) serverGone(t *testing.T, server *DHCPServer) {
	t.Helper()
	l.Timeline.Step("server gone, the address goes when its lease ends", func() string {
		server.Behave(Manners{Silent: true})
		_, _, last := server.Acks()
		until(t, shortLease+noticed, "the address is gone", func() (string, bool) {
			wifi := link(radioDevice)
			return wifi.String(), len(wifi.addresses()) == 0
		})
		held := time.Since(last)
		if held < shortLease-2*time.Second || held > shortLease+4*time.Second {
			t.Errorf("the address was there for %.1f s after the last lease of %v", held.Seconds(), shortLease)
		}
		return fmt.Sprintf("%.1f s after it was prolonged last", held.Seconds())
	})
	l.seeAccessPoint(t, hold+startingUp+noticed)
}

// TestSameSubnet has a router whose network is by chance that of the access point,
// including the router's own address.
func TestSameSubnet(t *testing.T) {
	l := New(t, "The router has the access point's subnet and address")
	l.Home.Renumber(t, strings.TrimSuffix(apAddress, ".1"))
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false, "link_monitor.hold: 2")
	l.coldStart(t, servesAfterStart)
	l.phoneUses(t)
	l.Phone.Leave()
	l.join(t, l.Home)
	l.Home.DieSilently(t)
	l.seeAccessPoint(t, noticed+startingUp)
	l.phoneUses(t)
	l.Phone.Leave()
	l.switchOn(t, l.Home)
	l.seeOn(t, l.Home, joining)
}
