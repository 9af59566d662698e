package network

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// rule is a Rule while its Section is read.
type rule struct {
	Rule
	given
	source, target prefix
	family         uint8 // AF_…; 0: not given
}

func newRule(s *Section) *rule {
	r := &rule{Rule: Rule{Place: s.Place}}
	r.Spec.Path = s.Where()
	return r
}

// Values of FR_ACT_…, linux/fib_rules.h, by the names of netifd.
var ruleActions = map[string]uint8{
	"blackhole": unix.FR_ACT_BLACKHOLE, "unreachable": unix.FR_ACT_UNREACHABLE, "prohibit": unix.FR_ACT_PROHIBIT,
}

var families = map[string]uint8{"ipv4": unix.AF_INET, "ipv6": unix.AF_INET6}

// Numbers of protocols that people know by a name (IANA).
var protocols = map[string]uint8{
	"icmp": unix.IPPROTO_ICMP, "tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP, "ipv6-icmp": unix.IPPROTO_ICMPV6, "sctp": unix.IPPROTO_SCTP,
}

var protocol = form[uint8]{"1 to 255, or tcp, udp, icmp, ipv6-icmp or sctp", func(text string) (uint8, error) {
	if n := protocols[text]; n != 0 {
		return n, nil
	}
	return number[uint8](1, 255).parse(text)
}}

var ruleOptions = []*option[*rule]{
	row("in", interfaceName, func(r *rule, v string) { r.In = v }, "Name of the declared interface that packets come in by."),
	row("out", interfaceName, func(r *rule, v string) { r.Out = v }, "Name of the declared interface that the sender is bound to."),
	row("src", destination, func(r *rule, v prefix) { r.source = v }, "Network or address of the sender."),
	row("dest", destination, func(r *rule, v prefix) { r.target = v }, "Network or address of the receiver."),
	row("family", word(families, "ipv4", "ipv6"), func(r *rule, v uint8) { r.family = v }, "Of a rule without src and dest.").without("ipv4"),
	row("invert", boolean, func(r *rule, v bool) {
		if r.Spec.Flags &^= unix.FIB_RULE_INVERT; v {
			r.Spec.Flags |= unix.FIB_RULE_INVERT
		}
	}, "Whether the rule is for all other packets.").without("false"),
	row("priority", any32, func(r *rule, v uint32) { r.Spec.Priority = v },
		"Rules are asked in the order of their priorities, the lowest first.").without("the rule's place among those of its family, from 1"),
	row("tos", bits[uint8](0, 252), func(r *rule, v uint8) { r.Spec.TOS = v }, "Type of service, a multiple of 4."),
	row("mark", mark, func(r *rule, v masked) { r.Spec.Mark, r.Spec.MarkMask = &v.mark, &v.mask }, "Mark that the packet filter has set."),
	row("uidrange", between[uint32](0, 1<<32-2), func(r *rule, v span[uint32]) { r.Spec.UIDs = &rtnl.IDs{First: v.first, Last: v.last} },
		"User IDs of the sender."),
	row("ipproto", protocol, func(r *rule, v uint8) { r.Spec.IPProtocol = v }, "Protocol above IP."),
	row("sport", between[uint16](1, 65534), func(r *rule, v span[uint16]) { r.Spec.SourcePorts = &rtnl.Ports{First: v.first, Last: v.last} },
		"Ports of the sender."),
	row("dport", between[uint16](1, 65534), func(r *rule, v span[uint16]) { r.Spec.DestPorts = &rtnl.Ports{First: v.first, Last: v.last} },
		"Ports of the receiver."),
	row("lookup", table, func(r *rule, v uint32) { r.Spec.Table = v }, "Routing table that decides."),
	row("suppress_prefixlength", number[uint32](0, 128), func(r *rule, v uint32) { r.Spec.SuppressPrefixLength = &v },
		"Routes of the table with a prefix as long as this, or shorter, do not count."),
	row("goto", number[uint32](1, 1<<32-1), func(r *rule, v uint32) { r.Spec.Goto = v }, "Priority of the rule with which it goes on."),
	row("action", word(ruleActions, "prohibit", "unreachable", "blackhole"), func(r *rule, v uint8) { r.Spec.Action = v },
		"What happens to the packets."),
	row("disabled", boolean, func(r *rule, v bool) { r.Disabled = v }, "Whether the rule is left out.").without("false"),
}

// finish makes the kernel's rule of what the options say. The place of the rule among
// those of its family is its priority if none is given.
func (r *rule) finish(count map[uint8]uint32) {
	s := &r.Spec
	switch {
	case r.source.IsValid():
		s.Family = familyOf(r.source.Addr)
	case r.target.IsValid():
		s.Family = familyOf(r.target.Addr)
	case r.family != 0:
		s.Family = r.family
	default:
		s.Family = unix.AF_INET
	}
	s.Source, s.SourceLength = selector(r.source)
	s.Destination, s.DestinationLength = selector(r.target)
	switch {
	case r.has("lookup"):
		s.Action = unix.FR_ACT_TO_TBL
	case r.has("goto"):
		s.Action = unix.FR_ACT_GOTO
	}
	if count[s.Family]++; !r.has("priority") {
		s.Priority = count[s.Family]
	}
}

// selector returns what the kernel compares an address with; a length of 0 is no
// comparison.
func selector(p prefix) (addr netip.Addr, length uint8) {
	if !p.IsValid() {
		return netip.Addr{}, 0
	}
	whole := p.whole().Masked()
	if whole.Bits() == 0 {
		return netip.Addr{}, 0
	}
	return whole.Addr(), uint8(whole.Bits())
}
