package state

import (
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// AddressFamily is "ipv4", "ipv6" or the number of another family of the
// kernel's, AF_… of linux/socket.h, in decimal.
type AddressFamily string

// The families that have IP addresses.
const (
	FamilyIPv4 AddressFamily = "ipv4"
	FamilyIPv6 AddressFamily = "ipv6"
)

// Enumerations of routes. Their text is nispor's word for the kernel's number,
// e.g. "kernel" or "dhcp", or the number in decimal where there is none.
type (
	RouteProtocol   = rtnl.RouteProtocol   // who made it, RTPROT_… of linux/rtnetlink.h
	RouteScope      = rtnl.RouteScope      // how far its destination is, RT_SCOPE_… of linux/rtnetlink.h
	RouteType       = rtnl.RouteType       // what becomes of a packet, RTN_… of linux/rtnetlink.h
	RoutePreference = rtnl.RoutePreference // of a router, RFC 4191 section 2.1: "low", "medium", "high"
	EncapType       = rtnl.EncapType       // of a lightweight tunnel, LWTUNNEL_ENCAP_… of linux/lwtunnel.h, as ip-route(8) has it
)

// Flags of routes. Their JSON is a list of nispor's words.
type (
	RouteFlags = rtnl.RouteFlags // e.g. "onlink", "linkdown"; RTNH_F_…, RTM_F_… of linux/rtnetlink.h
	HopFlags   = rtnl.HopFlags   // e.g. "on_link", "link_down"; RTNH_F_… of linux/rtnetlink.h
)

// Metrics are a route's parameters for those who send along it; 0 and "" are
// absent. They stand among the other keys of the route.
type Metrics = rtnl.Metrics

// Route is a route of any table. A pointer that is nil, an address or a prefix
// that is zero, a number or a name that JSON leaves out: the kernel has none.
type Route struct {
	Family          AddressFamily    `json:"address_family"`
	TOS             uint8            `json:"tos"`   // packets of this type of service only; 0: all
	Table           uint32           `json:"table"` // 254 main, 255 local, 253 default
	Protocol        RouteProtocol    `json:"protocol"`
	Scope           RouteScope       `json:"scope"`
	Type            RouteType        `json:"route_type"`
	Flags           RouteFlags       `json:"flags"`
	Destination     netip.Prefix     `json:"dst,omitzero"`          // absent: default route
	OutIface        string           `json:"oif,omitempty"`         // name, or the index of one that is gone
	InIface         string           `json:"iif,omitempty"`         // name, or the index of one that is gone
	PreferredSource netip.Addr       `json:"prefered_src,omitzero"` // for packets that have none (nispor's spelling)
	Source          netip.Prefix     `json:"src,omitzero"`          // IPv6: packets from here only
	Realm           Realm            `json:"realm,omitzero"`
	Gateway         netip.Addr       `json:"gateway,omitzero"`
	Via             netip.Addr       `json:"via,omitzero"` // gateway of the other family
	Mark            *uint32          `json:"mark,omitempty"`
	UID             *uint32          `json:"uid,omitempty"`
	*Metrics                         // nil: none
	*RouteCache                      // nil: none, as IPv4 routes have none
	Metric          *uint32          `json:"metric,omitempty"`     // the lowest wins; IPv4 absent: 0
	Preference      *RoutePreference `json:"preference,omitempty"` // IPv6
	Multipath       []RouteHop       `json:"multipath,omitempty"`  // instead of OutIface and Gateway
	NexthopID       uint32           `json:"nexthop_id,omitempty"` // of the Nexthop that says where to
	Encap           EncapType        `json:"encap,omitempty"`
}

// RouteCache is what the kernel remembers of a route, struct rta_cacheinfo of
// linux/rtnetlink.h. Its keys stand among the others of the route.
type RouteCache struct {
	References uint32 `json:"cache_clntref"`
	LastUse    uint32 `json:"cache_last_use"` // 1/100 s ago
	Expires    int32  `json:"cache_expires"`  // seconds left; 0: never; below 0: that long ago
	Error      uint32 `json:"cache_error"`    // errno, negative
	Used       uint32 `json:"cache_used"`
	ID         uint32 `json:"cache_id"`
	Timestamp  uint32 `json:"cache_ts"`
	TSAge      uint32 `json:"cache_ts_age"`
}

// Realm sorts routes for tc-route(8); 0 is none.
type Realm struct {
	Source      uint16 `json:"source"`
	Destination uint16 `json:"destination"`
}

// RouteHop is one of several ways that a route leads.
type RouteHop struct {
	Via    netip.Addr `json:"via"`   // gateway; "": on the link
	Iface  string     `json:"iface"` // name, or the index of one that is gone
	Weight uint16     `json:"weight"`
	Flags  HopFlags   `json:"flags"`
	Realm  Realm      `json:"realm,omitzero"`
	Encap  EncapType  `json:"encap,omitempty"`
}

// userHZ is how many of the kernel's clock ticks make a second in every
// message (USER_HZ, whatever HZ the kernel was built with).
const userHZ = 100

func newFamily(family uint8) AddressFamily {
	switch family {
	case unix.AF_INET:
		return FamilyIPv4
	case unix.AF_INET6:
		return FamilyIPv6
	}
	return AddressFamily(strconv.Itoa(int(family)))
}

// newRoute converts a route of the kernel's. names gives the name of the
// interface of an index: the index itself where there is none, "" for 0.
func newRoute(r *rtnl.Route, names func(index uint32) string) (out Route) {
	out = Route{
		Family: newFamily(r.Family), TOS: r.TOS, Table: r.Table,
		Protocol: RouteProtocol(r.Protocol), Scope: RouteScope(r.Scope), Type: RouteType(r.Type), Flags: RouteFlags(r.Flags),
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
		out.Preference = new(RoutePreference(r.Preference))
	}
	if r.Cache != nil {
		c := RouteCache(*r.Cache)
		c.Expires /= userHZ
		out.RouteCache = &c
	}
	if r.Details != nil {
		out.setDetails(r, names)
	}
	if len(r.Hops) > 0 {
		out.Multipath = make([]RouteHop, len(r.Hops))
		for i := range r.Hops {
			out.Multipath[i] = newHop(&r.Hops[i], names)
		}
	}
	return out
}

func (r *Route) setDetails(from *rtnl.Route, names func(index uint32) string) {
	d := from.Details
	r.Source = newPrefix(d.Source, from.SourceLength)
	if d.InIndex != nil {
		r.InIface = names(*d.InIndex)
	}
	r.Mark, r.UID = d.Mark, d.UID
	if d.EncapType != nil {
		r.Encap = EncapType(*d.EncapType)
	}
	if d.Metrics != nil && *d.Metrics != (Metrics{}) {
		r.Metrics = d.Metrics
	}
}

func newHop(h *rtnl.Hop, names func(index uint32) string) RouteHop {
	via := h.Gateway
	if h.Via.IsValid() {
		via = h.Via
	}
	return RouteHop{
		Via: via, Iface: names(uint32(h.Index)), Weight: uint16(h.Weight) + 1,
		Flags: HopFlags(h.Flags), Realm: newRealm(h.Realm), Encap: EncapType(h.EncapType),
	}
}

// newPrefix is zero without an address: any.
func newPrefix(a netip.Addr, length uint8) netip.Prefix {
	if !a.IsValid() {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(a, int(length))
}

func newRealm(flow uint32) Realm {
	return Realm{Source: uint16(flow >> 16), Destination: uint16(flow)}
}
