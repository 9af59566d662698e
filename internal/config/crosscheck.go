package config

import "net/netip"

// crossCheck judges values that only make sense together. It skips those of
// which one has a problem already.
func crossCheck(d *draft, winners map[string]value, r *report) {
	if !r.bad("interfaces.wifi", "interfaces.wired") && d.Interfaces.Wifi != "" && d.Interfaces.Wifi == d.Interfaces.Wired {
		r.problem("interfaces.wired", winners["interfaces.wired"].from, "%s is interfaces.wifi already", d.Interfaces.Wired)
	}
	if !r.bad("ap.channel", "ap.country") && d.AP.Channel > 13 && d.AP.Country == "" {
		r.warning("ap.channel", winners["ap.channel"].from, "%d is in 5 GHz, where most radios need ap.country", d.AP.Channel)
	}
	checkProbe(d, winners, r)
	if d.AP.ForwardingToWired && d.Interfaces.Wired == "" && !r.bad("interfaces.wired") {
		r.warning("ap.forwarding_to_wired", winners["ap.forwarding_to_wired"].from, "has no effect without interfaces.wired")
		d.AP.ForwardingToWired = false
	}
	if r.bad("ap.ip", "ap.network") {
		return
	}
	checkAddress(d, winners["ap.ip"].from, r)
	if !r.bad("ap.ip", "ap.range") {
		checkRange(d, winners["ap.range"].from, r)
	}
}

// checkAddress joins ap.ip and ap.network.
func checkAddress(d *draft, from origin, r *report) {
	switch {
	case !d.network.Contains(d.ip):
		r.problem("ap.ip", from, "%s is outside ap.network %s", d.ip, d.network)
	case d.ip == d.network.Addr() || d.ip == broadcast(d.network):
		r.problem("ap.ip", from, "%s is not an address for a device in ap.network %s", d.ip, d.network)
	default:
		d.AP.Address = netip.PrefixFrom(d.ip, d.network.Bits())
	}
}

func checkRange(d *draft, from origin, r *report) {
	first, last := d.AP.RangeFirst, d.AP.RangeLast
	for _, a := range []netip.Addr{first, last} {
		if !d.network.Contains(a) {
			r.problem("ap.range", from, "%s is outside ap.network %s", a, d.network)
			return
		}
	}
	switch {
	case last.Less(first):
		r.problem("ap.range", from, "%s comes before %s", last, first)
	case !d.ip.Less(first) && !last.Less(d.ip):
		// dnsmasq leaves its own address out by itself.
		r.warning("ap.range", from, "holds ap.ip %s, which no client will get", d.ip)
	}
}

// broadcast is the last address of an IPv4 network.
func broadcast(network netip.Prefix) netip.Addr {
	b := network.Addr().As4()
	for bit := network.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}
