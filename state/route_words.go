package state

// These are enumerations of routes, rules and next hop objects. Their text is
// nispor's word for the kernel's number, e.g. "kernel" or "dhcp", or the number in
// decimal if there is no word.
type (
	RouteProtocol   = Named[routeProtocols]   // what created the route, RTPROT_… of linux/rtnetlink.h
	RouteScope      = Named[routeScopes]      // how far its destination is, RT_SCOPE_… of linux/rtnetlink.h
	RouteType       = Named[routeTypes]       // what happens to a packet, RTN_… of linux/rtnetlink.h
	RoutePreference = Named[routePreferences] // a router's preference, RFC 4191 section 2.1: "low", "medium", "high"
	EncapType       = Named[encapTypes]       // encapsulation of a lightweight tunnel, LWTUNNEL_ENCAP_… of linux/lwtunnel.h, as in ip-route(8)
	RuleAction      = Named[ruleActions]      // what happens to a packet, FR_ACT_… of linux/fib_rules.h: "table", "goto", "nop", "blackhole", "unreachable", "prohibit"
	IPProtocol      = Named[ipProtocols]      // e.g. "tcp" or "udp", IPPROTO_… of linux/in.h
	GroupType       = Named[groupTypes]       // "mpath" or "resilient", NEXTHOP_GRP_TYPE_… of linux/nexthop.h
)

// These are flags of routes. Their JSON is a list of nispor's words.
type (
	RouteFlags = Bits[routeFlags] // e.g. "onlink", "linkdown"; RTNH_F_…, RTM_F_… of linux/rtnetlink.h
	HopFlags   = Bits[hopFlags]   // e.g. "on_link", "link_down"; RTNH_F_… of linux/rtnetlink.h
)

// These are flags of neighbours. Their JSON is a list of the words of ip-neighbour(8)
// in lower case.
type (
	NeighbourState    = Bits[neighbourStates] // e.g. "reachable", "stale", "permanent"; empty: none; NUD_… of linux/neighbour.h
	NeighbourFlags    = Bits[neighbourFlags]  // e.g. "router", "extern_learn"; NTF_… of linux/neighbour.h
	NeighbourExtFlags = Bits[extendedFlags]   // e.g. "managed"; NTF_EXT_… of linux/neighbour.h
)

type (
	routeProtocols   struct{}
	routeScopes      struct{}
	routeTypes       struct{}
	routePreferences struct{}
	routeFlags       struct{}
	hopFlags         struct{}
	encapTypes       struct{}
	ruleActions      struct{}
	ipProtocols      struct{}
	groupTypes       struct{}
	neighbourStates  struct{}
	neighbourFlags   struct{}
	extendedFlags    struct{}
)

func (routeProtocols) names() []string   { return routeProtocolNames }
func (routeScopes) names() []string      { return routeScopeNames }
func (routeTypes) names() []string       { return routeTypeNames }
func (routePreferences) names() []string { return routePreferenceNames }
func (routeFlags) names() []string       { return routeFlagNames }
func (hopFlags) names() []string         { return hopFlagNames }
func (encapTypes) names() []string       { return encapTypeNames }
func (ruleActions) names() []string      { return ruleActionNames }
func (ipProtocols) names() []string      { return ipProtocolNames }
func (groupTypes) names() []string       { return groupTypeNames }
func (neighbourStates) names() []string  { return neighbourStateNames }
func (neighbourFlags) names() []string   { return neighbourFlagNames }
func (extendedFlags) names() []string    { return extendedFlagNames }

// The names of routes and rules come from nispor, those of neighbours from ip(8).
var (
	routeProtocolNames = []string{
		0: "unspec", 1: "icmp_redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "merit_mrt",
		11: "zebra", 12: "bird", 13: "decnet_routing_daemon", 14: "xorp", 15: "netsukuku", 16: "dhcp",
		17: "multicast_daemon", 18: "keepalived_daemon", 42: "babel", 186: "bgp", 187: "isis", 188: "ospf", 189: "rip", 192: "eigrp",
	}
	routeScopeNames = []string{0: "universe", 200: "site", 253: "link", 254: "host", 255: "no_where"}
	routeTypeNames  = []string{
		"unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit", "throw",
		"nat", "externalresolve",
	}
	routePreferenceNames = []string{"medium", "high", "invalid", "low"}
	routeFlagNames       = []string{
		0: "dead", 1: "pervasive", 2: "onlink", 3: "offload", 4: "linkdown", 5: "unresolved", 6: "trap", 8: "notify", 9: "cloned",
		10: "equalize", 11: "prefix", 12: "lookup_table", 13: "fib_match", 14: "rt_offload", 15: "rt_trap", 29: "offload_failed",
	}
	hopFlagNames    = []string{"dead", "pervasive", "on_link", "offload", "link_down", "unresolved", "trap"}
	encapTypeNames  = []string{"none", "mpls", "ip", "ila", "ip6", "seg6", "bpf", "seg6local", "rpl", "ioam6", "xfrm"}
	ruleActionNames = []string{0: "unspec", 1: "table", 2: "goto", 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
	ipProtocolNames = []string{
		0: "hopopts", 1: "icmp", 2: "igmp", 4: "ipip", 6: "tcp", 8: "egp", 12: "pup", 17: "udp", 22: "idp", 29: "tp", 33: "dccp",
		41: "ipv6", 46: "rsvp", 47: "gre", 50: "esp", 51: "ah", 58: "icmpv6", 92: "mtp", 94: "beetph", 98: "encap", 103: "pim",
		108: "comp", 115: "l2tp", 132: "sctp", 136: "udplite", 137: "mpls", 143: "ethernet", 255: "raw",
	}
	groupTypeNames      = []string{"mpath", "resilient"}
	neighbourStateNames = []string{"incomplete", "reachable", "stale", "delay", "probe", "failed", "noarp", "permanent"}
	neighbourFlagNames  = []string{"use", "self", "master", "proxy", "extern_learn", "offload", "sticky", "router"}
	extendedFlagNames   = []string{"managed", "locked", "extern_valid"}
)
