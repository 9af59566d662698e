package network

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// everything has sections of each kind.
const everything = `device name=br0 type=bridge ports=[eth1,v0] stp=1
device name=v0 type=veth peer_name=v1 peer_macaddr=02:00:00:00:00:01 isolate=1
device name=m0 type=macvlan ifname=eth0 mode=bridge
device name=x0 type=vxlan vid=42 peeraddr=192.0.2.9 tunlink=eth0 rpfilter=loose
device name=usb match.mac=02:00:00:00:00:02 ipv6=0 neighgcstaletime=5
interface name=lan device=br0 proto=static ipaddr=[192.0.2.7/24,198.51.100.7/24] ip6addr=2001:db8::7/64 gateway=192.0.2.1 dns=192.0.2.53
interface name=wan device=usb proto=dhcp metric=5
route interface=lan target=10.0.0.0/8 gateway=192.0.2.2
rule in=lan lookup=100 uidrange=5-9
neighbour interface=lan ipaddr=192.0.2.9 mac=02:00:00:00:00:09
`

// TestEqual: a Spec differs in what it declares, and not in where it does.
func TestEqual(t *testing.T) {
	spec := mustRead(t, everything)
	if !spec.Equal(mustRead(t, "\n\n"+everything)) {
		t.Error("empty lines above make a difference")
	}
	if spec.Devices[0].Line != 1 || spec.Interfaces[0].Addresses[0].Path == "" {
		t.Errorf("the comparison has taken the places away: %+v", spec.Devices[0].Place)
	}
	for _, row := range []struct{ name, old, new string }{
		{"a port", "[eth1,v0]", "[eth1,v0,eth2]"},
		{"a setting behind a pointer", "stp=1", "stp=0"},
		{"an address", "192.0.2.7/24", "192.0.2.8/24"},
		{"a route", "gateway=192.0.2.2", "gateway=192.0.2.3"},
		{"a rule", "uidrange=5-9", "uidrange=5-8"},
		{"a neighbour", "mac=02:00:00:00:00:09", "mac=02:00:00:00:00:08"},
		{"a sysctl", "rpfilter=loose", "rpfilter=strict"},
		{"a name server", "dns=192.0.2.53", "dns=192.0.2.54"},
	} {
		if spec.Equal(mustRead(t, strings.Replace(everything, row.old, row.new, 1))) {
			t.Errorf("%s makes no difference", row.name)
		}
	}
	if spec.IsZero() || !(Spec{}).IsZero() || !(Spec{}).Equal(Spec{}) {
		t.Error("nothing is something")
	}
}

// TestOn: a device that is found by its address has settings for the link of any name.
func TestOn(t *testing.T) {
	usb := mustRead(t, everything).Devices[4]
	got := usb.On("eth7")
	if want := map[string]string{"ipv6/conf/eth7/disable_ipv6": "1", "ipv4/neigh/eth7/gc_stale_time": "5", "ipv6/neigh/eth7/gc_stale_time": "5"}; got.Name != "eth7" || !reflect.DeepEqual(got.Sysctls, want) {
		t.Errorf("%s: %v", got.Name, got.Sysctls)
	}
	if usb.Link.Name != "usb" || usb.Link.Sysctls["ipv6/conf/usb/disable_ipv6"] != "1" {
		t.Errorf("the device has changed: %+v", usb.Link)
	}
	if got := usb.On("usb"); !reflect.DeepEqual(got, usb.Link) {
		t.Errorf("%+v", got)
	}
}

// TestClaims: who wants a link to be as its section says.
func TestClaims(t *testing.T) {
	sections := parse(everything)
	for _, row := range []struct{ link, want string }{
		{"br0", "device.name (line 1) interface.device (line 6)"},
		{"eth1", "device.ports (line 1)"},
		{"v0", "device.ports (line 1) device.name (line 2)"},
		{"v1", "device.peer_name (line 2)"},
		{"eth0", ""}, // only used, by a MACVLAN and by a tunnel
		{"usb", "interface.device (line 7)"},
		{"lan", ""},
	} {
		var places []string
		for _, p := range Claims(sections, row.link) {
			places = append(places, p.Where())
		}
		if got := strings.Join(places, " "); got != row.want {
			t.Errorf("%s: %q, want %q", row.link, got, row.want)
		}
	}
}

// TestLinesOfValues: a value of a list that is wrong is reported in its own line.
func TestLinesOfValues(t *testing.T) {
	_, problems := Read([]Section{{Kind: KindInterface, Name: "lan", Options: []Option{
		{Name: "device", Values: []string{"eth0"}},
		{Name: "dns", Place: Place{"x.dns", 3}, List: true, Values: []string{"192.0.2.53", "none"}, Lines: []int{4, 5}},
	}}})
	if got := texts(problems); got != "x.dns (line 5): none is not an IP address\n" {
		t.Error(got)
	}
}

// TestNameOfSection: a front end may name an interface by its section, and the name is
// checked likewise.
func TestNameOfSection(t *testing.T) {
	device := []Option{{Name: "device", Values: []string{"eth0"}}}
	spec, problems := Read([]Section{{Kind: KindInterface, Name: "lan", Options: device}})
	if len(problems) > 0 || spec.Interfaces[0].Name != "lan" {
		t.Errorf("%+v, %s", spec, texts(problems))
	}
	_, problems = Read([]Section{{Place: Place{"x", 3}, Kind: KindInterface, Name: "a b", Options: device}})
	if got := texts(problems); got != "x (line 3): \"a b\" is not a name of 1 to 64 letters, digits, _ and -\n" {
		t.Error(got)
	}
}

// TestManySections: a large file takes time in proportion to its size.
func TestManySections(t *testing.T) {
	build := func(n int) []Section {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "device name=m%d type=macvlan ifname=m%d\n", i, i+1)
			fmt.Fprintf(&b, "interface name=lan%d device=x proto=static ipaddr=10.%d.%d.1/24\n", i, i/256, i%256)
			fmt.Fprintf(&b, "route interface=lan%d target=192.0.2.%d gateway=10.%d.%d.9 metric=%d\n", i, i%256, i/256, i%256, i)
			fmt.Fprintf(&b, "route interface=lna%d target=10.0.0.0/8 metric=%d\n", i, i)
			fmt.Fprintf(&b, "rule lookup=%d unknown=1\n", i+1)
		}
		return parse(b.String())
	}
	small, large := build(1000), build(4000)
	cost := func(sections []Section) float64 {
		return testing.AllocsPerRun(1, func() {
			if _, problems := Read(sections); len(problems) != 2*len(sections)/5 {
				t.Fatalf("%d problems of %d sections", len(problems), len(sections))
			}
		})
	}
	if few, many := cost(small), cost(large); many > 6*few {
		t.Errorf("%v allocations for 1,000 sections of each kind, %v for 4,000", few, many)
	}
}

// FuzzRead: whatever a file has, Read neither panics nor reads it by halves, and says what
// is wrong in one short line.
func FuzzRead(f *testing.F) {
	f.Add(everything)
	for _, sample := range samples {
		f.Add(sample.around + "\n" + sample.section + " " + sample.options)
	}
	f.Add("device\ninterface\nroute\nrule\nneighbour\nx")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		sections := parse(text)
		spec, problems := Read(sections)
		failed := false
		for _, p := range problems {
			failed = failed || !p.Warning
			if p.Text == "" || len(p.Text) > 400 || strings.ContainsFunc(p.Text, func(c rune) bool { return c < ' ' || c == 0x7f }) {
				t.Errorf("no short line: %q", p.Text)
			}
		}
		if failed && !spec.IsZero() {
			t.Errorf("half of it is read: %v", lines(spec))
		}
		if !failed && len(spec.Devices)+len(spec.Interfaces)+len(spec.Rules) > len(sections) {
			t.Errorf("more is read than there is: %v", lines(spec))
		}
		again, _ := Read(sections)
		if !spec.Equal(again) {
			t.Error("the same sections are read in two ways")
		}
		if failed {
			return
		}
		for _, d := range spec.Devices {
			for path := range d.Link.Sysctls {
				if parts := strings.Split(path, "/"); len(parts) != 4 || parts[2] != d.Name || parts[2] == ".." {
					t.Errorf("%s is no setting of %s", path, d.Name)
				}
			}
		}
	})
}
