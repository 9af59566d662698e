package rtnl

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// Attributes of linux/neighbour.h since 5.2 to 5.16.
const (
	attributeNDAProtocol = 12
	attributeNDANHID     = 13
	attributeNDAFDBExt   = 14
	attributeNDAFlagsExt = 15
)

// Neighbour is an RTM_NEWNEIGH, RTM_DELNEIGH or RTM_GETNEIGH message (struct
// ndmsg): what hardware address an IP address has or, with AF_BRIDGE, where a
// hardware address is.
type Neighbour struct {
	Family        uint8 // AF_INET, AF_INET6; AF_BRIDGE for forwarding tables
	Index         int32
	State         uint16 // NUD_…
	Flags         uint8  // NTF_…
	Type          uint8  // RTN_…
	ExtendedFlags uint32 // NTF_EXT_…

	Address   netip.Addr // AF_BRIDGE: far end of the tunnel
	MAC       []byte
	Master    uint32  // index of the bridge that the entry is of; request: only ports of this link
	NexthopID uint32  // far ends of the tunnel, instead of Address
	Probes    *uint32 // asked without an answer
	Cache     *NeighbourCache
	Details   *NeighbourDetails // nil: none of them
}

// NeighbourDetails are the attributes that few neighbours have.
type NeighbourDetails struct {
	VLAN      *uint16
	Port      *uint16 // of the far end of the tunnel, UDP
	VNI       *uint32 // of the tunnel, when not that of the link
	SourceVNI *uint32 // of the packets that the entry is for
	Through   *uint32 // index of the link that the tunnel goes through (NDA_IFINDEX)
	NetNSID   *int32  // of the network namespace that Through is in (NDA_LINK_NETNSID)
	Protocol  *uint8  // who made it: RTPROT_…
	FDB       *FDBActivity
}

// FDBActivity is NDA_FDB_EXT_ATTRS.
type FDBActivity struct {
	Notify      *uint8 // FDB_NOTIFY_BIT 1, FDB_NOTIFY_INACTIVE_BIT 2
	DontRefresh bool   // request: leave the time of the last update
}

// NeighbourCache is struct nda_cacheinfo. Times are in 1/100 s (USER_HZ), ago.
type NeighbourCache struct{ Confirmed, Used, Updated, References uint32 }

const neighbourHeaderSize = unix.SizeofNdMsg

var neighbourTable = slices.Concat(table[*Neighbour]{
	address(unix.NDA_DST, "NDA_DST", func(n *Neighbour) *netip.Addr { return &n.Address }),
	raw(unix.NDA_LLADDR, "NDA_LLADDR", func(n *Neighbour) *[]byte { return &n.MAC }),
	number(unix.NDA_MASTER, "NDA_MASTER", func(n *Neighbour) *uint32 { return &n.Master }),
	number(attributeNDANHID, "NDA_NH_ID", func(n *Neighbour) *uint32 { return &n.NexthopID }),
	optional(unix.NDA_PROBES, "NDA_PROBES", func(n *Neighbour) **uint32 { return &n.Probes }),
	structure(unix.NDA_CACHEINFO, "NDA_CACHEINFO", binary.NativeEndian, func(n *Neighbour) **NeighbourCache { return &n.Cache }),
	number(attributeNDAFlagsExt, "NDA_FLAGS_EXT", func(n *Neighbour) *uint32 { return &n.ExtendedFlags }),
}, behind(func(n *Neighbour) **NeighbourDetails { return &n.Details }, neighbourDetailsTable))

var neighbourDetailsTable = table[*NeighbourDetails]{
	optional(unix.NDA_VLAN, "NDA_VLAN", func(d *NeighbourDetails) **uint16 { return &d.VLAN }),
	port(unix.NDA_PORT, "NDA_PORT", func(d *NeighbourDetails) **uint16 { return &d.Port }),
	optional(unix.NDA_VNI, "NDA_VNI", func(d *NeighbourDetails) **uint32 { return &d.VNI }),
	optional(unix.NDA_SRC_VNI, "NDA_SRC_VNI", func(d *NeighbourDetails) **uint32 { return &d.SourceVNI }),
	optional(unix.NDA_IFINDEX, "NDA_IFINDEX", func(d *NeighbourDetails) **uint32 { return &d.Through }),
	optional(unix.NDA_LINK_NETNSID, "NDA_LINK_NETNSID", func(d *NeighbourDetails) **int32 { return &d.NetNSID }),
	optional(attributeNDAProtocol, "NDA_PROTOCOL", func(d *NeighbourDetails) **uint8 { return &d.Protocol }),
	optionalNested(attributeNDAFDBExt, "NDA_FDB_EXT_ATTRS", fdbActivityTable, func(d *NeighbourDetails) **FDBActivity { return &d.FDB }),
}

// NFEA_…, linux/neighbour.h.
var fdbActivityTable = table[*FDBActivity]{
	optional(1, "NFEA_ACTIVITY_NOTIFY", func(a *FDBActivity) **uint8 { return &a.Notify }),
	present(2, "NFEA_DONT_REFRESH", func(a *FDBActivity) *bool { return &a.DontRefresh }),
}

// NeighbourKey identifies one neighbour or forwarding entry.
type NeighbourKey struct {
	family          uint8
	proxy, self     bool
	vlan            uint16
	index           int32
	address         netip.Addr
	master, nexthop uint32
	mac             string // AF_BRIDGE
	tunnel          tunnelKey
}

// tunnelKey distinguishes the entries of one MAC address: a VXLAN
// floods to several far ends.
type tunnelKey struct {
	port                    uint16
	vni, sourceVNI, through uint32
}

// Key identifies the entry: an address on a link, answered for others or not;
// of a forwarding table the MAC address with its VLAN, in the table of the
// link itself or in that of its bridge, with the far end of a tunnel.
func (n *Neighbour) Key() NeighbourKey {
	k := NeighbourKey{
		family: n.Family, index: n.Index, address: n.Address,
		proxy: n.Flags&unix.NTF_PROXY != 0,
	}
	if n.Family != unix.AF_BRIDGE {
		return k
	}
	k.mac, k.master, k.nexthop = string(n.MAC), n.Master, n.NexthopID
	k.self = n.Flags&unix.NTF_SELF != 0
	if d := n.Details; d != nil {
		k.vlan = orZero(d.VLAN)
		k.tunnel = tunnelKey{orZero(d.Port), orZero(d.VNI), orZero(d.SourceVNI), orZero(d.Through)}
	}
	return k
}

func orZero[N integer](n *N) N {
	if n == nil {
		return 0
	}
	return *n
}

// UnmarshalBinary reads the payload of a message.
func (n *Neighbour) UnmarshalBinary(b []byte) error {
	*n = Neighbour{}
	err := decodeMessage(neighbourTable, n, b, neighbourHeaderSize, func(h []byte) {
		n.Family = h[0]
		n.Index = int32(binary.NativeEndian.Uint32(h[4:]))
		n.State = binary.NativeEndian.Uint16(h[8:])
		n.Flags, n.Type = h[10], h[11]
	})
	if err != nil {
		return fmt.Errorf("read neighbour message: %w", err)
	}
	return nil
}

// MarshalBinary writes the payload of a message.
func (n *Neighbour) MarshalBinary() ([]byte, error) {
	h := make([]byte, neighbourHeaderSize)
	h[0] = n.Family
	binary.NativeEndian.PutUint32(h[4:], uint32(n.Index))
	binary.NativeEndian.PutUint16(h[8:], n.State)
	h[10], h[11] = n.Flags, n.Type
	b, err := encodeMessage(neighbourTable, n, h)
	if err != nil {
		return nil, fmt.Errorf("write neighbour message: %w", err)
	}
	return b, nil
}
