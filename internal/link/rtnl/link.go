package rtnl

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/state"
)

// Link is an RTM_NEWLINK, RTM_DELLINK or RTM_GETLINK message. A request names
// the link by Index or, with Index 0, by Name.
type Link struct {
	Family uint8  // AF_UNSPEC, or AF_BRIDGE for bridge ports
	Type   uint16 // ARPHRD_…
	Index  int32
	Flags  uint32 // IFF_…
	Change uint32 // request: which Flags to set

	MAC          []byte // hardware address as long as the link type has it
	Broadcast    []byte // hardware broadcast address
	PermanentMAC []byte
	Name         string
	MTU          uint32
	Parent       *uint32            // index of the link below (IFLA_LINK)
	Master       *uint32            // index of the bridge, bond or VRF above; 0 in a request: of none
	OperState    uint8              // IF_OPER_…, linux/if.h
	Filter       uint32             // request: RTEXT_FILTER_… (IFLA_EXT_MASK)
	BridgeVLANs  []state.BridgeVLAN // of AF_BRIDGE, asked for with Filter
	BridgeSelf   bool               // request: BridgeVLANs of the bridge itself, not of a port
	Info         LinkInfo

	LinkNetnsID *int32 // namespace of Parent, if it is another
	NetnsID     *int32 // request: look there (IFLA_TARGET_NETNSID)

	AltNames      []string
	AltName       string  // request: one of them instead of Name, which has 15 bytes at most
	Alias         *string // a description; empty in a request: none
	Group         *uint32 // number in iproute2's table of groups; 0 default
	TxQueueLength *uint32 // packets
	Qdisc         string  // queueing discipline, e.g. "fq_codel"
	LinkMode      *uint8  // IF_LINK_MODE_…: 0 default, 1 dormant until a program sets it up
	Carrier       *bool
	ProtoDown     *bool // held down by user space

	MinMTU, MaxMTU             uint32 // 0: no limit
	Promiscuity, AllMulticast  uint32 // how many ask for it
	NumTxQueues, NumRxQueues   uint32
	CarrierChanges             uint32
	GSOMaxSize, GSOMaxSegments uint32 // bytes of a packet that is cut up later
	GROMaxSize                 uint32 // bytes of packets that are joined
	TSOMaxSize, TSOMaxSegments uint32 // what the hardware takes

	IPv6     *LinkIPv6
	Hardware *Hardware
	VFs      []state.SRIOVFunction // with RTEXT_FILTER_VF in Filter
	Stats    *state.Stats
}

// LinkIPv6 is what IPv6 has for a link, beside the addresses.
type LinkIPv6 struct {
	Flags       uint32     // IF_RA_RCVD and so on, net/if_inet6.h
	Token       netip.Addr // lower half of addresses that are made of a prefix; "::" none
	AddrGenMode *uint8     // how link-local addresses are made: IN6_ADDR_GEN_MODE_…, linux/if_link.h
}

// Hardware is where a link is on its device.
type Hardware struct {
	PortID       state.HardwareAddress // of the physical port; equal for the functions of one
	PortName     string
	SwitchID     state.HardwareAddress // equal for the ports of one switch
	ParentDevice string                // e.g. "0000:03:00.0"
	ParentBus    string                // e.g. "pci"
}

// ParentIndex returns the index of the link below, or 0.
func (l *Link) ParentIndex() uint32 { return orZero(l.Parent) }

// MasterIndex returns the index of the bridge, bond or VRF above, or 0.
func (l *Link) MasterIndex() uint32 { return orZero(l.Master) }

const linkHeaderSize = unix.SizeofIfInfomsg

// In the order in which the kernel sends them (rtnl_fill_ifinfo), so that each
// is found at once.
var linkTable = slices.Concat(table[*Link]{
	text(unix.IFLA_IFNAME, "IFLA_IFNAME", func(l *Link) *string { return &l.Name }),
	readOnly(optional(unix.IFLA_TARGET_NETNSID, "IFLA_TARGET_NETNSID", func(l *Link) **int32 { return &l.NetnsID })),
	optional(unix.IFLA_TXQLEN, "IFLA_TXQLEN", func(l *Link) **uint32 { return &l.TxQueueLength }),
	readOnly(number(unix.IFLA_OPERSTATE, "IFLA_OPERSTATE", func(l *Link) *uint8 { return &l.OperState })),
	optional(unix.IFLA_LINKMODE, "IFLA_LINKMODE", func(l *Link) **uint8 { return &l.LinkMode }),
	number(unix.IFLA_MTU, "IFLA_MTU", func(l *Link) *uint32 { return &l.MTU }),
	readOnly(number(unix.IFLA_MIN_MTU, "IFLA_MIN_MTU", func(l *Link) *uint32 { return &l.MinMTU })),
	readOnly(number(unix.IFLA_MAX_MTU, "IFLA_MAX_MTU", func(l *Link) *uint32 { return &l.MaxMTU })),
	optional(unix.IFLA_GROUP, "IFLA_GROUP", func(l *Link) **uint32 { return &l.Group }),
	readOnly(number(unix.IFLA_PROMISCUITY, "IFLA_PROMISCUITY", func(l *Link) *uint32 { return &l.Promiscuity })),
	readOnly(number(unix.IFLA_ALLMULTI, "IFLA_ALLMULTI", func(l *Link) *uint32 { return &l.AllMulticast })),
	recreate(number(unix.IFLA_NUM_TX_QUEUES, "IFLA_NUM_TX_QUEUES", func(l *Link) *uint32 { return &l.NumTxQueues })),
	number(unix.IFLA_GSO_MAX_SEGS, "IFLA_GSO_MAX_SEGS", func(l *Link) *uint32 { return &l.GSOMaxSegments }),
	number(unix.IFLA_GSO_MAX_SIZE, "IFLA_GSO_MAX_SIZE", func(l *Link) *uint32 { return &l.GSOMaxSize }),
	number(unix.IFLA_GRO_MAX_SIZE, "IFLA_GRO_MAX_SIZE", func(l *Link) *uint32 { return &l.GROMaxSize }),
	readOnly(number(unix.IFLA_TSO_MAX_SIZE, "IFLA_TSO_MAX_SIZE", func(l *Link) *uint32 { return &l.TSOMaxSize })),
	readOnly(number(unix.IFLA_TSO_MAX_SEGS, "IFLA_TSO_MAX_SEGS", func(l *Link) *uint32 { return &l.TSOMaxSegments })),
	recreate(number(unix.IFLA_NUM_RX_QUEUES, "IFLA_NUM_RX_QUEUES", func(l *Link) *uint32 { return &l.NumRxQueues })),
	flag(unix.IFLA_CARRIER, "IFLA_CARRIER", func(l *Link) **bool { return &l.Carrier }),
	optionalText(unix.IFLA_IFALIAS, "IFLA_IFALIAS", func(l *Link) **string { return &l.Alias }),
	readOnly(number(unix.IFLA_CARRIER_CHANGES, "IFLA_CARRIER_CHANGES", func(l *Link) *uint32 { return &l.CarrierChanges })),
	flag(unix.IFLA_PROTO_DOWN, "IFLA_PROTO_DOWN", func(l *Link) **bool { return &l.ProtoDown }),
	raw(unix.IFLA_ADDRESS, "IFLA_ADDRESS", func(l *Link) *[]byte { return &l.MAC }),
	raw(unix.IFLA_BROADCAST, "IFLA_BROADCAST", func(l *Link) *[]byte { return &l.Broadcast }),
	{number: unix.IFLA_STATS64, name: "IFLA_STATS64", class: ReadOnly, decode: decodeStats, encode: encodeStats},
	{number: unix.IFLA_VFINFO_LIST, name: "IFLA_VFINFO_LIST", flags: netlink.Nested, class: ReadOnly, decode: decodeVFs, encode: encodeVFs},
	nested(unix.IFLA_LINKINFO, "IFLA_LINKINFO", linkInfoTable, func(l *Link) *LinkInfo { return &l.Info }),
	recreate(optional(unix.IFLA_LINK, "IFLA_LINK", func(l *Link) **uint32 { return &l.Parent })),
	zeroAbsent(4, optional(unix.IFLA_MASTER, "IFLA_MASTER", func(l *Link) **uint32 { return &l.Master })),
	readOnly(text(unix.IFLA_QDISC, "IFLA_QDISC", func(l *Link) *string { return &l.Qdisc })),
	readOnly(optional(unix.IFLA_LINK_NETNSID, "IFLA_LINK_NETNSID", func(l *Link) **int32 { return &l.LinkNetnsID })),
	{number: unix.IFLA_AF_SPEC, name: "IFLA_AF_SPEC", flags: netlink.Nested, decode: decodeFamilies, encode: encodeFamilies,
		compare: compareFamilies, show: func(*Link) string { return "" }},
	readOnly(text(unix.IFLA_ALT_IFNAME, "IFLA_ALT_IFNAME", func(l *Link) *string { return &l.AltName })),
	// Written by RTM_NEWLINKPROP.
	readOnly(list(unix.IFLA_PROP_LIST, "IFLA_PROP_LIST", func(l *Link) *[]string { return &l.AltNames },
		text(unix.IFLA_ALT_IFNAME, "IFLA_ALT_IFNAME", func(name *string) *string { return name }))),
	readOnly(raw(unix.IFLA_PERM_ADDRESS, "IFLA_PERM_ADDRESS", func(l *Link) *[]byte { return &l.PermanentMAC })),
	readOnly(number(unix.IFLA_EXT_MASK, "IFLA_EXT_MASK", func(l *Link) *uint32 { return &l.Filter })),
}, behind(func(l *Link) **Hardware { return &l.Hardware }, hardwareTable))

var hardwareTable = table[*Hardware]{
	readOnly(raw(unix.IFLA_PHYS_PORT_ID, "IFLA_PHYS_PORT_ID", func(h *Hardware) *state.HardwareAddress { return &h.PortID })),
	readOnly(text(unix.IFLA_PHYS_PORT_NAME, "IFLA_PHYS_PORT_NAME", func(h *Hardware) *string { return &h.PortName })),
	readOnly(raw(unix.IFLA_PHYS_SWITCH_ID, "IFLA_PHYS_SWITCH_ID", func(h *Hardware) *state.HardwareAddress { return &h.SwitchID })),
	readOnly(text(unix.IFLA_PARENT_DEV_NAME, "IFLA_PARENT_DEV_NAME", func(h *Hardware) *string { return &h.ParentDevice })),
	readOnly(text(unix.IFLA_PARENT_DEV_BUS_NAME, "IFLA_PARENT_DEV_BUS_NAME", func(h *Hardware) *string { return &h.ParentBus })),
}

// linkFamiliesTable is what each family knows of a link (IFLA_AF_SPEC),
// each in an attribute of its number.
var linkFamiliesTable = table[*Link]{
	optionalNested(unix.AF_INET6, "AF_INET6", linkIPv6Table, func(l *Link) **LinkIPv6 { return &l.IPv6 }),
}

var linkIPv6Table = table[*LinkIPv6]{
	readOnly(number(unix.IFLA_INET6_FLAGS, "IFLA_INET6_FLAGS", func(i *LinkIPv6) *uint32 { return &i.Flags })),
	addressOf(unix.IFLA_INET6_TOKEN, "IFLA_INET6_TOKEN", 16, func(i *LinkIPv6) *netip.Addr { return &i.Token }),
	optional(unix.IFLA_INET6_ADDR_GEN_MODE, "IFLA_INET6_ADDR_GEN_MODE", func(i *LinkIPv6) **uint8 { return &i.AddrGenMode }),
}

// decodeFamilies reads IFLA_AF_SPEC. In messages of family AF_BRIDGE it has the
// bridge's attributes instead.
func decodeFamilies(l *Link, b []byte) error {
	if l.Family == unix.AF_BRIDGE {
		return decodeBridgeVLANs(l, b)
	}
	return linkFamiliesTable.decode(l, b)
}

// compareFamilies compares what is mentioned of each family.
func compareFamilies(have, want []byte) []byte {
	before := attributesOf(have)
	for family, wanted := range attributesOf(want) {
		now := attributesOf(before[family])
		for number, payload := range attributesOf(wanted) {
			if !bytes.Equal(now[number], payload) {
				return want
			}
		}
	}
	return nil
}

// attributesOf are the payloads of attributes by their numbers.
func attributesOf(b []byte) map[uint16][]byte {
	out := map[uint16][]byte{}
	for len(b) > 0 {
		number, payload, rest, err := cutAttribute(b)
		if err != nil {
			break // of our own encoding, so this does not happen
		}
		out[number], b = payload, rest
	}
	return out
}

func encodeFamilies(l *Link) ([]byte, error) {
	if l.Family == unix.AF_BRIDGE {
		return encodeBridgeVLANs(l)
	}
	b, err := linkFamiliesTable.encode(l)
	if len(b) == 0 {
		return nil, err
	}
	return b, err
}

// UnmarshalBinary reads the payload of a message.
func (l *Link) UnmarshalBinary(b []byte) error {
	*l = Link{}
	err := decodeMessage(linkTable, l, b, linkHeaderSize, func(h []byte) {
		l.Family = h[0]
		l.Type = binary.NativeEndian.Uint16(h[2:])
		l.Index = int32(binary.NativeEndian.Uint32(h[4:]))
		l.Flags = binary.NativeEndian.Uint32(h[8:])
		l.Change = binary.NativeEndian.Uint32(h[12:])
	})
	if err == nil {
		err = l.Info.decodeData()
	}
	for i := range l.VFs {
		l.VFs[i].MAC = trim(l.VFs[i].MAC, len(l.MAC))
		l.VFs[i].Broadcast = trim(l.VFs[i].Broadcast, len(l.MAC))
	}
	if err != nil {
		return fmt.Errorf("read link message: %w", err)
	}
	return nil
}

// MarshalBinary writes the payload of a message.
func (l *Link) MarshalBinary() ([]byte, error) {
	h := make([]byte, linkHeaderSize)
	h[0] = l.Family
	binary.NativeEndian.PutUint16(h[2:], l.Type)
	binary.NativeEndian.PutUint32(h[4:], uint32(l.Index))
	binary.NativeEndian.PutUint32(h[8:], l.Flags)
	binary.NativeEndian.PutUint32(h[12:], l.Change)
	full := *l
	if err := full.Info.encodeData(); err != nil {
		return nil, fmt.Errorf("write link message: %w", err)
	}
	b, err := encodeMessage(linkTable, &full, h)
	if err != nil {
		return nil, fmt.Errorf("write link message: %w", err)
	}
	return b, nil
}
