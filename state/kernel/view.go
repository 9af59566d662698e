package kernel

import (
	"strconv"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// view indexes the kernel's tables by what refers to them.
type view struct {
	links     map[uint32]*rtnl.Link
	portsOf   map[uint32][]string
	vlans     map[int32][]state.BridgeVLAN
	addresses map[int32][]state.Address
}

func newView(t *link.Tables) *view {
	v := &view{
		links:     make(map[uint32]*rtnl.Link, len(t.Links)),
		portsOf:   make(map[uint32][]string),
		vlans:     make(map[int32][]state.BridgeVLAN, len(t.VLANs)),
		addresses: make(map[int32][]state.Address, len(t.Links)),
	}
	for i := range t.Links {
		l := &t.Links[i]
		v.links[uint32(l.Index)] = l
		if master := l.MasterIndex(); master != 0 {
			v.portsOf[master] = append(v.portsOf[master], l.Name)
		}
	}
	for i := range t.VLANs {
		v.vlans[t.VLANs[i].Index] = t.VLANs[i].BridgeVLANs
	}
	for i := range t.Addresses {
		a := &t.Addresses[i]
		v.addresses[int32(a.Index)] = append(v.addresses[int32(a.Index)], newAddress(a))
	}
	return v
}

// name returns the name of a link. For a link that cannot be seen it returns the
// index in decimal, as nispor does; for no link it returns "".
func (v *view) name(index uint32) string {
	if index == 0 {
		return ""
	}
	if l, ok := v.links[index]; ok {
		return l.Name
	}
	return unnamed(index)
}

func unnamed(index uint32) string { return strconv.FormatUint(uint64(index), 10) }

func (v *view) optional(index *uint32) string {
	if index == nil {
		return ""
	}
	return v.name(*index)
}

// below returns the name of the link below another, or of the peer of a veth. The
// index may belong to another network namespace.
func (v *view) below(l *rtnl.Link) string {
	if l.LinkNetnsID != nil && l.ParentIndex() != 0 {
		return unnamed(l.ParentIndex())
	}
	return v.name(l.ParentIndex())
}

func (v *view) ports(l *rtnl.Link) []string {
	ports := v.portsOf[uint32(l.Index)]
	if ports == nil {
		ports = []string{}
	}
	return ports
}
