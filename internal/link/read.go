package link

import (
	"cmp"
	"context"
	"encoding"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// filterSkipStats leaves the counters out of links, most of their bytes
// (RTEXT_FILTER_SKIP_STATS, linux/rtnetlink.h).
const filterSkipStats = 1 << 3

// protocolRouterAdvertisement marks addresses that the kernel made from router
// advertisements (IFAPROT_KERNEL_RA, linux/if_addr.h).
const protocolRouterAdvertisement = 2

// Take reads one Snapshot, without a Monitor.
func Take(ctx context.Context) (*Snapshot, error) {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	c, done, err := dial(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer done()
	s := &Snapshot{}
	if err := c.read(s, everything); err != nil {
		return nil, err
	}
	return s, nil
}

// parts are the tables of a Snapshot that have to be read.
type parts uint8

const (
	links parts = 1 << iota
	addresses
	routes
	neighbours
	everything = links | addresses | routes | neighbours
)

// read replaces the named parts of s by what the kernel has now.
func (c conn) read(s *Snapshot, which parts) error {
	var err error
	if which&links != 0 {
		if s.Links, err = c.links(); err != nil {
			return fmt.Errorf("read links: %w", err)
		}
	}
	if which&addresses != 0 {
		if s.Addresses, err = c.addresses(0); err != nil {
			return fmt.Errorf("read addresses: %w", err)
		}
	}
	if which&routes != 0 {
		if s.Routes, err = c.routes(); err != nil {
			return fmt.Errorf("read routes: %w", err)
		}
	}
	if which&neighbours != 0 {
		if s.Neighbours, err = c.neighbours(); err != nil {
			return fmt.Errorf("read neighbours: %w", err)
		}
	}
	s.Taken = time.Now()
	return nil
}

// decode reads the messages of one type into T.
func decode[T any, P interface {
	*T
	encoding.BinaryUnmarshaler
}](messages []netlink.Message, kind netlink.HeaderType) ([]T, error) {
	out := make([]T, 0, len(messages))
	for _, m := range messages {
		if m.Header.Type != kind {
			continue
		}
		var t T
		if err := P(&t).UnmarshalBinary(m.Data); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (c conn) links() ([]Link, error) {
	messages, err := c.dump(unix.RTM_GETLINK, &rtnl.Link{Filter: filterSkipStats})
	if err != nil {
		return nil, err
	}
	return decodeLinks(messages)
}

// link reads one link by name.
func (c conn) link(name string) (Link, error) {
	messages, err := c.execute(unix.RTM_GETLINK, 0, &rtnl.Link{Name: name, Filter: filterSkipStats})
	if errors.Is(err, unix.ENODEV) {
		return Link{}, fmt.Errorf("%s: %w", name, ErrNotExist)
	}
	if err != nil {
		return Link{}, fmt.Errorf("read link %s: %w", name, err)
	}
	found, err := decodeLinks(messages)
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d replies", len(found))
	}
	if err != nil {
		return Link{}, fmt.Errorf("read link %s: %w", name, err)
	}
	return found[0], nil
}

func decodeLinks(messages []netlink.Message) ([]Link, error) {
	seen, err := decode[rtnl.Link](messages, unix.RTM_NEWLINK)
	if err != nil {
		return nil, err
	}
	out := make([]Link, 0, len(seen))
	for i := range seen {
		out = append(out, seenLink(&seen[i]))
	}
	slices.SortFunc(out, func(a, b Link) int { return cmp.Compare(a.Index, b.Index) })
	return out, nil
}

// operStates are RFC 2863's names of IF_OPER_…, linux/if.h.
var operStates = [...]string{"unknown", "not_present", "down", "lower_layer_down", "testing", "dormant", "up"}

func seenLink(l *rtnl.Link) Link {
	out := Link{
		Index:        int(l.Index),
		Name:         l.Name,
		Kind:         l.Info.Kind,
		Type:         l.Type,
		MAC:          net.HardwareAddr(l.MAC),
		PermanentMAC: net.HardwareAddr(l.PermanentMAC),
		MTU:          int(l.MTU),
		Flags:        l.Flags,
		Up:           l.Flags&unix.IFF_UP != 0,
		Carrier:      l.Flags&unix.IFF_UP != 0 && l.Flags&unix.IFF_LOWER_UP != 0,
		OperState:    operStates[0],
		Master:       int(l.Master),
		Parent:       int(l.Parent),
	}
	if int(l.OperState) < len(operStates) {
		out.OperState = operStates[l.OperState]
	}
	if l.Info.Kind == "" && l.Type == unix.ARPHRD_ETHER {
		out.Wireless = wireless(l.Name)
	}
	return out
}

// wireless asks sysfs, since rtnetlink does not say it: cfg80211 links each of
// its interfaces to their radio.
func wireless(name string) bool {
	_, err := os.Lstat(filepath.Join("/sys/class/net", name, "phy80211"))
	return err == nil
}

// addresses reads the addresses of one link, or of all with index 0.
func (c conn) addresses(index int) ([]Address, error) {
	messages, err := c.dump(unix.RTM_GETADDR, &rtnl.Address{Index: uint32(index)})
	if err != nil {
		return nil, err
	}
	seen, err := decode[rtnl.Address](messages, unix.RTM_NEWADDR)
	if err != nil {
		return nil, err
	}
	out := make([]Address, 0, len(seen))
	for i := range seen {
		if a, ok := seenAddress(&seen[i]); ok {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b Address) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), a.Prefix.Addr().Compare(b.Prefix.Addr()), cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()))
	})
	return out, nil
}

func seenAddress(a *rtnl.Address) (Address, bool) {
	own := a.Own()
	if !own.IsValid() {
		return Address{}, false // of a family that has no IP addresses
	}
	out := Address{
		Index:             int(a.Index),
		Prefix:            netip.PrefixFrom(own, int(a.PrefixLength)),
		Broadcast:         a.Broadcast,
		Label:             a.Label,
		Scope:             a.Scope,
		Flags:             a.Flags,
		Protocol:          a.Protocol,
		Metric:            a.Metric,
		ValidLifetime:     lifetime(a.Lifetimes.Valid),
		PreferredLifetime: lifetime(a.Lifetimes.Preferred),
	}
	if a.Address != own {
		out.Peer = a.Address
	}
	return out, true
}

func lifetime(seconds uint32) time.Duration {
	if seconds == rtnl.Infinity {
		return Forever
	}
	return time.Duration(seconds) * time.Second
}

// families are asked one by one, since a kernel without IPv6 answers a
// question about IPv6 with everything that it has.
var families = [...]uint8{unix.AF_INET, unix.AF_INET6}

// routes reads the main table.
func (c conn) routes() ([]Route, error) {
	var out []Route
	for _, family := range families {
		messages, err := c.dump(unix.RTM_GETROUTE, &rtnl.Route{Family: family, Table: unix.RT_TABLE_MAIN})
		if errors.Is(err, unix.ENOENT) {
			continue // the table has no route yet
		}
		if err != nil {
			return nil, err
		}
		seen, err := decode[rtnl.Route](messages, unix.RTM_NEWROUTE)
		if err != nil {
			return nil, err
		}
		for i := range seen {
			if seen[i].Family == family && seen[i].Table == unix.RT_TABLE_MAIN {
				out = append(out, seenRoutes(&seen[i])...)
			}
		}
	}
	return out, nil
}

// seenRoutes gives one Route, or one for each hop.
func seenRoutes(r *rtnl.Route) []Route {
	destination := r.Destination
	if !destination.IsValid() {
		destination = netip.IPv4Unspecified()
		if r.Family == unix.AF_INET6 {
			destination = netip.IPv6Unspecified()
		}
	}
	one := Route{
		Index:       int(r.OutIndex),
		Destination: netip.PrefixFrom(destination, int(r.DestinationLength)),
		Gateway:     cmp.Or(r.Gateway, r.Via),
		Source:      r.PreferredSource,
		Metric:      r.Metric,
		Table:       r.Table,
		Protocol:    r.Protocol,
		Scope:       r.Scope,
		Type:        r.Type,
		Flags:       r.Flags,
	}
	if len(r.Hops) == 0 {
		return []Route{one}
	}
	out := make([]Route, 0, len(r.Hops))
	for _, hop := range r.Hops {
		through := one
		through.Index = int(hop.Index)
		through.Gateway = cmp.Or(hop.Gateway, hop.Via)
		through.Flags |= uint32(hop.Flags)
		out = append(out, through)
	}
	return out
}

func (c conn) neighbours() ([]Neighbour, error) {
	var out []Neighbour
	for _, family := range families {
		messages, err := c.dump(unix.RTM_GETNEIGH, &rtnl.Neighbour{Family: family})
		if err != nil {
			return nil, err
		}
		seen, err := decode[rtnl.Neighbour](messages, unix.RTM_NEWNEIGH)
		if err != nil {
			return nil, err
		}
		for i := range seen {
			n := &seen[i]
			// NUD_NOARP is the mapping of multicast and the like: nobody is there.
			if n.Family == family && n.Address.IsValid() && n.State&unix.NUD_NOARP == 0 {
				out = append(out, Neighbour{Index: int(n.Index), Address: n.Address, MAC: n.MAC, State: n.State})
			}
		}
	}
	slices.SortFunc(out, func(a, b Neighbour) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), a.Address.Compare(b.Address))
	})
	return out, nil
}
