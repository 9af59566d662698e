package network

import (
	"net/netip"

	"github.com/netconnectd/netconnectd/internal/address"
)

// checkInterfaces looks at each interface, and at the device that it is on.
func (r *reader) checkInterfaces() {
	r.interfaceNamed, r.interfacesOn = map[string]*iface{}, map[string][]*iface{}
	for _, i := range r.interfaces {
		r.checkInterfaceName(i)
		if !i.has("device") {
			r.problem(i.Place, "has no device; name the device that it is on")
		}
		if master := r.masterOf[i.Device]; master != nil && master.Type != typeVRF {
			r.problem(i.at("device", i.Place), "%s is a port of %s, %s, and a port has no addresses of its own; put the interface on %[2]s", i.Device, master.Name, master.Where())
		}
		if i.Device != "" {
			r.interfacesOn[i.Device] = append(r.interfacesOn[i.Device], i)
		}
		if i.Proto == ProtoStatic {
			r.checkStatic(i)
		}
	}
	for _, i := range r.interfaces {
		r.checkTwice(i)
	}
}

func (r *reader) checkInterfaceName(i *iface) {
	_, err := interfaceName.parse(i.Name)
	first := r.interfaceNamed[i.Name]
	switch {
	case i.Name == "" && i.has("name"): // the problem with the name is reported
	case i.Name == "":
		r.problem(i.Place, "has no name; add the option name")
	case err != nil:
		r.problem(i.Place, "%v", err)
	case first != nil:
		r.problem(i.at("name", i.Place), "%s is declared already, by %s; names are unique", i.Name, first.Where())
	default:
		r.interfaceNamed[i.Name] = i
	}
}

// checkStatic looks at the addresses of one interface.
func (r *reader) checkStatic(i *iface) {
	if !i.has("ipaddr") && !i.has("ip6addr") {
		r.warning(i.Place, "has no address; add ipaddr or ip6addr")
	}
	for n, a := range i.Addresses {
		at := i.addressPlaces[n]
		own := a.Prefix
		if i.Device == "lo" && own.Addr().IsLoopback() {
			continue
		}
		if err := address.CheckDevice(own); err != nil {
			r.problem(at, "%v", err)
		}
	}
	r.checkLength(i)
	r.checkBroadcast(i)
	r.checkPointToPoint(i)
	r.checkIPv6(i)
}

// checkLength warns of an address that is alone in its network, as netifd makes it where
// the length is missing, and of a netmask that counts for no address.
func (r *reader) checkLength(i *iface) {
	bare := false
	for _, p := range i.ipaddr {
		bare = bare || p.bits == noBits
		if p.bits == noBits && !i.has("netmask") && !i.peer.IsValid() && i.Device != "lo" {
			r.warning(i.at("ipaddr", i.Place), "%v has no length, so it is alone in its network; write %[1]v/24 or what the network has", p.Addr)
		}
	}
	if i.netmask != noBits && !bare {
		r.warning(i.at("netmask", i.Place), "has no effect: each address has a length of its own")
	}
}

// everybody is the broadcast address of every network (RFC 919).
var everybody = netip.AddrFrom4([4]byte{255, 255, 255, 255})

func (r *reader) checkBroadcast(i *iface) {
	if !i.broadcast.IsValid() {
		return
	}
	if len(i.ipaddr) == 0 {
		r.warning(i.at("broadcast", i.Place), "has no effect without ipaddr")
	}
	for _, a := range i.Addresses {
		if own := a.Prefix; own.Addr().Is4() && i.broadcast != everybody && !own.Masked().Contains(i.broadcast) {
			r.problem(i.at("broadcast", i.Place), "%v is outside the network %v; leave it out, or give the address an interface of its own", i.broadcast, own.Masked())
		}
	}
}

func (r *reader) checkPointToPoint(i *iface) {
	at := i.at("ptpaddr", i.Place)
	switch {
	case !i.peer.IsValid():
	case len(i.ipaddr) != 1:
		r.problem(at, "needs exactly one ipaddr, and there are %d; give each an interface of its own", len(i.ipaddr))
	case i.ipaddr[0].Addr == i.peer:
		r.problem(at, "%v is the address of this device, too; give that of the other end", i.peer)
	}
}

// checkIPv6 looks for IPv6 addresses on a device that has no IPv6.
func (r *reader) checkIPv6(i *iface) {
	option := "ip6addr"
	if !i.has(option) {
		option = "ip6gw"
	}
	d := r.deviceNamed[i.Device]
	if d == nil || !i.has(option) {
		return
	}
	switch at := i.given[option]; {
	case !d.ipv6:
		r.problem(at, "%s has no IPv6, as ipv6 of %s says; allow IPv6 there, or leave the address out", i.Device, d.at("ipv6", d.Place).Where())
	case d.Link.MTU != nil && *d.Link.MTU < 1280:
		r.problem(at, "%s has no IPv6 with an mtu of %d, %s; IPv6 needs at least 1280", i.Device, *d.Link.MTU, d.at("mtu", d.Place).Where())
	}
}

// checkTwice reports an address that the device of an interface has already.
func (r *reader) checkTwice(i *iface) {
	if i.Device == "" || r.interfacesOn[i.Device][0] != i {
		return // the first interface on a device looks at all of them
	}
	type owned struct {
		addr, peer netip.Addr
		bits       int // of IPv4, which may have one address with several lengths
	}
	seen := map[owned]Place{}
	for _, other := range r.interfacesOn[i.Device] {
		if other.Disabled {
			continue
		}
		for n, a := range other.Addresses {
			key := owned{addr: a.Prefix.Addr(), peer: a.Peer}
			if key.addr.Is4() {
				key.bits = a.Prefix.Bits()
			}
			at := other.addressPlaces[n]
			if first, twice := seen[key]; twice {
				r.problem(at, "%v is an address of %s already, %s; leave one out", a.Prefix.Addr(), i.Device, first.Where())
				continue
			}
			seen[key] = at
		}
	}
}
