package rtnl

// TunnelEncap is how packets of a tunnel are wrapped once more, in UDP.
type TunnelEncap struct {
	EncapType        *Named[tunnelEncaps]   `json:"encap_type,omitempty"`
	EncapFlags       *Bits[tunnelEncapBits] `json:"encap_flags,omitempty"`
	EncapSource      *uint16                `json:"encap_sport,omitempty"` // UDP port; 0: the kernel chooses
	EncapDestination *uint16                `json:"encap_dport,omitempty"`
}

// enum tunnel_encap_types, linux/if_tunnel.h.
type tunnelEncaps struct{}

func (tunnelEncaps) names() []string { return []string{"none", "fou", "gue", "mpls"} }

// TUNNEL_ENCAP_FLAG_…, linux/if_tunnel.h.
type tunnelEncapBits struct{}

func (tunnelEncapBits) names() []string { return []string{"csum", "csum6", "remcsum"} }

// encapRows are the rows of a TunnelEncap; the kernel gives them four numbers
// in a row.
func encapRows[T any](first uint16, prefix string, at func(*T) *TunnelEncap) []attribute[T] {
	return []attribute[T]{
		named[uint16](first, prefix+"ENCAP_TYPE", func(t *T) **Named[tunnelEncaps] { return &at(t).EncapType }),
		bits[uint16](first+1, prefix+"ENCAP_FLAGS", func(t *T) **Bits[tunnelEncapBits] { return &at(t).EncapFlags }),
		port(first+2, prefix+"ENCAP_SPORT", func(t *T) **uint16 { return &at(t).EncapSource }),
		port(first+3, prefix+"ENCAP_DPORT", func(t *T) **uint16 { return &at(t).EncapDestination }),
	}
}

// IP6_TNL_F_…, linux/ip6_tunnel.h.
type ip6TunnelBits struct{}

func (ip6TunnelBits) names() []string {
	return []string{
		0: "ign_encap_limit", 1: "use_orig_tclass", 2: "use_orig_flowlabel", 3: "mip6_dev", 4: "rcv_dscp_copy",
		5: "use_orig_fwmark", 6: "allow_local_remote", 16: "cap_xmit", 17: "cap_rcv", 18: "cap_per_packet",
	}
}
