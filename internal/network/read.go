package network

import (
	"fmt"

	"github.com/netconnectd/netconnectd/internal/shown"
)

// Read decides what Sections declare. It reports all problems at once, in the order of
// the checks. The Spec is zero if one of them is no warning, so that nothing is done by
// halves.
func Read(sections []Section) (Spec, []Problem) {
	r := &reader{}
	for i := range sections {
		r.section(&sections[i])
	}
	r.checkDevices()
	r.checkInterfaces()
	r.checkRoutes()
	r.checkRules()
	r.checkNeighbours()
	r.checkNumbers()
	if r.failed {
		return Spec{}, r.problems
	}
	return r.spec(), r.problems
}

// reader holds what was read so far.
type reader struct {
	problems []Problem
	failed   bool     // one of the problems is no warning
	compared int      // names that were compared for hints
	names    []string // of the interfaces, for hints

	devices    []*device
	interfaces []*iface
	routes     []*route
	rules      []*rule
	neighbours []*neighbour

	deviceNamed    map[string]*device // what is declared; set by checkDevices
	interfaceNamed map[string]*iface  // set by checkInterfaces
	masterOf       map[string]*device // bridges, bonds and VRFs by the names of their ports; set by checkDevices
	interfacesOn   map[string][]*iface
}

func (r *reader) problem(at Place, format string, args ...any) {
	r.failed = true
	r.problems = append(r.problems, Problem{Place: at, Text: fmt.Sprintf(format, args...)})
}

func (r *reader) warning(at Place, format string, args ...any) {
	r.problems = append(r.problems, Problem{Place: at, Text: fmt.Sprintf(format, args...), Warning: true})
}

// section reads one Section by itself.
func (r *reader) section(s *Section) {
	switch s.Kind {
	case KindDevice:
		d := newDevice(s)
		d.given = read(r, deviceOptions, s, d, d.Type)
		d.finish()
		r.devices = append(r.devices, d)
	case KindInterface:
		i := newInterface(s)
		i.given = read(r, interfaceOptions, s, i, i.Proto)
		i.finish()
		r.interfaces = append(r.interfaces, i)
	case KindRoute:
		o := newRoute(s)
		o.given = read(r, routeOptions, s, o, "")
		o.finish()
		r.routes = append(r.routes, o)
	case KindRule:
		o := newRule(s)
		o.given = read(r, ruleOptions, s, o, "")
		r.rules = append(r.rules, o)
	case KindNeighbour:
		n := newNeighbour(s)
		n.given = read(r, neighbourOptions, s, n, "")
		r.neighbours = append(r.neighbours, n)
	default:
		r.problem(s.Place, "%s is no kind of section", shown.Text(s.Kind))
	}
}

// at returns the place of an option, or that of its section if the option is not given.
func (g given) at(name string, section Place) Place {
	if place, there := g[name]; there {
		return place
	}
	return section
}

// spec puts together what was read.
func (r *reader) spec() Spec {
	var s Spec
	for _, d := range r.devices {
		s.Devices = append(s.Devices, d.Device)
	}
	for _, i := range r.interfaces {
		s.Interfaces = append(s.Interfaces, i.Interface)
	}
	for _, o := range r.routes {
		if !o.disabled {
			s.Routes = append(s.Routes, o.Route)
		}
	}
	for _, o := range r.rules {
		s.Rules = append(s.Rules, o.Rule)
	}
	for _, n := range r.neighbours {
		if !n.disabled {
			s.Neighbours = append(s.Neighbours, n.Neighbour)
		}
	}
	return s
}
