package link

import (
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

// declaring is a declaration in a namespace of the test.
type declaring struct {
	Declaration
	t *testing.T
}

// declareHere moves the test into an empty namespace.
func declareHere(t *testing.T) declaring {
	t.Helper()
	netnstest.Thread(t)
	ip(t, "link", "set", "lo", "up")
	return declaring{Declaration{File: filepath.Join(t.TempDir(), "owned.json"), Log: slog.New(slog.DiscardHandler)}, t}
}

// apply applies want, and returns what was done. Afterwards nothing may be left to do.
func (d declaring) apply(want Desired) []string {
	d.t.Helper()
	out, err := d.Apply(testContext(d.t), want)
	if err != nil {
		d.t.Fatal(err)
	}
	d.nothingLeft(want)
	return texts(out.Done)
}

func (d declaring) nothingLeft(want Desired) {
	d.t.Helper()
	left, err := d.Plan(testContext(d.t), want)
	if err != nil || len(left) > 0 {
		d.t.Fatalf("still to do after Apply: %v, %v", texts(left), err)
	}
}

func texts(changes []Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, c.String())
	}
	return out
}

func up() *bool { return new(true) }

// home is a bridge with a port and an address, a macvlan on it, and a tunnel.
func home() Desired {
	mode := state.MACVLANMode(4)
	return Desired{Links: []LinkSpec{
		{Name: "mv0", Path: "network.devices[3]", Kind: "macvlan", Parent: new("br0"), Data: &state.MACVLAN{Mode: &mode}, Up: up(), Addresses: want("10.3.0.1/24")},
		{Name: "p0", Path: "network.devices[1]", Kind: "veth", Peer: "q0", Master: new("br0"), PortData: &rtnl.BridgePort{BridgePort: state.BridgePort{PathCost: new(uint32(7))}}, Up: up()},
		{Name: "q0", Path: "network.devices[2]", Up: up(), Addresses: want("10.1.0.2/24")},
		{Name: "br0", Path: "network.devices[0]", Kind: "bridge", MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, Data: &rtnl.Bridge{Bridge: state.Bridge{Priority: new(uint16(4096))}}, MTU: new(uint32(1400)), Up: up(),
			Addresses: want("10.1.0.1/24", "fd01::1/64"), Routes: []RouteSpec{through("10.9.0.0/16", "10.1.0.254", 5), through("fd09::/48", "fd01::254", 0)},
			Sysctls: map[string]string{"ipv4/conf/br0/forwarding": "1"}},
		{Name: "vx0", Path: "network.devices[4]", Kind: "vxlan", Parent: new("br0"), Data: &rtnl.VXLAN{VXLAN: state.VXLAN{ID: new(uint32(77)), Port: new(uint16(4789)), Remote: addr("10.1.0.9"), Learning: new(false)}}, Up: up()},
	}}
}

func TestDeclare(t *testing.T) {
	d := declareHere(t)
	done := d.apply(home())
	if want := []string{
		"br0: create bridge", "mv0: create macvlan", "p0: create veth", "vx0: create vxlan",
		"br0: set mtu 1400 (in place)", "br0: set ipv4/conf/br0/forwarding 1 (in place)", "br0: set up (in place)",
		"br0: add address 10.1.0.1/24", "br0: add address fd01::1/64",
		"mv0: set up (in place)", "mv0: add address 10.3.0.1/24",
		"p0: set master br0 (in place)", "p0: set cost 7 (in place)", "p0: set up (in place)",
		"q0: set up (in place)", "q0: add address 10.1.0.2/24", "vx0: set up (in place)",
		"br0: add route to 10.9.0.0/16 via 10.1.0.254 metric 5", "br0: add route to fd09::/48 via fd01::254",
	}; !slices.Equal(done, want) {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, done))
	}
	if got := fmt.Sprint(addressesOf(t, "br0"), routesOf(t, "br0", "78")); got != "[10.1.0.1/24 fd01::1/64] [10.9.0.0/16 via 10.1.0.254 metric 5 fd09::/48 via fd01::254 metric 1024]" {
		t.Error(got)
	}
	done = d.apply(Desired{})
	if want := []string{"vx0: delete vxlan (restart)", "p0: delete veth (restart)", "mv0: delete macvlan (restart)", "br0: delete bridge (restart)"}; !slices.Equal(done, want) {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, done))
	}
	if left := ip(t, "-br", "link"); strings.Count(left, "\n") != 1 {
		t.Errorf("left:\n%s", left)
	}
}

// TestDeclareOtherEnd: the other end of a veth has the hardware address that is declared,
// which the kernel takes only when it makes the veth.
func TestDeclareOtherEnd(t *testing.T) {
	d := declareHere(t)
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 7}
	want := Desired{Links: []LinkSpec{{Name: "p0", Path: "devices.p0", Kind: "veth", Peer: "q0", Data: &rtnl.Veth{Peer: &rtnl.Link{Name: "q0", MAC: mac}}, Up: up()}}}
	d.apply(want)
	if shown := ip(t, "-br", "link", "show", "q0"); !strings.Contains(shown, mac.String()) {
		t.Errorf("the other end is %s", shown)
	}
}

// TestDeclarePrimary: a bond is told of the port that it prefers when the port is there.
func TestDeclarePrimary(t *testing.T) {
	d := declareHere(t)
	bond := func(primary string) Desired {
		data := &rtnl.Bond{Bond: state.Bond{Mode: new(state.BondActiveBackup), MIIMonitor: new(uint32(100)), Primary: primary}}
		return Desired{Links: []LinkSpec{
			{Name: "bond0", Path: "devices.bond0", Kind: "bond", Data: data, Up: up()},
			{Name: "p0", Path: "devices.p0", Kind: "veth", Peer: "q0", Master: new("bond0"), Up: up()},
			{Name: "p1", Path: "devices.p1", Kind: "veth", Peer: "q1", Master: new("bond0"), Up: up()},
		}}
	}
	if out, err := d.Apply(testContext(t), bond("p1")); err != nil {
		if strings.Contains(err.Error(), "not supported") {
			t.Skip("this kernel has no bonds")
		}
		t.Fatal(err, texts(out.Done))
	}
	d.nothingLeft(bond("p1"))
	primary := func() string { return ip(t, "-d", "link", "show", "bond0") }
	if shown := primary(); !strings.Contains(shown, " primary p1 ") {
		t.Errorf("ip shows %s", shown)
	}
	if done := d.apply(bond("p0")); !slices.Equal(done, []string{"bond0: set primary p0 (in place)"}) {
		t.Error(done)
	}
	if shown := primary(); !strings.Contains(shown, " primary p0 ") {
		t.Errorf("ip shows %s", shown)
	}
}
