package rtnl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// attributeRTANHID is RTA_NH_ID, linux/rtnetlink.h.
const attributeRTANHID = 30

// Route is an RTM_NEWROUTE, RTM_DELROUTE or RTM_GETROUTE message. There may be
// many of them: what few routes have is behind pointers.
type Route struct {
	Family            uint8 // AF_INET, AF_INET6
	DestinationLength uint8
	SourceLength      uint8
	TOS               uint8
	Protocol          uint8  // RTPROT_…
	Scope             uint8  // RT_SCOPE_…
	Type              uint8  // RTN_…
	Preference        uint8  // IPv6, of routers: 0 medium, 1 high, 3 low (RFC 4191 section 2.1)
	Flags             uint32 // RTM_F_…, RTNH_F_…
	Table             uint32
	OutIndex          uint32
	Metric            uint32
	NexthopID         uint32 // of the nexthop object that has the hops; 0: the route has them itself
	Realm             uint32 // for tc-route(8): the source's << 16 | the destination's

	Destination     netip.Addr // zero with DestinationLength 0: default route
	Gateway         netip.Addr
	Via             netip.Addr // gateway of the other family (RTA_VIA)
	PreferredSource netip.Addr
	Hops            []Hop         // of a multipath route
	Cache           *RouteCache   // IPv6, and what was looked up
	Details         *RouteDetails // nil: none of them
}

// RouteDetails are the attributes that few routes have.
type RouteDetails struct {
	Source    netip.Addr // with SourceLength
	InIndex   *uint32    // of an answer to RTM_GETROUTE
	Mark      *uint32    // of an answer to RTM_GETROUTE
	UID       *uint32    // of an answer to RTM_GETROUTE
	Expires   *uint32    // request: seconds; an answer has it in Cache
	EncapType *uint16    // LWTUNNEL_ENCAP_…, linux/lwtunnel.h
	Metrics   *state.Metrics
}

// Hop is one of several next hops (struct rtnexthop).
type Hop struct {
	Flags     uint8 // RTNH_F_…
	Weight    uint8 // minus 1
	EncapType uint16
	Index     int32
	Realm     uint32
	Gateway   netip.Addr
	Via       netip.Addr
}

// RouteCache is struct rta_cacheinfo. Times are in 1/100 s (USER_HZ).
type RouteCache struct {
	References uint32
	LastUse    uint32 // ago
	Expires    int32  // left; 0 never, below 0 that long ago
	Error      uint32 // errno, negative
	Used       uint32
	ID         uint32
	Timestamp  uint32
	TSAge      uint32
}

const (
	routeHeaderSize = unix.SizeofRtMsg
	hopHeaderSize   = unix.SizeofRtNexthop
	routeCacheSize  = 32
	tableCompat     = 252 // RT_TABLE_COMPAT: the header has no room for the number
)

var routeTable = slices.Concat(table[*Route]{
	// After the header's eight bits of it, which it overrides.
	number(unix.RTA_TABLE, "RTA_TABLE", func(r *Route) *uint32 { return &r.Table }),
	address(unix.RTA_DST, "RTA_DST", func(r *Route) *netip.Addr { return &r.Destination }),
	address(unix.RTA_GATEWAY, "RTA_GATEWAY", func(r *Route) *netip.Addr { return &r.Gateway }),
	via(unix.RTA_VIA, "RTA_VIA", func(r *Route) *netip.Addr { return &r.Via }),
	address(unix.RTA_PREFSRC, "RTA_PREFSRC", func(r *Route) *netip.Addr { return &r.PreferredSource }),
	number(unix.RTA_OIF, "RTA_OIF", func(r *Route) *uint32 { return &r.OutIndex }),
	number(unix.RTA_PRIORITY, "RTA_PRIORITY", func(r *Route) *uint32 { return &r.Metric }),
	number(attributeRTANHID, "RTA_NH_ID", func(r *Route) *uint32 { return &r.NexthopID }),
	number(unix.RTA_FLOW, "RTA_FLOW", func(r *Route) *uint32 { return &r.Realm }),
	{number: unix.RTA_MULTIPATH, name: "RTA_MULTIPATH", decode: decodeHops, encode: encodeHops},
	{number: unix.RTA_CACHEINFO, name: "RTA_CACHEINFO", decode: decodeRouteCache, encode: encodeRouteCache},
	number(unix.RTA_PREF, "RTA_PREF", func(r *Route) *uint8 { return &r.Preference }),
}, behind(func(r *Route) **RouteDetails { return &r.Details }, detailsTable))

var detailsTable = table[*RouteDetails]{
	address(unix.RTA_SRC, "RTA_SRC", func(d *RouteDetails) *netip.Addr { return &d.Source }),
	optional(unix.RTA_IIF, "RTA_IIF", func(d *RouteDetails) **uint32 { return &d.InIndex }),
	optional(unix.RTA_MARK, "RTA_MARK", func(d *RouteDetails) **uint32 { return &d.Mark }),
	optional(unix.RTA_UID, "RTA_UID", func(d *RouteDetails) **uint32 { return &d.UID }),
	optional(unix.RTA_EXPIRES, "RTA_EXPIRES", func(d *RouteDetails) **uint32 { return &d.Expires }),
	optional(unix.RTA_ENCAP_TYPE, "RTA_ENCAP_TYPE", func(d *RouteDetails) **uint16 { return &d.EncapType }),
	optionalNested(unix.RTA_METRICS, "RTA_METRICS", metricsTable, func(d *RouteDetails) **state.Metrics { return &d.Metrics }),
}

var metricsTable = table[*state.Metrics]{
	number(unix.RTAX_LOCK, "RTAX_LOCK", func(m *state.Metrics) *uint32 { return &m.Lock }),
	number(unix.RTAX_MTU, "RTAX_MTU", func(m *state.Metrics) *uint32 { return &m.MTU }),
	number(unix.RTAX_WINDOW, "RTAX_WINDOW", func(m *state.Metrics) *uint32 { return &m.Window }),
	number(unix.RTAX_RTT, "RTAX_RTT", func(m *state.Metrics) *uint32 { return &m.RTT }),
	number(unix.RTAX_RTTVAR, "RTAX_RTTVAR", func(m *state.Metrics) *uint32 { return &m.RTTVar }),
	number(unix.RTAX_SSTHRESH, "RTAX_SSTHRESH", func(m *state.Metrics) *uint32 { return &m.SSThresh }),
	number(unix.RTAX_CWND, "RTAX_CWND", func(m *state.Metrics) *uint32 { return &m.Cwnd }),
	number(unix.RTAX_ADVMSS, "RTAX_ADVMSS", func(m *state.Metrics) *uint32 { return &m.AdvMSS }),
	number(unix.RTAX_REORDERING, "RTAX_REORDERING", func(m *state.Metrics) *uint32 { return &m.Reordering }),
	number(unix.RTAX_HOPLIMIT, "RTAX_HOPLIMIT", func(m *state.Metrics) *uint32 { return &m.HopLimit }),
	number(unix.RTAX_INITCWND, "RTAX_INITCWND", func(m *state.Metrics) *uint32 { return &m.InitCwnd }),
	number(unix.RTAX_FEATURES, "RTAX_FEATURES", func(m *state.Metrics) *uint32 { return &m.Features }),
	number(unix.RTAX_RTO_MIN, "RTAX_RTO_MIN", func(m *state.Metrics) *uint32 { return &m.RTOMin }),
	number(unix.RTAX_INITRWND, "RTAX_INITRWND", func(m *state.Metrics) *uint32 { return &m.InitRwnd }),
	number(unix.RTAX_QUICKACK, "RTAX_QUICKACK", func(m *state.Metrics) *uint32 { return &m.QuickAck }),
	text(unix.RTAX_CC_ALGO, "RTAX_CC_ALGO", func(m *state.Metrics) *string { return &m.CCAlgo }),
	number(unix.RTAX_FASTOPEN_NO_COOKIE, "RTAX_FASTOPEN_NO_COOKIE", func(m *state.Metrics) *uint32 { return &m.FastOpenNoCookie }),
}

var hopTable = table[*Hop]{
	address(unix.RTA_GATEWAY, "RTA_GATEWAY", func(h *Hop) *netip.Addr { return &h.Gateway }),
	via(unix.RTA_VIA, "RTA_VIA", func(h *Hop) *netip.Addr { return &h.Via }),
	number(unix.RTA_FLOW, "RTA_FLOW", func(h *Hop) *uint32 { return &h.Realm }),
	number(unix.RTA_ENCAP_TYPE, "RTA_ENCAP_TYPE", func(h *Hop) *uint16 { return &h.EncapType }),
}

// via is a row for struct rtvia: a family and an address.
func via[T any](n uint16, name string, at func(T) *netip.Addr) *attribute[T] {
	return &attribute[T]{
		number: n, name: name,
		decode: func(t T, b []byte) error {
			if len(b) < 2 {
				return errors.New("too short")
			}
			a, ok := netip.AddrFromSlice(b[2:])
			if !ok {
				return fmt.Errorf("%d bytes are no IP address", len(b)-2)
			}
			*at(t) = a
			return nil
		},
		encode: func(t T) ([]byte, error) {
			a := *at(t)
			if !a.IsValid() {
				return nil, nil
			}
			family := uint16(unix.AF_INET6)
			if a.Is4() {
				family = unix.AF_INET
			}
			return append(binary.NativeEndian.AppendUint16(nil, family), a.AsSlice()...), nil
		},
	}
}

func decodeHops(r *Route, b []byte) error {
	r.Hops = nil
	for len(b) >= hopHeaderSize {
		size := int(binary.NativeEndian.Uint16(b))
		if size < hopHeaderSize || size > len(b) {
			return fmt.Errorf("hop of %d bytes in %d", size, len(b))
		}
		hop := Hop{Flags: b[2], Weight: b[3], Index: int32(binary.NativeEndian.Uint32(b[4:]))}
		if err := hopTable.decode(&hop, b[hopHeaderSize:size]); err != nil {
			return err
		}
		r.Hops = append(r.Hops, hop)
		b = b[min(align(size), len(b)):]
	}
	return nil
}

func encodeHops(r *Route) ([]byte, error) {
	var b []byte
	for i := range r.Hops {
		hop := &r.Hops[i]
		attributes, err := hopTable.encode(hop)
		if err != nil {
			return nil, err
		}
		b = binary.NativeEndian.AppendUint16(b, uint16(hopHeaderSize+len(attributes)))
		b = append(b, hop.Flags, hop.Weight)
		b = binary.NativeEndian.AppendUint32(b, uint32(hop.Index))
		b = append(b, attributes...)
	}
	return b, nil
}

// decodeRouteCache is a structure without reflection: each IPv6 route has one.
func decodeRouteCache(r *Route, b []byte) error {
	if len(b) < routeCacheSize {
		return errors.New("too short")
	}
	word := func(i int) uint32 { return binary.NativeEndian.Uint32(b[4*i:]) }
	r.Cache = &RouteCache{
		References: word(0), LastUse: word(1), Expires: int32(word(2)), Error: word(3),
		Used: word(4), ID: word(5), Timestamp: word(6), TSAge: word(7),
	}
	return nil
}

func encodeRouteCache(r *Route) ([]byte, error) {
	c := r.Cache
	if c == nil {
		return nil, nil
	}
	return binary.Append(nil, binary.NativeEndian, c)
}

// UnmarshalBinary reads the payload of a message.
func (r *Route) UnmarshalBinary(b []byte) error {
	*r = Route{}
	err := decodeMessage(routeTable, r, b, routeHeaderSize, func(h []byte) {
		r.Family, r.DestinationLength, r.SourceLength, r.TOS = h[0], h[1], h[2], h[3]
		r.Table = uint32(h[4])
		r.Protocol, r.Scope, r.Type = h[5], h[6], h[7]
		r.Flags = binary.NativeEndian.Uint32(h[8:])
	})
	if err != nil {
		return fmt.Errorf("read route message: %w", err)
	}
	return nil
}

// MarshalBinary writes the payload of a message.
func (r *Route) MarshalBinary() ([]byte, error) {
	h := make([]byte, routeHeaderSize)
	h[0], h[1], h[2], h[3] = r.Family, r.DestinationLength, r.SourceLength, r.TOS
	h[4] = tableCompat
	if r.Table < 1<<8 {
		h[4] = uint8(r.Table)
	}
	h[5], h[6], h[7] = r.Protocol, r.Scope, r.Type
	binary.NativeEndian.PutUint32(h[8:], r.Flags)
	b, err := encodeMessage(routeTable, r, h)
	if err != nil {
		return nil, fmt.Errorf("write route message: %w", err)
	}
	return b, nil
}
