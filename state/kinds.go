package state

import (
	"github.com/netconnectd/netconnectd/internal/link/ethtool"
	"github.com/netconnectd/netconnectd/internal/link/mptcp"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/link/wireguard"
)

// Kinds are the blocks of an Iface that belong to its kind. At most one is
// there.
type Kinds struct {
	Bond      *Bond      `json:"bond,omitempty"`
	Bridge    *Bridge    `json:"bridge,omitempty"`
	Tun       *Tun       `json:"tun,omitempty"`
	VLAN      *VLAN      `json:"vlan,omitempty"`
	VXLAN     *VXLAN     `json:"vxlan,omitempty"`
	Veth      *Veth      `json:"veth,omitempty"`
	VRF       *VRF       `json:"vrf,omitempty"`
	MACVLAN   *MACVLAN   `json:"mac_vlan,omitempty"`
	MACVTAP   *MACVLAN   `json:"mac_vtap,omitempty"`
	IPVLAN    *IPVLAN    `json:"ip_vlan,omitempty"`
	SRIOV     *SRIOV     `json:"sriov,omitempty"`
	IPoIB     *IPoIB     `json:"ipoib,omitempty"`
	MACsec    *MACsec    `json:"macsec,omitempty"`
	HSR       *HSR       `json:"hsr,omitempty"`
	XFRM      *XFRM      `json:"xfrm,omitempty"`
	GRE       *GRE       `json:"gre,omitempty"`       // gre, gretap, ip6gre, ip6gretap
	IPTunnel  *IPTunnel  `json:"ip_tunnel,omitempty"` // ipip, sit
	IP6Tunnel *IP6Tunnel `json:"ip6_tunnel,omitempty"`
	VTI       *VTI       `json:"vti,omitempty"`
	Geneve    *Geneve    `json:"geneve,omitempty"`
	WireGuard *WireGuard `json:"wireguard,omitempty"`
}

// Ports are the blocks of an Iface that belong to its controller's kind.
type Ports struct {
	BondPort   *BondPort   `json:"bond_subordinate,omitempty"`
	BridgePort *BridgePort `json:"bridge_port,omitempty"`
	VRFPort    *VRFPort    `json:"vrf_subordinate,omitempty"`
}

// The blocks that need no name of another interface are the kernel's.
type (
	Tun           = rtnl.Tun
	Geneve        = rtnl.Geneve
	BondPort      = rtnl.BondPort
	VRFPort       = rtnl.VRFPort
	BridgeVLAN    = rtnl.BridgeVLAN
	SRIOVFunction = rtnl.VF
)

// WireGuard is a WireGuard interface. Keys are not told, and nothing at all to
// those who may not administrate the network.
type WireGuard = wireguard.Device

// Ethtool are the settings of an interface's driver.
type Ethtool = ethtool.Device

// MPTCP is the path manager of Multipath TCP.
type MPTCP = mptcp.State

// MPTCPAddress is an endpoint of Multipath TCP.
type MPTCPAddress = mptcp.Address

// SRIOV are the virtual functions of a network card.
type SRIOV struct {
	Functions []SRIOVFunction `json:"vfs"`
}

// Bond is a bond. Settings that its mode does not use are absent.
type Bond struct {
	Subordinates      []string `json:"subordinates"` // names of its ports
	Primary           string   `json:"primary,omitempty"`
	ActiveSubordinate string   `json:"active_subordinate,omitempty"`
	NumUnsolicitedNA  *uint8   `json:"num_unsol_na,omitempty"` // the same number as num_grat_arp
	rtnl.Bond
}

// Bridge is a bridge.
type Bridge struct {
	Ports []string `json:"ports"` // names
	rtnl.Bridge
}

// BridgePort is what an interface is as a port of a bridge.
type BridgePort struct {
	VLANs []BridgeVLAN `json:"vlans,omitempty"`
	rtnl.BridgePort
	BackupPort string `json:"backup_port,omitempty"`
}

// VLAN is an interface of one VLAN of another.
type VLAN struct {
	BaseIface string `json:"base_iface"`
	rtnl.VLAN
}

// VXLAN is a tunnel for Ethernet over UDP.
type VXLAN struct {
	BaseIface string `json:"base_iface"` // "" where routes decide
	rtnl.VXLAN
}

// Veth is one end of a virtual cable.
type Veth struct {
	Peer string `json:"peer"` // name; in another network namespace, its index there
}

// VRF is a domain of routing of its own.
type VRF struct {
	Subordinates []string `json:"subordinates"` // names of its ports
	rtnl.VRF
}

// MACVLAN is an interface with an address of its own on another, also as a
// character device (macvtap).
type MACVLAN struct {
	BaseIface string `json:"base_iface"`
	rtnl.MACVLAN
}

// IPVLAN shares the hardware address of another interface.
type IPVLAN struct {
	BaseIface string `json:"base_iface"`
	rtnl.IPVLAN
}

// IPoIB is IP over InfiniBand.
type IPoIB struct {
	BaseIface string `json:"base_iface,omitempty"`
	rtnl.IPoIB
}

// MACsec encrypts Ethernet on another interface. Keys are not told.
type MACsec struct {
	BaseIface string `json:"base_iface"`
	rtnl.MACsec
}

// HSR joins two interfaces to a ring.
type HSR struct {
	Port1 string `json:"port1"`
	Port2 string `json:"port2"`
	rtnl.HSR
}

// XFRM leads packets to the policies of IPsec.
type XFRM struct {
	BaseIface string `json:"base_iface,omitempty"`
	rtnl.XFRM
}

// GRE is a tunnel of gre, gretap, ip6gre or ip6gretap.
type GRE struct {
	BaseIface string `json:"base_iface,omitempty"`
	rtnl.GRE
}

// IPTunnel is a tunnel of ipip or sit.
type IPTunnel struct {
	BaseIface string `json:"base_iface,omitempty"`
	rtnl.IPTunnel
}

// IP6Tunnel is a tunnel over IPv6.
type IP6Tunnel struct {
	BaseIface string `json:"base_iface,omitempty"`
	rtnl.IP6Tunnel
}

// VTI is a tunnel of IPsec.
type VTI struct {
	BaseIface string `json:"base_iface,omitempty"`
	rtnl.VTI
}

// set fills the block of the link's kind.
func (k *Kinds) set(l *rtnl.Link, of *view) {
	below := of.below(l)
	switch d := l.Info.Data.(type) {
	case *rtnl.Bond:
		k.Bond = newBond(d, l, of)
	case *rtnl.Bridge:
		k.Bridge = &Bridge{Ports: of.ports(l), Bridge: *d}
	case *rtnl.Tun:
		k.Tun = d
	case *rtnl.VLAN:
		k.VLAN = &VLAN{below, *d}
	case *rtnl.VXLAN:
		k.VXLAN = &VXLAN{of.optional(d.Link), *d}
	case *rtnl.VRF:
		k.VRF = &VRF{of.ports(l), *d}
	case *rtnl.MACVLAN:
		block := &MACVLAN{below, *d}
		if l.Info.Kind == "macvtap" {
			k.MACVTAP = block
		} else {
			k.MACVLAN = block
		}
	case *rtnl.IPVLAN:
		k.IPVLAN = &IPVLAN{below, *d}
	case *rtnl.IPoIB:
		k.IPoIB = &IPoIB{below, *d}
	case *rtnl.MACsec:
		k.MACsec = &MACsec{below, *d}
	case *rtnl.HSR:
		k.HSR = &HSR{of.name(d.Port1), of.name(d.Port2), *d}
	case *rtnl.XFRM:
		k.XFRM = &XFRM{of.name(d.Parent), *d}
	case *rtnl.GRE:
		k.GRE = &GRE{of.name(d.Parent), *d}
	case *rtnl.IPTunnel:
		k.IPTunnel = &IPTunnel{of.name(d.Parent), *d}
	case *rtnl.IP6Tunnel:
		k.IP6Tunnel = &IP6Tunnel{of.name(d.Parent), *d}
	case *rtnl.VTI:
		k.VTI = &VTI{of.name(d.Parent), *d}
	case *rtnl.Geneve:
		k.Geneve = d
	}
	if l.VFs != nil {
		k.SRIOV = &SRIOV{l.VFs}
	}
	if l.Info.Kind == "veth" {
		k.Veth = &Veth{Peer: below}
	}
}

// set fills the block of the kind of the link's controller.
func (p *Ports) set(l *rtnl.Link, of *view) {
	switch d := l.Info.PortData.(type) {
	case *rtnl.BondPort:
		p.BondPort = d
	case *rtnl.BridgePort:
		p.BridgePort = &BridgePort{VLANs: of.vlans[l.Index], BridgePort: *d, BackupPort: of.optional(d.BackupPort)}
	case *rtnl.VRFPort:
		p.VRFPort = d
	}
}
