//go:build lab

package lab

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestHostilePhone has a hostile phone on an open access point, which any phone may
// join. A phone that poses as a router must not change any route of the device, and
// must reach neither another phone nor the network behind a device that forwards for
// other programs.
func TestHostilePhone(t *testing.T) {
	l := New(t, "A hostile phone on an open access point")
	other := newPhone(t, l, "neighbour", neighbourRadio)
	t.Cleanup(other.close)
	l.Cable.Socket(t)
	l.Cable.Plug(t)
	l.Timeline.Step("cable plugged in", func() string { return "systemd-networkd: " + l.awaitWiredLease(t) })
	forward := func(value string) {
		if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte(value), 0o644); err != nil {
			t.Error(err)
		}
	}
	forward("1") // Docker does the same
	t.Cleanup(func() { forward("0") })
	wired := soleAddress(t, wiredDevice)
	must(t, l.Cable.ns, "ip", "route", "replace", "10.250.250.0/24", "via", strings.Split(wired, "/")[0])
	before := l.Device.traces(t)
	l.Device.Configure(t, true, `ap.psk: ""`)
	l.Device.Start(t)
	l.awaitUplink(t, "online")
	l.Timeline.Step("pi: netconnectcli start_ap", func() string {
		return firstLine(l.Device.must(t, member, "start_ap"))
	})
	l.seeAccessPoint(t, startingUp)
	addresses := map[*Phone]string{}
	for name, phone := range map[string]*Phone{"phone": l.Phone, "another phone": other} {
		l.Timeline.Step(name+" joins", func() string {
			phone.Join(t, apSSID, "", frequency(apChannel), 15*time.Second)
			addresses[phone] = phone.Lease(t)
			until(t, 3*time.Second, "the device answers it", func() (string, bool) {
				return "no answer", phone.Reaches(apAddress)
			})
			return "udhcpc: " + addresses[phone] + ", ping " + apAddress
		})
	}
	routes := must(t, "", "ip", "route", "show", "default")
	l.Timeline.Step("phone poses as a router", func() string {
		l.Phone.Advertise(t)
		if !l.Phone.Reaches(apAddress) { // an answer shows that everything sent before has arrived
			t.Error("the device does not answer any more")
		}
		learned := must(t, "", "ip", "-6", "route", "show", "default")
		if now := must(t, "", "ip", "route", "show", "default"); now != routes || learned != "" {
			t.Errorf("default routes were %q and are %q and %q", routes, now, learned)
		}
		return "ip route, ip -6 route"
	})
	l.Timeline.Step("phone reaches only the device", func() string {
		for _, address := range []string{wiredSubnet + ".1", addresses[other]} {
			if l.Phone.Reaches(address) {
				t.Errorf("the phone reaches %s", address)
			}
		}
		return fmt.Sprintf("ping %s.1, ping %s", wiredSubnet, addresses[other])
	})
	l.Phone.Leave()
	other.Leave()
	l.stopsClean(t, before, "with a hostile phone on it")
}

// Advertise makes the phone announce itself as an IPv6 router until the end of the
// scenario. It returns after the first announcement.
func (p *Phone) Advertise(t testing.TB) {
	t.Helper()
	must(t, p.ns, "ip", "addr", "add", "fd66::1/64", "dev", p.device, "nodad")
	log := p.log("dnsmasq")
	router := p.ns.start(t, log, "dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--pid-file=", "--user=root",
		"--port=0", "--interface="+p.device, "--enable-ra", "--dhcp-range=fd66::,ra-only", "--ra-param="+p.device+",4")
	t.Cleanup(router.end)
	until(t, 15*time.Second, "dnsmasq advertises a router", func() (string, bool) {
		said, _ := os.ReadFile(log)
		return string(said), strings.Contains(string(said), "RTR-ADVERT")
	})
}
