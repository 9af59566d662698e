// Package state has types for the kernel's network state: interfaces of every kind
// with their addresses and settings, routes, rules, neighbours, forwarding tables.
// Package kernel, in a folder below, reads them from the kernel; package client asks
// a netconnectd for them. This package depends only on the standard library.
//
// Names and structure in JSON are those of nispor 1.2 (docs/state.md lists all of
// them), with index, statistics, neighbours, forwarding tables and next hop objects
// in addition. Numbers are in the kernel's units. A value that is absent in the
// kernel is absent here.
//
// A number of the kernel's that has a name is a Named, or Bits for a set of flags:
// its text is the name, and a number that has no name yet stays a number.
package state

// State is the state of one network namespace at one time.
type State struct {
	Ifaces     map[string]*Iface `json:"ifaces,omitempty"` // by their names
	Routes     []Route           `json:"routes,omitempty"`
	Rules      []Rule            `json:"rules,omitempty"`
	Neighbours []Neighbour       `json:"neighbours,omitempty"` // from ARP and neighbour discovery
	FDB        []FDBEntry        `json:"fdb,omitempty"`        // the forwarding tables of bridges and VXLANs
	Nexthops   []Nexthop         `json:"nexthops,omitempty"`   // the objects that routes refer to
	MPTCP      *MPTCP            `json:"mptcp,omitempty"`
}

// Parts selects parts of a State.
type Parts uint16

// The parts of a State.
const (
	PartIfaces     Parts = 1 << iota // with addresses
	PartStatistics                   // counters of interfaces
	PartDrivers                      // from ethtool, nl80211 and WireGuard, which takes a dozen more requests
	PartRoutes
	PartRules
	PartNeighbours
	PartFDB
	PartNexthops
	PartMPTCP

	Everything = PartIfaces | PartStatistics | PartDrivers | PartRoutes | PartRules |
		PartNeighbours | PartFDB | PartNexthops | PartMPTCP

	// Watched are the parts that kernel.Watch follows.
	Watched = PartIfaces | PartRoutes | PartRules | PartNeighbours | PartFDB | PartNexthops
)

// Filter selects objects of a State. Its zero value selects everything. Where the
// kernel can filter, only the selected objects leave it.
type Filter struct {
	Parts    Parts          // 0: Everything
	Iface    string         // only this interface, by its name or an alternative name
	Type     IfaceType      // only interfaces of this type
	Family   AddressFamily  // "": both
	Table    uint32         // only routes and rules of this table; 0: all
	Protocol *RouteProtocol // only routes of this protocol; nil: all
	Scope    *RouteScope    // only routes of this scope; nil: all
	OutIface string         // only routes through this interface
}
