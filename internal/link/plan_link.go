package link

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
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
	l.planPrimary()
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
	if l.now == nil || l.spec.Kind == "" || l.spec.Kind == "veth" {
		return // of a veth the kernel shows no data
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
	if change.Class == rtnl.NoPorts || change.Class == rtnl.NoPortsDown {
		ports = l.ports[uint32(l.now.Index)]
	}
	if foreign := l.foreign(ports); len(foreign) > 0 {
		// They would lose their settings.
		l.problem(l.spec.Path, fmt.Errorf("%s: %s needs it to have no ports, and it has %s, which others have added: take them out, or declare them", l.spec.Name, c.Text, list(foreign)))
		return
	}
	if change.Class != rtnl.NoPorts {
		l.planDown()
	}
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
