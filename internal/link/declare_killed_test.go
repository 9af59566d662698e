package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// TestNeighboursAndRoutesOfAllKinds: permanent neighbours, proxies, routes of other
// tables, without a link, with an MTU, and a point-to-point address.
func TestNeighboursAndRoutesOfAllKinds(t *testing.T) {
	d := declareHere(t)
	d.cables()
	declared := func(mac byte, mtu uint32) Desired {
		out := lan("192.0.2.1/24")
		out.Links[0].Routes = append(out.Links[0].Routes,
			RouteSpec{Destination: prefix("10.5.0.0/16"), Gateway: addr("192.0.2.5"), Table: 1000, MTU: mtu, Source: addr("192.0.2.1")},
			RouteSpec{Destination: prefix("fd05::/48"), Gateway: addr("fd07::5"), MTU: mtu},
			RouteSpec{Destination: prefix("10.6.0.0/16"), Type: unix.RTN_BLACKHOLE},
			RouteSpec{Destination: prefix("fd06::/48"), Type: unix.RTN_UNREACHABLE, Metric: 7},
			RouteSpec{Destination: prefix("10.7.0.0/16"), Gateway: addr("172.16.9.9"), OnLink: true})
		out.Links[1].Addresses = []AddressSpec{{Prefix: prefix("172.16.0.1/32"), Peer: addr("172.16.0.2")}}
		out.Neighbours = []NeighbourSpec{
			{Path: "network.neighbours[0]", Link: "lan0", Neighbour: rtnl.Neighbour{Address: addr("192.0.2.8"), MAC: []byte{2, 0, 0, 0, 0, mac}}},
			{Path: "network.neighbours[1]", Link: "lan0", Proxy: true, Neighbour: rtnl.Neighbour{Address: addr("fd07::8")}},
		}
		return out
	}
	ipAll(t, `link set lan0 up
		addr add 10.50.0.1/24 dev lan0
		neigh add 192.0.2.55 lladdr 02:00:00:00:00:55 dev lan0
		route add 10.7.0.0/16 via 172.16.9.9 dev lan0 onlink`)
	foreign := ip(t, "neigh", "show", "nud", "permanent") + ip(t, "route", "show", "10.7.0.0/16")
	d.apply(declared(1, 1300))
	d.apply(declared(2, 1280))
	got := ip(t, "route", "show", "table", "all") + ip(t, "-6", "route", "show", "table", "all") + ip(t, "neigh", "show") + ip(t, "-6", "neigh", "show", "proxy") + ip(t, "addr", "show", "lan1")
	if !containsAll(got, "10.5.0.0/16 via 192.0.2.5 dev lan0 table 1000 proto 78 src 192.0.2.1 mtu 1280", "fd05::/48 via fd07::5 dev lan0 proto 78 metric 1024 mtu 1280",
		"blackhole 10.6.0.0/16 proto 78", "unreachable fd06::/48 dev lo proto 78 metric 7", "10.7.0.0/16 via 172.16.9.9 dev lan0 onlink",
		"192.0.2.8 dev lan0 lladdr 02:00:00:00:00:02 PERMANENT", "fd07::8 dev lan0 proxy", "inet 172.16.0.1 peer 172.16.0.2/32") || strings.Contains(got, "mtu 1300") || strings.Count(got, "10.7.0.0/16") != 1 {
		t.Error(got)
	}
	d.apply(Desired{})
	if left := ip(t, "route", "show", "table", "all", "proto", "78") + ip(t, "-6", "route", "show", "table", "all", "proto", "78") + ip(t, "-6", "neigh", "show", "proxy"); left != "" {
		t.Errorf("left: %s", left)
	}
	if now := ip(t, "neigh", "show", "nud", "permanent") + ip(t, "route", "show", "10.7.0.0/16"); now != foreign {
		t.Errorf("of others there was %s, and is %s", foreign, now)
	}
}

// TestDeclareRefusals: what the kernel refuses is named by its errno, in the kernel's
// words, with the place of the declaration; all else is done.
func TestDeclareRefusals(t *testing.T) {
	d := declareHere(t)
	d.cables()
	passthru, bridged := state.MACVLANMode(8), state.MACVLANMode(4)
	vxlan := func(name string) LinkSpec {
		return LinkSpec{Name: name, Path: "network.devices[" + name + "]", Kind: "vxlan", Data: &rtnl.VXLAN{VXLAN: state.VXLAN{ID: new(uint32(7)), Port: new(uint16(4789))}}, Up: up()}
	}
	declared := Desired{Links: []LinkSpec{
		vxlan("vx0"), vxlan("vx1"),
		{Name: "mv0", Path: "network.devices[2]", Kind: "macvlan", Parent: new("lan1"), Data: &state.MACVLAN{Mode: &passthru}},
		{Name: "mv1", Path: "network.devices[3]", Kind: "macvlan", Parent: new("lan1"), Data: &state.MACVLAN{Mode: &bridged}, Up: up(), Addresses: want("10.8.0.1/24")},
		{Name: "lan0", Path: "network.devices[4] (line 40)", MTU: new(uint32(10)), MAC: net.HardwareAddr{1, 0, 0, 0, 0, 1}, Up: up(), Addresses: want("192.0.2.1/24")},
		{Name: "mv2", Path: "network.devices[5]", Kind: "macvlan", Parent: new("mv1"), Up: up()},
		{Name: "what", Path: "network.devices[6]", Kind: "nonsense"},
	}}
	out, err := d.Apply(testContext(t), declared)
	if err == nil {
		t.Fatal("nothing was refused")
	}
	for _, says := range []string{
		"network.devices[vx1]: create vxlan vx1: EEXIST (file exists): A VXLAN device with the specified VNI already exists",
		"network.devices[3]: create macvlan mv1: EINVAL (invalid argument)",
		"network.devices[3]: mv1: set up: not tried, since create macvlan mv1 was refused",
		"network.devices[5]: create macvlan mv2: not tried, since create macvlan mv1 was refused",
		"network.devices[4] (line 40): lan0: set mtu 10: EINVAL (invalid argument): mtu less than device minimum",
		"network.devices[4] (line 40): lan0: set mac 01:00:00:00:00:01: EADDRNOTAVAIL (cannot assign requested address)",
		"network.devices[6]: create nonsense what: ENOTSUP (operation not supported): Unknown device type",
	} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("it does not say %q:\n%v", says, err)
		}
	}
	if n := strings.Count(err.Error(), "\n"); n > 12 {
		t.Errorf("%d lines: %v", n, err)
	}
	if got := addressesOf(t, "lan0"); !slices.Equal(got, []string{"192.0.2.1/24"}) {
		t.Errorf("lan0 has %v, done %v", got, texts(out.Done))
	}
	if owned, _ := d.owned(); slices.ContainsFunc(owned.Links, func(l OwnedLink) bool { return l.Name == "vx1" || l.Making != "" }) {
		t.Errorf("owned: %+v", owned)
	}
	// What could be done is ours, and goes.
	d.apply(Desired{})
	if left := ip(t, "-br", "link"); strings.Count(left, "\n") != 5 {
		t.Errorf("left:\n%s", left)
	}
}

// stopping is a kernel that the program is killed before, after so many requests.
type stopping struct {
	kernel
	left int
}

func (s *stopping) send(ctx context.Context, all []request) ([]reply, error) {
	if s.left < len(all) {
		_, err := s.kernel.send(ctx, all[:s.left])
		s.left = 0
		return nil, errors.Join(errKilled, err)
	}
	s.left -= len(all)
	return s.kernel.send(ctx, all)
}

func (s *stopping) setSysctl(key, value string) error {
	if s.left == 0 {
		return errKilled
	}
	s.left--
	return s.kernel.setSysctl(key, value)
}

// killedAfter applies want, and is killed after so many requests. It reports whether
// there were so many.
func (d declaring) killedAfter(requests int, want Desired) bool {
	d.t.Helper()
	ctx := testContext(d.t)
	owned, err := d.owned()
	if err != nil {
		d.t.Fatal(err)
	}
	c, done, err := dial(ctx)
	if err != nil {
		d.t.Fatal(err)
	}
	defer done()
	k := &stopping{newSender(c), requests}
	dead := false
	_, err = converge(ctx, k, func(o Owned) (*Tables, error) { return c.readDeclared(want, o) }, want, owned, func(o Owned) error {
		if dead = dead || k.left == 0 && requests > 0; dead {
			return errKilled
		}
		return o.write(d.File)
	})
	return errors.Is(err, errKilled)
}

// TestKilledAtEveryStep kills an application after each of its requests. The next one
// ends in what is declared, keeps the links that were made, and nothing is left when
// nothing is declared any longer, but what others have made.
func TestKilledAtEveryStep(t *testing.T) {
	d := declareHere(t)
	ipAll(t, "link add lan0 type veth peer name far0\nlink set far0 up\naddr add 10.66.0.1/16 dev lan0\nlink set lan0 mtu 1480 up\nlink set lan0 down")
	now := func() string {
		return fmt.Sprint(indexesNow(t)) + "\n" + ip(t, "-o", "addr", "show", "lan0") + ip(t, "link", "show", "lan0")
	}
	before := now()
	declared := home()
	declared.Links = append(declared.Links, lan("192.0.2.1/24").Links[0])
	declared.Links[len(declared.Links)-1].MTU = new(uint32(1400))
	other := home()
	other.Links = other.Links[1:4]
	other.Links[2].Addresses = want("10.1.0.3/24", "fd01::1/64")
	other.Links[2].Data = &rtnl.Bridge{Bridge: state.Bridge{Priority: new(uint16(1))}}
	points := 0
	for requests := 1; d.killedAfter(requests, declared); requests++ {
		made := indexesNow(t)
		d.apply(declared)
		for name, index := range indexesNow(t) {
			if was, there := made[name]; there && was != index {
				t.Fatalf("killed after %d: %s was made anew", requests, name)
			}
		}
		d.killedAfter(requests, other)
		d.apply(other)
		d.killedAfter(requests, Desired{})
		d.apply(Desired{})
		if after := now(); after != before {
			t.Fatalf("killed after %d: before\n%s\nafter\n%s", requests, before, after)
		}
		points++
	}
	if points < 20 {
		t.Errorf("killed at %d points only", points)
	}
}

func indexesNow(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, l := range ipJSON[[]ipLink](t, "link") {
		out[l.Name] = l.Index
	}
	return out
}
