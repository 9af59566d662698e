package state

import "net/netip"

// Neighbour is an entry of the ARP or neighbour discovery cache. What is
// absent, the kernel does not tell.
type Neighbour struct {
	Family          AddressFamily     `json:"address_family"`
	Address         netip.Addr        `json:"dst,omitzero"`
	Iface           string            `json:"iface"`            // name, or the index of one that is gone
	HardwareAddress HardwareAddress   `json:"lladdr,omitempty"` // absent while it is not known
	State           NeighbourState    `json:"state"`
	Flags           NeighbourFlags    `json:"flags"`
	ExtFlags        NeighbourExtFlags `json:"ext_flags,omitempty"`
	Router          bool              `json:"router"` // it says that it is one
	Proxy           bool              `json:"proxy"`  // we answer for it
	Protocol        *RouteProtocol    `json:"protocol,omitempty"`
	Probes          *uint32           `json:"probes,omitempty"`    // asked without an answer
	Confirmed       *uint32           `json:"confirmed,omitempty"` // seconds ago
	Used            *uint32           `json:"used,omitempty"`      // seconds ago
	Updated         *uint32           `json:"updated,omitempty"`   // seconds ago
	References      *uint32           `json:"refcnt,omitempty"`
}

// FDBEntry says behind which port of a bridge, or at which far end of a VXLAN,
// a hardware address is. What is absent, the entry does not have.
type FDBEntry struct {
	MAC        HardwareAddress   `json:"mac"`
	Iface      string            `json:"iface"`                // the port, or the VXLAN
	Controller string            `json:"controller,omitempty"` // the bridge whose entry it is; absent: that of the interface itself
	Remote     netip.Addr        `json:"dst,omitzero"`         // far end of the tunnel
	VLAN       *uint16           `json:"vlan,omitempty"`
	VNI        *uint32           `json:"vni,omitempty"`     // at the far end, when not that of the interface
	SourceVNI  *uint32           `json:"src_vni,omitempty"` // of the packets that it is for
	Port       *uint16           `json:"port,omitempty"`    // UDP, of the far end, when not that of the interface
	Through    string            `json:"via,omitempty"`     // interface to the far end
	NetNSID    *int32            `json:"link_netnsid,omitempty"`
	NexthopID  uint32            `json:"nexthop_id,omitempty"` // of the Nexthop that has the far ends
	Flags      NeighbourFlags    `json:"flags"`                // e.g. "self", "sticky", "extern_learn"
	ExtFlags   NeighbourExtFlags `json:"ext_flags,omitempty"`  // e.g. "locked"
	State      string            `json:"state"`                // "permanent": of the interface itself, "static", "dynamic": learned or expiring, "stale"; or NUD_… in decimal
	Protocol   *RouteProtocol    `json:"protocol,omitempty"`
	Notify     *uint8            `json:"activity_notify,omitempty"` // FDB_NOTIFY_… of linux/neighbour.h
	Used       *uint32           `json:"used,omitempty"`            // seconds ago
	Updated    *uint32           `json:"updated,omitempty"`         // seconds ago
}
