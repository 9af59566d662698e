package state

import (
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// Flags of neighbours. Their JSON is a list of the words of ip-neighbour(8) in
// lower case.
type (
	NeighbourState    = rtnl.NeighbourState // e.g. "reachable", "stale", "permanent"; empty: none; NUD_… of linux/neighbour.h
	NeighbourFlags    = rtnl.NeighbourFlags // e.g. "router", "extern_learn"; NTF_… of linux/neighbour.h
	NeighbourExtFlags = rtnl.ExtendedFlags  // e.g. "managed"; NTF_EXT_… of linux/neighbour.h
)

// HardwareAddress is in lower case, e.g. "00:23:45:67:89:1c".
type HardwareAddress = rtnl.HardwareAddress

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

func newNeighbour(n *rtnl.Neighbour, names func(index uint32) string) Neighbour {
	out := Neighbour{
		Family: newFamily(n.Family), Address: n.Address, Iface: names(uint32(n.Index)),
		HardwareAddress: HardwareAddress(n.MAC),
		State:           NeighbourState(n.State),
		Flags:           NeighbourFlags(n.Flags), ExtFlags: NeighbourExtFlags(n.ExtendedFlags),
		Probes: n.Probes,
		Router: n.Flags&unix.NTF_ROUTER != 0, Proxy: n.Flags&unix.NTF_PROXY != 0,
	}
	if c := n.Cache; c != nil {
		out.Confirmed, out.Used, out.Updated = new(c.Confirmed/userHZ), new(c.Used/userHZ), new(c.Updated/userHZ)
		out.References = new(c.References)
	}
	if d := n.Details; d != nil {
		out.Protocol = newProtocol(d.Protocol)
	}
	return out
}

func newFDBEntry(n *rtnl.Neighbour, names func(index uint32) string) FDBEntry {
	out := FDBEntry{
		MAC: HardwareAddress(n.MAC), Iface: names(uint32(n.Index)), Controller: names(n.Master),
		Remote: n.Address, NexthopID: n.NexthopID,
		Flags: NeighbourFlags(n.Flags), ExtFlags: NeighbourExtFlags(n.ExtendedFlags), State: fdbState(n.State),
	}
	if c := n.Cache; c != nil {
		out.Used, out.Updated = new(c.Used/userHZ), new(c.Updated/userHZ)
	}
	d := n.Details
	if d == nil {
		return out
	}
	out.VLAN, out.VNI, out.SourceVNI, out.Port, out.NetNSID = d.VLAN, d.VNI, d.SourceVNI, d.Port, d.NetNSID
	out.Protocol = newProtocol(d.Protocol)
	switch {
	case d.Through == nil:
	case d.NetNSID != nil: // an index of there, whatever has that index here
		out.Through = strconv.FormatUint(uint64(*d.Through), 10)
	default:
		out.Through = names(*d.Through)
	}
	if d.FDB != nil {
		out.Notify = d.FDB.Notify
	}
	return out
}

// fdbState says what a state of neighbours means in a forwarding table, in the
// words of bridge(8).
func fdbState(state uint16) string {
	switch {
	case state&unix.NUD_PERMANENT != 0:
		return "permanent"
	case state&unix.NUD_NOARP != 0:
		return "static"
	case state&unix.NUD_STALE != 0:
		return "stale"
	case state == unix.NUD_REACHABLE:
		return "dynamic"
	}
	return strconv.Itoa(int(state))
}

func newProtocol(p *uint8) *RouteProtocol {
	if p == nil {
		return nil
	}
	return new(RouteProtocol(*p))
}
