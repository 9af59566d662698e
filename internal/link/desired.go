package link

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// Desired is what a configuration declares of a network namespace. What it does not
// name belongs to others, and stays.
type Desired struct {
	Links      []LinkSpec // in any order; each name once
	Rules      []RuleSpec
	Neighbours []NeighbourSpec

	// Held are links that others in this program own, with the owner's name. They are
	// neither changed nor restored, and to declare one is an error.
	Held map[string]string
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
	Data   any     // *rtnl.Bridge, *rtnl.VXLAN, … by Kind; only what is set is compared and written. A bond's Primary is the name of a port.

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

// check refuses what cannot be, whatever the kernel has.
func (s *LinkSpec) check() error {
	problems := append(checkAddresses(s.Addresses), checkRoutes(s.Routes)...)
	problems = append(problems, checkName(s.Name))
	for _, name := range []string{s.Peer, pointed(s.Parent), pointed(s.Master)} {
		if name != "" {
			problems = append(problems, checkName(name))
		}
	}
	for key := range s.Sysctls {
		problems = append(problems, checkSysctl(s.Name, key))
	}
	if s.Up != nil && !*s.Up && len(s.Routes) > 0 {
		problems = append(problems, errors.New("routes need the link to be up"))
	}
	if s.Peer != "" && s.Kind != "veth" {
		problems = append(problems, fmt.Errorf("a link of kind %q has no other end, here %s", s.Kind, s.Peer))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	return nil
}

func pointed(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// checkName refuses what no link is called (dev_valid_name, net/core/dev.c).
func checkName(name string) error {
	if name == "" || name == "." || name == ".." || len(name) >= unix.IFNAMSIZ || strings.ContainsAny(name, "/: \t\n\v\f\r") {
		return fmt.Errorf("%q is no name of an interface: it has to have 1 to 15 bytes, without /, : and white space", name)
	}
	return nil
}

// checkSysctl refuses a file that is not about this link, e.g. of another.
func checkSysctl(link, key string) error {
	part := strings.Split(key, "/")
	if len(part) != 4 || part[2] != link || part[0] == ".." || part[1] == ".." || part[3] == ".." || part[3] == "" {
		return fmt.Errorf("sysctl %q is not one of %s, such as ipv4/conf/%s/forwarding", key, link, link)
	}
	return nil
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
