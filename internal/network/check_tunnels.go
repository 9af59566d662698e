package network

import (
	"net/netip"
	"slices"
)

func (r *reader) checkVXLAN(d *device) {
	x := d.vxlan
	if !d.has("vid") {
		r.problem(d.Place, "has no vid; a vxlan needs a network identifier")
	}
	if x.Local.IsValid() && x.Remote.IsValid() && x.Local.Is4() != x.Remote.Is4() {
		r.problem(d.at("ipaddr", d.Place), "%v and peeraddr %v are of different families", x.Local, x.Remote)
	}
	if x.Remote.IsMulticast() && !d.has("tunlink") {
		r.problem(d.at("peeraddr", d.Place), "%v is a multicast group, which needs tunlink: name the device that the tunnel goes through", x.Remote)
	}
	switch p := x.VXLANPorts; {
	case p == nil:
	case p.Min == 0 || p.Max == 0:
		if d.has("srcportmin") != d.has("srcportmax") {
			r.problem(d.Place, "has only one of srcportmin and srcportmax; give both or none")
		}
	case p.Max < p.Min:
		r.problem(d.at("srcportmax", d.Place), "%d comes before srcportmin, %d", p.Max, p.Min)
	}
}

func (r *reader) checkGeneve(d *device) {
	if !d.has("vid") {
		r.problem(d.Place, "has no vid; a geneve needs a network identifier")
	}
	if !d.has("peeraddr") {
		r.problem(d.Place, "has no peeraddr; a geneve needs the address of the other end")
	}
}

// checkTunnel looks at the addresses of a tunnel, whose family its type has.
func (r *reader) checkTunnel(d *device) {
	t, six := d.tunnel, slices.Contains(typesOverIPv6, d.Type)
	for _, end := range []struct {
		option  string
		address netip.Addr
	}{{"ipaddr", t.local}, {"peeraddr", t.remote}} {
		switch a := end.address; {
		case a.IsValid() && six && !a.Is6():
			r.problem(d.at(end.option, d.Place), "%v is IPv4, and a tunnel of type %s is over IPv6", a, d.Type)
		case a.IsValid() && !six && !a.Is4():
			r.problem(d.at(end.option, d.Place), "%v is IPv6, and a tunnel of type %s is over IPv4", a, d.Type)
		}
	}
	if !d.has("ipaddr") && !d.has("peeraddr") && !d.has("ikey") {
		r.problem(d.Place, "has neither ipaddr nor peeraddr; without an end the kernel cannot tell it from other tunnels")
	}
	if (d.Type == typeIPIP || d.Type == typeSIT) && t.df != nil && !*t.df && t.ttl != nil && *t.ttl != 0 {
		r.problem(d.at("df", d.Place), "needs ttl to be 0: with a ttl of its own such a tunnel never lets routers split its packets")
	}
	if d.has("ip4prefixlen") && (!d.has("ip6prefix") || !d.has("ipaddr")) {
		r.problem(d.at("ip4prefixlen", d.Place), "needs ip6prefix and ipaddr")
	}
}
