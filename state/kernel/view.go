package kernel

import (
	"strconv"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// view is the kernel's tables by what refers to them.
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

// name is that of a link; of one that is not to be seen, its index in decimal,
// as nispor has it; of none "".
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

// below is the link that another stands on, or the peer of a veth. Its index
// may be one of another network namespace.
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
