// Package state tells what the kernel calls its network: interfaces of every
// kind with their addresses and settings, routes, rules, neighbours, forwarding
// tables. Read gives a picture of which the parts fit together, Watch keeps it
// current. Both ask the kernel itself, need no daemon and no privileges, and
// see the network namespace of the calling thread.
//
// Names and shapes in JSON are those of nispor 1.2 (docs/state.md lists all of
// them), with index, statistics, neighbours, forwarding tables and next hop
// objects in addition. Numbers are in the kernel's units. What is absent in
// the kernel is absent here.
package state

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
)

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

	// Watched are the parts that Watch can tell of.
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

// ErrNotExist says that there is no interface of that name.
var ErrNotExist = link.ErrNotExist

// number is the kernel's; 0: none.
func (f AddressFamily) number() uint8 {
	switch f {
	case FamilyIPv4:
		return unix.AF_INET
	case FamilyIPv6:
		return unix.AF_INET6
	}
	number, _ := strconv.ParseUint(string(f), 10, 8)
	return uint8(number)
}
