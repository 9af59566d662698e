//go:build lab

package lab

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The switch behind the device's declared bridge.
const (
	bridgeDevice  = "br-wan"
	bridgePort    = "wan0"
	switchPort    = "port2"
	switchSubnet  = "192.168.80"
	secondAddress = "198.51.100.7/24"
)

// declaration declares the bridge with its port, and two interfaces on the bridge.
const declaration = `network:
  devices:
    - {name: br-wan, type: bridge, ports: [wan0], macaddr: "02:00:00:00:80:01"}
  interfaces:
    - {name: wan, device: br-wan, proto: dhcp}
    - {name: office, device: br-wan, proto: static, ipaddr: 198.51.100.6/24}
`

// TestDeclaredNetwork checks that the device declares a bridge, gets its address by
// DHCP over that, and is no access point while the bridge works. Commands, a reload
// and the daemon's death change what they are about and nothing else.
func TestDeclaredNetwork(t *testing.T) {
	l := New(t, "A declared bridge is the way out")
	network := l.newSwitch(t)
	l.Device.Configure(t, false)
	l.declare(t, declaration)
	l.Timeline.Step("netconnectd started, the bridge has an address by DHCP", func() string {
		l.Device.Start(t)
		return l.awaitDeclared(t)
	})
	l.Timeline.Step("the device is online by the bridge, and no access point", func() string {
		until(t, noticed, "status says online", func() (string, bool) {
			status := l.Device.Status(t)
			return status.Text, status.Link
		})
		seen, ok := l.Device.HasNoAccessPoint(t)
		if !ok {
			t.Error(seen)
		}
		return "netconnectcli status; " + seen
	})
	l.Timeline.Step("the daemon is killed with -9 and comes back: the switch notices nothing", func() string {
		index := must(t, "", "cat", "/sys/class/net/"+bridgeDevice+"/ifindex")
		pings := network.ping(t, l, "198.51.100.6")
		old := l.Device.MainPID(t)
		l.Device.Kill(t)
		l.Device.awaitRestart(t, old)
		l.awaitDeclared(t)
		if now := must(t, "", "cat", "/sys/class/net/"+bridgeDevice+"/ifindex"); now != index {
			t.Errorf("the bridge was made anew: index %s, before %s", now, index)
		}
		return pings.lostNone(t)
	})
	l.Timeline.Step("reload with another address in the same subnet: the switch notices nothing", func() string {
		pings := network.ping(t, l, l.declaredAddress(t))
		l.declare(t, strings.Replace(declaration, "198.51.100.6/24", secondAddress, 1))
		l.Device.must(t, member, "reload")
		until(t, noticed, "the address has changed", func() (string, bool) {
			has := link(bridgeDevice).addresses()
			return strings.Join(has, " "), slices.Contains(has, strings.TrimSuffix(secondAddress, "/24")) && !slices.Contains(has, "198.51.100.6")
		})
		return pings.lostNone(t)
	})
	l.Timeline.Step("drift shows in the plan, and a reload mends it", func() string {
		must(t, "", "ip", "addr", "del", secondAddress, "dev", bridgeDevice)
		drift := l.Device.Run(t, stranger, "plan")
		if drift.Status != 2 || !strings.Contains(drift.Stdout, "add address "+secondAddress) {
			t.Errorf("plan: exit status %d, %q", drift.Status, drift.Stdout)
		}
		l.Device.must(t, member, "reload")
		until(t, noticed, "nothing is left to do", func() (string, bool) {
			left := l.Device.Run(t, stranger, "plan")
			return left.Stdout, left.Status == 0
		})
		return firstLine(drift.Stdout)
	})
	l.Timeline.Step("everybody may look, only members may change", func() string {
		l.Device.must(t, stranger, "ifstatus", "wan")
		reply := l.refused(t, stranger, "ifdown", "wan")
		if reply.Code != "permission_denied" {
			t.Errorf("ifdown: %+v", reply)
		}
		return reply.Code
	})
	l.Timeline.Step("pi: netconnectcli ifdown wan", func() string {
		l.Device.must(t, member, "ifdown", "wan")
		return "as a member of the group"
	})
	l.seeAccessPoint(t, hold+2*noticed+startingUp)
	l.Timeline.Step("pi: netconnectcli ifup wan", func() string {
		l.Device.must(t, member, "ifup", "wan")
		return l.awaitDeclared(t)
	})
	l.seeNoAccessPoint(t)
	l.Timeline.Step("daemon stopped: nothing of it is left", func() string {
		l.Device.Stop(t)
		if link(bridgeDevice) != nil {
			t.Errorf("%s is still there", bridgeDevice)
		}
		if _, err := os.Stat("/sys/class/net/" + bridgePort + "/master"); err == nil {
			t.Errorf("%s is still a port", bridgePort)
		}
		return "ip: no " + bridgeDevice
	})
}

// newSwitch puts a switch with a DHCP server at the other end of bridgePort.
func (l *Lab) newSwitch(t *testing.T) namespace {
	t.Helper()
	n := namespace("switch")
	n.create(t)
	must(t, "", "ip", "link", "add", bridgePort, "type", "veth", "peer", "name", switchPort, "netns", string(n))
	t.Cleanup(func() { _, _ = namespace("").run("ip", "link", "delete", bridgePort) })
	must(t, n, "ip", "addr", "add", switchSubnet+".1/24", "dev", switchPort)
	must(t, n, "ip", "addr", "add", "198.51.100.1/24", "dev", switchPort)
	must(t, n, "ip", "link", "set", switchPort, "up")
	server := n.start(t, filepath.Join(l.logs, "switch-dnsmasq.log"), dnsmasqCommand(switchPort, switchSubnet+".1", switchSubnet, filepath.Join(runFolder, "switch.leases"))...)
	t.Cleanup(server.end)
	return n
}

// declare appends a section network to the configuration, in place of the last one.
func (l *Lab) declare(t *testing.T, section string) {
	t.Helper()
	text, err := os.ReadFile(configFile)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "network:\n  devices:")
	writeFile(t, configFile, before+section)
}

// awaitDeclared waits until both declared interfaces are up, and the bridge has the
// default route. It returns the leased address.
func (l *Lab) awaitDeclared(t *testing.T) string {
	t.Helper()
	until(t, noticed, "both interfaces are up", func() (string, bool) {
		var dump struct {
			Result struct{ Interface []struct{ Up bool } }
		}
		reply := l.Device.Run(t, stranger, "--json", "call", "network.interface", "dump")
		if err := json.Unmarshal([]byte(reply.Stdout), &dump); err != nil {
			return reply.Stderr, false
		}
		all := dump.Result.Interface
		return reply.Stdout, len(all) == 2 && all[0].Up && all[1].Up
	})
	routes := must(t, "", "ip", "route", "show", "default", "dev", bridgeDevice)
	if !strings.Contains(routes, "via "+switchSubnet+".1") {
		t.Errorf("the default routes over %s are %q", bridgeDevice, routes)
	}
	return "ip: " + l.declaredAddress(t) + ", " + firstLine(routes)
}

// declaredAddress returns the address of the bridge that the switch's DHCP server has
// leased.
func (l *Lab) declaredAddress(t *testing.T) string {
	t.Helper()
	for _, address := range link(bridgeDevice).addresses() {
		if inRange(address, switchSubnet+".100", switchSubnet+".150") {
			return address
		}
	}
	t.Fatalf("%s has no leased address: %s", bridgeDevice, link(bridgeDevice))
	return ""
}
