package state

import "net/netip"

// Neighbour is an entry of the ARP or neighbour discovery cache. A value that the
// kernel does not report is absent.
type Neighbour struct {
	Family          AddressFamily     `json:"address_family"`
	Address         netip.Addr        `json:"dst,omitzero"`
	Iface           string            `json:"iface"`            // name, or the index of an interface that is gone
	HardwareAddress HardwareAddress   `json:"lladdr,omitempty"` // absent while unknown
	State           NeighbourState    `json:"state"`
	Flags           NeighbourFlags    `json:"flags"`
	ExtFlags        NeighbourExtFlags `json:"ext_flags,omitempty"`
	Router          bool              `json:"router"` // the neighbour says that it is a router
	Proxy           bool              `json:"proxy"`  // this machine answers for it
	Protocol        *RouteProtocol    `json:"protocol,omitempty"`
	Probes          *uint32           `json:"probes,omitempty"`    // requests without an answer
	Confirmed       *uint32           `json:"confirmed,omitempty"` // seconds ago
	Used            *uint32           `json:"used,omitempty"`      // seconds ago
	Updated         *uint32           `json:"updated,omitempty"`   // seconds ago
	References      *uint32           `json:"refcnt,omitempty"`
}

// FDBEntry says behind which port of a bridge, or at which far end of a VXLAN, a
// hardware address is. A value that the entry does not have is absent.
type FDBEntry struct {
	MAC        HardwareAddress   `json:"mac"`
	Iface      string            `json:"iface"`                // the port, or the VXLAN
	Controller string            `json:"controller,omitempty"` // the bridge that the entry belongs to; absent: the entry belongs to the interface itself
	Remote     netip.Addr        `json:"dst,omitzero"`         // the far end of the tunnel
	VLAN       *uint16           `json:"vlan,omitempty"`
	VNI        *uint32           `json:"vni,omitempty"`     // at the far end, if it differs from the interface's
	SourceVNI  *uint32           `json:"src_vni,omitempty"` // of the packets to which the entry applies
	Port       *uint16           `json:"port,omitempty"`    // the far end's UDP port, if it differs from the interface's
	Through    string            `json:"via,omitempty"`     // the interface towards the far end
	NetNSID    *int32            `json:"link_netnsid,omitempty"`
	NexthopID  uint32            `json:"nexthop_id,omitempty"` // the Nexthop that lists the far ends
	Flags      NeighbourFlags    `json:"flags"`                // e.g. "self", "sticky", "extern_learn"
	ExtFlags   NeighbourExtFlags `json:"ext_flags,omitempty"`  // e.g. "locked"
	State      string            `json:"state"`                // "permanent": the interface's own, "static", "dynamic": learned or expiring, "stale"; or NUD_… in decimal
	Protocol   *RouteProtocol    `json:"protocol,omitempty"`
	Notify     *uint8            `json:"activity_notify,omitempty"` // FDB_NOTIFY_… of linux/neighbour.h
	Used       *uint32           `json:"used,omitempty"`            // seconds ago
	Updated    *uint32           `json:"updated,omitempty"`         // seconds ago
}
