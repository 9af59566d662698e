package rtnl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Route is an RTM_NEWROUTE, RTM_DELROUTE or RTM_GETROUTE message.
type Route struct {
	Family            uint8 // AF_INET, AF_INET6
	DestinationLength uint8
	SourceLength      uint8
	TOS               uint8
	Table             uint32
	Protocol          uint8  // RTPROT_…
	Scope             uint8  // RT_SCOPE_…
	Type              uint8  // RTN_…
	Flags             uint32 // RTM_F_…, RTNH_F_…

	Destination     netip.Addr // zero with DestinationLength 0: default route
	Gateway         netip.Addr
	Via             netip.Addr // gateway of the other family (RTA_VIA)
	PreferredSource netip.Addr
	OutIndex        uint32
	Metric          uint32
	Hops            []Hop // of a multipath route
}

// Hop is one of several next hops (struct rtnexthop).
type Hop struct {
	Flags   uint8 // RTNH_F_…
	Weight  uint8 // minus 1
	Index   int32
	Gateway netip.Addr
	Via     netip.Addr
}

const (
	routeHeaderSize = unix.SizeofRtMsg
	hopHeaderSize   = unix.SizeofRtNexthop
	tableCompat     = 252 // RT_TABLE_COMPAT: the header has no room for the number
)

var routeTable = table[Route]{
	// After the header's eight bits of it, which it overrides.
	number(unix.RTA_TABLE, "RTA_TABLE", func(r *Route) *uint32 { return &r.Table }),
	address(unix.RTA_DST, "RTA_DST", func(r *Route) *netip.Addr { return &r.Destination }),
	address(unix.RTA_GATEWAY, "RTA_GATEWAY", func(r *Route) *netip.Addr { return &r.Gateway }),
	via(unix.RTA_VIA, "RTA_VIA", func(r *Route) *netip.Addr { return &r.Via }),
	address(unix.RTA_PREFSRC, "RTA_PREFSRC", func(r *Route) *netip.Addr { return &r.PreferredSource }),
	number(unix.RTA_OIF, "RTA_OIF", func(r *Route) *uint32 { return &r.OutIndex }),
	number(unix.RTA_PRIORITY, "RTA_PRIORITY", func(r *Route) *uint32 { return &r.Metric }),
	{number: unix.RTA_MULTIPATH, name: "RTA_MULTIPATH", decode: decodeHops, encode: encodeHops},
}

var hopTable = table[Hop]{
	address(unix.RTA_GATEWAY, "RTA_GATEWAY", func(h *Hop) *netip.Addr { return &h.Gateway }),
	via(unix.RTA_VIA, "RTA_VIA", func(h *Hop) *netip.Addr { return &h.Via }),
}

// via is a row for struct rtvia: a family and an address.
func via[T any](n uint16, name string, at func(*T) *netip.Addr) attribute[T] {
	return attribute[T]{
		number: n, name: name,
		decode: func(t *T, b []byte) error {
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
		encode: func(t *T) ([]byte, error) {
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

// align rounds up to RTNH_ALIGNTO.
func align(n int) int { return (n + 3) &^ 3 }

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
