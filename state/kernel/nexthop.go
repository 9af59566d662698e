package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

func newNexthop(n *rtnl.Nexthop, names func(index uint32) string) state.Nexthop {
	out := state.Nexthop{
		ID: n.ID, Scope: state.RouteScope(n.Scope), Protocol: state.RouteProtocol(n.Protocol), Flags: state.HopFlags(n.Flags),
		Gateway: n.Gateway, OutIface: names(n.OutIndex), Blackhole: n.Blackhole, FDB: n.FDB,
	}
	if n.Family != unix.AF_UNSPEC {
		out.Family = newFamily(n.Family)
	}
	if n.EncapType != nil {
		out.Encap = state.EncapType(*n.EncapType)
	}
	for _, member := range n.Group {
		out.Group = append(out.Group, state.NexthopMember{ID: member.ID, Weight: uint32(member.Weight) + 1})
	}
	if n.GroupType != nil {
		out.GroupType = new(state.GroupType(*n.GroupType))
	}
	if r := n.Resilient; r != nil {
		out.Resilient = &state.ResilientGroup{
			Buckets:         r.Buckets,
			IdleTimer:       float64(r.IdleTimer) / userHZ,
			UnbalancedTimer: float64(r.UnbalancedTimer) / userHZ,
			UnbalancedTime:  float64(r.UnbalancedTime) / userHZ,
		}
	}
	return out
}
