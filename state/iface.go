package state

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
)

// Iface is a network interface with its addresses.
type Iface struct {
	Name           string          `json:"name"`
	Index          int32           `json:"index"`
	Type           IfaceType       `json:"iface_type"`
	State          OperState       `json:"state"`
	MTU            uint32          `json:"mtu"` // bytes
	MinMTU         uint32          `json:"min_mtu,omitempty"`
	MaxMTU         uint32          `json:"max_mtu,omitempty"`
	Flags          LinkFlags       `json:"flags"`
	IPv4           *IPv4           `json:"ipv4,omitempty"`
	IPv6           *IPv6           `json:"ipv6,omitempty"`
	MAC            HardwareAddress `json:"mac_address,omitempty"`           // its length depends on the link type
	PermanentMAC   HardwareAddress `json:"permanent_mac_address,omitempty"` // of the hardware
	Controller     string          `json:"controller,omitempty"`            // the bridge, bond or VRF that it is a port of
	ControllerType IfaceType       `json:"controller_type,omitempty"`
	LinkNetnsID    *int32          `json:"link_netnsid,omitempty"` // the network namespace of the interface below, or of the peer
	Driver         string          `json:"driver,omitempty"`
	AltNames       []string        `json:"alt_names,omitempty"`
	Ethtool        *Ethtool        `json:"ethtool,omitempty"`
	Wifi           *Wifi           `json:"wifi,omitempty"`
	MPTCP          []MPTCPAddress  `json:"mptcp,omitempty"`
	BridgeVLANs    []BridgeVLAN    `json:"bridge_vlan,omitempty"` // of the bridge itself
	Kinds
	Ports
	Queues
	Stats *Stats `json:"stats,omitempty"`
}

// Queues holds values that few programs ask for. The names are those of ip-link(8).
type Queues struct {
	Alias          string          `json:"ifalias,omitempty"` // a description
	Group          uint32          `json:"group,omitempty"`   // 0: the default
	TxQueueLength  *uint32         `json:"txqlen,omitempty"`  // packets
	Qdisc          string          `json:"qdisc,omitempty"`
	Promiscuity    uint32          `json:"promiscuity,omitempty"` // how many requests for it there are
	AllMulticast   uint32          `json:"allmulti,omitempty"`    // how many requests for it there are
	NumTxQueues    uint32          `json:"num_tx_queues,omitempty"`
	NumRxQueues    uint32          `json:"num_rx_queues,omitempty"`
	GSOMaxSize     uint32          `json:"gso_max_size,omitempty"` // bytes
	GSOMaxSegments uint32          `json:"gso_max_segs,omitempty"`
	CarrierChanges uint32          `json:"carrier_changes,omitempty"`
	ProtoDown      bool            `json:"proto_down,omitempty"` // held down by user space
	Broadcast      HardwareAddress `json:"broadcast,omitempty"`
	PortID         HardwareAddress `json:"phys_port_id,omitempty"`
	PortName       string          `json:"phys_port_name,omitempty"`
	SwitchID       HardwareAddress `json:"phys_switch_id,omitempty"`
	ParentBus      string          `json:"parentbus,omitempty"`
	ParentDevice   string          `json:"parentdev,omitempty"` // e.g. "0000:03:00.0"
}

// IfaceType says what an interface is, e.g. "ethernet", "bridge", "mac_vlan". In
// JSON, a type that this package does not know is {"other":"…"} with the kernel's
// name of its kind.
type IfaceType string

// known holds the types that this package knows: nispor's names for the kernel's
// kinds of links and for links without a kind, and names for kinds that nispor 1.2
// lacks.
var known = func() map[IfaceType]bool {
	all := map[IfaceType]bool{}
	for _, t := range []IfaceType{
		"unknown", "ethernet", "loopback", "infiniband", "wifi",
		"bond", "veth", "bridge", "vlan", "dummy", "vxlan", "vrf", "tun", "mac_vlan", "mac_vtap", "openv_switch",
		"ipoib", "mac_sec", "hsr", "xfrm",
		"ip_vlan", "ip_vtap", "wireguard", "geneve", "ifb", "gre", "gretap", "ip6gre", "ip6gretap",
		"ipip", "sit", "ip6tnl", "vti", "vti6",
	} {
		all[t] = true
	}
	return all
}()

type otherType struct {
	Other string `json:"other"`
}

// MarshalJSON returns a string or {"other":"…"}.
func (t IfaceType) MarshalJSON() ([]byte, error) {
	if t == "" || known[t] {
		return json.Marshal(string(t))
	}
	return json.Marshal(otherType{string(t)})
}

// UnmarshalJSON reads the form that MarshalJSON returns.
func (t *IfaceType) UnmarshalJSON(b []byte) error {
	var other otherType
	if json.Unmarshal(b, &other) == nil && other.Other != "" {
		*t = IfaceType(other.Other)
		return nil
	}
	if err := json.Unmarshal(b, (*string)(t)); err != nil {
		return fmt.Errorf("type of an interface: %w", err)
	}
	return nil
}

// Words lists the types that this package knows, sorted.
func (IfaceType) Words() []string {
	words := make([]string, 0, len(known))
	for t := range known {
		words = append(words, string(t))
	}
	slices.Sort(words)
	return words
}

// addresses returns the addresses of the same family as of.
func (i *Iface) addresses(of netip.Addr) []Address {
	switch {
	case of.Is4() && i.IPv4 != nil:
		return i.IPv4.Addresses
	case !of.Is4() && i.IPv6 != nil:
		return i.IPv6.Addresses
	}
	return nil
}

func (i *Iface) setAddresses(of netip.Addr, all []Address) {
	switch {
	case !of.Is4():
		ip := IPv6{}
		if i.IPv6 != nil {
			ip = *i.IPv6
		}
		ip.Addresses = all
		i.IPv6 = &ip
		if len(all) == 0 && !ip.Token.IsValid() {
			i.IPv6 = nil
		}
	case len(all) == 0:
		i.IPv4 = nil
	default:
		i.IPv4 = &IPv4{Addresses: all}
	}
}
