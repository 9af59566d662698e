package link

import (
	"fmt"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// takePorts adds to a new link the ports that others have added to the old one.
func (l *linkPlan) takePorts(old *rtnl.Link) {
	for _, port := range l.ports[uint32(old.Index)] {
		spec, entry := l.want[port], l.owned[port]
		if (spec == nil && (entry == nil || !entry.Created) || spec != nil && spec.Master == nil) && l.comes(port) {
			l.planner.set = append(l.planner.set, Change{Link: port, Class: Recreate, Text: "set master " + l.spec.Name,
				step: setStep{name: port, master: &l.spec.Name}, needs: []string{l.spec.Name}})
		}
	}
}

// foreign are those of the ports that are not declared as such.
func (l *linkPlan) foreign(ports []string) (foreign []string) {
	for _, port := range ports {
		if spec := l.want[port]; spec == nil || spec.Master == nil || *spec.Master != l.spec.Name {
			foreign = append(foreign, port)
		}
	}
	return foreign
}

// planMaster plans of what the link is a port, and what it is there.
func (l *linkPlan) planMaster() {
	wanted, restored := l.spec.Master, false
	if wanted == nil {
		value, ours := l.original(propertyMaster)
		if !ours {
			l.planPort(l.masterNow(), l.now)
			return
		}
		if value != "" && l.links[value] == nil {
			value = ""
		}
		wanted, restored = &value, true
	}
	if *wanted != "" && !l.comes(*wanted) {
		return // the port waits for it
	}
	now := l.masterNow()
	if now == *wanted && !(now != "" && l.isNew(now)) && !restored && !l.released[l.spec.Name] {
		l.planPort(now, l.now)
		return
	}
	class := InPlace
	switch {
	case l.kindOf(*wanted) == "bond":
		l.planDown() // a bond takes only ports that are down
		class = Restart
	case l.kindOf(*wanted) == "vrf" || l.kindOf(now) == "vrf":
		l.lost, class = true, Readdress
	}
	text := "master " + *wanted
	if *wanted == "" {
		text = "no master"
	}
	if restored {
		text = "restore " + text
	} else {
		text = "set " + text
	}
	c := l.change(class, text, setStep{name: l.spec.Name, master: wanted})
	switch {
	case restored:
		c.owns.restored = []string{propertyMaster}
	case l.now != nil && now != *wanted:
		c.owns.was = map[string]string{propertyMaster: now}
	}
	if *wanted != "" {
		c.needs = []string{*wanted}
	}
	l.planner.set = append(l.planner.set, c)
	l.joins = true
	l.planPort(*wanted, nil)
}

func (l *linkPlan) masterNow() string {
	if l.now == nil {
		return ""
	}
	return l.names[l.now.MasterIndex()]
}

// kindOf is the kind of a link that is there when the plan is done.
func (p *planner) kindOf(name string) string {
	if spec := p.want[name]; spec != nil && spec.Kind != "" {
		return spec.Kind
	}
	if l := p.links[name]; l != nil {
		return l.Info.Kind
	}
	return ""
}

// planPort plans the attributes of a port of master. now is nil for a new port.
func (l *linkPlan) planPort(master string, now *rtnl.Link) {
	kind := l.kindOf(master)
	if l.spec.PortData == nil || master == "" {
		return
	}
	var have any
	if now != nil {
		have = now.Info.PortData
	}
	change, err := rtnl.PortDelta(kind, have, l.spec.PortData)
	if err != nil {
		l.problem(l.spec.Path, err)
		return
	}
	if len(change.Names) == 0 {
		return
	}
	c := l.change(InPlace, "set "+list(change.Texts), dataStep{name: l.spec.Name, kind: kind, port: true, have: have, want: l.spec.PortData})
	c.needs = []string{master}
	l.planner.set = append(l.planner.set, c)
}

// planPrimary plans which of its ports a bond prefers. The kernel shows that when the
// port has joined.
func (l *linkPlan) planPrimary() {
	bond, ok := l.spec.Data.(*rtnl.Bond)
	if !ok || bond.Primary == "" || !l.comes(bond.Primary) || !l.joinsHere(bond.Primary) {
		return
	}
	if l.now != nil {
		now, ok := l.now.Info.Data.(*rtnl.Bond)
		if ok && now.PrimaryIndex != nil && *now.PrimaryIndex == l.index(bond.Primary) {
			return
		}
	}
	c := l.change(InPlace, "set primary "+bond.Primary, primaryStep{l.spec.Name, bond.Primary})
	c.needs = []string{bond.Primary}
	l.prefer = append(l.prefer, c)
}

// joinsHere reports whether a link is a port of this one when the plan is done.
func (l *linkPlan) joinsHere(port string) bool {
	if spec := l.want[port]; spec != nil && spec.Master != nil {
		return *spec.Master == l.spec.Name
	}
	at := l.links[port]
	return at != nil && l.now != nil && at.MasterIndex() == uint32(l.now.Index)
}

// planVLANs plans the VLANs of a bridge or a port. Those of others stay.
func (l *linkPlan) planVLANs() {
	if l.spec.VLANs == nil {
		return
	}
	now := map[uint16]uint16{}
	if l.now != nil && !l.joins {
		now = l.vlans[uint32(l.now.Index)]
	}
	self := l.kindOf(l.spec.Name) == "bridge"
	wanted := map[uint16]bool{}
	for _, v := range l.spec.VLANs {
		var ids []uint16
		differs := false
		for _, id := range vlanIDs(v) {
			wanted[id] = true
			flags, there := now[id]
			if !there {
				ids = append(ids, id)
			}
			differs = differs || !there || flags != flagsOf(v)
		}
		if differs {
			c := l.change(InPlace, "add "+vlanText(v), vlanStep{name: l.spec.Name, self: self, vlans: []state.BridgeVLAN{v}})
			c.owns.vlans = ids
			l.planner.set = append(l.planner.set, c)
		}
	}
	if l.entry == nil || l.joins {
		return
	}
	for _, id := range l.entry.VLANs {
		if wanted[id] {
			continue
		}
		if _, there := now[id]; there {
			l.dropVLAN(l.spec.Name, l.spec.Path, id, self)
		}
	}
}

func (p *planner) dropVLAN(name, path string, id uint16, self bool) {
	v := state.BridgeVLAN{VID: &id}
	p.drop = append(p.drop, Change{Link: name, Path: path, Class: InPlace, Text: "remove " + vlanText(v),
		step: vlanStep{name: name, self: self, remove: true, vlans: []state.BridgeVLAN{v}}, owns: ownership{freed: []uint16{id}}})
}

func vlanText(v state.BridgeVLAN) string {
	text := "VLAN"
	switch {
	case v.VID != nil:
		text += fmt.Sprintf(" %d", *v.VID)
	case v.VIDRange != nil:
		text += fmt.Sprintf(" %d-%d", v.VIDRange[0], v.VIDRange[1])
	}
	if v.IsPVID {
		text += " pvid"
	}
	if v.IsEgressUntagged {
		text += " untagged"
	}
	return text
}
