package state

// These are settings of tunnels, of linux/if_tunnel.h, linux/ip6_tunnel.h and
// linux/if_link.h.
type (
	GREFlags         = Bits[greBits]          // GRE_CSUM and so on, in host byte order, e.g. "key"
	ERSPANDirection  = Named[erspans]         // direction of what ERSPAN mirrors, IFLA_GRE_ERSPAN_DIR: "ingress" or "egress"
	SITFlags         = Bits[sitBits]          // SIT_ISATAP: "isatap"
	TunnelProtocol   = Named[tunnelProtocols] // IPPROTO_… of the packets inside: "any", "ipip", "ipv6", "mpls"
	TunnelEncapType  = Named[tunnelEncaps]    // enum tunnel_encap_types: "none", "fou", "gue", "mpls"
	TunnelEncapFlags = Bits[tunnelEncapBits]  // TUNNEL_ENCAP_FLAG_…: "csum", "csum6", "remcsum"
	IP6TunnelFlags   = Bits[ip6TunnelBits]    // IP6_TNL_F_…, e.g. "use_orig_tclass"
	GeneveDF         = Named[geneveDFs]       // enum ifla_geneve_df: "unset", "set", "inherit"
)

type (
	greBits         struct{}
	erspans         struct{}
	sitBits         struct{}
	tunnelProtocols struct{}
	tunnelEncaps    struct{}
	tunnelEncapBits struct{}
	ip6TunnelBits   struct{}
	geneveDFs       struct{}
)

func (greBits) names() []string {
	return []string{7: "ack", 11: "strict", 12: "seq", 13: "key", 14: "routing", 15: "csum"}
}
func (erspans) names() []string { return []string{"ingress", "egress"} }
func (sitBits) names() []string { return []string{"isatap"} }
func (tunnelProtocols) names() []string {
	return []string{0: "any", 4: "ipip", 41: "ipv6", 137: "mpls"}
}
func (tunnelEncaps) names() []string    { return []string{"none", "fou", "gue", "mpls"} }
func (tunnelEncapBits) names() []string { return []string{"csum", "csum6", "remcsum"} }
func (ip6TunnelBits) names() []string {
	return []string{
		0: "ign_encap_limit", 1: "use_orig_tclass", 2: "use_orig_flowlabel", 3: "mip6_dev", 4: "rcv_dscp_copy",
		5: "use_orig_fwmark", 6: "allow_local_remote", 16: "cap_xmit", 17: "cap_rcv", 18: "cap_per_packet",
	}
}
func (geneveDFs) names() []string { return []string{"unset", "set", "inherit"} }
