package state

import (
	"encoding/json"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// Iface is a network interface with its addresses.
type Iface struct {
	Name           string          `json:"name"`
	Index          int32           `json:"index"`
	Type           IfaceType       `json:"iface_type"`
	State          rtnl.OperState  `json:"state"`
	MTU            uint32          `json:"mtu"` // bytes
	MinMTU         uint32          `json:"min_mtu,omitempty"`
	MaxMTU         uint32          `json:"max_mtu,omitempty"`
	Flags          rtnl.LinkFlags  `json:"flags"`
	IPv4           *IPv4           `json:"ipv4,omitempty"`
	IPv6           *IPv6           `json:"ipv6,omitempty"`
	MAC            HardwareAddress `json:"mac_address,omitempty"`           // as long as the link type has it
	PermanentMAC   HardwareAddress `json:"permanent_mac_address,omitempty"` // of the hardware
	Controller     string          `json:"controller,omitempty"`            // the bridge, bond or VRF whose port it is
	ControllerType IfaceType       `json:"controller_type,omitempty"`
	LinkNetnsID    *int32          `json:"link_netnsid,omitempty"` // where the interface below, or the peer, is
	Driver         string          `json:"driver,omitempty"`
	AltNames       []string        `json:"alt_names,omitempty"`
	Ethtool        *Ethtool        `json:"ethtool,omitempty"`
	Wifi           *Wifi           `json:"wifi,omitempty"`
	MPTCP          []MPTCPAddress  `json:"mptcp,omitempty"`
	BridgeVLANs    []BridgeVLAN    `json:"bridge_vlan,omitempty"` // of a bridge itself
	Kinds
	Ports
	Queues
	Stats *rtnl.Stats `json:"stats,omitempty"`
}

// Queues is what few ask for. The names are those of ip-link(8).
type Queues struct {
	Alias          string          `json:"ifalias,omitempty"` // a description
	Group          uint32          `json:"group,omitempty"`   // 0: default
	TxQueueLength  *uint32         `json:"txqlen,omitempty"`  // packets
	Qdisc          string          `json:"qdisc,omitempty"`
	Promiscuity    uint32          `json:"promiscuity,omitempty"` // how many ask for it
	AllMulticast   uint32          `json:"allmulti,omitempty"`    // how many ask for it
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

func newQueues(l *rtnl.Link) Queues {
	q := Queues{
		Alias: l.Alias, TxQueueLength: l.TxQueueLength, Qdisc: l.Qdisc,
		Promiscuity: l.Promiscuity, AllMulticast: l.AllMulticast,
		NumTxQueues: l.NumTxQueues, NumRxQueues: l.NumRxQueues,
		GSOMaxSize: l.GSOMaxSize, GSOMaxSegments: l.GSOMaxSegments,
		CarrierChanges: l.CarrierChanges, ProtoDown: l.ProtoDown != nil && *l.ProtoDown,
		Broadcast: l.Broadcast,
	}
	if l.Group != nil {
		q.Group = *l.Group
	}
	if h := l.Hardware; h != nil {
		q.PortID, q.PortName, q.SwitchID = h.PortID, h.PortName, h.SwitchID
		q.ParentBus, q.ParentDevice = h.ParentBus, h.ParentDevice
	}
	return q
}

// IfaceType is what an interface is, e.g. "ethernet", "bridge", "mac_vlan". In
// JSON one that this package does not know is {"other":"…"}, the kernel's name
// of its kind.
type IfaceType string

// kinds are nispor's names of the kernel's kinds of links.
var kinds = map[string]IfaceType{
	"bond": "bond", "veth": "veth", "bridge": "bridge", "vlan": "vlan", "dummy": "dummy", "vxlan": "vxlan",
	"vrf": "vrf", "tun": "tun", "macvlan": "mac_vlan", "macvtap": "mac_vtap", "openvswitch": "openv_switch",
	"ipoib": "ipoib", "macsec": "mac_sec", "hsr": "hsr", "xfrm": "xfrm",
	// Not in nispor 1.2.
	"ipvlan": "ip_vlan", "ipvtap": "ip_vtap", "wireguard": "wireguard", "geneve": "geneve", "ifb": "ifb",
	"gre": "gre", "gretap": "gretap", "ip6gre": "ip6gre", "ip6gretap": "ip6gretap",
	"ipip": "ipip", "sit": "sit", "ip6tnl": "ip6tnl", "vti": "vti", "vti6": "vti6",
}

// linkTypes are the types of links that have no kind.
var linkTypes = map[uint16]IfaceType{
	unix.ARPHRD_ETHER: "ethernet", unix.ARPHRD_LOOPBACK: "loopback", unix.ARPHRD_INFINIBAND: "infiniband",
}

var known = func() map[IfaceType]bool {
	all := map[IfaceType]bool{"unknown": true, "wifi": true}
	for _, t := range kinds {
		all[t] = true
	}
	for _, t := range linkTypes {
		all[t] = true
	}
	return all
}()

// newIfaceType prefers the kind to the type of the link.
func newIfaceType(l *rtnl.Link) IfaceType {
	if l.Info.Kind != "" {
		if t, ok := kinds[l.Info.Kind]; ok {
			return t
		}
		return IfaceType(l.Info.Kind)
	}
	if t, ok := linkTypes[l.Type]; ok {
		return t
	}
	return "unknown"
}

type otherType struct {
	Other string `json:"other"`
}

// MarshalJSON gives a string or {"other":"…"}.
func (t IfaceType) MarshalJSON() ([]byte, error) {
	if t == "" || known[t] {
		return json.Marshal(string(t))
	}
	return json.Marshal(otherType{string(t)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
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

// newIface converts a link and what belongs to it.
func newIface(l *rtnl.Link, of *view) *Iface {
	i := &Iface{
		Name: l.Name, Index: l.Index, Type: newIfaceType(l),
		State: rtnl.OperState(l.OperState),
		MTU:   l.MTU, MinMTU: l.MinMTU, MaxMTU: l.MaxMTU,
		Flags: rtnl.LinkFlags(l.Flags),
		MAC:   HardwareAddress(l.MAC), PermanentMAC: HardwareAddress(l.PermanentMAC),
		Controller:  of.name(l.Master),
		LinkNetnsID: l.LinkNetnsID,
		AltNames:    l.AltNames,
		Queues:      newQueues(l),
		Stats:       l.Stats,
	}
	if master, ok := of.links[l.Master]; ok {
		i.ControllerType = newIfaceType(master)
	}
	i.Kinds.set(l, of)
	i.Ports.set(l, of)
	if i.Bridge != nil {
		i.BridgeVLANs = of.vlans[l.Index]
	}
	i.setIPv6(l.IPv6)
	for _, a := range of.addresses[l.Index] {
		all := i.addresses(a.Address)
		i.setAddresses(a.Address, append(all, a))
	}
	return i
}

func (i *Iface) setIPv6(seen *rtnl.LinkIPv6) {
	if seen == nil || !seen.Token.IsValid() || seen.Token.IsUnspecified() {
		return
	}
	i.IPv6 = &IPv6{Token: seen.Token}
}

// addresses are those of the family of which one is given.
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
