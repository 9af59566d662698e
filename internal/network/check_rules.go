package network

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// checkRules looks at the policy rules.
func (r *reader) checkRules() {
	type key struct {
		rule    rtnl.RuleKey
		in, out string
	}
	seen, count := map[key]*rule{}, map[uint8]uint32{}
	for _, o := range r.rules {
		o.finish(count)
		r.checkRule(o)
		if o.Disabled {
			continue
		}
		k := key{o.Spec.Rule.Key(), o.In, o.Out}
		if first := seen[k]; first != nil {
			r.problem(o.Place, "is the same rule as %s; leave one out", first.Where())
			continue
		}
		seen[k] = o
	}
}

func (r *reader) checkRule(o *rule) {
	if o.has("in") {
		r.named(o.given, o.Place, "in", o.In)
	}
	if o.has("out") {
		r.named(o.given, o.Place, "out", o.Out)
	}
	actions := 0
	for _, option := range []string{"lookup", "goto", "action"} {
		if o.has(option) {
			actions++
		}
	}
	s := &o.Spec
	if actions != 1 {
		r.problem(o.Place, "needs exactly one of lookup, goto and action")
	}
	if o.source.IsValid() && o.target.IsValid() && o.source.Is4() != o.target.Is4() {
		r.problem(o.at("dest", o.Place), "%v is not of the family of src %v", o.target.Addr, o.source.Addr)
	}
	if o.family != 0 && o.family != s.Family {
		r.problem(o.at("family", o.Place), "is not that of src or dest; leave it out")
	}
	if s.TOS%4 != 0 {
		r.problem(o.at("tos", o.Place), "%d is not a multiple of 4: the two lowest bits are for congestion (RFC 3168)", s.TOS)
	}
	if o.has("goto") && s.Goto != 0 && s.Goto <= s.Priority {
		r.problem(o.at("goto", o.Place), "%d is not above the rule's own priority, %d; a rule can only go on", s.Goto, s.Priority)
	}
	switch n := s.SuppressPrefixLength; {
	case n == nil:
	case !o.has("lookup"):
		r.problem(o.at("suppress_prefixlength", o.Place), "is about the table that lookup names, and there is no lookup; leave it out")
	case *n > 32 && s.Family == unix.AF_INET:
		r.problem(o.at("suppress_prefixlength", o.Place), "%d is not in 0..32, as the rule is for IPv4", *n)
	}
}

// checkNeighbours looks at the permanent neighbours.
func (r *reader) checkNeighbours() {
	type key struct {
		device string
		addr   netip.Addr
		proxy  bool
	}
	seen := map[key]*neighbour{}
	for _, n := range r.neighbours {
		i := r.named(n.given, n.Place, "interface", n.Interface)
		if !n.has("ipaddr") {
			r.problem(n.Place, "has no ipaddr; give the address of the neighbour")
		}
		if !n.has("mac") && !n.Spec.Proxy {
			r.problem(n.Place, "has no mac; give the hardware address of the neighbour")
		}
		if i == nil || n.disabled || !n.Spec.Address.IsValid() {
			continue
		}
		k := key{i.Device, n.Spec.Address, n.Spec.Proxy}
		if first := seen[k]; first != nil {
			r.problem(n.Place, "%v is a neighbour on %s already, %s; leave one out", k.addr, k.device, first.Where())
			continue
		}
		seen[k] = n
	}
}
