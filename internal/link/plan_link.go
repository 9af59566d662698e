package link

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// linkPlan is the planning of one link.
type linkPlan struct {
	*planner
	spec  *LinkSpec
	now   *rtnl.Link // nil: the link is new
	entry *OwnedLink // nil: nothing is ours yet
	lost  bool       // the kernel drops IPv6 addresses, and routes of programs
	falls bool       // the link goes down on the way
	joins bool       // the link becomes a port
}

// planLink plans what one declared link is.
func (p *planner) planLink(spec *LinkSpec) {
	l := p.planOf(spec)
	l.planSettings()
	l.planSysctls() // some are bounded by the MTU
	l.planData()
	l.planMaster()
	l.planVLANs()
	l.planUp()
	l.planAddresses()
}

func (p *planner) planOf(spec *LinkSpec) *linkPlan {
	l := &linkPlan{planner: p, spec: spec, now: p.link(spec.Name), entry: p.owned[spec.Name]}
	if l.now == nil {
		l.entry = nil
	}
	return l
}

// change makes a Change of this link.
func (l *linkPlan) change(class Class, text string, s step) Change {
	return Change{Link: l.spec.Name, Path: l.spec.Path, Class: class, Text: text, step: s, owns: ownership{kind: l.spec.Kind, declared: l.want[l.spec.Name] != nil}}
}

// planMaking creates the link, after one of ours that has its name.
func (p *planner) planMaking(spec *LinkSpec) {
	l, old := p.planOf(spec), p.links[spec.Name]
	if l.now != nil || l.madeWith(spec) != nil {
		return // it is there, or it is the other end of a veth
	}
	class := InPlace
	if old != nil {
		class = Recreate
		gone := l.change(Recreate, "delete "+old.Info.Kind, removeStep{spec.Name})
		gone.owns.removes, gone.owns.replaced = true, true
		l.clear = append(l.clear, gone)
		l.takePorts(old)
	}
	c := l.change(class, "create "+spec.Kind, createStep{spec.Name, spec.Kind, spec.Peer, spec.Data, spec.Parent, spec.MAC})
	c.owns.creates = true
	if spec.Parent != nil && *spec.Parent != "" {
		c.needs = []string{*spec.Parent}
	}
	l.create = append(l.create, c)
}

// takePorts gives a new link the ports that others have added to the old one.
func (l *linkPlan) takePorts(old *rtnl.Link) {
	for _, port := range l.ports[uint32(old.Index)] {
		spec, entry := l.want[port], l.owned[port]
		if (spec == nil && (entry == nil || !entry.Created) || spec != nil && spec.Master == nil) && l.comes(port) {
			l.planner.set = append(l.planner.set, Change{Link: port, Class: Recreate, Text: "set master " + l.spec.Name,
				step: setStep{name: port, master: &l.spec.Name}, needs: []string{l.spec.Name}})
		}
	}
}

// original is what a property is to be when it is not declared: the value that we have
// found, if there is one.
func (l *linkPlan) original(property string) (string, bool) {
	if l.entry == nil {
		return "", false
	}
	value, ok := l.entry.Was[property]
	return value, ok
}

// property plans one property that has a value before and one that is wanted. With
// wanted nil the original comes back.
func (l *linkPlan) property(name string, now string, wanted *string, step func(value string) (step, error)) {
	value, restores := "", false
	switch {
	case wanted != nil:
		value = *wanted
	default:
		if value, restores = l.original(name); !restores {
			return
		}
	}
	if !restores && value == now {
		return
	}
	s, err := step(value)
	if err != nil {
		l.problem(l.spec.Path, err)
		return
	}
	c := l.change(InPlace, fmt.Sprintf("set %s %s", name, value), s)
	if restores {
		c.Text = fmt.Sprintf("restore %s %s", name, value)
		c.owns.restored = []string{name}
	} else {
		c.owns.sets = name
		if l.now != nil {
			c.owns.was = map[string]string{name: now}
		}
	}
	l.planner.set = append(l.planner.set, c)
}

func (l *linkPlan) planSysctls() {
	for _, key := range slices.Sorted(maps.Keys(l.spec.Sysctls)) {
		value := l.spec.Sysctls[key]
		if now, known := l.have.Sysctls[key]; known && l.now != nil && now == value {
			continue
		}
		l.planner.set = append(l.planner.set, l.change(InPlace, "set "+key+" "+value, sysctlStep{key, value}))
	}
	if l.entry == nil {
		return
	}
	for _, property := range slices.Sorted(maps.Keys(l.entry.Was)) {
		key := sysctlOf(property)
		if _, declared := l.spec.Sysctls[key]; key == "" || declared || isPromotion(key) {
			continue // promotion stays as long as the link is declared
		}
		c := l.change(InPlace, "restore "+key+" "+l.entry.Was[property], sysctlStep{key, l.entry.Was[property]})
		c.owns.restored = []string{property}
		l.planner.set = append(l.planner.set, c)
	}
}

// planSettings plans what links of all kinds have.
func (l *linkPlan) planSettings() {
	now := l.now
	if now == nil {
		now = &rtnl.Link{}
	}
	name := l.spec.Name
	number := func(n *uint32) *string {
		if n == nil {
			return nil
		}
		return new(strconv.FormatUint(uint64(*n), 10))
	}
	l.property(propertyMTU, strconv.FormatUint(uint64(now.MTU), 10), number(l.spec.MTU), func(value string) (step, error) {
		mtu, err := strconv.ParseUint(value, 10, 32)
		return setStep{name: name, set: rtnl.Link{MTU: uint32(mtu)}}, err
	})
	l.property(propertyQueue, orNone(number(now.TxQueueLength)), number(l.spec.TxQueueLength), func(value string) (step, error) {
		length, err := strconv.ParseUint(value, 10, 32)
		return setStep{name: name, set: rtnl.Link{TxQueueLength: new(uint32(length))}}, err
	})
	l.property(propertyMAC, net.HardwareAddr(now.MAC).String(), l.wantedMAC(), func(value string) (step, error) {
		mac, err := net.ParseMAC(value)
		return setStep{name: name, set: rtnl.Link{MAC: mac}}, err
	})
	for _, wanted := range []struct {
		property string
		on       *bool
	}{{propertyPromiscuous, l.spec.Promiscuous}, {propertyMulticast, l.spec.Multicast}} {
		flag := linkFlags[wanted.property]
		l.property(wanted.property, onOff(now.Flags&flag != 0), word(wanted.on), func(value string) (step, error) {
			set := rtnl.Link{Change: flag}
			if value == "on" {
				set.Flags = flag
			}
			return setStep{name: name, set: set}, nil
		})
	}
}

// wantedMAC is nil for a link that is made with it.
func (l *linkPlan) wantedMAC() *string {
	if l.spec.MAC == nil || l.now == nil && l.spec.Kind != "" {
		return nil
	}
	return new(l.spec.MAC.String())
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func word(b *bool) *string {
	if b == nil {
		return nil
	}
	return new(onOff(*b))
}

func orNone(text *string) string {
	if text == nil {
		return "0"
	}
	return *text
}

// planData plans the attributes of the link's kind.
func (l *linkPlan) planData() {
	if l.now == nil || l.spec.Kind == "" {
		return
	}
	data, parent := l.spec.Data, (*string)(nil)
	if l.spec.Parent != nil {
		within := false
		if data, within = withParent(l.spec.Kind, data, l.index(*l.spec.Parent)); within {
			parent = l.spec.Parent
		}
	}
	change, err := rtnl.Delta(l.spec.Kind, l.now.Info.Data, data)
	if err != nil {
		l.problem(l.spec.Path, err)
		return
	}
	if len(change.Names) == 0 {
		return
	}
	c := l.change(InPlace, "set "+list(change.Texts), dataStep{name: l.spec.Name, kind: l.spec.Kind, have: l.now.Info.Data, want: l.spec.Data, parent: parent})
	if parent != nil && *parent != "" {
		c.needs = []string{*parent}
	}
	if change.Class == rtnl.InPlace {
		l.planner.set = append(l.planner.set, c)
		return
	}
	c.Class = Restart
	var ports []string
	if change.Class == rtnl.NoPorts {
		ports = l.ports[uint32(l.now.Index)]
	}
	if foreign := l.foreign(ports); len(foreign) > 0 {
		// They would lose their settings.
		l.problem(l.spec.Path, fmt.Errorf("%s: %s needs it to have no ports, and it has %s, which others have added: take them out, or declare them", l.spec.Name, c.Text, list(foreign)))
		return
	}
	l.planDown()
	for _, port := range ports {
		out := Change{Link: port, Path: l.want[port].Path, Class: Restart, Text: "set no master", step: setStep{name: port, master: new("")}}
		l.planner.set = append(l.planner.set, out)
		l.released[port] = true
	}
	l.planner.set = append(l.planner.set, c)
}

// planDown sets the link down, for changes that need it so.
func (l *linkPlan) planDown() {
	if l.now == nil || l.now.Flags&unix.IFF_UP == 0 || l.falls {
		return
	}
	l.falls, l.lost = true, true
	l.planner.set = append(l.planner.set, l.change(Restart, SetDown{}.String(), opStep{l.spec.Name, SetDown{}}))
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

// planUp plans whether the link is up.
func (l *linkPlan) planUp() {
	wasUp := l.now != nil && l.now.Flags&unix.IFF_UP != 0
	up, restored := wasUp, []string(nil)
	if l.spec.Up != nil {
		up = *l.spec.Up
	} else if value, ours := l.original(propertyUp); ours {
		up, restored = value == "on", []string{propertyUp}
	}
	var was map[string]string
	if l.now != nil && up != wasUp && restored == nil {
		was = map[string]string{propertyUp: onOff(wasUp)}
	}
	switch {
	case up && (!wasUp || l.falls):
		c := l.change(InPlace, SetUp{}.String(), opStep{l.spec.Name, SetUp{}})
		c.owns.was, c.owns.restored = was, restored
		l.planner.set = append(l.planner.set, c)
	case !up && (wasUp && !l.falls || restored != nil):
		c := l.change(Restart, SetDown{}.String(), opStep{l.spec.Name, SetDown{}})
		c.owns.was, c.owns.restored = was, restored
		l.down = append(l.down, c)
	}
}

// planAddresses plans the addresses and routes.
func (l *linkPlan) planAddresses() {
	var have []Address
	var routes []Route
	if l.now != nil {
		have, routes = l.addresses[uint32(l.now.Index)], l.routes[uint32(l.now.Index)]
	}
	if l.lost {
		have = slices.DeleteFunc(slices.Clone(have), func(a Address) bool { return a.Prefix.Addr().Is6() })
		routes = nil
	}
	plan := planAddresses(have, l.spec.Addresses, func(a Address) bool { return a.Protocol == RouteProtocol }, true)
	if plan.promote {
		l.planPromotion()
	}
	l.ops(&l.planner.set, plan.before, plan.add)
	unicast, typed := splitRoutes(l.spec.Routes)
	l.planner.wantTyped = append(l.planner.wantTyped, typed...)
	r := planRoutes(routes, unicast, func(r Route) bool { return r.Protocol == RouteProtocol }, len(plan.before) > 0)
	l.ops(&l.planner.add, r.before, r.add)
	l.ops(&l.planner.drop, r.after, plan.after)
}

// ops adds operations on the link to one of the lists.
func (l *linkPlan) ops(to *[]Change, all ...[]Op) {
	for _, op := range slices.Concat(all...) {
		c := l.change(op.Class(), op.String(), opStep{l.spec.Name, op})
		c.Path, c.again = pathOf(op, l.spec.Path), l.lost
		*to = append(*to, c)
	}
}

// pathOf is what declares an address or a route, or the link's path.
func pathOf(op Op, path string) string {
	own := ""
	switch op := op.(type) {
	case AddAddress:
		own = op.Path
	case ChangeAddress:
		own = op.Path
	case AddRoute:
		own = op.Path
	}
	if own != "" {
		return own
	}
	return path
}

// promotion is the sysctl with which the removal of an IPv4 address makes another of
// its subnet the primary one, instead of removing all of them
// (Documentation/networking/ip-sysctl.rst).
const promotion = "promote_secondaries"

func promotionOf(link string) string { return "ipv4/conf/" + link + "/" + promotion }

func isPromotion(key string) bool { return strings.HasSuffix(key, "/"+promotion) }

// planPromotion lets addresses survive the removal of the primary one of their subnet.
func (l *linkPlan) planPromotion() {
	key := promotionOf(l.spec.Name)
	if l.have.Sysctls[key] == "1" || l.spec.Sysctls[key] != "" {
		return
	}
	l.planner.set = append(l.planner.set, l.change(InPlace, "set "+key+" 1", sysctlStep{key, "1"}))
}

// splitRoutes parts routes through a link from those that go nowhere.
func splitRoutes(all []RouteSpec) (unicast, typed []RouteSpec) {
	for _, r := range all {
		if r.kind() == unix.RTN_UNICAST {
			unicast = append(unicast, r)
		} else {
			typed = append(typed, r)
		}
	}
	return unicast, typed
}
