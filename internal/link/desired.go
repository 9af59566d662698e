package link

import (
	"net"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// Desired is what a configuration declares of a network namespace. What it does not
// name belongs to others, and stays.
type Desired struct {
	Links      []LinkSpec // in any order; each name once
	Rules      []RuleSpec
	Neighbours []NeighbourSpec
}

// LinkSpec is what one link should be. A nil field leaves the link's property as it
// is, which differs from the property's zero value: a Master of "" means that the
// link is no port of anything.
type LinkSpec struct {
	Name string // at most 15 bytes
	Path string // what declares the link, for errors, e.g. "network.devices[2] (line 14)"

	// Kind is the IFLA_INFO_KIND of a link that is created if there is none, e.g.
	// "bridge". With "" the link exists by itself, and is waited for.
	Kind   string
	Peer   string  // of kind "veth": the name of the other end
	Parent *string // the link below, e.g. of a macvlan
	Master *string // the bridge, bond or VRF above
	Data   any     // *rtnl.Bridge, *rtnl.VXLAN, … by Kind; only what is set is compared and written

	PortData any // *rtnl.BridgePort, … by the kind of Master

	MTU           *uint32
	TxQueueLength *uint32
	MAC           net.HardwareAddr
	Up            *bool
	Promiscuous   *bool
	Multicast     *bool              // IFF_MULTICAST
	VLANs         []state.BridgeVLAN // of a bridge or its port; empty, not nil: none of ours

	// Addresses and Routes are all that we want on the link: those of ours that they
	// do not name are removed, and those of others stay.
	Addresses []AddressSpec
	Routes    []RouteSpec

	// Sysctls are files below /proc/sys/net with their contents, e.g.
	// "ipv6/conf/br0/disable_ipv6": "1".
	Sysctls map[string]string
}

// RuleSpec is a policy rule. Its Protocol is set by PlanAll.
type RuleSpec struct {
	Path string
	rtnl.Rule
}

// NeighbourSpec is a permanent entry of the ARP or neighbour table.
type NeighbourSpec struct {
	Path  string
	Link  string // name
	Proxy bool   // answer for the address
	rtnl.Neighbour
}
