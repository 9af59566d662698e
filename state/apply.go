package state

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
)

// Apply carries out a Change of kernel.Watch, or of a client's NetworkSubscription,
// on s. It returns an error if s is not the State that the Change belongs to.
func (s *State) Apply(c Change) error {
	var err error
	switch {
	case c.Op == Resync:
	case c.State != nil:
		*s = *c.State
		s.Ifaces = maps.Clone(s.Ifaces) // a snapshot's maps and lists must not change
	case c.Iface != nil:
		err = s.applyIface(c)
	case c.Address != nil:
		err = s.applyAddress(c)
	case c.Route != nil:
		s.Routes, err = applied(s.Routes, c, func(o *Object) *Route { return o.Route },
			func(r *Route) netip.Prefix { return r.Destination }, Route.Timeless)
	case c.Rule != nil:
		s.Rules, err = applied(s.Rules, c, func(o *Object) *Rule { return o.Rule },
			func(r *Rule) uint32 { return r.Priority }, timelessAnyway)
	case c.Neighbour != nil:
		s.Neighbours, err = applied(s.Neighbours, c, func(o *Object) *Neighbour { return o.Neighbour },
			func(n *Neighbour) netip.Addr { return n.Address }, Neighbour.Timeless)
	case c.FDB != nil:
		s.FDB, err = applied(s.FDB, c, func(o *Object) *FDBEntry { return o.FDB },
			func(e *FDBEntry) string { return string(e.MAC) }, FDBEntry.Timeless)
	case c.Nexthop != nil:
		s.Nexthops, err = applied(s.Nexthops, c, func(o *Object) *Nexthop { return o.Nexthop },
			func(h *Nexthop) uint32 { return h.ID }, Nexthop.Timeless)
	}
	if err != nil {
		return fmt.Errorf("apply change %d: %w", c.Seq, err)
	}
	return nil
}

// applied returns all after one element has changed. Apply finds that element by
// comparing it with the Change, without times. main returns the part of an element
// that differs in most elements, and is compared first.
func applied[T any, K comparable](all []T, c Change, of func(*Object) *T, main func(*T) K, timeless func(T) T) ([]T, error) {
	if c.Op == New {
		return append(all, *of(&c.Object)), nil
	}
	former := of(&c.Object)
	if c.Op == Changed {
		former = of(c.Old)
	}
	key, want := main(former), timeless(*former)
	i := slices.IndexFunc(all, func(t T) bool { return main(&t) == key && reflect.DeepEqual(timeless(t), want) })
	if i < 0 {
		return all, fmt.Errorf("%s: there is no %+v", c.Op, want)
	}
	all = slices.Clone(all)
	if c.Op == Deleted {
		return slices.Delete(all, i, i+1), nil
	}
	all[i] = *of(&c.Object)
	return all, nil
}

func timelessAnyway[T any](t T) T { return t }

// applyIface keeps the addresses, whose changes come separately.
func (s *State) applyIface(c Change) error {
	if c.Op == New {
		if s.Ifaces == nil {
			s.Ifaces = make(map[string]*Iface)
		}
		s.Ifaces[c.Iface.Name] = c.Iface
		return nil
	}
	former := c.Iface.Name
	if c.Op == Changed {
		former = c.Old.Iface.Name
	}
	i, ok := s.Ifaces[former]
	if !ok {
		return fmt.Errorf("%s: there is no interface %s", c.Op, former)
	}
	if i.Index == c.Iface.Index {
		delete(s.Ifaces, former)
	}
	if c.Op == Changed {
		next := *c.Iface
		next.IPv4 = i.IPv4
		one := netip.IPv6Unspecified() // any address of the family
		next.setAddresses(one, i.addresses(one))
		s.Ifaces[next.Name] = &next
	}
	return nil
}

func (s *State) applyAddress(c Change) error {
	i, ok := s.Ifaces[c.Address.Iface]
	if !ok {
		return fmt.Errorf("%s: there is no interface %s", c.Op, c.Address.Iface)
	}
	all, err := applied(i.addresses(c.Address.Address.Address), c, func(o *Object) *Address { return &o.Address.Address },
		func(a *Address) netip.Addr { return a.Address }, Address.Timeless)
	if err != nil {
		return err
	}
	next := *i
	next.setAddresses(c.Address.Address.Address, all)
	s.Ifaces[next.Name] = &next
	return nil
}

// Timeless returns i without values that change by time and use alone, so that two
// readings can be compared.
func (i *Iface) Timeless() *Iface {
	if i.Bridge == nil && i.BridgePort == nil && i.HSR == nil {
		return i
	}
	still := *i
	if i.Bridge != nil {
		b := *i.Bridge
		b.HelloTimer, b.TCNTimer, b.TopologyChangeTimer, b.GCTimer = nil, nil, nil, nil
		b.FDBLearned = nil
		if b.MulticastQuerierState != nil {
			q := *b.MulticastQuerierState
			q.OtherTimer, q.IPv6OtherTimer = nil, nil
			b.MulticastQuerierState = &q
		}
		still.Bridge = &b
	}
	if i.BridgePort != nil {
		p := *i.BridgePort
		p.MessageAgeTimer, p.ForwardDelayTimer, p.HoldTimer = nil, nil, nil
		still.BridgePort = &p
	}
	if i.HSR != nil {
		h := *i.HSR
		h.SequenceNumber = nil
		still.HSR = &h
	}
	return &still
}

// Timeless returns r without values that change by time and use alone.
func (r Route) Timeless() Route {
	r.RouteCache = nil
	return r
}

// Timeless returns n without values that change by time and use alone.
func (n Neighbour) Timeless() Neighbour {
	n.Confirmed, n.Used, n.Updated, n.References, n.Probes = nil, nil, nil, nil, nil
	return n
}

// Timeless returns e without values that change by time and use alone.
func (e FDBEntry) Timeless() FDBEntry {
	e.Used, e.Updated = nil, nil
	return e
}

// Timeless returns h without values that change by time and use alone.
func (h Nexthop) Timeless() Nexthop {
	if h.Resilient != nil {
		r := *h.Resilient
		r.UnbalancedTime = 0
		h.Resilient = &r
	}
	return h
}
