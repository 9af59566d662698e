package kernel

import (
	"slices"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// known are tables without what names links that are not among them. One table is
// read after the other, and only those that a message was about: an entry may be
// seen before its link, and after it. So what is left out here is told when the link
// is, and gone when the link goes.
func (v *view) known(t *link.Tables) *link.Tables {
	k := *t
	k.Nexthops = without(t.Nexthops, func(h *rtnl.Nexthop) bool { return v.lacks(h.OutIndex) })
	k.Routes = without(t.Routes, func(r *rtnl.Route) bool {
		return v.lacks(r.OutIndex) || slices.ContainsFunc(r.Hops, func(h rtnl.Hop) bool { return v.lacks(uint32(h.Index)) })
	})
	k.Neighbours = without(t.Neighbours, v.strange)
	k.Forwarding = without(t.Forwarding, v.strange)
	return &k
}

// lacks reports whether an index is that of a link that is not there.
func (v *view) lacks(index uint32) bool {
	_, ok := v.links[index]
	return index != 0 && !ok
}

// strange reports whether a neighbour or forwarding entry is of links that are not
// there.
func (v *view) strange(n *rtnl.Neighbour) bool { return v.lacks(uint32(n.Index)) || v.lacks(n.Master) }

// without leaves out what is so, mostly nothing: the list is the same then.
func without[T any](all []T, so func(*T) bool) []T {
	for i := range all {
		if !so(&all[i]) {
			continue
		}
		kept := slices.Clone(all[:i])
		for j := range all[i:] {
			if one := &all[i+j]; !so(one) {
				kept = append(kept, *one)
			}
		}
		return kept
	}
	return all
}
