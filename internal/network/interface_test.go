package network

import (
	"net/netip"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
)

// TestHotplug checks that an interface waits for its device, goes down with it, and
// comes back with it.
func TestHotplug(t *testing.T) {
	w := newWorld(t)
	w.post(Declared{Spec: Spec{Interfaces: []Interface{static("lan", "v0", "192.0.2.1/24")}}})
	w.said("apply ")
	w.applied(nil)
	if s := w.status("lan"); s.Available || s.Error != NoDevice {
		t.Errorf("%+v", s)
	}
	w.plug("v0")
	w.said("apply v0 up 192.0.2.1/24")
	w.applied(nil)
	w.said("ifup lan")
	w.pull("v0")
	w.said("ifdown lan", "apply ")
	w.applied(nil)
	w.plug("v0")
	w.applied(nil)
	w.said("apply v0 up 192.0.2.1/24", "ifup lan")
}

// TestForeignProtocol checks that an interface whose protocol netconnectd does not have
// stays down, whatever is asked, that its device is left alone, and that nothing else is.
func TestForeignProtocol(t *testing.T) {
	spec, problems := Read([]Section{
		{Kind: KindInterface, Name: "dsl", Foreign: "pppoe", Options: []Option{{Name: "device", Values: []string{"eth0"}}, {Name: "metric", Values: []string{"5"}}}},
		{Kind: KindInterface, Name: "lan", Options: []Option{{Name: "device", Values: []string{"eth1"}}}},
		{Kind: KindRoute, Options: []Option{{Name: "interface", Values: []string{"dsl"}}, {Name: "target", Values: []string{"10.0.0.0/8"}}}},
	})
	if len(problems) > 0 {
		t.Fatal(texts(problems))
	}
	w := newWorld(t)
	w.post(Declared{Spec: spec})
	w.plug("eth0", "eth1")
	w.applied(nil)
	w.post(Asked{"dsl", true})
	w.said("apply ", "apply eth1 up", "ifup lan")
	if s := w.status("dsl"); s.Phase != Down || s.Proto != "pppoe" || s.Error != InvalidProto {
		t.Errorf("%+v", s)
	}
}

// TestReplacedDevice checks that a link of the same name with another index is set up
// anew, although it was never seen to be absent.
func TestReplacedDevice(t *testing.T) {
	w := newWorld(t)
	w.plug("v0")
	w.post(Declared{Spec: Spec{Interfaces: []Interface{static("lan", "v0", "192.0.2.1/24")}}})
	w.applied(nil)
	w.said("apply v0 up 192.0.2.1/24", "ifup lan")
	w.links = []Link{{Name: "v0", Index: 77, Carrier: true}}
	w.post(LinksChanged{w.links})
	w.said("apply v0 up 192.0.2.1/24")
}

// TestDeviceIsUpForItsInterfaces checks that a device is up while one of its interfaces is to be up.
func TestDeviceIsUpForItsInterfaces(t *testing.T) {
	w := newWorld(t)
	w.plug("v0")
	w.post(Declared{Spec: Spec{Interfaces: []Interface{static("a", "v0", "192.0.2.1/24"), static("b", "v0", "198.51.100.1/24")}}})
	w.applied(nil)
	w.said("apply v0 up 192.0.2.1/24 198.51.100.1/24", "ifup a", "ifup b")
	w.post(Asked{"a", false})
	w.applied(nil)
	w.said("ifdown a", "apply v0 up 198.51.100.1/24")
	w.post(Asked{"b", false})
	w.applied(nil)
	w.said("ifdown b", "apply v0 down")
}

// TestAskedDownStaysDown checks that a carrier and a reload do not undo a command, and
// that a command sets the interface up again.
func TestAskedDownStaysDown(t *testing.T) {
	spec := Spec{Interfaces: []Interface{static("lan", "v0", "192.0.2.1/24")}}
	w := newWorld(t)
	w.plug("v0")
	w.post(Declared{Spec: spec})
	w.applied(nil)
	w.post(Asked{"lan", false})
	w.applied(nil)
	w.carrier("v0", false)
	w.carrier("v0", true)
	w.post(Declared{Spec: spec})
	w.applied(nil)
	if got := w.phase("lan"); got != Down {
		t.Fatalf("%s", got)
	}
	w.post(Asked{"lan", true})
	w.applied(nil)
	w.post(Declared{Spec: spec})
	w.applied(nil)
	if got := w.phase("lan"); got != Up {
		t.Fatalf("%s", got)
	}
}

// TestReloadKeepsInterfaces checks that a reload with another address keeps the
// interface up, and that the same configuration notifies nobody.
func TestReloadKeepsInterfaces(t *testing.T) {
	w := newWorld(t)
	w.plug("v0", "v1")
	w.post(Declared{Spec: Spec{Interfaces: []Interface{static("a", "v0", "192.0.2.1/24"), static("b", "v1", "198.51.100.1/24")}}})
	w.applied(nil)
	w.said("apply v0 up 192.0.2.1/24; v1 up 198.51.100.1/24", "ifup a", "ifup b")
	w.post(Declared{Spec: Spec{Interfaces: []Interface{static("b", "v1", "198.51.100.9/24"), static("a", "v0", "192.0.2.1/24")}}})
	w.applied(nil)
	w.said("apply v1 up 198.51.100.9/24; v0 up 192.0.2.1/24")
	w.post(Declared{Spec: Spec{Interfaces: []Interface{static("a", "v0", "192.0.2.1/24")}}})
	w.applied(nil)
	w.said("ifdown b", "apply v0 up 192.0.2.1/24")
}

// TestDependencies checks that devices in any order wait for what they stand on.
func TestDependencies(t *testing.T) {
	spec := Spec{
		Devices: []Device{
			{Place: Place{Path: "d0"}, Name: "mv0", Type: typeMACVLAN, Parent: "br0", Enabled: true, Link: link.LinkSpec{Kind: "macvlan"}},
			{Place: Place{Path: "d1"}, Name: "br0", Type: typeBridge, Ports: []string{"v0", "v1"}, Enabled: true, Link: link.LinkSpec{Kind: "bridge"}},
		},
		Interfaces: []Interface{static("lan", "mv0", "192.0.2.1/24")},
	}
	w := newWorld(t)
	w.post(Declared{Spec: spec})
	w.applied(nil)
	w.said("apply ")
	w.plug("v0")
	w.applied(nil)
	w.said("apply v0 in br0 up; br0 (bridge) up; mv0 (macvlan) on br0 up 192.0.2.1/24", "ifup lan")
	w.plug("v1")
	w.applied(nil)
	w.said("apply v0 in br0 up; v1 in br0 up; br0 (bridge) up; mv0 (macvlan) on br0 up 192.0.2.1/24")
	w.pull("v0")
	w.applied(nil)
	w.said("apply v1 in br0 up; br0 (bridge) up; mv0 (macvlan) on br0 up 192.0.2.1/24")
	w.pull("v1")
	w.applied(nil)
	w.said("ifdown lan", "apply ")
}

// TestMatchedByMAC checks that an adapter is found by its hardware address, whatever
// its name is.
func TestMatchedByMAC(t *testing.T) {
	w := newWorld(t)
	w.post(Declared{Spec: Spec{
		Devices:    []Device{{Place: Place{Path: "d0"}, Name: "uplink", MAC: macOf("enx0"), Enabled: true}},
		Interfaces: []Interface{static("wan", "uplink", "192.0.2.1/24")},
	}})
	w.applied(nil)
	w.plug("enx0")
	w.applied(nil)
	w.said("apply ", "apply enx0 up 192.0.2.1/24", "ifup wan")
}

// TestCarrier checks force_link and carrier_loss_delay.
func TestCarrier(t *testing.T) {
	forced, loose := static("forced", "v0", "192.0.2.1/24"), static("loose", "v0", "198.51.100.1/24")
	loose.ForceLink, loose.CarrierLossDelay = false, 5*time.Second
	w := newWorld(t)
	w.plug("v0!")
	w.post(Declared{Spec: Spec{Interfaces: []Interface{forced, loose}}})
	w.applied(nil)
	w.said("apply v0 up 192.0.2.1/24", "ifup forced")
	w.carrier("v0", true)
	w.applied(nil)
	w.said("apply v0 up 192.0.2.1/24 198.51.100.1/24", "ifup loose")
	w.carrier("v0", false)
	w.pass(4 * time.Second)
	w.carrier("v0", true)
	w.pass(time.Minute)
	w.said()
	w.carrier("v0", false)
	w.pass(5 * time.Second)
	w.applied(nil)
	w.said("ifdown loose", "apply v0 up 192.0.2.1/24")
}

// TestDHCP checks that the lease becomes the interface's addresses, and that a lease
// of an earlier run changes nothing.
func TestDHCP(t *testing.T) {
	wan := Interface{Place: Place{Path: "interface wan"}, Name: "wan", Device: "v0", Proto: ProtoDHCP, Auto: true, DefaultRoute: true, PeerDNS: true, Metric: 7}
	lease := &Lease{
		Addresses: prefixes("192.0.2.7/24"),
		Routes:    []link.RouteSpec{{Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.0.2.254")}},
		DNS:       []netip.Addr{netip.MustParseAddr("192.0.2.53")},
	}
	w := newWorld(t)
	w.plug("v0!")
	w.post(Declared{Spec: Spec{Interfaces: []Interface{wan}}})
	w.applied(nil)
	w.said("apply v0 up")
	w.carrier("v0", true)
	w.said("start dhcp of wan on v0")
	w.post(Leased{"wan", 7, lease})
	w.said()
	w.post(Leased{"wan", 1, lease})
	w.applied(nil)
	w.said("apply v0 up 192.0.2.7/24 0.0.0.0/0 via 192.0.2.254", "ifup wan")
	if s := w.status("wan"); s.Routes[0].Metric != 7 || s.Addresses[0].Metric != 7 || len(s.DNS) != 1 {
		t.Errorf("%+v", s)
	}
	w.post(Leased{"wan", 1, nil})
	w.applied(nil)
	w.said("ifdown wan", "apply v0 up")
	w.carrier("v0", false)
	w.said("stop protocol of wan")
	if got := w.phase("wan"); got != Down {
		t.Errorf("%s", got)
	}
}

// TestHeldLease checks that an address of an earlier run stays while the protocol asks
// for it again, and goes if the protocol loses it.
func TestHeldLease(t *testing.T) {
	wan := Interface{Place: Place{Path: "interface wan"}, Name: "wan", Device: "v0", Proto: ProtoDHCP, Auto: true}
	w := newWorld(t)
	w.plug("v0")
	w.post(Declared{Spec: Spec{Interfaces: []Interface{wan}}, Held: map[string]*Lease{"wan": {Addresses: prefixes("192.0.2.7/24")}}})
	w.applied(nil)
	w.said("start dhcp of wan on v0", "apply v0 up 192.0.2.7/24", "ifup wan")
	w.post(Leased{"wan", 1, nil})
	w.said("ifdown wan", "apply v0 up")
}

// TestProtocolChanges checks that an interface that gets another protocol changes its
// addresses by one Apply.
func TestProtocolChanges(t *testing.T) {
	wan := Interface{Place: Place{Path: "interface wan"}, Name: "wan", Device: "v0", Proto: ProtoDHCP, Auto: true}
	w := newWorld(t)
	w.plug("v0")
	w.post(Declared{Spec: Spec{Interfaces: []Interface{wan}}})
	w.post(Leased{"wan", 1, &Lease{Addresses: prefixes("192.0.2.7/24")}})
	w.applied(nil)
	w.log = nil
	w.post(Declared{Spec: Spec{Interfaces: []Interface{static("wan", "v0", "192.0.2.8/24")}}})
	w.applied(nil)
	w.said("stop protocol of wan", "ifdown wan", "apply v0 up 192.0.2.8/24", "ifup wan")
}

// TestRefusal checks that what the kernel refuses keeps only the interfaces down that
// need it, shows in their status, and is tried again, less and less often.
func TestRefusal(t *testing.T) {
	w := newWorld(t)
	w.plug("v0")
	w.post(Declared{Spec: Spec{
		Devices:    []Device{{Place: Place{Path: "d0"}, Name: "mv0", Type: typeMACVLAN, Parent: "v0", Enabled: true}},
		Interfaces: []Interface{static("lan", "mv0", "192.0.2.1/24"), static("wan", "v0", "198.51.100.1/24")},
	}})
	w.applied(map[string]string{"d0": "EBUSY"})
	if s := w.status("lan"); s.Phase != Setup || s.Error != SetupFailed || s.Refusal != "EBUSY" {
		t.Errorf("%+v", s)
	}
	if got := w.phase("wan"); got != Up {
		t.Errorf("wan is %s", got)
	}
	w.log = nil
	began, tries := w.now, []time.Duration(nil)
	for range 8 {
		w.now = w.state.Next()
		w.post(TimePassed{})
		tries = append(tries, w.now.Sub(began).Round(time.Second))
		began = w.now
		w.applied(map[string]string{"d0": "EBUSY"})
	}
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if tries[i] != want*time.Second {
			t.Errorf("try %d came after %v, want %d s", i, tries[i], want)
		}
	}
	w.now = w.state.Next()
	w.post(TimePassed{})
	w.log = nil
	w.applied(nil)
	w.said("ifup lan")
	if next := w.state.Next(); !next.IsZero() {
		t.Errorf("something is due at %v", next)
	}
}

// TestLateResult checks that the result of an earlier Apply brings no interface up.
func TestLateResult(t *testing.T) {
	w := newWorld(t)
	w.plug("v0")
	w.post(Declared{Spec: Spec{Interfaces: []Interface{static("lan", "v0", "192.0.2.1/24")}}})
	first := w.apply.Generation
	w.post(Declared{Spec: Spec{Interfaces: []Interface{static("lan", "v0", "192.0.2.2/24")}}})
	w.post(Applied{first, nil})
	if got := w.phase("lan"); got != Setup {
		t.Errorf("%s", got)
	}
	w.applied(nil)
	if got := w.phase("lan"); got != Up {
		t.Errorf("%s", got)
	}
}
