package kernel

import (
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

func newAddress(a *rtnl.Address) state.Address {
	own := a.Own()
	out := state.Address{
		Address: own, PrefixLength: a.PrefixLength,
		Valid: state.Lifetime(a.Lifetimes.Valid), Preferred: state.Lifetime(a.Lifetimes.Preferred),
		Flags: state.AddressFlags(a.Flags), Scope: state.RouteScope(a.Scope),
		Broadcast: a.Broadcast, Label: a.Label, Protocol: state.AddressProtocol(a.Protocol), Metric: a.Metric,
	}
	if a.Address.IsValid() && a.Address != own {
		out.Peer = a.Address
	}
	return out
}

func newIfaceAddress(a *rtnl.Address, name func(uint32) string) state.IfaceAddress {
	return state.IfaceAddress{Iface: name(a.Index), Address: newAddress(a)}
}
