package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/netconnectd/netconnectd/internal/network"
)

// router is a section with items of each kind, in lines 1 to 30.
const router = `network:
  devices:
    - name: br-lan
      type: bridge
      ports: [eth1, eth2]
      stp: yes
    - {name: eth1, isolate: 1}
    - name: usb
      match:
        mac: 02:00:00:00:00:07
    - {name: x0, type: vxlan, vid: 42}
  interfaces:
    - name: lan
      device: br-lan
      proto: static
      ipaddr:
        - 192.0.2.7/24
        - 198.51.100.7/24
    - {name: wan, device: usb, proto: dhcp}
  routes:
    - interface: lan
      target: 10.0.0.0/8
      gateway: 192.0.2.1
  rules:
    - in: lan
      lookup: 100
  neighbours:
    - interface: lan
      ipaddr: 192.0.2.9
      mac: 02:00:00:00:00:09
`

func TestNetwork(t *testing.T) {
	c, warnings, err := loadYAML(t, router)
	if err != nil || len(butOpen(warnings)) > 0 {
		t.Fatalf("%v, %v", warnings, err)
	}
	n := c.Network
	if len(n.Devices) != 4 || len(n.Interfaces) != 2 || len(n.Routes) != 1 || len(n.Rules) != 1 || len(n.Neighbours) != 1 {
		t.Fatalf("%+v", n)
	}
	if got := fmt.Sprint(n.Devices[0].Where(), n.Devices[0].Ports, n.Devices[2].MAC); got != "network.devices[0] (line 3)[eth1 eth2] 02:00:00:00:00:07" {
		t.Error(got)
	}
	if got := n.Interfaces[0].Addresses[1].Path; got != "network.interfaces[0].ipaddr (line 18)" {
		t.Error(got)
	}
}

func TestNetworkThatSaysNothing(t *testing.T) {
	for _, text := range []string{"network:\n", "network: {}\n", "network: ~\n", "network:\n  devices:\n  routes: []\n", "network:\n  interfaces: ~\n"} {
		if c, _, err := loadYAML(t, text); err != nil || !c.Network.IsZero() {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestNetworkProblems: mistakes of the shape. What the options may be package network tests.
func TestNetworkProblems(t *testing.T) {
	for _, row := range []struct{ name, yaml, want string }{
		{"a list", "network:\n- a\n", "network: is a list, not a section with the lists devices, interfaces, routes, rules, neighbours (line 2)"},
		{"a word", "network: on\n", "network: is a single value, not a section"},
		{"a list that there is not", "network:\n  bridges: []\n", "network.bridges: is not a list of this section (line 2)"},
		{"a list that is nearly there", "network:\n  neighbors: []\n", "network.neighbors: is not a list of this section; did you mean neighbours? (line 2)"},
		{"one without a dash", "network:\n  devices:\n    name: a\n", "network.devices: is a section, not a list; begin each of the devices with a dash and a space (line 3)"},
		{"an item that is a word", "network:\n  devices:\n    - a\n", "network.devices[0]: is a single value, not a device with options, such as - name: eth0 (line 3)"},
		{"an item that is nothing", "network:\n  devices:\n    -\n", "network.devices[0]: is a single value"},
		{"an item that is a list", "network:\n  devices:\n    - [a]\n", "network.devices[0]: is a list"},
		{"a section below an option", "network:\n  devices:\n    - name: a\n      mtu: {is: 5}\n", "network.devices[0].mtu: is a section, not a value or a list of values (line 4)"},
		{"a list in a list", "network:\n  devices:\n    - {name: a, type: bridge, ports: [[b]]}\n", "network.devices[0].ports: is a list, not a single value or a list of them (line 3)"},
		{"nothing in a list", "network:\n  devices:\n    - {name: a, type: bridge, ports: [b, ~]}\n", "network.devices[0].ports: has an item with nothing in it; leave the item out (line 3)"},
		{"match by another thing", "network:\n  devices:\n    - name: a\n      match: {path: b}\n", "network.devices[0].match.path: is not an option of a device; leave it out; did you mean match.mac? (line 4)"},
		{"a list twice", "network:\n  devices: []\n  devices: []\n", "network.devices: is given twice, first in line 2 (line 3)"},
		{"the section twice", "network:\n  devices: []\nnetwork:\n  devices: []\n", "network: is given twice, first in line 1 (line 3)"},
		{"an option twice", "network:\n  devices:\n    - name: a\n      name: b\n", "network.devices[0].name: name is given twice, first in line 3; leave one out (line 4)"},
		{"a tag", "network:\n  devices:\n    - name: !x a\n", "network.devices[0].name: has a tag of YAML; put a value that begins with ! in quotes (line 3)"},
		{"an anchor", "network:\n  devices:\n    - name: &x\n", "network.devices[0].name: is an anchor of YAML; put a value that begins with & in quotes (line 3)"},
		{"merging", "network:\n  devices:\n    - &a {name: a}\n    - {<<: *a, name: b}\n", "is a section, not a value or a list of values (line 4)"},
		{"a list in the place of an option", "network:\n  devices:\n    - ? [a]\n      : b\n", "network.devices[0]: has a list in the place of a key (line 3)"},
		{"a value in a line of its own", "network:\n  devices:\n    - name: a\n      type: bridge\n      ports:\n        - b\n        - a/b\n", "network.devices[0].ports: a/b is not the name of an interface: that has 1 to 15 bytes, and no slash, colon or space (line 7)"},
		{"the radio", "interfaces:\n  wifi: wlan0\nnetwork:\n  interfaces:\n    - {name: lan, device: wlan0}\n", "network.interfaces[0].device: wlan0 is interfaces.wifi already (line 2); name it in one of the two places (line 5)"},
		{"the wired interface", "network:\n  devices:\n    - {name: br0, type: bridge, ports: [eth0]}\ninterfaces:\n  wired: eth0\n", "network.devices[0].ports: eth0 is interfaces.wired already (line 5); name it in one of the two places (line 3)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, _, err := loadYAML(t, row.yaml)
			if c != nil || err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error = %v, want %s", err, row.want)
			}
		})
	}
}

// TestNetworkWarnings: what is probably not meant is used all the same.
func TestNetworkWarnings(t *testing.T) {
	c, warnings, err := loadYAML(t, "network:\n  interfaces:\n    - name: lan\n      device: eth0\n      proto: static\n      ipaddr: 192.0.2.7\n")
	want := "network.interfaces[0].ipaddr: 192.0.2.7 has no length, so it is alone in its network; write 192.0.2.7/24 or what the network has (line 6)\n"
	if err != nil || texts(butOpen(warnings)) != want || len(c.Network.Interfaces) != 1 {
		t.Errorf("%v, %s", err, texts(warnings))
	}
}

// TestNetworkAndFlags: a name that a flag gives is in the way as well.
func TestNetworkAndFlags(t *testing.T) {
	_, _, err := loadYAML(t, router, "--interface-wired=eth2")
	if err == nil || !strings.Contains(err.Error(), "network.devices[0].ports: eth2 is interfaces.wired already (--interface-wired); name it in one of the two places (line 5)") {
		t.Errorf("error = %v", err)
	}
}

// TestWrongNetwork: at a start with a fault, the section counts as it was when it was kept,
// or else as a whole not.
func TestWrongNetwork(t *testing.T) {
	for _, row := range []struct {
		name, yaml string
		there      bool // the section counts
	}{
		{"a bad option", strings.Replace(router, "vid: 42", "vid: x", 1) + "ap: {channel: 6}\n", false},
		{"a fault elsewhere", router + "ap: {channel: 99}\n", true},
		{"not YAML elsewhere", router + "ap: {channel: 6\n", true},
		{"not YAML at its end", strings.TrimSuffix(router, "mac: 02:00:00:00:00:09\n") + "mac: 'x\n", false},
		{"not YAML in its middle", strings.Replace(router, "  routes:\n", "\troutes:\n", 1), false},
		{"the radio is in it", strings.Replace(router, "device: usb", "device: wlan0", 1) + "interfaces: {wifi: wlan0}\n", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := writeYAML(t, row.yaml)
			_, _, fault := Load([]string{"-c", path}, nil)
			if fault == nil {
				t.Fatal("nothing is wrong")
			}
			c := LoadDefaults([]string{"-c", path}, nil, fault)
			if c == nil || c.Network.IsZero() == row.there {
				t.Fatalf("%v, after %v", c, fault)
			}
			if row.there && !c.Network.Equal(mustLoad(t, router).Network) {
				t.Errorf("half of it: %+v", c.Network)
			}
		})
	}
}

func mustLoad(t *testing.T, text string) *Config {
	t.Helper()
	c, _, err := loadYAML(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDiffOfNetwork: a section that declares the same in other lines does not differ.
func TestDiffOfNetwork(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"other lines", "# moved\n\n" + router, "[]"},
		{"another address", strings.Replace(router, "192.0.2.7", "192.0.2.8", 1), "[network]"},
		{"nothing", "", "[network]"},
		{"another port, and another channel", strings.Replace(router, "eth2", "eth3", 1) + "ap: {channel: 6}\n", "[ap.channel network]"},
	} {
		if got := fmt.Sprint(Diff(mustLoad(t, router), mustLoad(t, row.text))); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// TestAliases: a value may be repeated by an alias, and no file becomes large by aliases.
func TestAliases(t *testing.T) {
	c := mustLoad(t, "network:\n  devices:\n    - {name: br0, type: bridge, ports: &p [a, b]}\n    - {name: d0, type: dummy, mtu: &m 1400}\n    - {name: d1, type: dummy, mtu: *m}\n")
	if mtu := c.Network.Devices[2].Link.MTU; mtu == nil || *mtu != 1400 {
		t.Errorf("%v", mtu)
	}
	for _, text := range []string{
		"a: &i {name: b, type: bridge, ports: [" + strings.Repeat("a, ", 200) + "]}\nnetwork:\n  devices: [" + strings.Repeat("*i, ", 200) + "]\n",
		"a: &i [" + strings.Repeat("a, ", 200) + "]\nprobe:\n" + strings.Repeat("  hosts: *i\n", 200),
		"network:\n  devices: &i [*i, *i]\n",
	} {
		var r report
		if got := parseFile([]byte(text), &r); len(got.values)+len(got.sections) > 0 || len(r.problems) != 1 || !strings.Contains(texts(r.problems), "aliases of YAML (*) repeat more than 10000 values; write them out (line ") {
			t.Errorf("%d values, %d sections\n%s", len(got.values), len(got.sections), texts(r.problems))
		}
	}
}

// TestHostileNetworks: hundreds of sections with one mistake each, of every option that
// there is, and of many kinds. Each is reported in its line, and nothing of it is used.
func TestHostileNetworks(t *testing.T) {
	tried := 0
	for _, list := range networkLists {
		for _, o := range network.Options(list.kind) {
			for _, mistake := range mistakes {
				lines := []string{"network:", "  " + list.name + ":", "    - " + around(list.kind, o)}
				text, ok := mistake.line(o)
				if !ok {
					continue
				}
				tried++
				lines = append(lines, "      "+text)
				wrong := len(lines)
				name := fmt.Sprintf("%s of %s %s", mistake.name, list.kind, o.Name)
				checkHostile(t, name, strings.Join(lines, "\n")+"\n", wrong)
			}
		}
	}
	if tried < 200 {
		t.Errorf("only %d sections", tried)
	}
	t.Logf("%d sections", tried)
}

// around begins an item that can have the option, without the option.
func around(kind string, o network.OptionDoc) string {
	switch {
	case kind == network.KindDevice && len(o.Of) > 0 && o.Of[0] != "":
		return "type: " + o.Of[0]
	case kind == network.KindDevice && o.Name != "enabled":
		return "enabled: true"
	case kind == network.KindInterface && len(o.Of) > 0:
		return "proto: " + o.Of[0]
	case kind == network.KindInterface && o.Name != "auto":
		return "auto: true"
	case o.Name != "disabled":
		return "disabled: false"
	}
	return map[string]string{network.KindDevice: "mtu: 1500", network.KindInterface: "metric: 1", network.KindRoute: "metric: 1",
		network.KindRule: "priority: 1", network.KindNeighbour: "router: false"}[kind]
}

// mistakes make the line of an option that is wrong; without ok the option cannot have
// the mistake.
var mistakes = []struct {
	name string
	line func(o network.OptionDoc) (text string, ok bool)
}{
	{"a section", func(o network.OptionDoc) (string, bool) { return o.Name + ": {a: b}", true }},
	{"lists in a list", func(o network.OptionDoc) (string, bool) { return o.Name + ": [[a]]", true }},
	{"a tag", func(o network.OptionDoc) (string, bool) { return o.Name + ": !!binary aaaa", true }},
	{"a list", func(o network.OptionDoc) (string, bool) { return o.Name + ": [1, 1]", !o.List }},
	{"nothing in quotes", func(o network.OptionDoc) (string, bool) { return o.Name + `: ""`, !o.List }},
	{"a line break", func(o network.OptionDoc) (string, bool) { return o.Name + `: "a\nb"`, !o.List }},
	{"a terminal's escape", func(o network.OptionDoc) (string, bool) { return o.Name + `: "\e[2J"`, true }},
	{"a long text", func(o network.OptionDoc) (string, bool) { return o.Name + ": " + strings.Repeat("-a", 5000), true }},
	{"a letter too many", func(o network.OptionDoc) (string, bool) { return o.Name + "x: 1", true }},
}

// checkHostile: the file has a problem in the line, and neither a load nor a start with
// defaults uses the section.
func checkHostile(t *testing.T, name, text string, line int) {
	t.Helper()
	path := writeYAML(t, text)
	c, _, err := Load([]string{"-c", path}, nil)
	var report *Error
	if c != nil || !errors.As(err, &report) {
		t.Errorf("%s: accepted:\n%s", name, text)
		return
	}
	if !slices.ContainsFunc(report.Problems, func(p Problem) bool { return p.from.line == line }) {
		t.Errorf("%s: nothing is reported in line %d:\n%v", name, line, err)
	}
	for _, p := range report.Problems {
		if strings.ContainsFunc(p.String(), func(c rune) bool { return c < ' ' || c == 0x7f }) || len(p.String()) > 400 {
			t.Errorf("%s: no short line: %q", name, p)
		}
	}
	if c := LoadDefaults([]string{"-c", path}, nil, err); c == nil || !c.Network.IsZero() {
		t.Errorf("%s: half of it is used", name)
	}
}

func TestValuesOfNetwork(t *testing.T) {
	values, err := Values([]string{"-c", writeYAML(t, router)}, nil)
	if err != nil || !slices.Contains(values, "network: 4 devices, 2 interfaces, 1 routes, 1 rules, 1 neighbours") {
		t.Errorf("%v, %v", values, err)
	}
}
