package state

import "net/netip"

// AddressFamily is "ipv4", "ipv6", or the decimal number of another of the kernel's
// families, AF_… of linux/socket.h.
type AddressFamily string

// The families with IP addresses.
const (
	FamilyIPv4 AddressFamily = "ipv4"
	FamilyIPv6 AddressFamily = "ipv6"
)

// Route is a route of any table. A value that the kernel does not have is a nil
// pointer, a zero address or prefix, or a number or name that JSON leaves out.
type Route struct {
	Family          AddressFamily    `json:"address_family"`
	TOS             uint8            `json:"tos"`   // only for packets of this type of service; 0: all
	Table           uint32           `json:"table"` // 254 main, 255 local, 253 default
	Protocol        RouteProtocol    `json:"protocol"`
	Scope           RouteScope       `json:"scope"`
	Type            RouteType        `json:"route_type"`
	Flags           RouteFlags       `json:"flags"`
	Destination     netip.Prefix     `json:"dst,omitzero"`          // absent: default route
	OutIface        string           `json:"oif,omitempty"`         // name, or the index of an interface that is gone
	InIface         string           `json:"iif,omitempty"`         // name, or the index of an interface that is gone
	PreferredSource netip.Addr       `json:"prefered_src,omitzero"` // source address of packets that have none yet (nispor's spelling)
	Source          netip.Prefix     `json:"src,omitzero"`          // IPv6: only for packets from here
	Realm           Realm            `json:"realm,omitzero"`
	Gateway         netip.Addr       `json:"gateway,omitzero"`
	Via             netip.Addr       `json:"via,omitzero"` // a gateway of the other family
	Mark            *uint32          `json:"mark,omitempty"`
	UID             *uint32          `json:"uid,omitempty"`
	*Metrics                         // nil: none
	*RouteCache                      // nil: none; IPv4 routes have none
	Metric          *uint32          `json:"metric,omitempty"`     // the lowest takes precedence; absent with IPv4: 0
	Preference      *RoutePreference `json:"preference,omitempty"` // IPv6
	Multipath       []RouteHop       `json:"multipath,omitempty"`  // in place of OutIface and Gateway
	NexthopID       uint32           `json:"nexthop_id,omitempty"` // the Nexthop that the route uses
	Encap           EncapType        `json:"encap,omitempty"`
}

// Metrics holds a route's parameters for its senders (RTAX_…, linux/rtnetlink.h). Its
// keys stand among the other keys of the route. A number 0 and a text "" are absent.
type Metrics struct {
	Lock             uint32 `json:"lock,omitempty"`   // bits 1 << RTAX_…: metrics that the kernel may not change
	MTU              uint32 `json:"mtu,omitempty"`    // bytes
	Window           uint32 `json:"window,omitempty"` // bytes; the largest window that is advertised
	RTT              uint32 `json:"rtt,omitempty"`    // 1/8 ms
	RTTVar           uint32 `json:"rttvar,omitempty"` // 1/4 ms
	SSThresh         uint32 `json:"ssthresh,omitempty"`
	Cwnd             uint32 `json:"cwnd,omitempty"`   // packets
	AdvMSS           uint32 `json:"advmss,omitempty"` // bytes
	Reordering       uint32 `json:"reordering,omitempty"`
	HopLimit         uint32 `json:"hoplimit,omitempty"`
	InitCwnd         uint32 `json:"initcwnd,omitempty"` // packets
	Features         uint32 `json:"features,omitempty"` // RTAX_FEATURE_…: 1 ECN
	RTOMin           uint32 `json:"rto_min,omitempty"`  // ms
	InitRwnd         uint32 `json:"initrwnd,omitempty"` // packets
	QuickAck         uint32 `json:"quickack,omitempty"`
	CCAlgo           string `json:"cc_algo,omitempty"` // congestion control, e.g. "cubic"
	FastOpenNoCookie uint32 `json:"fastopen_no_cookie,omitempty"`
}

// RouteCache is the kernel's cached information about a route, struct rta_cacheinfo
// of linux/rtnetlink.h. Its keys stand among the other keys of the route.
type RouteCache struct {
	References uint32 `json:"cache_clntref"`
	LastUse    uint32 `json:"cache_last_use"` // 1/100 s ago
	Expires    int32  `json:"cache_expires"`  // seconds left; 0: never; negative: seconds since it expired
	Error      uint32 `json:"cache_error"`    // errno, negative
	Used       uint32 `json:"cache_used"`
	ID         uint32 `json:"cache_id"`
	Timestamp  uint32 `json:"cache_ts"`
	TSAge      uint32 `json:"cache_ts_age"`
}

// Realm classifies routes for tc-route(8); 0 means none.
type Realm struct {
	Source      uint16 `json:"source"`
	Destination uint16 `json:"destination"`
}

// RouteHop is one of several next hops of a route.
type RouteHop struct {
	Via    netip.Addr `json:"via"`   // the gateway; "": the destination is on the link
	Iface  string     `json:"iface"` // name, or the index of an interface that is gone
	Weight uint16     `json:"weight"`
	Flags  HopFlags   `json:"flags"`
	Realm  Realm      `json:"realm,omitzero"`
	Encap  EncapType  `json:"encap,omitempty"`
}
