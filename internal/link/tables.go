package link

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// Parts names some of the kernel's tables.
type Parts uint16

// The kernel's tables. Routes holds DefaultRoutes; who wants only these should
// not pay for the others.
const (
	Links         Parts = 1 << iota
	VLANs               // of bridges and their ports
	Addresses           // IPv4 and IPv6
	DefaultRoutes       // of the main table
	Routes              // of all tables
	Rules
	Nexthops
	Neighbours // ARP and neighbour discovery
	Forwarding // of bridges and VXLANs
	AllParts   = Links | VLANs | Addresses | Routes | Rules | Nexthops | Neighbours | Forwarding
)

// Filter narrows what is read. What the kernel can filter it does. Zero
// values filter nothing.
type Filter struct {
	Link     string // name or alternative name: this one only
	Index    uint32 // addresses and neighbours of this link only
	OutIndex uint32 // routes through this link only
	Family   uint8  // unix.AF_INET, unix.AF_INET6: addresses, routes, rules and neighbours
	Table    uint32 // of routes and rules
	Protocol *uint8 // of routes, RTPROT_…
	Scope    *uint8 // of routes, RT_SCOPE_…

	Statistics bool // counters of links
	Functions  bool // SR-IOV functions of links
}

// Tables are the kernel's tables as it showed them at one time. They are never
// changed in place: a slice that was read again is another one.
type Tables struct {
	Taken      time.Time   // when they were read; lifetimes count from here
	Links      []rtnl.Link // by index
	VLANs      []rtnl.Link // messages of AF_BRIDGE
	Addresses  []rtnl.Address
	Routes     []rtnl.Route
	Rules      []rtnl.Rule
	Nexthops   []rtnl.Nexthop
	Neighbours []rtnl.Neighbour
	Forwarding []rtnl.Neighbour

	// What Read does not read, and PlanAll needs.
	Proxies []rtnl.Neighbour  // addresses that are answered for
	Sysctls map[string]string // those that are declared, as LinkSpec has them
}

// What requests for links ask for (RTEXT_FILTER_…, linux/rtnetlink.h).
const (
	filterFunctions      = 1 << 0
	filterVLANRanges     = 1 << 2 // of bridge ports, neighbouring VLANs as one range
	filterSkipStatistics = 1 << 3 // of functions; those of links come always
)

// readTries bounds how often Read reads again what changed while it read.
const readTries = 5

// Read reads tables that fit together: what changes while others are read is
// read again. It sees the network namespace of the calling thread.
func Read(ctx context.Context, which Parts, filter Filter) (*Tables, error) {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	f := follower{which: which, filter: filter, buffer: firstBuffer}
	events, requests, done, err := f.open(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return f.together(ctx, events, requests)
}

// together reads what fits together, as far as a network that never rests and
// the time that ctx leaves allow.
func (f *follower) together(ctx context.Context, events, requests conn) (*Tables, error) {
	t := &Tables{}
	started := time.Now()
	limit, limited := ctx.Deadline()
	which := f.which
	for range readTries {
		again := *t // a reading that fails leaves some lists empty
		err := requests.read(&again, which, f.filter)
		if err == nil {
			t = &again
			which, err = f.changed(events)
		}
		if err != nil {
			return t.despite(ctx, err)
		}
		if which == 0 || limited && time.Until(limit) < time.Since(started) {
			break // it fits, or a reading more might not end in time
		}
	}
	return t, nil
}

// despite returns what was read before err, if that error only means that the network
// did not rest or that the time is over.
func (t *Tables) despite(ctx context.Context, err error) (*Tables, error) {
	outrun := errors.Is(err, errInterrupted) || errors.Is(err, unix.EINTR) || errors.Is(err, os.ErrDeadlineExceeded)
	// A cancelled ctx ends what the sockets do in the same way as its deadline.
	if t.Taken.IsZero() || !outrun || errors.Is(ctx.Err(), context.Canceled) {
		return nil, err
	}
	return t, nil
}

// read replaces the named parts of t by what the kernel has now.
func (c conn) read(t *Tables, which Parts, filter Filter) error {
	readers := []struct {
		part Parts
		what string
		read func(*Tables, Filter) error
	}{
		{Links, "links", c.links},
		{VLANs, "VLANs of bridges", c.vlans},
		{Addresses, "addresses", c.addresses},
		{DefaultRoutes, "default routes", c.defaultRoutes},
		{Routes, "routes", c.routes},
		{Rules, "rules", c.rules},
		{Nexthops, "nexthop objects", c.nexthops},
		{Neighbours, "neighbours", c.neighbours},
		{Forwarding, "forwarding tables", c.forwarding},
	}
	for _, r := range readers {
		if which&r.part == 0 {
			continue
		}
		if err := r.read(t, filter); err != nil {
			return fmt.Errorf("read %s: %w", r.what, err)
		}
	}
	t.Taken = time.Now()
	return nil
}

func (c conn) links(t *Tables, filter Filter) error {
	request := rtnl.Link{Name: filter.Link, Filter: filter.extended()}
	if filter.Link != "" {
		l, err := c.link(request)
		t.Links = []rtnl.Link{l}
		return err
	}
	all, err := dump[rtnl.Link](c, unix.RTM_GETLINK, unix.RTM_NEWLINK, &request, nil)
	if !filter.Statistics {
		for i := range all {
			all[i].Stats = nil // they differ in every reading
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Index < all[j].Index })
	t.Links = all
	return err
}

// extended is the IFLA_EXT_MASK of requests for links.
func (f Filter) extended() uint32 {
	var mask uint32
	if !f.Statistics {
		mask |= filterSkipStatistics
	}
	if f.Functions {
		mask |= filterFunctions
	}
	return mask
}

// link reads the link that a request names, also by an alternative name.
func (c conn) link(request rtnl.Link) (rtnl.Link, error) {
	name := request.Name
	if len(name) >= unix.IFNAMSIZ { // the kernel looks for shorter alternative names by itself
		request.Name, request.AltName = "", name
	}
	l, err := one[rtnl.Link](c, unix.RTM_GETLINK, &request)
	// ERANGE and EINVAL: a name that no link can have.
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ERANGE) || errors.Is(err, unix.EINVAL) {
		return rtnl.Link{}, fmt.Errorf("%s: %w", name, ErrNotExist)
	}
	return l, err
}

func (c conn) vlans(t *Tables, _ Filter) error {
	request := rtnl.Link{Family: unix.AF_BRIDGE, Filter: filterVLANRanges}
	var err error
	t.VLANs, err = dump[rtnl.Link](c, unix.RTM_GETLINK, unix.RTM_NEWLINK, &request, nil)
	return err
}

// addresses reads those of each family. ENODEV is that the link is gone, or to
// some kernels that IP of this family does not work on it.
func (c conn) addresses(t *Tables, filter Filter) error {
	t.Addresses = nil
	for _, family := range filter.families() {
		request := rtnl.Address{Family: family, Index: filter.Index}
		some, err := dump[rtnl.Address](c, unix.RTM_GETADDR, unix.RTM_NEWADDR, &request, of(family))
		if errors.Is(err, unix.ENODEV) {
			continue
		}
		if err != nil {
			return err
		}
		t.Addresses = append(t.Addresses, some...)
	}
	sort.SliceStable(t.Addresses, func(i, j int) bool { return t.Addresses[i].Index < t.Addresses[j].Index })
	return nil
}

func (c conn) defaultRoutes(t *Tables, filter Filter) error {
	filter.Table = unix.RT_TABLE_MAIN
	return c.routesThat(t, filter, func(m []byte) bool { return m[1] == 0 }) // rtm_dst_len
}

func (c conn) routes(t *Tables, filter Filter) error {
	return c.routesThat(t, filter, func(m []byte) bool {
		// rtm_protocol, of which the kernel takes 0 for all, and rtm_scope.
		return (filter.Protocol == nil || m[5] == *filter.Protocol) && (filter.Scope == nil || m[6] == *filter.Scope)
	})
}

// routesThat reads the wanted routes of each family. The kernel filters by
// table, protocol and link.
func (c conn) routesThat(t *Tables, filter Filter, wanted func([]byte) bool) error {
	var dumps []*dumped
	for _, family := range filter.families() {
		request := rtnl.Route{Family: family, Table: filter.Table, OutIndex: filter.OutIndex}
		if filter.Protocol != nil {
			request.Protocol = *filter.Protocol
		}
		d, err := c.consistentDump(unix.RTM_GETROUTE, unix.RTM_NEWROUTE, &request, func(m []byte) bool {
			return m[0] == family && wanted(m)
		})
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
			continue // the table has no route yet; the link is gone
		}
		if err != nil {
			return err
		}
		dumps = append(dumps, d)
	}
	var err error
	t.Routes, err = decoded[rtnl.Route](dumps...)
	return err
}

// families are asked one by one, since a kernel without IPv6 answers a
// question about IPv6 with everything that it has.
func (f Filter) families() []uint8 {
	if f.Family != 0 {
		return []uint8{f.Family}
	}
	return []uint8{unix.AF_INET, unix.AF_INET6}
}

// of wants the messages of one family, with which all their headers begin.
func of(family uint8) func([]byte) bool {
	return func(m []byte) bool { return m[0] == family }
}

func (c conn) rules(t *Tables, filter Filter) error {
	t.Rules = nil
	for _, family := range filter.families() {
		some, err := dump[rtnl.Rule](c, unix.RTM_GETRULE, unix.RTM_NEWRULE, &rtnl.Rule{Family: family}, of(family))
		if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP) {
			continue // a kernel without policy routing
		}
		if err != nil {
			return err
		}
		t.Rules = append(t.Rules, some...)
	}
	if filter.Table != 0 {
		t.Rules = slices.DeleteFunc(t.Rules, func(r rtnl.Rule) bool { return r.Table != filter.Table })
	}
	return nil
}

func (c conn) nexthops(t *Tables, _ Filter) error {
	var err error
	t.Nexthops, err = dump[rtnl.Nexthop](c, unix.RTM_GETNEXTHOP, unix.RTM_NEWNEXTHOP, &rtnl.Nexthop{}, nil)
	return err
}

func (c conn) neighbours(t *Tables, filter Filter) error {
	t.Neighbours = nil
	for _, family := range filter.families() {
		some, err := dump[rtnl.Neighbour](c, unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, &rtnl.Neighbour{Family: family}, of(family))
		if err != nil {
			return err
		}
		t.Neighbours = append(t.Neighbours, some...)
	}
	t.Neighbours = slices.DeleteFunc(t.Neighbours, func(n rtnl.Neighbour) bool {
		// NUD_NOARP is the mapping of multicast and the like: nobody is there.
		return !n.Address.IsValid() || n.State&unix.NUD_NOARP != 0 || filter.Index != 0 && uint32(n.Index) != filter.Index
	})
	return nil
}

func (c conn) forwarding(t *Tables, _ Filter) error {
	var err error
	t.Forwarding, err = dump[rtnl.Neighbour](c, unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, &rtnl.Neighbour{Family: unix.AF_BRIDGE}, nil)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil // a kernel without bridges
	}
	return err
}
