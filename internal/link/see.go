package link

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sort"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// lean is what the daemon itself needs of the kernel's tables. Neighbours would
// wake it several times for each packet that it sends after a pause.
const lean = Links | Addresses | DefaultRoutes

// See reads what a Monitor would show now.
func See(ctx context.Context) (*Snapshot, error) {
	t, err := Read(ctx, lean, Filter{})
	if err != nil {
		return nil, err
	}
	s := &Snapshot{}
	s.see(t, lean)
	return s, nil
}

// see replaces the parts of s that were read again.
func (s *Snapshot) see(t *Tables, which Parts) {
	if which&Links != 0 {
		s.Links = seenAll(t.Links, seenLink)
	}
	if which&Addresses != 0 {
		s.Addresses = seenAll(t.Addresses, seenAddress)
		sort.Slice(s.Addresses, func(i, j int) bool {
			a, b := &s.Addresses[i], &s.Addresses[j]
			return cmp.Or(cmp.Compare(a.Index, b.Index), a.Prefix.Addr().Compare(b.Prefix.Addr()), cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits())) < 0
		})
		s.Taken = t.Taken
	}
	if which&(Routes|DefaultRoutes) != 0 {
		s.Routes = seenRoutes(t.Routes)
	}
}

func seenAll[T, S any](all []T, seen func(*T) S) []S {
	out := make([]S, 0, len(all))
	for i := range all {
		out = append(out, seen(&all[i]))
	}
	return out
}

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
		OperState:    state.OperState(l.OperState).String(),
		Master:       int(l.MasterIndex()),
		Parent:       int(l.ParentIndex()),
	}
	if l.Info.Kind == "" && l.Type == unix.ARPHRD_ETHER {
		out.Wireless = wireless(l.Name)
	}
	return out
}

// wireless asks sysfs, since rtnetlink does not show it: cfg80211 links each of
// its interfaces to their radio.
func wireless(name string) bool {
	_, err := os.Lstat(filepath.Join("/sys/class/net", name, "phy80211"))
	return err == nil
}

func seenAddress(a *rtnl.Address) Address {
	own := a.Own()
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
	return out
}

func lifetime(seconds uint32) time.Duration {
	if seconds == rtnl.Infinity {
		return Forever
	}
	return time.Duration(seconds) * time.Second
}

func seenRoutes(all []rtnl.Route) []Route {
	var out []Route
	for i := range all {
		out = append(out, seenRoute(&all[i])...)
	}
	return out
}

// seenRoute returns one Route, or one for each hop.
func seenRoute(r *rtnl.Route) []Route {
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
	if r.Details != nil && r.Details.Metrics != nil {
		one.MTU = r.Details.Metrics.MTU
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
