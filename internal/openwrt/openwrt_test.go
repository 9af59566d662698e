package openwrt

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/timetest"
)

// TestSections: what is taken over in another form, what is left out, and what is wrong.
func TestSections(t *testing.T) {
	const lan = "config interface lan\noption device eth0\noption proto dhcp\n"
	for _, row := range []struct{ name, text, want string }{
		{"a list of one value", "config interface lan\nlist device eth0\nlist proto dhcp\n", ""},
		{"a list where one value belongs", "config interface lan\nlist device eth0\nlist device eth1\n", "error: 3: network.lan.device: is a list, and the option has one value\n"},
		{"a value that is wrong", lan + "option metric low\n", "error: 4: network.lan.metric: low is not a whole number\n"},
		{"syntax", lan + "option\n", "error: 4: : nothing stands behind option; add a name\n"},
		{"an interface without a name", "config interface\noption device eth0\n", "warning: 1: network.@interface[0]: the interface is left out: it has no name; write e.g. config interface 'lan'\n"},
		{"an interface without a device, and what needs it", "config interface lan\noption proto dhcp\nconfig route\noption interface lan\noption target 10.0.0.0/8\nconfig rule\noption in lan\noption lookup 5\nconfig neighbor\noption interface lan\noption ipaddr 10.0.0.1\noption mac 02:00:00:00:00:01\n",
			`warning: 1: network.lan: the interface is left out: it has no device; name the device in the option device
warning: 4: network.@route[0].interface: the route is left out: there is no interface lan, or the interface is left out, too
warning: 7: network.@rule[0].in: the rule is left out: there is no interface lan, or the interface is left out, too
warning: 10: network.@neighbor[0].interface: the neighbour is left out: there is no interface lan, or the interface is left out, too
`},
		{"both names of an option", lan + "option ifname eth1\n", "warning: 4: network.lan.ifname: the option is left out: device counts, in line 2\n"},
		{"an option of another protocol", lan + "option ipaddr 192.0.2.1\n", "warning: 4: network.lan.ipaddr: the option is left out: it is not for the protocol dhcp\n"},
		{"an option of another type", "config device\noption name eth0\noption vid 5\n", "warning: 3: network.@device[0].vid: the option is left out: it is not for devices without a type\n"},
		{"a name that is almost right", lan + "option metrik 5\n", "warning: 4: network.lan.metrik: the option is left out: it is not known; did you mean metric?\n"},
		{"a type that is not known", "config device 'x'\noption name ovs0\noption type ovs\n", "warning: 3: network.x.type: the device is left out: ovs is no type of device that netconnectd has\n"},
		{"an interface of another type", lan + "option type vlan\n", "warning: 4: network.lan.type: the option is left out: an interface has no type other than bridge\n"},
		{"a device without a name", "config device\noption mtu 1400\n", "warning: 1: network.@device[0]: the device is left out: it has no name; add the option name\n"},
		{"the loopback device", "config device\noption name lo\noption mtu 1400\nconfig interface a\noption device @b\nconfig interface b\noption device lo\n",
			`warning: 2: network.@device[0].name: the device is left out: lo is left as the system has it
warning: 5: network.a.device: @b is taken as lo, the device of that interface; unlike in OpenWrt, it does not follow whether the interface is up
warning: 5: network.a.device: the interface is left out: lo is left as the system has it
warning: 7: network.b.device: the interface is left out: lo is left as the system has it
`},
		{"aliases in a circle", "config interface a\noption device @b\nconfig interface b\noption device @a\nconfig interface c\noption device @\n",
			`warning: 2: network.a.device: the interface is left out: @b is the alias of no interface with a device
warning: 4: network.b.device: the interface is left out: @a is the alias of no interface with a device
warning: 6: network.c.device: the interface is left out: @ is the alias of no interface with a device
`},
		{"the alias of an interface that is left out", "config interface a\noption device @b\nconfig interface b\noption proto dhcp\n",
			`warning: 2: network.a.device: the interface is left out: @b is the alias of no interface with a device
warning: 3: network.b: the interface is left out: it has no device; name the device in the option device
`},
		{"the alias of a port that there is not", "config device\noption name v5\noption type 8021q\noption vid 5\noption ifname @x\n",
			"warning: 5: network.@device[0].ifname: the device is left out: @x is the alias of no interface with a device\n"},
		{"an option of the device that the device has", "config device\noption name eth0\noption mtu 1400\n" + lan + "option mtu 1300\n",
			"warning: 7: network.lan.mtu: the option is left out: its device has it, too, in line 3\n"},
		{"an option of a device that is left out", "config device\noption name eth0\noption type ovs\n" + lan + "option mtu 1300\n",
			`warning: 3: network.@device[0].type: the device is left out: ovs is no type of device that netconnectd has
warning: 7: network.lan.mtu: the option is left out: its device is left out, in line 1
`},
		{"routing tables by name", lan + "config route a\noption interface lan\noption target 10.0.0.0/8\noption table vpn\nconfig route b\noption interface lan\noption target 10.0.0.0/8\noption table home\n",
			"warning: 11: network.b.table: the route is left out: home is the name of no routing table; give its number, or name it in /etc/iproute2/rt_tables\n"},
		{"the number of a routing table", lan + "config rule\noption in lan\noption lookup 0\n", "error: 6: network.@rule[0].lookup: 0 is not a routing table: give its number, 1..4294967295, or main, default, local or prelocal\n"},
		{"routes and rules that lack something", lan + "config route\noption interface lan\nconfig route6\noption target ::/0\nconfig rule\noption in lan\nconfig neighbor\noption interface lan\noption ipaddr 10.0.0.1\n",
			`warning: 4: network.@route[0]: the route is left out: it has no target; add the option target
warning: 6: network.@route6[0]: the route is left out: it has no interface; add the option interface
warning: 8: network.@rule[0]: the rule is left out: it has no lookup, goto or action
warning: 10: network.@neighbor[0]: the neighbour is left out: it has no mac; add the option mac
`},
		{"a route of one source", lan + "config route6\noption interface lan\noption target ::/0\noption source 2001:db8::/56\n",
			"warning: 7: network.@route6[0].source: the route is left out: netconnectd has no IPv6 routes that are for one source only\n"},
		{"sections of others", "config alias\nconfig wifi-iface\nconfig 'a;b' x\n", `warning: 1: network.@alias[0]: the section is left out: write an interface with the same device instead
warning: 2: network.@wifi-iface[0]: the section is left out: the radio is for the settings in interfaces, ap and wifi
warning: 3: network.x: the section is left out: a;b is no type of section that netconnectd has
`},
		{"the bridge of an interface whose VLANs are left out", "config interface lan\noption type bridge\noption ifname 'eth0 eth1'\nconfig bridge-vlan\noption device br-lan\n",
			`warning: 2: network.lan.type: the device is left out: VLANs of a bridge cannot be declared yet, and without them all its ports would be in one network
warning: 4: network.@bridge-vlan[0]: the section is left out: VLANs of a bridge cannot be declared yet
`},
	} {
		got := strings.ReplaceAll(told(Read([]byte(row.text), Options{Tables: sampleTables}).Problems), "  ", "")
		if got != row.want {
			t.Errorf("%s:\n%swant\n%s", row.name, got, row.want)
		}
	}
}

// TestForms: forms of older versions of OpenWrt declare the same as those of today.
func TestForms(t *testing.T) {
	for _, row := range []struct{ name, old, new string }{
		{"a bridge in an interface", "config interface lan\noption type bridge\noption ifname 'eth0 eth1'\noption stp 1\noption macaddr 02:00:00:00:00:01\n",
			"config device\noption name br-lan\noption type bridge\nlist ports eth0\nlist ports eth1\noption stp 1\noption macaddr 02:00:00:00:00:01\nconfig interface lan\noption device br-lan\n"},
		{"a bridge with one port", "config interface lan\noption type bridge\noption ifname eth0\n", "config device\noption name br-lan\noption type bridge\noption ports eth0\nconfig interface lan\noption device br-lan\n"},
		{"a bridge that has a section, too", "config interface lan\noption type bridge\noption ifname eth0\nconfig device\noption name br-lan\noption mtu 1400\n",
			"config device\noption name br-lan\noption type bridge\noption mtu 1400\noption ports eth0\nconfig interface lan\noption device br-lan\n"},
		{"the address of a VLAN", "config interface lan\noption ifname eth0.5\noption macaddr 02:00:00:00:00:01\n",
			"config device\noption name eth0.5\noption type 8021q\noption ifname eth0\noption vid 5\noption macaddr 02:00:00:00:00:01\nconfig interface lan\noption device eth0.5\n"},
		{"a VLAN without a type", "config device\noption name eth0.5\noption mtu 1400\n", "config device\noption name eth0.5\noption type 8021q\noption ifname eth0\noption vid 5\noption mtu 1400\n"},
		{"rules of IPv6", "config interface a\noption device eth0\nconfig rule6\noption in a\noption lookup 5\n", "config interface a\noption device eth0\nconfig rule\noption family ipv6\noption in a\noption lookup 5\n"},
		{"the alias of a bridge", "config interface b\noption device @lan\nconfig interface lan\noption type bridge\noption ifname eth0\n",
			"config interface b\noption device br-lan\nconfig interface lan\noption type bridge\noption ifname eth0\n"},
	} {
		before, after := Read([]byte(row.old), Options{}), Read([]byte(row.new), Options{})
		if before.Failed() || after.Failed() || before.Spec.IsZero() || !before.Spec.Equal(after.Spec) {
			t.Errorf("%s:\n%s%s%swant\n%s", row.name, YAML(before.Sections), told(before.Problems), told(after.Problems), YAML(after.Sections))
		}
	}
}

// TestForeign: an interface whose protocol netconnectd does not have is left out where it
// cannot be declared, and with it what needs the interface.
func TestForeign(t *testing.T) {
	text := "config interface vpn\noption proto wireguard\noption private_key x\noption mtu 1400\nconfig route\noption interface vpn\noption target 10.0.0.0/8\n"
	n := Read([]byte(text), Options{})
	if len(n.Spec.Interfaces) != 1 || n.Spec.Interfaces[0].Proto != "wireguard" || n.Spec.Interfaces[0].Device != "vpn" || len(n.Spec.Routes) != 1 || len(n.Problems) != 1 {
		t.Errorf("%+v\n%s", n.Spec, told(n.Problems))
	}
	if n = Read([]byte(text), Options{Translate: true}); len(n.Sections) > 0 || len(n.Problems) != 2 {
		t.Errorf("%s%s", YAML(n.Sections), told(n.Problems))
	}
}

// TestCost: ten times the text takes not much more than ten times as long.
func TestCost(t *testing.T) {
	if testing.Short() || timetest.Beside {
		t.Skip("measures, without the race detector")
	}
	cost := func(n int) time.Duration {
		var b strings.Builder
		for i := range n { // the aliases stand for each other in a circle
			fmt.Fprintf(&b, "config interface i%d\noption ifname @i%d\noption x%d 1\nconfig device\noption name d%d\nconfig route\noption interface i%d\n", i, (i+1)%n, i, i, i)
		}
		b.WriteString("config interface last\noption device eth0\n")
		for i := range n {
			fmt.Fprintf(&b, "option o%d 1\n", i)
		}
		return timetest.Processor(t, func() { Read([]byte(b.String()), Options{}) })
	}
	few, many := cost(130), cost(1300)
	t.Logf("%v for 130 sections of each type, %v for 1,300", few, many)
	if many > 16*few {
		t.Errorf("%v for 130 sections of each type, %v for 1,300", few, many)
	}
}

// TestAbsent: each option that netconnectd does not have is left out alone, with its
// reason and line.
func TestAbsent(t *testing.T) {
	around := map[string]string{
		"globals": "config globals\n", "interface": "config interface lan\noption device eth0\n", "device": "config device\noption name eth0\n",
		"route": "config interface lan\noption device eth0\nconfig route\noption interface lan\noption target 10.0.0.0/8\n",
	}
	check := func(kind, name, reason string) {
		text := around[kind]
		with, without := Read([]byte(text+"option "+name+" 1\n"), Options{}), Read([]byte(text), Options{})
		told := told(with.Problems)
		if !with.Spec.Equal(without.Spec) || with.Spec.IsZero() != (kind == "globals") || len(with.Problems) != 1 ||
			!strings.Contains(told, fmt.Sprintf("warning: %d: ", strings.Count(text, "\n")+1)) || !strings.Contains(told, reason) {
			t.Errorf("%s.%s: %s", kind, name, told)
		}
	}
	for _, a := range absent {
		for _, name := range strings.Fields(a.options) {
			check(a.kind, name, a.reason)
		}
	}
}
