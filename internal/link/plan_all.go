package link

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// PlanAll returns the changes that make of what the kernel has what is declared, in the
// order in which they work: links before those that stand on them, the link above
// before its ports, addresses before routes, additions before removals. It asks nobody,
// and its time grows with the size of what it is given.
//
// The error names what cannot be done and where that is declared, each problem once.
// The changes beside it are those that do not depend on these problems.
//
// What is not declared belongs to others and stays, but for what owned has: that is
// removed, or restored.
func PlanAll(have *Tables, want Desired, owned Owned) ([]Change, error) {
	p := newPlanner(have, want, owned)
	p.decideAll(want.Links)
	for _, spec := range p.order {
		p.planMaking(spec)
	}
	for _, spec := range p.mastersFirst() {
		p.planLink(spec)
	}
	p.planTypedRoutes()
	p.planRules(want.Rules)
	p.planNeighbours(want.Neighbours)
	p.planUndeclared()
	slices.Reverse(p.clear)
	slices.Reverse(p.down)
	slices.Reverse(p.remove)
	return slices.Concat(p.clear, p.create, p.set, p.add, p.drop, p.down, p.leave, p.remove), errors.Join(p.problems...)
}

// planner is what PlanAll knows, by what refers to it.
type planner struct {
	have      *Tables
	links     map[string]*rtnl.Link // that exist
	names     map[uint32]string
	addresses map[uint32][]Address
	routes    map[uint32][]Route // that may be ours, or wanted
	typed     []Route            // ours, that go nowhere
	vlans     map[uint32]map[uint16]uint16
	ports     map[uint32][]string // names of those that are ports of a link
	above     map[uint32][]string // names of those that stand on a link
	owned     map[string]*OwnedLink
	inOrder   []*OwnedLink
	want      map[string]*LinkSpec
	ends      map[string]*string // declared veths by their other ends
	fates     map[string]*fate
	dooms     map[string]bool // links that go, as far as it is known
	held      map[string]string
	released  map[string]bool // ports that are taken out for a while
	wantTyped []RouteSpec     // routes that go nowhere
	order     []*LinkSpec     // those that are planned, what they depend on first

	// The changes, by when they are made.
	clear  []Change // links that are in the way of others of their name, in reverse
	create []Change
	set    []Change // what a link is, up, and addresses
	add    []Change // routes, rules, neighbours
	drop   []Change // of addresses, routes and so on
	down   []Change // in reverse
	leave  []Change // links that are ours no longer
	remove []Change // of links, in reverse

	problems []error
}

// fate is what becomes of a link.
type fate struct {
	make    bool // it is new after this plan, whatever there is now
	missing bool // it is not there, and nobody makes it
	refused bool // a problem was said
	sound   bool // the link does not stand on itself
	visited int  // 0: not yet, 1: on the way, 2: decided
}

func newPlanner(have *Tables, want Desired, owned Owned) *planner {
	p := &planner{
		have:  have,
		links: make(map[string]*rtnl.Link, len(have.Links)), names: make(map[uint32]string, len(have.Links)),
		addresses: map[uint32][]Address{}, routes: map[uint32][]Route{}, vlans: map[uint32]map[uint16]uint16{},
		ports: map[uint32][]string{}, above: map[uint32][]string{},
		owned: make(map[string]*OwnedLink, len(owned.Links)), want: make(map[string]*LinkSpec, len(want.Links)),
		ends: map[string]*string{}, released: map[string]bool{}, held: want.Held,
		dooms: map[string]bool{}, fates: make(map[string]*fate, len(want.Links)),
	}
	for i := range have.Links {
		p.seeLink(&have.Links[i])
	}
	for i := range owned.Links {
		p.seeOwned(&owned.Links[i])
	}
	for i := range want.Links {
		spec := &want.Links[i]
		if first, twice := p.want[spec.Name]; twice {
			p.problem(spec.Path, fmt.Errorf("%s is declared already by %s", spec.Name, cmp.Or(first.Path, "another")))
			continue
		}
		p.want[spec.Name] = spec
		if spec.Kind == "veth" && spec.Peer != "" && p.ends[spec.Name] == nil {
			p.ends[spec.Peer] = &spec.Name
		}
	}
	p.seeRest()
	return p
}

func (p *planner) seeLink(l *rtnl.Link) {
	p.links[l.Name], p.names[uint32(l.Index)] = l, l.Name
	if master := l.MasterIndex(); master != 0 {
		p.ports[master] = append(p.ports[master], l.Name)
	}
	if below := parentIndex(l); below != 0 && l.LinkNetnsID == nil && l.Info.Kind != "veth" {
		p.above[below] = append(p.above[below], l.Name)
	}
}

// seeOwned keeps what is still there.
func (p *planner) seeOwned(entry *OwnedLink) {
	l, there := p.links[entry.Name]
	if !there {
		return
	}
	if ours, ok := entry.adopt(l); ok {
		p.owned[entry.Name] = &ours
		p.inOrder = append(p.inOrder, &ours)
	}
}

// seeRest converts what belongs to links that are declared, or ours.
func (p *planner) seeRest() {
	concerns := map[uint32]bool{}
	for name, l := range p.links {
		if p.want[name] != nil || p.owned[name] != nil {
			concerns[uint32(l.Index)] = true
		}
	}
	for i := range p.have.Addresses {
		if a := &p.have.Addresses[i]; concerns[a.Index] {
			p.addresses[a.Index] = append(p.addresses[a.Index], seenAddress(a))
		}
	}
	for i := range p.have.Routes {
		for _, r := range seenRoute(&p.have.Routes[i]) {
			switch index := uint32(r.Index); {
			case r.Type != unix.RTN_UNICAST && r.Protocol == RouteProtocol:
				p.typed = append(p.typed, r)
			case r.Type == unix.RTN_UNICAST && concerns[index]:
				p.routes[index] = append(p.routes[index], r)
			}
		}
	}
	for i := range p.have.VLANs {
		if l := &p.have.VLANs[i]; concerns[uint32(l.Index)] {
			p.vlans[uint32(l.Index)] = vlanFlags(l.BridgeVLANs)
		}
	}
}

func (p *planner) problem(path string, err error) {
	p.problems = append(p.problems, &PathError{path, err})
}

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

// noIndex stands for the index of a link that does not exist yet.
const noIndex = 1<<31 - 1

// index is that of a link that exists and stays, 0 for "", and else noIndex.
func (p *planner) index(name string) uint32 {
	switch {
	case name == "":
		return 0
	case p.isNew(name):
		return noIndex
	}
	return uint32(p.links[name].Index)
}

// link is the link as it is when its settings are planned: nil for a new one.
func (p *planner) link(name string) *rtnl.Link {
	if p.isNew(name) {
		return nil
	}
	return p.links[name]
}

// parentIndex is the index of the link below, wherever the kind has it.
func parentIndex(l *rtnl.Link) uint32 {
	if v, ok := l.Info.Data.(*rtnl.VXLAN); ok && v.Link != nil {
		return *v.Link
	}
	return l.ParentIndex()
}

// vlanFlags are the VLANs of a port, each with its flags.
func vlanFlags(all []state.BridgeVLAN) map[uint16]uint16 {
	out := map[uint16]uint16{}
	for _, v := range all {
		for _, id := range vlanIDs(v) {
			out[id] = flagsOf(v)
		}
	}
	return out
}

const (
	vlanIsPVID = 1 << iota
	vlanIsUntagged
)

func flagsOf(v state.BridgeVLAN) (flags uint16) {
	if v.IsPVID {
		flags |= vlanIsPVID
	}
	if v.IsEgressUntagged {
		flags |= vlanIsUntagged
	}
	return flags
}

// vlanIDs lists what an entry stands for.
func vlanIDs(v state.BridgeVLAN) []uint16 {
	switch {
	case v.VID != nil:
		return []uint16{*v.VID}
	case v.VIDRange == nil:
		return nil
	}
	var out []uint16
	for id := int(v.VIDRange[0]); id <= int(v.VIDRange[1]); id++ {
		out = append(out, uint16(id))
	}
	return out
}

func list(texts []string) string { return strings.Join(texts, ", ") }
