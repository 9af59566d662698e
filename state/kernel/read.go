package kernel

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
	"github.com/netconnectd/netconnectd/state"
)

// Read reads the present state of the objects that filter selects. It needs no
// privileges, except for WireGuard. The error is ErrNotExist if filter names an
// interface that does not exist.
func Read(ctx context.Context, filter state.Filter) (*state.State, error) {
	s, routes, err := ReadCompact(ctx, filter)
	if err != nil {
		return nil, err
	}
	s.Routes = convert(routes.routes, newRoute, routes.names)
	return s, nil
}

// ReadCompact is Read for callers that look at each route once: the routes stay in
// the kernel's compact form, and State.Routes is empty. With a full table that saves
// half of the memory, and a new process spends most of its time on touching memory.
func ReadCompact(ctx context.Context, filter state.Filter) (*state.State, RouteTable, error) {
	r, err := newReader(ctx, filter)
	if err != nil {
		return nil, RouteTable{}, err
	}
	return r.compact(ctx)
}

func (r *reader) compact(ctx context.Context) (*state.State, RouteTable, error) {
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

// RouteTable holds the routes of a ReadCompact.
type RouteTable struct {
	routes []rtnl.Route
	names  func(index uint32) string
}

// Len returns the number of routes.
func (t RouteTable) Len() int { return len(t.routes) }

// At returns the route at index i, from 0, in the order of State.Routes.
func (t RouteTable) At(i int) state.Route { return newRoute(&t.routes[i], t.names) }

// reader holds the filter in the form that reading needs.
type reader struct {
	parts  state.Parts
	only   uint32          // the index of the only interface; 0: all
	kind   state.IfaceType // the type of the only interfaces; "": all
	filter link.Filter
}

// newReader looks up the interfaces that filter names.
func newReader(ctx context.Context, f state.Filter) (*reader, error) {
	r := &reader{parts: f.Parts, kind: f.Type, filter: link.Filter{
		Family: familyNumber(f.Family), Table: f.Table, Statistics: f.Parts&state.PartStatistics != 0, Functions: true,
	}}
	if r.parts == 0 {
		r.parts, r.filter.Statistics = state.Everything, true
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

// stillThere returns ErrNotExist if an interface that filter names has vanished since
// newReader found it.
func (r *reader) stillThere(v *view) error {
	for _, index := range []uint32{r.only, r.filter.OutIndex} {
		if _, ok := v.links[index]; index != 0 && !ok {
			return fmt.Errorf("find interface: %w", ErrNotExist)
		}
	}
	return nil
}

// tables returns the tables that the parts need. All of them also need the names of
// interfaces.
func (r *reader) tables() link.Parts {
	which := link.Links
	for part, tables := range map[state.Parts]link.Parts{
		state.PartIfaces:     link.Addresses | link.VLANs,
		state.PartRoutes:     link.Routes,
		state.PartRules:      link.Rules,
		state.PartNeighbours: link.Neighbours,
		state.PartFDB:        link.Forwarding,
		state.PartNexthops:   link.Nexthops,
	} {
		if r.parts&part != 0 {
			which |= tables
		}
	}
	return which
}

// state converts tables, except for routes.
func (r *reader) state(t *link.Tables, v *view) *state.State {
	s := &state.State{
		Rules:      convert(t.Rules, newRule, v.name),
		Neighbours: convert(t.Neighbours, newNeighbour, v.name),
		FDB:        convert(t.Forwarding, newFDBEntry, v.name),
		Nexthops:   convert(t.Nexthops, newNexthop, v.name),
	}
	if r.parts&state.PartIfaces != 0 {
		s.Ifaces = make(map[string]*state.Iface, len(t.Links))
		for i := range t.Links {
			if l := &t.Links[i]; r.wants(l) {
				s.Ifaces[l.Name] = newIface(l, v)
			}
		}
	}
	return s
}

// wants reports whether filter selects a link. The kernel cannot filter the links,
// because an interface may name others, as its controller or its base.
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

// startDevices asks for the values of ethtool, if they are wanted, while the tables
// are read: with many interfaces both take long.
func (r *reader) startDevices(ctx context.Context) (wait func() (map[int32]*state.Ethtool, error)) {
	if r.parts&state.PartDrivers == 0 || r.parts&state.PartIfaces == 0 {
		return func() (map[int32]*state.Ethtool, error) { return nil, nil }
	}
	return ethtool.Start(ctx)
}

// addDetails adds the values that rtnetlink does not report.
func (r *reader) addDetails(ctx context.Context, s *state.State, v *view, devices map[int32]*state.Ethtool) error {
	if r.parts&state.PartMPTCP != 0 {
		if err := addMPTCP(ctx, s, v); err != nil {
			return err
		}
	}
	if r.parts&state.PartDrivers == 0 || s.Ifaces == nil {
		return nil
	}
	radios, wifiErr := readWifi(ctx)
	tunnels, wireguardErr := wireguard.Read(ctx, indexesOf(s, "wireguard"))
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

func indexesOf(s *state.State, t state.IfaceType) []int32 {
	var indexes []int32
	for _, i := range s.Ifaces {
		if i.Type == t {
			indexes = append(indexes, i.Index)
		}
	}
	return indexes
}

// addMPTCP adds the endpoints, also to their interfaces.
func addMPTCP(ctx context.Context, s *state.State, v *view) error {
	found, err := mptcp.Read(ctx)
	if err != nil {
		return err
	}
	manager := found.Named(v.name)
	for _, a := range manager.Addresses {
		if i := s.Ifaces[a.Iface]; i != nil {
			i.MPTCP = append(i.MPTCP, a)
		}
	}
	s.MPTCP = &manager
	return nil
}

// drivers asks for the names of drivers as ethtool -i does (SIOCETHTOOL,
// ETHTOOL_GDRVINFO). Unlike sysfs, this works in any network namespace.
type drivers struct{ fd int }

func openDrivers() drivers {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		fd = -1 // no driver's name is known then
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
