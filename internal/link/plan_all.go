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
	return slices.Concat(p.clear, p.create, p.set, p.prefer, p.add, p.drop, p.down, p.leave, p.remove), errors.Join(p.problems...)
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
	prefer []Change // ports that a bond prefers
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
	refused bool // a problem was reported
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
