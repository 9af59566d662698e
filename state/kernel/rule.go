package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// newRule converts a rule of the kernel's, which contains the names of interfaces.
func newRule(r *rtnl.Rule, _ func(index uint32) string) state.Rule {
	out := state.Rule{
		Action: state.RuleAction(r.Action), Family: newFamily(r.Family), Flags: r.Flags, TOS: r.TOS, Table: r.Table,
		Destination: newPrefix(r.Destination, r.DestinationLength), Source: newPrefix(r.Source, r.SourceLength),
		InIface: r.InName, OutIface: r.OutName, Priority: r.Priority,
		Mark: r.Mark, MarkMask: r.MarkMask, Realm: newRealm(r.Realm), TunnelID: r.TunnelID,
		SuppressIfgroup:   suppressed(r.SuppressInterfaceGroup),
		SuppressPrefixLen: suppressed(r.SuppressPrefixLength),
		L3MDev:            r.L3MDev,
		Invert:            r.Flags&unix.FIB_RULE_INVERT != 0,
		SourcePortMask:    r.SourceMask, DestPortMask: r.DestMask,
		DSCP: r.DSCP, DSCPMask: r.DSCPMask, FlowLabel: r.FlowLabel, FlowLabelMask: r.FlowMask,
	}
	if r.Action == unix.FR_ACT_GOTO {
		out.Goto = new(r.Goto)
	}
	if r.Protocol != nil {
		out.Protocol = new(state.RouteProtocol(*r.Protocol))
	}
	if r.IPProtocol != 0 {
		out.IPProtocol = new(state.IPProtocol(r.IPProtocol))
	}
	if p := r.SourcePorts; p != nil {
		out.SourcePorts = &[2]uint16{p.First, p.Last}
	}
	if p := r.DestPorts; p != nil {
		out.DestinationPorts = &[2]uint16{p.First, p.Last}
	}
	if ids := r.UIDs; ids != nil {
		out.UIDs = &[2]uint32{ids.First, ids.Last}
	}
	return out
}

func suppressed(n *uint32) *uint32 {
	if n != nil && *n == rtnl.NoSuppression {
		return nil
	}
	return n
}
