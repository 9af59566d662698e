package network

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestSimulation plays long histories of links, commands, reloads, leases and
// refusals. After each history, when everything is answered, the state must be at
// rest and what the declaration says.
func TestSimulation(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := simulation{world: newWorld(t), random: rand.New(rand.NewPCG(seed, 1)), running: map[string]uint64{}}
			for range 200 {
				s.event()
				s.check()
			}
			s.rest()
		})
	}
}

type simulation struct {
	*world
	random  *rand.Rand
	running map[string]uint64 // protocols by interface
}

var deviceNames = []string{"v0", "v1", "v2"}

// spec returns a random declaration.
func (s *simulation) spec() Spec {
	var spec Spec
	if s.random.IntN(2) == 0 {
		spec.Devices = append(spec.Devices, Device{Place: Place{Path: "br0"}, Name: "br0", Type: typeBridge, Ports: deviceNames[s.random.IntN(3):], Enabled: s.random.IntN(4) > 0})
	}
	for i, device := range append([]string{"br0"}, deviceNames...) {
		if device == "br0" && spec.Devices == nil || s.random.IntN(3) == 0 {
			continue
		}
		declared := static(fmt.Sprintf("i%d", i), device, fmt.Sprintf("192.0.2.%d/32", i+1))
		declared.ForceLink = s.random.IntN(2) == 0
		declared.Auto = s.random.IntN(4) > 0
		declared.CarrierLossDelay = time.Duration(s.random.IntN(3)) * time.Second
		if s.random.IntN(3) == 0 {
			declared.Proto, declared.Addresses = ProtoDHCP, nil
		}
		spec.Interfaces = append(spec.Interfaces, declared)
	}
	return spec
}

func (s *simulation) event() {
	name := deviceNames[s.random.IntN(len(deviceNames))]
	switch s.random.IntN(9) {
	case 0:
		s.post(Declared{Spec: s.spec()})
	case 1, 2:
		s.pull(name)
	case 3, 4:
		s.pull(name)
		s.plug(name)
	case 5:
		s.carrier(name, s.random.IntN(2) == 0)
	case 6:
		s.post(Asked{fmt.Sprintf("i%d", s.random.IntN(4)), s.random.IntN(2) == 0})
	case 7:
		for interfaceName, session := range s.running {
			s.post(Leased{interfaceName, session, []*Lease{nil, {Addresses: prefixes("203.0.113.7/24")}}[s.random.IntN(2)]})
			break
		}
	case 8:
		if s.apply != nil {
			refused := map[string]string{}
			if s.random.IntN(2) == 0 {
				refused["br0"] = "EBUSY"
			}
			s.applied(refused)
		}
		s.now = s.now.Add(time.Duration(s.random.IntN(3000)) * time.Millisecond)
		s.post(TimePassed{})
	}
}

// post follows the runs of protocols, none of which may begin or end twice.
func (s *simulation) post(e Event) {
	s.t.Helper()
	var effects []Effect
	s.state, effects = Step(s.state, s.now, e)
	for _, effect := range effects {
		switch effect := effect.(type) {
		case Apply:
			s.apply = &effect
		case StartProtocol:
			if _, runs := s.running[effect.Interface.Name]; runs {
				s.t.Fatalf("the protocol of %s is started twice", effect.Interface.Name)
			}
			s.running[effect.Interface.Name] = effect.Session
		case StopProtocol:
			if s.running[effect.Interface] != effect.Session {
				s.t.Fatalf("session %d of %s is stopped, which does not run", effect.Session, effect.Interface)
			}
			delete(s.running, effect.Interface)
		}
	}
}

func (s *simulation) plug(name string) {
	s.links = append([]Link(nil), s.links...)
	s.links = append(s.links, Link{Name: name, Index: s.random.IntN(1 << 20), Carrier: s.random.IntN(2) == 0})
	s.post(LinksChanged{s.links})
}

func (s *simulation) pull(name string) {
	var left []Link
	for _, l := range s.links {
		if l.Name != name {
			left = append(left, l)
		}
	}
	s.links = left
	s.post(LinksChanged{left})
}

func (s *simulation) carrier(name string, has bool) {
	s.links = append([]Link(nil), s.links...)
	for i := range s.links {
		if s.links[i].Name == name {
			s.links[i].Carrier = has
		}
	}
	s.post(LinksChanged{s.links})
}

func (s *simulation) applied(refused map[string]string) {
	generation := s.apply.Generation
	s.apply = nil
	s.post(Applied{generation, refused})
}

// check checks what must hold at any time.
func (s *simulation) check() {
	s.t.Helper()
	for _, i := range s.state.Interfaces() {
		up := i.Phase == Setup || i.Phase == Up
		if up && (!i.Available || !i.Autostart) {
			s.t.Fatalf("%s is %s, available %v, autostart %v", i.Name, i.Phase, i.Available, i.Autostart)
		}
		if _, runs := s.running[i.Name]; runs != (up && i.Proto == ProtoDHCP) {
			s.t.Fatalf("%s (%s) is %s, and its protocol runs: %v", i.Name, i.Proto, i.Phase, runs)
		}
	}
}

// rest answers everything, and checks that each interface is then where its device,
// its carrier and the commands want it, and that nothing is left to do.
func (s *simulation) rest() {
	s.t.Helper()
	for range 20 {
		if s.apply != nil {
			s.applied(nil)
		}
		s.now = s.now.Add(time.Minute)
		s.post(TimePassed{})
	}
	if s.apply != nil || !s.state.Next().IsZero() {
		s.t.Fatalf("there is no rest: next %v", s.state.Next())
	}
	for index, i := range s.state.Interfaces() {
		want := Down
		lost := !s.state.interfaces[index].lost.IsZero()
		switch {
		case !i.Autostart || !i.Available || lost && !i.ForceLink:
		case i.Proto == ProtoDHCP && s.state.interfaces[index].lease == nil:
			want = Setup
		default:
			want = Up
		}
		if i.Phase != want {
			s.t.Errorf("%s is %s, want %s", i.Name, i.Phase, want)
		}
	}
}
