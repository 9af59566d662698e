package kernel

import (
	"iter"
	"maps"
	"slices"
	"testing"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// TestSameNexthop checks that time alone does not change a next hop object.
func TestSameNexthop(t *testing.T) {
	group := func(idle uint32, unbalanced uint64) *rtnl.Nexthop {
		return &rtnl.Nexthop{Resilient: &rtnl.ResilientGroup{IdleTimer: idle, UnbalancedTime: unbalanced}}
	}
	if !sameNexthop(group(1, 1), group(1, 200)) || sameNexthop(group(1, 1), group(200, 1)) {
		t.Error("next hop objects are compared by something else")
	}
}

// TestTypesAreKnown checks that each type that a link can have is a word of package
// state.
func TestTypesAreKnown(t *testing.T) {
	words := state.IfaceType("").Words()
	for _, types := range []iter.Seq[state.IfaceType]{maps.Values(kinds), maps.Values(linkTypes)} {
		for name := range types {
			if !slices.Contains(words, string(name)) {
				t.Errorf("package state does not know the type %q", name)
			}
		}
	}
	if len(words) != len(kinds)+len(linkTypes)+2 { // and unknown and wifi
		t.Errorf("package state knows %q", words)
	}
}
