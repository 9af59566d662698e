package kernel

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

func newNeighbour(n *rtnl.Neighbour, names func(index uint32) string) state.Neighbour {
	out := state.Neighbour{
		Family: newFamily(n.Family), Address: n.Address, Iface: names(uint32(n.Index)),
		HardwareAddress: state.HardwareAddress(n.MAC),
		State:           state.NeighbourState(n.State),
		Flags:           state.NeighbourFlags(n.Flags), ExtFlags: state.NeighbourExtFlags(n.ExtendedFlags),
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

func newFDBEntry(n *rtnl.Neighbour, names func(index uint32) string) state.FDBEntry {
	out := state.FDBEntry{
		MAC: state.HardwareAddress(n.MAC), Iface: names(uint32(n.Index)), Controller: names(n.Master),
		Remote: n.Address, NexthopID: n.NexthopID,
		Flags: state.NeighbourFlags(n.Flags), ExtFlags: state.NeighbourExtFlags(n.ExtendedFlags), State: fdbState(n.State),
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
	case d.NetNSID != nil: // the index belongs to that namespace, even if a link here has the same index
		out.Through = strconv.FormatUint(uint64(*d.Through), 10)
	default:
		out.Through = names(*d.Through)
	}
	if d.FDB != nil {
		out.Notify = d.FDB.Notify
	}
	return out
}

// fdbState translates the state of a neighbour in a forwarding table into the words
// of bridge(8).
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

func newProtocol(p *uint8) *state.RouteProtocol {
	if p == nil {
		return nil
	}
	return new(state.RouteProtocol(*p))
}
