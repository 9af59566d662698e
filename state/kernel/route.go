package kernel

import (
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// userHZ is how many of the kernel's clock ticks make a second in every message
// (USER_HZ, whatever HZ the kernel was built with).
const userHZ = 100

// familyNumber returns the kernel's number of a family; 0: none.
func familyNumber(f state.AddressFamily) uint8 {
	switch f {
	case state.FamilyIPv4:
		return unix.AF_INET
	case state.FamilyIPv6:
		return unix.AF_INET6
	}
	number, _ := strconv.ParseUint(string(f), 10, 8)
	return uint8(number)
}

func newFamily(family uint8) state.AddressFamily {
	switch family {
	case unix.AF_INET:
		return state.FamilyIPv4
	case unix.AF_INET6:
		return state.FamilyIPv6
	}
	return state.AddressFamily(strconv.Itoa(int(family)))
}

// newRoute converts a route of the kernel's. names returns the name of the interface
// with an index: the index itself if there is no name, "" for 0.
func newRoute(r *rtnl.Route, names func(index uint32) string) (out state.Route) {
	out = state.Route{
		Family: newFamily(r.Family), TOS: r.TOS, Table: r.Table,
		Protocol: state.RouteProtocol(r.Protocol), Scope: state.RouteScope(r.Scope), Type: state.RouteType(r.Type), Flags: state.RouteFlags(r.Flags),
		Destination:     newPrefix(r.Destination, r.DestinationLength),
		OutIface:        names(r.OutIndex),
		PreferredSource: r.PreferredSource,
		Realm:           newRealm(r.Realm),
		Gateway:         r.Gateway,
		Via:             r.Via,
		NexthopID:       r.NexthopID,
	}
	if r.Metric != 0 || r.Family == unix.AF_INET6 {
		out.Metric = new(r.Metric)
	}
	if r.Family == unix.AF_INET6 {
		out.Preference = new(state.RoutePreference(r.Preference))
	}
	if r.Cache != nil {
		c := state.RouteCache(*r.Cache)
		c.Expires /= userHZ
		out.RouteCache = &c
	}
	if r.Details != nil {
		setDetails(&out, r, names)
	}
	if len(r.Hops) > 0 {
		out.Multipath = make([]state.RouteHop, len(r.Hops))
		for i := range r.Hops {
			out.Multipath[i] = newHop(&r.Hops[i], names)
		}
	}
	return out
}

func setDetails(r *state.Route, from *rtnl.Route, names func(index uint32) string) {
	d := from.Details
	r.Source = newPrefix(d.Source, from.SourceLength)
	if d.InIndex != nil {
		r.InIface = names(*d.InIndex)
	}
	r.Mark, r.UID = d.Mark, d.UID
	if d.EncapType != nil {
		r.Encap = state.EncapType(*d.EncapType)
	}
	if d.Metrics != nil && *d.Metrics != (state.Metrics{}) {
		r.Metrics = d.Metrics
	}
}

func newHop(h *rtnl.Hop, names func(index uint32) string) state.RouteHop {
	via := h.Gateway
	if h.Via.IsValid() {
		via = h.Via
	}
	return state.RouteHop{
		Via: via, Iface: names(uint32(h.Index)), Weight: uint16(h.Weight) + 1,
		Flags: state.HopFlags(h.Flags), Realm: newRealm(h.Realm), Encap: state.EncapType(h.EncapType),
	}
}

// newPrefix returns zero, which means any address, if a is zero.
func newPrefix(a netip.Addr, length uint8) netip.Prefix {
	if !a.IsValid() {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(a, int(length))
}

func newRealm(flow uint32) state.Realm {
	return state.Realm{Source: uint16(flow >> 16), Destination: uint16(flow)}
}
