package lab

import (
	"path/filepath"
	"testing"
	"time"
)

// Cable is an Ethernet cable between the device's eth0 and a switch with a DHCP
// server behind it: a veth pair and dnsmasq. In the device, systemd-networkd
// configures eth0, as on many systems; netconnectd only watches eth0.
type Cable struct {
	ns      namespace
	lab     *Lab
	dnsmasq *program
}

const (
	wiredDevice = "eth0"
	wiredPeer   = "port1"
	wiredSubnet = "192.168.70"
)

// newCable returns a cable without eth0: a scenario starts with a device without any
// wired interface.
func newCable(t testing.TB, l *Lab) *Cable {
	t.Helper()
	c := &Cable{ns: "cable", lab: l}
	c.ns.create(t)
	c.Absent(t)
	return c
}

// Absent removes the wired interface from the device.
func (c *Cable) Absent(t testing.TB) {
	t.Helper()
	if link(wiredDevice) != nil {
		must(t, "", "ip", "link", "delete", wiredDevice)
	}
}

// Socket creates the device's eth0 without a plugged cable.
func (c *Cable) Socket(t testing.TB) {
	t.Helper()
	must(t, "", "ip", "link", "add", wiredDevice, "type", "veth", "peer", "name", wiredPeer, "netns", string(c.ns))
	must(t, c.ns, "ip", "addr", "add", wiredSubnet+".1/24", "dev", wiredPeer)
	until(t, 10*time.Second, "systemd-networkd has set eth0 up", func() (string, bool) {
		l := link(wiredDevice)
		return l.String(), l.up() && !l.carrier()
	})
}

// Plug plugs the cable in. The carrier is there when Plug returns; systemd-networkd
// sets the address later.
func (c *Cable) Plug(t testing.TB) {
	t.Helper()
	must(t, c.ns, "ip", "link", "set", wiredPeer, "up")
	if c.dnsmasq == nil || !c.dnsmasq.running() {
		leases := filepath.Join(runFolder, "cable.leases")
		command := dnsmasqCommand(wiredPeer, wiredSubnet+".1", wiredSubnet, leases)
		c.dnsmasq = c.ns.start(t, filepath.Join(c.lab.logs, "cable-dnsmasq.log"), command...)
	}
	c.awaitCarrier(t, true)
}

// Pull pulls the cable out of the socket.
func (c *Cable) Pull(t testing.TB) {
	t.Helper()
	must(t, c.ns, "ip", "link", "set", wiredPeer, "down")
	c.awaitCarrier(t, false)
}

func (c *Cable) awaitCarrier(t testing.TB, want bool) {
	t.Helper()
	until(t, 5*time.Second, "carrier of eth0 changes", func() (string, bool) {
		l := link(wiredDevice)
		return l.String(), l.carrier() == want
	})
}

// Leases reports whether the address belongs to the range that the switch's network
// leases.
func (c *Cable) Leases(address string) bool {
	return inRange(address, wiredSubnet+".100", wiredSubnet+".150")
}

func (c *Cable) close(t testing.TB) {
	c.dnsmasq.end()
	c.Absent(t)
}
