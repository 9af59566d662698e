package kernel

import (
	"slices"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// consistent returns the tables without objects that refer to links which the tables lack.
// The tables are read one after the other, and only those that a message was about.
// So an entry may be seen before its link, and after its link is gone. An object that
// is left out here is reported when its link appears, and reported as gone when its
// link goes.
func (v *view) consistent(t *link.Tables) *link.Tables {
	k := *t
	k.Nexthops = without(t.Nexthops, func(h *rtnl.Nexthop) bool { return v.lacks(h.OutIndex) })
	k.Routes = without(t.Routes, func(r *rtnl.Route) bool {
		return v.lacks(r.OutIndex) || slices.ContainsFunc(r.Hops, func(h rtnl.Hop) bool { return v.lacks(uint32(h.Index)) })
	})
	k.Neighbours = without(t.Neighbours, v.strange)
	k.Forwarding = without(t.Forwarding, v.strange)
	return &k
}

// lacks reports whether no link has the index.
func (v *view) lacks(index uint32) bool {
	_, ok := v.links[index]
	return index != 0 && !ok
}

// strange reports whether a neighbour or forwarding entry refers to a missing link.
func (v *view) strange(n *rtnl.Neighbour) bool { return v.lacks(uint32(n.Index)) || v.lacks(n.Master) }

// without returns the list without the elements for which so returns true. Mostly
// there are none, and the result is the same list.
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
