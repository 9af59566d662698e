package link

import (
	"fmt"
	"strings"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// decideAll finds what becomes of each declared link, and the order.
func (p *planner) decideAll(all []LinkSpec) {
	for i := range all {
		if spec := &all[i]; p.want[spec.Name] == spec {
			p.decide(spec)
		}
	}
}

// decide visits what a link depends on, and what it stands on now, before the link.
func (p *planner) decide(spec *LinkSpec) {
	f := p.fates[spec.Name]
	if f == nil {
		f = &fate{}
		p.fates[spec.Name] = f
	}
	if f.visited > 0 {
		return
	}
	f.visited = 1
	before := []string{pointed(spec.Parent), pointed(p.madeWith(spec))}
	if l := p.links[spec.Name]; l != nil {
		before = append(before, p.underneath(l))
	}
	for _, name := range before {
		if other := p.want[name]; other != nil {
			p.decide(other)
		}
	}
	f.visited = 2
	p.judge(spec, f)
	delete(p.dooms, spec.Name) // what was thought of it before it was decided
	if !f.missing && !f.refused {
		p.order = append(p.order, spec)
	}
}

// mastersFirst is the order with what links are ports of before them.
func (p *planner) mastersFirst() []*LinkSpec {
	visited := make(map[*LinkSpec]bool, len(p.order))
	order := make([]*LinkSpec, 0, len(p.order))
	var visit func(spec *LinkSpec)
	visit = func(spec *LinkSpec) {
		if visited[spec] {
			return
		}
		visited[spec] = true
		if master := p.want[pointed(spec.Master)]; master != nil && p.comes(master.Name) {
			visit(master)
		}
		order = append(order, spec)
	}
	for _, spec := range p.order {
		visit(spec)
	}
	return order
}

// circle returns the names of a link and of those below it, if it stands on itself.
func (p *planner) circle(spec *LinkSpec) (names []string) {
	for at := spec; at != nil && len(names) <= len(p.want); at = p.want[pointed(at.Parent)] {
		if f := p.fates[at.Name]; f != nil && f.sound {
			break
		}
		names = append(names, at.Name)
		if pointed(at.Parent) == spec.Name {
			return append(names, spec.Name)
		}
	}
	p.fates[spec.Name].sound = true
	return nil
}

// madeWith is the name of the declared veth whose other end the link is, or nil.
func (p *planner) madeWith(spec *LinkSpec) *string {
	if spec.Kind != "" && spec.Kind != "veth" {
		return nil
	}
	return p.ends[spec.Name]
}

// judge decides whether a link is there, is made, or is waited for.
func (p *planner) judge(spec *LinkSpec, f *fate) {
	if err := p.allowed(spec); err != nil {
		f.refused = true
		p.problem(spec.Path, err)
		return
	}
	l, there := p.links[spec.Name]
	switch veth := p.madeWith(spec); {
	case spec.Kind == "" && veth == nil:
		f.missing = !there || p.doomed(spec.Name)
		return
	case veth != nil && p.comes(*veth) && p.isNew(*veth):
		f.make = true
		return
	case veth != nil:
		f.missing = !there || p.doomed(spec.Name)
		return
	case spec.Parent != nil && *spec.Parent != "" && !p.comes(*spec.Parent):
		f.missing = true
		return
	case !there:
		f.make = true
		return
	}
	why, err := p.whyNew(spec, l)
	switch {
	case err != nil:
		f.refused = true
		p.problem(spec.Path, err)
	case why == "" && p.doomed(p.underneath(l)):
		f.make = true // the kernel deletes it with what it stands on now
		return
	case why == "":
	case p.owned[spec.Name] == nil || !p.owned[spec.Name].Created:
		f.refused = true
		p.problem(spec.Path, fmt.Errorf("%s exists, made by others, and %s: delete or rename it, or declare it as it is", spec.Name, why))
	default:
		f.make = true
	}
	if parent := pointed(spec.Parent); f.make && p.standsOn(parent, spec.Name) {
		f.make, f.refused = false, true
		p.problem(spec.Path, fmt.Errorf("%s %s, and cannot be made anew: %s, which it is to stand on, stands on it now", spec.Name, why, parent))
	}
	if others := p.othersOn(l); f.make && len(others) > 0 {
		f.make, f.refused = false, true
		p.problem(spec.Path, fmt.Errorf("%s %s, and cannot be made anew: the kernel would delete what others have put on it, %s", spec.Name, why, list(others)))
	}
}

// allowed returns why a link cannot be planned, whatever becomes of others.
func (p *planner) allowed(spec *LinkSpec) error {
	if owner := p.held[spec.Name]; owner != "" {
		return fmt.Errorf("%s belongs to the %s: declare another link, or give the %s another", spec.Name, owner, owner)
	}
	if names := p.circle(spec); names != nil {
		return fmt.Errorf("%s stands on itself: %s", spec.Name, strings.Join(names, " on "))
	}
	if below := pointed(spec.Parent); p.fates[below] != nil && p.fates[below].refused {
		return fmt.Errorf("%s stands on %s, which is refused", spec.Name, below)
	}
	return spec.check()
}

// standsOn reports whether a link that stays stands on another one now.
func (p *planner) standsOn(name, other string) bool {
	for range p.links {
		if name == other {
			return true
		}
		if name == "" || p.isNew(name) {
			return false
		}
		name = p.underneath(p.links[name])
	}
	return false
}

// othersOn returns the links on a link that others have made.
func (p *planner) othersOn(l *rtnl.Link) (others []string) {
	for _, name := range p.above[uint32(l.Index)] {
		declared := p.want[name] != nil && p.want[name].Kind != ""
		if !declared && (p.owned[name] == nil || !p.owned[name].Created) {
			others = append(others, name)
		}
	}
	return others
}

// whyNew returns why a link that exists has to be made anew, or "".
func (p *planner) whyNew(spec *LinkSpec, l *rtnl.Link) (string, error) {
	if l.Info.Kind != spec.Kind {
		return fmt.Sprintf("is of kind %q instead of %q", l.Info.Kind, spec.Kind), nil
	}
	if spec.Peer != "" && l.LinkNetnsID == nil && p.names[l.ParentIndex()] != spec.Peer {
		return fmt.Sprintf("its other end is %q instead of %q", p.names[l.ParentIndex()], spec.Peer), nil
	}
	data := spec.Data
	if spec.Parent != nil {
		index := p.index(*spec.Parent)
		within := false
		if *spec.Parent != "" && p.isNew(*spec.Parent) && parentIndex(l) != 0 && p.names[parentIndex(l)] == *spec.Parent {
			return fmt.Sprintf("%s below it is made anew", *spec.Parent), nil
		}
		if data, within = withParent(spec.Kind, data, index); !within && l.ParentIndex() != index {
			return fmt.Sprintf("stands on %q instead of %q", p.names[l.ParentIndex()], *spec.Parent), nil
		}
	}
	if spec.Kind == "veth" {
		return "", nil // of a veth the kernel shows no data
	}
	change, err := rtnl.Delta(spec.Kind, l.Info.Data, data)
	if err != nil || change.Class != rtnl.Recreate {
		return "", err
	}
	return "differs in " + list(change.Texts), nil
}

// comes reports whether a link is there when the plan is done.
func (p *planner) comes(name string) bool {
	if f := p.fates[name]; f != nil && f.visited > 0 {
		return f.make || !f.missing && !f.refused
	}
	if p.ends[name] != nil {
		return p.comes(*p.ends[name])
	}
	return p.links[name] != nil && !p.doomed(name)
}

// doomed reports whether a link that exists goes in this plan: it is made anew, it is
// declared no longer, or the kernel deletes it with the link below, or with the other
// end of a veth.
func (p *planner) doomed(name string) bool {
	l := p.links[name]
	if l == nil {
		return false
	}
	if known, ok := p.dooms[name]; ok {
		return known
	}
	p.dooms[name] = false // on the way; a circle does not doom itself
	f, entry := p.fates[name], p.owned[name]
	doomed := f != nil && f.make ||
		p.want[name] == nil && entry != nil && entry.Created && p.held[name] == "" && len(p.othersOn(l)) == 0 ||
		p.doomed(p.underneath(l))
	if f != nil && f.visited < 2 && !doomed {
		delete(p.dooms, name) // not decided yet
		return false
	}
	p.dooms[name] = doomed
	return doomed
}

// underneath is the name of the link with which the kernel deletes l, or "".
func (p *planner) underneath(l *rtnl.Link) string {
	if l.LinkNetnsID != nil {
		return ""
	}
	return p.names[parentIndex(l)]
}

// isNew reports whether a link is made by the plan.
func (p *planner) isNew(name string) bool {
	f := p.fates[name]
	return f != nil && f.make || p.links[name] == nil
}
