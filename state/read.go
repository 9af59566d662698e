package state

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/ethtool"
	"github.com/netconnectd/netconnectd/internal/link/mptcp"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/link/wireguard"
)

// Read reads what filter wants, as it is now. It needs no privileges, but for
// WireGuard. The error is ErrNotExist where filter names an interface that is
// not there.
func Read(ctx context.Context, filter Filter) (*State, error) {
	s, routes, err := ReadCompact(ctx, filter)
	if err != nil {
		return nil, err
	}
	s.Routes = convert(routes.routes, newRoute, routes.names)
	return s, nil
}

// ReadCompact is Read for whoever looks at each route once: they stay as small
// as the kernel told them, and State.Routes is empty. With a full table that
// saves half of the memory, and a new process most of its time is spent on
// touching memory.
func ReadCompact(ctx context.Context, filter Filter) (*State, RouteTable, error) {
	r, err := newReader(ctx, filter)
	if err != nil {
		return nil, RouteTable{}, err
	}
	return r.compact(ctx)
}

func (r *reader) compact(ctx context.Context) (*State, RouteTable, error) {
	devices := r.startDevices(ctx)
	t, err := link.Read(ctx, r.tables(), r.filter)
	ethtools, devicesErr := devices()
	if err := errors.Join(err, devicesErr); err != nil {
		return nil, RouteTable{}, fmt.Errorf("read the kernel's network state: %w", err)
	}
	v := newView(t)
	if err := r.stillThere(v); err != nil {
		return nil, RouteTable{}, err
	}
	s := r.state(t, v)
	if err := r.addDetails(ctx, s, v, ethtools); err != nil {
		return nil, RouteTable{}, fmt.Errorf("read the kernel's network state: %w", err)
	}
	return s, RouteTable{t.Routes, v.name}, nil
}

// RouteTable are routes of a ReadCompact.
type RouteTable struct {
	routes []rtnl.Route
	names  func(index uint32) string
}

// Len is how many routes there are.
func (t RouteTable) Len() int { return len(t.routes) }

// At is the route at index i, from 0, in the order of State.Routes.
func (t RouteTable) At(i int) Route { return newRoute(&t.routes[i], t.names) }

// reader knows what is wanted.
type reader struct {
	parts  Parts
	only   uint32    // index of the only interface; 0: all
	kind   IfaceType // of the only interfaces; "": all
	filter link.Filter
}

// newReader looks up the interfaces that filter names.
func newReader(ctx context.Context, f Filter) (*reader, error) {
	r := &reader{parts: f.Parts, kind: f.Type, filter: link.Filter{
		Family: f.Family.number(), Table: f.Table, Statistics: f.Parts&PartStatistics != 0, Functions: true,
	}}
	if r.parts == 0 {
		r.parts, r.filter.Statistics = Everything, true
	}
	if f.Protocol != nil {
		protocol := uint8(*f.Protocol)
		r.filter.Protocol = &protocol
	}
	if f.Scope != nil {
		scope := uint8(*f.Scope)
		r.filter.Scope = &scope
	}
	var err error
	if f.Iface != "" {
		if r.only, err = indexOf(ctx, f.Iface); err != nil {
			return nil, err
		}
		r.filter.Index = r.only
	}
	if f.OutIface != "" {
		if r.filter.OutIndex, err = indexOf(ctx, f.OutIface); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func indexOf(ctx context.Context, name string) (uint32, error) {
	t, err := link.Read(ctx, link.Links, link.Filter{Link: name})
	if err != nil {
		return 0, fmt.Errorf("find interface: %w", err)
	}
	return uint32(t.Links[0].Index), nil
}

// stillThere is ErrNotExist when an interface that filter names has gone since
// it was found.
func (r *reader) stillThere(v *view) error {
	for _, index := range []uint32{r.only, r.filter.OutIndex} {
		if _, ok := v.links[index]; index != 0 && !ok {
			return fmt.Errorf("find interface: %w", ErrNotExist)
		}
	}
	return nil
}

// tables are those that make up the parts. All of them name interfaces.
func (r *reader) tables() link.Parts {
	which := link.Links
	for part, tables := range map[Parts]link.Parts{
		PartIfaces:     link.Addresses | link.VLANs,
		PartRoutes:     link.Routes,
		PartRules:      link.Rules,
		PartNeighbours: link.Neighbours,
		PartFDB:        link.Forwarding,
		PartNexthops:   link.Nexthops,
	} {
		if r.parts&part != 0 {
			which |= tables
		}
	}
	return which
}

// state converts tables, but for routes.
func (r *reader) state(t *link.Tables, v *view) *State {
	s := &State{
		Rules:      convert(t.Rules, newRule, v.name),
		Neighbours: convert(t.Neighbours, newNeighbour, v.name),
		FDB:        convert(t.Forwarding, newFDBEntry, v.name),
		Nexthops:   convert(t.Nexthops, newNexthop, v.name),
	}
	if r.parts&PartIfaces != 0 {
		s.Ifaces = make(map[string]*Iface, len(t.Links))
		for i := range t.Links {
			if l := &t.Links[i]; r.wants(l) {
				s.Ifaces[l.Name] = newIface(l, v)
			}
		}
	}
	return s
}

// wants is not for the kernel to decide: who names an interface, as its
// controller or its base, needs to know the others.
func (r *reader) wants(l *rtnl.Link) bool {
	return (r.only == 0 || r.only == uint32(l.Index)) && (r.kind == "" || r.kind == newIfaceType(l))
}

func convert[T, S any](all []T, one func(*T, func(uint32) string) S, names func(uint32) string) []S {
	if all == nil {
		return nil
	}
	out := make([]S, 0, len(all))
	for i := range all {
		out = append(out, one(&all[i], names))
	}
	return out
}

// startDevices asks for what ethtool tells, if it is wanted, beside the tables:
// with many interfaces both take long.
func (r *reader) startDevices(ctx context.Context) (wait func() (map[int32]*ethtool.Device, error)) {
	if r.parts&PartDrivers == 0 || r.parts&PartIfaces == 0 {
		return func() (map[int32]*ethtool.Device, error) { return nil, nil }
	}
	return ethtool.Start(ctx)
}

// addDetails adds what rtnetlink does not tell.
func (r *reader) addDetails(ctx context.Context, s *State, v *view, devices map[int32]*ethtool.Device) error {
	if r.parts&PartMPTCP != 0 {
		if err := s.addMPTCP(ctx, v); err != nil {
			return err
		}
	}
	if r.parts&PartDrivers == 0 || s.Ifaces == nil {
		return nil
	}
	radios, wifiErr := readWifi(ctx)
	tunnels, wireguardErr := wireguard.Read(ctx, s.indexesOf("wireguard"))
	drivers := openDrivers()
	defer drivers.Close()
	for _, i := range s.Ifaces {
		i.Driver = drivers.of(i.Name)
		i.Ethtool = devices[i.Index]
		i.WireGuard = tunnels[i.Index]
		if i.Wifi = radios[int(i.Index)]; i.Wifi != nil && i.Type == "ethernet" {
			i.Type = "wifi"
		}
	}
	return errors.Join(wifiErr, wireguardErr)
}

func (s *State) indexesOf(t IfaceType) []int32 {
	var indexes []int32
	for _, i := range s.Ifaces {
		if i.Type == t {
			indexes = append(indexes, i.Index)
		}
	}
	return indexes
}

// addMPTCP adds the endpoints, to their interfaces too.
func (s *State) addMPTCP(ctx context.Context, v *view) error {
	found, err := mptcp.Read(ctx)
	if err != nil {
		return err
	}
	for n := range found.Addresses {
		a := &found.Addresses[n]
		if a.Iface = v.name(uint32(a.Index)); s.Ifaces[a.Iface] != nil {
			s.Ifaces[a.Iface].MPTCP = append(s.Ifaces[a.Iface].MPTCP, *a)
		}
	}
	s.MPTCP = &found
	return nil
}

// drivers asks for the names of drivers as ethtool -i does (SIOCETHTOOL,
// ETHTOOL_GDRVINFO). Unlike sysfs that works in any network namespace.
type drivers struct{ fd int }

func openDrivers() drivers {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		fd = -1 // then none is known
	}
	return drivers{fd}
}

func (d drivers) of(name string) string {
	info, err := unix.IoctlGetEthtoolDrvinfo(d.fd, name)
	if err != nil {
		return ""
	}
	return unix.ByteSliceToString(info.Driver[:])
}

func (d drivers) Close() {
	if d.fd >= 0 {
		unix.Close(d.fd)
	}
}
