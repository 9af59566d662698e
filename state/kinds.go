package state

// Kinds holds the block of an Iface that belongs to its kind. At most one block is
// present.
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

// Ports holds the block of an Iface that belongs to its controller's kind.
type Ports struct {
	BondPort   *BondPort   `json:"bond_subordinate,omitempty"`
	BridgePort *BridgePort `json:"bridge_port,omitempty"`
	VRFPort    *VRFPort    `json:"vrf_subordinate,omitempty"`
}

// Veth is one end of a virtual cable.
type Veth struct {
	Peer string `json:"peer"` // name; if it is in another network namespace, its index there
}
