package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// drawn makes declarations of a few names, so that they meet.
type drawn struct{ *rand.Rand }

func (d drawn) one(of ...string) string { return of[d.IntN(len(of))] }

func (d drawn) maybe(percent int) bool { return d.IntN(100) < percent }

var ourNames = []string{"a", "b", "c", "d", "e", "f"}

// foreign is what others have made: a link that exists by itself with addresses and a
// route, a bridge with a port, and another bridge's port.
func foreign(m *model) {
	eth := m.make("eth", "")
	eth.Flags = unix.IFF_UP
	own := m.make("own", "bridge")
	own.Flags = unix.IFF_UP
	port := m.make("port", "macvtap")
	port.Master, port.Info.PortKind = new(uint32(own.Index)), "bridge"
	m.addresses = append(m.addresses,
		rtnl.Address{Family: unix.AF_INET, Index: uint32(eth.Index), PrefixLength: 24, Address: addr("10.0.1.77"), Local: addr("10.0.1.77"), Lifetimes: rtnl.Lifetimes{Valid: rtnl.Infinity, Preferred: rtnl.Infinity}},
		rtnl.Address{Family: unix.AF_INET6, Index: uint32(own.Index), PrefixLength: 64, Address: addr("fd00:1::77"), Lifetimes: rtnl.Lifetimes{Valid: rtnl.Infinity, Preferred: rtnl.Infinity}})
	m.routes = append(m.routes, rtnl.Route{Family: unix.AF_INET, Destination: addr("10.77.0.0"), DestinationLength: 16, OutIndex: uint32(eth.Index), Table: 254, Protocol: 4, Type: 1, Scope: unix.RT_SCOPE_LINK})
	m.rules = append(m.rules, rtnl.Rule{Family: unix.AF_INET, Priority: 5, Action: 1, Table: 77, Protocol: new(uint8(4))})
}

func (d drawn) desired() Desired {
	var want Desired
	names := slices.Concat(ourNames, []string{"eth", "own"})
	d.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names[:d.IntN(len(names)+1)] {
		want.Links = append(want.Links, d.link(name))
	}
	for range d.IntN(3) {
		r := RuleSpec{Rule: rtnl.Rule{Priority: uint32(d.IntN(4)) * 100, Table: uint32(100 + d.IntN(2)), Mark: new(uint32(d.IntN(3)))}}
		if !slices.ContainsFunc(want.Rules, func(other RuleSpec) bool {
			return other.Table == r.Table && *other.Mark == *r.Mark && (other.Priority == r.Priority || other.Priority == 0 || r.Priority == 0)
		}) {
			want.Rules = append(want.Rules, r)
		}
	}
	if d.maybe(30) {
		want.Neighbours = append(want.Neighbours, NeighbourSpec{Link: d.one(names...), Proxy: d.maybe(30), Neighbour: rtnl.Neighbour{Address: addr("10.0.1.9"), MAC: []byte{2, 0, 0, 0, 7, byte(d.IntN(2))}}})
	}
	return want
}

func (d drawn) link(name string) LinkSpec {
	l := LinkSpec{Name: name, Path: "network." + name}
	if slices.Contains(ourNames, name) {
		d.kind(&l)
	} else {
		d.others(&l)
		return l
	}
	if d.maybe(40) {
		l.MTU = new(uint32(d.one("1200", "1400", "1500")[1]-'0')*100 + 1000)
	}
	if d.maybe(20) {
		l.TxQueueLength = new(uint32(d.IntN(2) * 7))
	}
	if d.maybe(20) {
		l.MAC = net.HardwareAddr{2, 0, 0, 0, 0, byte(d.IntN(3))}
	}
	if d.maybe(20) {
		l.Promiscuous = new(d.maybe(50))
	}
	if d.maybe(40) && l.Kind != "bridge" && l.Kind != "vrf" {
		l.Master = new(d.one("", "own", "a", "b"))
	}
	if l.Master != nil && *l.Master == "own" {
		if d.maybe(50) {
			l.PortData = &rtnl.BridgePort{BridgePort: state.BridgePort{PathCost: new(uint32(5 + d.IntN(2)))}}
		}
		d.vlans(&l)
	}
	if d.maybe(80) {
		l.Up = new(d.maybe(80))
	}
	if d.maybe(20) {
		l.Sysctls = map[string]string{"ipv4/conf/" + name + "/forwarding": d.one("0", "1")}
	}
	d.addresses(&l)
	if l.Up != nil && *l.Up {
		d.routes(&l)
	}
	return l
}

func (d drawn) vlans(l *LinkSpec) {
	if d.maybe(50) {
		return
	}
	l.VLANs = []state.BridgeVLAN{}
	for id := range uint16(3) {
		if d.maybe(50) {
			l.VLANs = append(l.VLANs, state.BridgeVLAN{VID: new(10 + id), IsPVID: id == 0, IsEgressUntagged: d.maybe(50)})
		}
	}
	if d.maybe(30) {
		l.VLANs = append(l.VLANs, state.BridgeVLAN{VIDRange: &[2]uint16{20, 22}})
	}
}

// others declares what others have made, without what makes the kernel drop theirs:
// down, a small MTU, another VRF.
func (d drawn) others(l *LinkSpec) {
	if d.maybe(30) {
		l.MTU = new(uint32(1400))
	}
	if d.maybe(30) && l.Name != "own" {
		l.Master = new(d.one("", "own"))
	}
	if d.maybe(30) {
		l.MAC = net.HardwareAddr{2, 0, 0, 0, 0, 9}
	}
	if d.maybe(30) {
		l.Sysctls = map[string]string{"ipv4/conf/" + l.Name + "/forwarding": "1"}
	}
	l.Up = new(true)
	d.addresses(l)
	d.routes(l)
}

func (d drawn) addresses(l *LinkSpec) {
	for _, p := range []string{"10.0.1.1/24", "10.0.1.2/24", "10.0.2.1/24", "fd00:1::1/64", "fd00:1::1/48"} {
		six := strings.HasPrefix(p, "fd") && (l.MTU == nil || *l.MTU < 1280 || slices.ContainsFunc(l.Addresses, func(a AddressSpec) bool { return a.Prefix.Addr().Is6() }))
		if d.maybe(30) && !six {
			l.Addresses = append(l.Addresses, AddressSpec{Prefix: netip.MustParsePrefix(p), Metric: uint32(d.IntN(2) * 50)})
		}
	}
}

func (d drawn) kind(l *LinkSpec) {
	switch l.Kind = d.one("bridge", "bridge", "veth", "macvlan", "vxlan", "dummy", "gre", "vlan", "vrf", ""); l.Kind {
	case "bridge":
		l.Data = &rtnl.Bridge{Bridge: state.Bridge{Priority: new(uint16(d.IntN(3)))}}
		if d.maybe(20) {
			l.Data.(*rtnl.Bridge).VLANStatsPerPort = new(d.maybe(50))
		}
	case "veth":
		l.Peer = l.Name + "-end"
	case "macvlan", "vlan":
		l.Parent = new(d.one("eth", "a", "b", "c"))
		if l.Kind == "vlan" {
			l.Data = &state.VLAN{ID: new(uint16(1 + d.IntN(2)))}
		}
	case "vxlan":
		l.Data = &rtnl.VXLAN{VXLAN: state.VXLAN{ID: new(uint32(d.IntN(2))), TTL: new(uint8(d.IntN(3)))}}
		if d.maybe(50) {
			l.Parent = new(d.one("", "eth", "a", "c"))
		}
	case "gre":
		l.Data = &rtnl.GRE{GRE: state.GRE{TTL: new(uint8(d.IntN(3)))}}
		if d.maybe(50) {
			l.Data.(*rtnl.GRE).Remote = addr(d.one("10.0.9.1", "10.0.9.2"))
		}
	case "vrf":
		l.Data = &state.VRF{Table: new(uint32(100 + d.IntN(2)))}
	}
}

func (d drawn) routes(l *LinkSpec) {
	if d.maybe(30) {
		l.Routes = append(l.Routes, RouteSpec{Destination: prefix("10.5.0.0/16"), Metric: uint32(d.IntN(2)), MTU: uint32(d.IntN(2) * 1300)})
	}
	if d.maybe(30) {
		l.Routes = append(l.Routes, RouteSpec{Destination: prefix("10.6.0.0/16"), Gateway: addr("10.5.0.1"), OnLink: true, Table: uint32(d.IntN(2) * 100)})
	}
	if d.maybe(10) {
		l.Routes = append(l.Routes, RouteSpec{Destination: prefix("10.8.0.0/16"), Type: unix.RTN_BLACKHOLE})
	}
}

// world is a model and what is remembered of it, as a file does.
type world struct {
	*model
	owned []byte
}

func (w *world) remembered() Owned {
	owned := Owned{Boot: "boot"}
	if w.owned != nil {
		if err := json.Unmarshal(w.owned, &owned); err != nil {
			panic(err)
		}
	}
	return owned
}

func (w *world) apply(want Desired) (Outcome, error) {
	return converge(context.Background(), w.model, func(Owned) (*Tables, error) { return w.tables(), nil }, want, w.remembered(), func(o Owned) error {
		if w.stopAt > 0 && w.requests >= w.stopAt {
			return errKilled // whoever is killed writes nothing more
		}
		b, err := json.Marshal(o)
		w.owned = b
		return err
	})
}

// FuzzPlanAll applies declarations to a model, one after the other, some of them killed
// on the way. Whatever is declared, the plan ends in it; then nothing is left to do; and
// when nothing is declared any longer, all is as it was before.
func FuzzPlanAll(f *testing.F) {
	for seed := range uint64(400) {
		f.Add(seed)
	}
	f.Fuzz(playDeclarations)
}

func playDeclarations(t *testing.T, seed uint64) {
	d := drawn{rand.New(rand.NewPCG(seed, 7))}
	w := &world{model: newModel()}
	foreign(w.model)
	before := w.describe()
	var history []string
	for range 1 + d.IntN(5) {
		want := d.desired()
		history = append(history, describeDesired(want))
		if d.maybe(40) {
			w.stopAt = w.requests + 1 + d.IntN(12)
			if _, err := w.apply(want); err != nil && errors.Is(err, errKilled) {
				history = append(history, "killed")
			}
			w.stopAt = 0
			if d.maybe(50) {
				continue
			}
		}
		out, err := w.apply(want)
		if errors.Is(err, ErrIgnored) {
			t.Fatalf("not done: %v\n%s\ndone %v", err, strings.Join(history, "\n"), texts(out.Done))
		}
		left, _ := PlanAll(w.tables(), want, w.remembered())
		if rest := out.without(left); len(rest) > 0 {
			t.Fatalf("still to do: %v\n%s", texts(rest), strings.Join(history, "\n"))
		}
		for _, r := range out.Refused {
			if !allowedRefusal(r) {
				t.Fatalf("refused: %v\n%s\ndone %v", r.Err, strings.Join(history, "\n"), texts(out.Done))
			}
		}
	}
	if out, err := w.apply(Desired{}); err != nil {
		t.Fatalf("take back: %v, done %v\n%s", err, texts(out.Done), strings.Join(history, "\n"))
	}
	if after := w.describe(); !slices.Equal(before, after) {
		t.Fatalf("before:\n%s\nafter:\n%s\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"), strings.Join(history, "\n"))
	}
}

// allowedRefusal reports whether the declaration asks for what no kernel does: the
// master is of a kind that has no ports, is the link itself, or is refused.
func allowedRefusal(r Refused) bool {
	return strings.Contains(r.Text, "set master") && errors.Is(r.Err, unix.EINVAL) ||
		strings.Contains(r.Text, "fd00:") && errors.Is(r.Err, unix.EINVAL)
}

func describeDesired(want Desired) string {
	var out []string
	for _, l := range want.Links {
		b, err := json.Marshal(l)
		if err != nil {
			panic(err)
		}
		out = append(out, string(b))
	}
	return fmt.Sprintf("%s rules %d neighbours %d", strings.Join(out, "\n"), len(want.Rules), len(want.Neighbours))
}
