package kernel

import (
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// newIface converts a link and the tables that belong to it.
func newIface(l *rtnl.Link, of *view) *state.Iface {
	i := &state.Iface{
		Name: l.Name, Index: l.Index, Type: newIfaceType(l),
		State: state.OperState(l.OperState),
		MTU:   l.MTU, MinMTU: l.MinMTU, MaxMTU: l.MaxMTU,
		Flags: state.LinkFlags(l.Flags),
		MAC:   state.HardwareAddress(l.MAC), PermanentMAC: state.HardwareAddress(l.PermanentMAC),
		Controller:  of.name(l.MasterIndex()),
		LinkNetnsID: l.LinkNetnsID,
		AltNames:    l.AltNames,
		Queues:      newQueues(l),
		Stats:       l.Stats,
	}
	if master, ok := of.links[l.MasterIndex()]; ok {
		i.ControllerType = newIfaceType(master)
	}
	setKinds(&i.Kinds, l, of)
	setPorts(&i.Ports, l, of)
	if i.Bridge != nil {
		i.BridgeVLANs = of.vlans[l.Index]
	}
	if six := l.IPv6; six != nil && six.Token.IsValid() && !six.Token.IsUnspecified() {
		i.IPv6 = &state.IPv6{Token: six.Token}
	}
	for _, a := range of.addresses[l.Index] {
		addAddress(i, a)
	}
	return i
}

func textOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func addAddress(i *state.Iface, a state.Address) {
	if a.Address.Is4() {
		if i.IPv4 == nil {
			i.IPv4 = new(state.IPv4)
		}
		i.IPv4.Addresses = append(i.IPv4.Addresses, a)
		return
	}
	if i.IPv6 == nil {
		i.IPv6 = new(state.IPv6)
	}
	i.IPv6.Addresses = append(i.IPv6.Addresses, a)
}

func newQueues(l *rtnl.Link) state.Queues {
	q := state.Queues{
		Alias: textOf(l.Alias), TxQueueLength: l.TxQueueLength, Qdisc: l.Qdisc,
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
