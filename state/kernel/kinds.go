package kernel

import (
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// with returns a copy of a block in which fill has set the names of interfaces.
func with[T any](block T, fill func(*T)) *T {
	fill(&block)
	return &block
}

// setKinds fills the block of the link's kind.
func setKinds(k *state.Kinds, l *rtnl.Link, of *view) {
	below := of.below(l)
	switch d := l.Info.Data.(type) {
	case *rtnl.Bond:
		k.Bond = newBond(d, l, of)
	case *rtnl.Bridge:
		k.Bridge = newBridge(d, l, of)
	case *state.Tun:
		k.Tun = d
	case *state.VLAN:
		k.VLAN = with(*d, func(b *state.VLAN) { b.BaseIface = below })
	case *rtnl.VXLAN:
		k.VXLAN = with(d.VXLAN, func(b *state.VXLAN) { b.BaseIface = of.optional(d.Link) })
	case *state.VRF:
		k.VRF = with(*d, func(b *state.VRF) { b.Subordinates = of.ports(l) })
	case *state.MACVLAN:
		block := with(*d, func(b *state.MACVLAN) { b.BaseIface = below })
		if l.Info.Kind == "macvtap" {
			k.MACVTAP = block
		} else {
			k.MACVLAN = block
		}
	case *state.IPVLAN:
		k.IPVLAN = with(*d, func(b *state.IPVLAN) { b.BaseIface = below })
	case *state.IPoIB:
		k.IPoIB = with(*d, func(b *state.IPoIB) { b.BaseIface = below })
	case *state.MACsec:
		k.MACsec = with(*d, func(b *state.MACsec) { b.BaseIface = below })
	case *rtnl.HSR:
		k.HSR = with(d.HSR, func(b *state.HSR) { b.Port1, b.Port2 = of.name(d.FirstPort), of.name(d.SecondPort) })
	default:
		setTunnels(k, l, of)
	}
	if l.VFs != nil {
		k.SRIOV = &state.SRIOV{Functions: l.VFs}
	}
	if l.Info.Kind == "veth" {
		k.Veth = &state.Veth{Peer: below}
	}
}

func setTunnels(k *state.Kinds, l *rtnl.Link, of *view) {
	switch d := l.Info.Data.(type) {
	case *rtnl.XFRM:
		k.XFRM = with(d.XFRM, func(b *state.XFRM) { b.BaseIface = of.optional(d.Parent) })
	case *rtnl.GRE:
		k.GRE = with(d.GRE, func(b *state.GRE) { b.BaseIface = of.optional(d.Parent) })
	case *rtnl.IPTunnel:
		k.IPTunnel = with(d.IPTunnel, func(b *state.IPTunnel) { b.BaseIface = of.optional(d.Parent) })
	case *rtnl.IP6Tunnel:
		k.IP6Tunnel = with(d.IP6Tunnel, func(b *state.IP6Tunnel) { b.BaseIface = of.optional(d.Parent) })
	case *rtnl.VTI:
		k.VTI = with(d.VTI, func(b *state.VTI) { b.BaseIface = of.optional(d.Parent) })
	case *state.Geneve:
		k.Geneve = d
	}
}

func newBridge(seen *rtnl.Bridge, l *rtnl.Link, of *view) *state.Bridge {
	b := seen.Bridge
	b.Ports = of.ports(l)
	if q := seen.Querier; q != nil {
		b.MulticastQuerierState = &q.MulticastQuerier
	}
	return &b
}

// setPorts fills the block of the kind of the link's controller.
func setPorts(p *state.Ports, l *rtnl.Link, of *view) {
	switch d := l.Info.PortData.(type) {
	case *state.BondPort:
		p.BondPort = d
	case *rtnl.BridgePort:
		p.BridgePort = with(d.BridgePort, func(b *state.BridgePort) {
			b.VLANs, b.BackupPort = of.vlans[l.Index], of.optional(d.BackupIndex)
		})
	case *state.VRFPort:
		p.VRFPort = d
	}
}
