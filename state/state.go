// Package state has the types of what the kernel calls its network: interfaces of
// every kind with their addresses and settings, routes, rules, neighbours,
// forwarding tables. Package kernel below reads them from the kernel; package
// client asks a netconnectd for them. This package depends on nothing but the
// standard library.
//
// Names and shapes in JSON are those of nispor 1.2 (docs/state.md lists all of
// them), with index, statistics, neighbours, forwarding tables and next hop
// objects in addition. Numbers are in the kernel's units. What is absent in
// the kernel is absent here.
//
// What the kernel has as a number with a name is a Named, or Bits for several
// flags: its text is the name, and a number that has no name yet stays a number.
package state

// State is the network of one network namespace at one time.
type State struct {
	Ifaces     map[string]*Iface `json:"ifaces,omitempty"` // by name
	Routes     []Route           `json:"routes,omitempty"`
	Rules      []Rule            `json:"rules,omitempty"`
	Neighbours []Neighbour       `json:"neighbours,omitempty"` // of ARP and neighbour discovery
	FDB        []FDBEntry        `json:"fdb,omitempty"`        // forwarding tables of bridges and VXLANs
	Nexthops   []Nexthop         `json:"nexthops,omitempty"`   // objects that routes refer to
	MPTCP      *MPTCP            `json:"mptcp,omitempty"`
}

// Parts names parts of a State.
type Parts uint16

// The parts of a State.
const (
	PartIfaces     Parts = 1 << iota // with addresses
	PartStatistics                   // counters of interfaces
	PartDrivers                      // ethtool, Wi-Fi, WireGuard: a dozen requests more
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

// Filter says what is wanted. Its zero value wants everything. What the kernel
// can filter does not leave it.
type Filter struct {
	Parts    Parts          // 0: Everything
	Iface    string         // this interface only, by its name or an alternative name
	Type     IfaceType      // interfaces of this type only
	Family   AddressFamily  // "": both
	Table    uint32         // of routes and rules; 0: all
	Protocol *RouteProtocol // of routes; nil: all
	Scope    *RouteScope    // of routes; nil: all
	OutIface string         // routes through this interface only
}
