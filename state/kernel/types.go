package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// kinds maps the kernel's kinds of links to nispor's names.
var kinds = map[string]state.IfaceType{
	"bond": "bond", "veth": "veth", "bridge": "bridge", "vlan": "vlan", "dummy": "dummy", "vxlan": "vxlan",
	"vrf": "vrf", "tun": "tun", "macvlan": "mac_vlan", "macvtap": "mac_vtap", "openvswitch": "openv_switch",
	"ipoib": "ipoib", "macsec": "mac_sec", "hsr": "hsr", "xfrm": "xfrm",
	// These are not in nispor 1.2:
	"ipvlan": "ip_vlan", "ipvtap": "ip_vtap", "wireguard": "wireguard", "geneve": "geneve", "ifb": "ifb",
	"gre": "gre", "gretap": "gretap", "ip6gre": "ip6gre", "ip6gretap": "ip6gretap",
	"ipip": "ipip", "sit": "sit", "ip6tnl": "ip6tnl", "vti": "vti", "vti6": "vti6",
}

// linkTypes maps the types of links without a kind.
var linkTypes = map[uint16]state.IfaceType{
	unix.ARPHRD_ETHER: "ethernet", unix.ARPHRD_LOOPBACK: "loopback", unix.ARPHRD_INFINIBAND: "infiniband",
}

// newIfaceType uses the link's kind if it has one, and otherwise its type.
func newIfaceType(l *rtnl.Link) state.IfaceType {
	if l.Info.Kind != "" {
		if t, ok := kinds[l.Info.Kind]; ok {
			return t
		}
		return state.IfaceType(l.Info.Kind)
	}
	if t, ok := linkTypes[l.Type]; ok {
		return t
	}
	return "unknown"
}
