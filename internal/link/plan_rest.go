package link

import (
	"fmt"
	"net"
	"slices"
	"sort"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// planTypedRoutes plans the routes that go nowhere (blackhole, unreachable,
// prohibit): no link has them.
func (p *planner) planTypedRoutes() {
	for i := range p.typed {
		p.typed[i].Index = 0 // IPv6 shows the loopback interface
	}
	plan := planRoutes(p.typed, p.wantTyped, func(Route) bool { return true }, false)
	add := func(to *[]Change, ops []Op) {
		for _, op := range ops {
			*to = append(*to, Change{Path: pathOf(op, ""), Class: op.Class(), Text: op.String(), step: opStep{op: op}})
		}
	}
	add(&p.add, plan.before)
	add(&p.add, plan.add)
	add(&p.drop, plan.after)
}

// planRules plans the policy rules. Ours have our protocol number.
func (p *planner) planRules(want []RuleSpec) {
	have, anyPriority := map[rtnl.RuleKey][]*rtnl.Rule{}, map[rtnl.RuleKey][]*rtnl.Rule{}
	kept := map[*rtnl.Rule]bool{}
	var ours []*rtnl.Rule
	for i := range p.have.Rules {
		r := &p.have.Rules[i]
		if r.Protocol != nil && *r.Protocol == RouteProtocol {
			ours = append(ours, r)
			have[r.Essence(true)] = append(have[r.Essence(true)], r)
			anyPriority[r.Essence(false)] = append(anyPriority[r.Essence(false)], r)
		}
	}
	// A rule without a priority takes one of those that no other rule wants.
	want = slices.Clone(want)
	sort.SliceStable(want, func(i, j int) bool { return want[i].Priority != 0 && want[j].Priority == 0 })
	for i := range want {
		spec := completed(want[i].Rule)
		of, key := have, spec.Essence(true)
		if spec.Priority == 0 {
			of, key = anyPriority, spec.Essence(false)
		}
		if j := slices.IndexFunc(of[key], func(r *rtnl.Rule) bool { return !kept[r] }); j >= 0 {
			kept[of[key][j]] = true
			continue
		}
		p.add = append(p.add, Change{Path: want[i].Path, Class: InPlace, Text: "add " + ruleText(&spec),
			step: plainStep{request: request{unix.RTM_NEWRULE, netlink.Create | netlink.Excl, &spec}}})
	}
	for _, r := range ours {
		if !kept[r] {
			p.drop = append(p.drop, Change{Class: InPlace, Text: "remove " + ruleText(r),
				step: plainStep{request: request{unix.RTM_DELRULE, 0, r}, removes: true}})
		}
	}
}

// completed is a rule with what a declaration may leave out.
func completed(r rtnl.Rule) rtnl.Rule {
	r.Protocol = new(uint8(RouteProtocol))
	if r.Family == 0 {
		r.Family = unix.AF_INET
		if r.Source.Is6() || r.Destination.Is6() {
			r.Family = unix.AF_INET6
		}
	}
	if r.Action == 0 {
		r.Action = unix.FR_ACT_TO_TBL
	}
	return r
}

func ruleText(r *rtnl.Rule) string {
	text := "rule"
	if r.Priority != 0 {
		text += fmt.Sprintf(" %d", r.Priority)
	}
	if r.Source.IsValid() {
		text += fmt.Sprintf(" from %s/%d", r.Source, r.SourceLength)
	}
	if r.Destination.IsValid() {
		text += fmt.Sprintf(" to %s/%d", r.Destination, r.DestinationLength)
	}
	if r.InName != "" {
		text += " iif " + r.InName
	}
	if r.OutName != "" {
		text += " oif " + r.OutName
	}
	if r.Mark != nil {
		text += fmt.Sprintf(" fwmark %#x", *r.Mark)
	}
	if r.Table != 0 {
		text += fmt.Sprintf(" lookup %d", r.Table)
	}
	return text
}

// neighbourID identifies a permanent neighbour.
type neighbourID struct {
	link    string
	address string
	proxy   bool
}

// planNeighbours plans permanent neighbours. Ours have our protocol number.
func (p *planner) planNeighbours(want []NeighbourSpec) {
	have := map[neighbourID]*rtnl.Neighbour{}
	var inOrder []neighbourID
	see := func(all []rtnl.Neighbour, proxy bool) {
		for i := range all {
			n := &all[i]
			id := neighbourID{p.names[uint32(n.Index)], n.Address.String(), proxy}
			if n.State&unix.NUD_PERMANENT != 0 || proxy {
				have[id], inOrder = n, append(inOrder, id)
			}
		}
	}
	see(p.have.Neighbours, false)
	see(p.have.Proxies, true)
	wanted := map[neighbourID]bool{}
	for i := range want {
		spec := &want[i]
		id := neighbourID{spec.Link, spec.Address.String(), spec.Proxy}
		wanted[id] = true
		now := have[id]
		if !p.comes(spec.Link) || now != nil && !p.isNew(spec.Link) && (spec.Proxy || slices.Equal(now.MAC, spec.MAC)) {
			continue
		}
		p.add = append(p.add, Change{Link: spec.Link, Path: spec.Path, Class: InPlace, Text: "add " + neighbourText(&spec.Neighbour, spec.Proxy),
			step: plainStep{link: spec.Link, request: request{unix.RTM_NEWNEIGH, netlink.Create | netlink.Replace, permanent(spec.Neighbour, spec.Proxy)}}})
	}
	for _, id := range inOrder {
		n := have[id]
		if ours := n.Details != nil && n.Details.Protocol != nil && *n.Details.Protocol == RouteProtocol; !ours || wanted[id] {
			continue
		}
		p.drop = append(p.drop, Change{Link: id.link, Class: InPlace, Text: "remove " + neighbourText(n, id.proxy),
			step: plainStep{link: id.link, removes: true, request: request{unix.RTM_DELNEIGH, 0, permanent(rtnl.Neighbour{Address: n.Address}, id.proxy)}}})
	}
}

// isNeighbour reports whether c is about a permanent neighbour.
func (c Change) isNeighbour() bool {
	s, ok := c.step.(plainStep)
	return ok && s.link != ""
}

// permanent is the message of a neighbour that is ours.
func permanent(n rtnl.Neighbour, proxy bool) *rtnl.Neighbour {
	out := &rtnl.Neighbour{
		Family: familyOf(n.Address), Address: n.Address, MAC: n.MAC, State: unix.NUD_PERMANENT,
		Details: &rtnl.NeighbourDetails{Protocol: new(uint8(RouteProtocol))},
	}
	if proxy {
		out.Flags, out.MAC = unix.NTF_PROXY, nil
	}
	return out
}

func neighbourText(n *rtnl.Neighbour, proxy bool) string {
	if proxy {
		return "proxy for " + n.Address.String()
	}
	text := "neighbour " + n.Address.String()
	if len(n.MAC) > 0 {
		text += " at " + net.HardwareAddr(n.MAC).String()
	}
	return text
}

// planUndeclared removes the links that we have made, and restores those that we have
// changed, when they are declared no longer.
func (p *planner) planUndeclared() {
	for _, entry := range p.inOrder {
		if p.want[entry.Name] != nil || p.held[entry.Name] != "" {
			continue
		}
		if !entry.Created {
			p.restore(entry)
			continue
		}
		if others := p.othersOn(p.links[entry.Name]); len(others) > 0 {
			p.problem("", fmt.Errorf("%s is declared no longer, and stays: the kernel would delete what others have put on it, %s", entry.Name, list(others)))
			continue
		}
		p.remove = append(p.remove, Change{Link: entry.Name, Class: Restart, Text: "delete " + entry.Kind,
			step: removeStep{entry.Name}, owns: ownership{removes: true}})
	}
}

// restore takes from a link what is ours.
func (p *planner) restore(entry *OwnedLink) {
	l := p.links[entry.Name]
	if p.doomed(entry.Name) {
		return
	}
	spec := &LinkSpec{Name: entry.Name}
	if master := entry.Was[propertyMaster]; master != "" && !p.comes(master) {
		spec.Master = new("") // where it was there is nothing
	}
	r := &linkPlan{planner: p, spec: spec, now: l, entry: entry}
	set, drop := len(p.set), len(p.drop)
	r.planSettings()
	r.planSysctls()
	r.planMaster()
	r.planUp()
	r.planAddresses()
	for _, id := range entry.VLANs {
		if _, there := p.vlans[uint32(l.Index)][id]; there {
			p.dropVLAN(entry.Name, "", id, l.Info.Kind == "bridge")
		}
	}
	// What comes back does so after what is declared elsewhere, and before addresses go,
	// which may need promotion.
	p.drop = slices.Insert(p.drop, drop, p.set[set:]...)
	p.set = p.set[:set]
	r.restorePromotion()
	p.leave = append(p.leave, Change{Link: entry.Name, Class: InPlace, Text: "leave to others", owns: ownership{removes: true}})
}

// restorePromotion is for when the addresses that needed promotion are gone.
func (l *linkPlan) restorePromotion() {
	key := promotionOf(l.spec.Name)
	if value, ours := l.original(sysctlProperty + key); ours {
		l.drop = append(l.drop, l.change(InPlace, "restore "+key+" "+value, sysctlStep{key, value}))
	}
}
