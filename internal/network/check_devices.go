package network

import (
	"slices"
	"strings"
)

// checkDevices looks at each device, and at the devices that it names.
func (r *reader) checkDevices() {
	r.deviceNamed, r.masterOf = map[string]*device{}, map[string]*device{}
	ends, macs := map[string]Place{}, map[string]*device{}
	for _, d := range r.devices {
		r.checkDeviceName(d)
		r.checkOptions(d)
		if d.MAC != nil {
			if first := macs[d.MAC.String()]; first != nil {
				r.problem(d.at("match.mac", d.Place), "%v is that of %s already; one link is one device", d.MAC, first.at("match.mac", first.Place).Where())
			}
			macs[d.MAC.String()] = d
		}
		if d.Link.Peer != "" {
			r.checkPeer(d, ends)
		}
	}
	for _, d := range r.devices {
		if peer, made := ends[d.Name]; made && d.Type != "" {
			r.problem(d.at("name", d.Place), "%s is the name of the other end of a veth already, %s", d.Name, peer.Where())
		}
		r.checkPorts(d)
	}
	for _, d := range r.devices {
		r.checkAsPort(d)
	}
	r.checkCycles()
}

// Names that no device can have that is made: they stand for others below
// /proc/sys/net, or are there always.
var reserved = []string{"all", "default", "lo"}

func (r *reader) checkDeviceName(d *device) {
	at := d.at("name", d.Place)
	switch {
	case !d.has("name"):
		r.problem(d.Place, "has no name; add the option name")
		return
	case d.Name == "": // the problem with its name is reported
		return
	case slices.Contains(reserved, d.Name) && (d.Type != "" || d.Name != "lo"):
		r.problem(at, "%s is a name that the kernel uses for itself; choose another", d.Name)
	case strings.Contains(d.Name, "%") && d.Type != "":
		r.problem(at, "%s is a pattern of names to the kernel; leave out the %%", d.Name)
	}
	if first := r.deviceNamed[d.Name]; first != nil {
		r.problem(at, "%s is declared already, by %s; names are unique", d.Name, first.Where())
		return
	}
	r.deviceNamed[d.Name] = d
}

// checkPeer looks at the other end of a veth, which is a link that is made, too.
func (r *reader) checkPeer(d *device, ends map[string]Place) {
	at, name := d.at("peer_name", d.Place), d.Link.Peer
	switch first, twice := ends[name]; {
	case name == d.Name:
		r.problem(at, "both ends of a veth are named %s; choose another name for the other end", name)
	case twice:
		r.problem(at, "%s is the other end of a veth already, %s", name, first.Where())
	case slices.Contains(reserved, name):
		r.problem(at, "%s is a name that the kernel uses for itself; choose another", name)
	default:
		ends[name] = at
	}
}

// checkOptions looks at options of one device that only make sense together.
func (r *reader) checkOptions(d *device) {
	if d.Link.MTU != nil && d.mtu6 > *d.Link.MTU {
		r.problem(d.at("mtu6", d.Place), "%d is more than mtu, %d", d.mtu6, *d.Link.MTU)
	}
	if d.MAC != nil && d.Link.MAC != nil && slices.Equal(d.MAC, d.Link.MAC) {
		r.warning(d.at("macaddr", d.Place), "has no effect: the link has that address by itself")
	}
	if slices.Contains(typesOnAnother, d.Type) && !d.has("ifname") {
		r.problem(d.Place, "has no ifname; name the device below the %s in it", d.Type)
	}
	switch d.Type {
	case typeBridge:
		if b := d.bridge; d.has("stp") && b.STPState != nil && *b.STPState != 0 && b.ForwardDelay != nil && *b.ForwardDelay < 2_00 {
			r.problem(d.at("forward_delay", d.Place), "%d is not in 2..30, which stp needs", *b.ForwardDelay/100)
		}
	case type8021Q, type8021AD:
		if !d.has("vid") {
			r.problem(d.Place, "has no vid; give the number of the VLAN in it")
		}
	case typeVRF:
		if !d.has("table") {
			r.problem(d.Place, "has no table; give the number of its routing table in it")
		}
	case typeBonding:
		r.checkBond(d)
	case typeVXLAN:
		r.checkVXLAN(d)
	case typeGeneve:
		r.checkGeneve(d)
	case typeVeth:
		if d.peerMAC != nil && slices.Equal(d.peerMAC, d.Link.MAC) {
			r.problem(d.at("peer_macaddr", d.Place), "%v is macaddr, too; the ends of a veth need different addresses", d.peerMAC)
		}
	}
	if d.tunnel != nil && d.Type != wrong {
		r.checkTunnel(d)
	}
}

// checkCycles reports devices that need each other to be there first.
func (r *reader) checkCycles() {
	const visiting, done = 1, 2
	state := map[*device]int{}
	var path []*device
	var visit func(d *device)
	visit = func(d *device) {
		state[d], path = visiting, append(path, d)
		for _, name := range d.needs() {
			next := r.deviceNamed[name]
			switch {
			case next == nil || next == d && d.Parent == "": // a bridge that is its own port is reported
			case state[next] == visiting:
				r.reportCycle(path[slices.Index(path, next):])
			case state[next] == 0:
				visit(next)
			}
		}
		path, state[d] = path[:len(path)-1], done
	}
	for _, d := range r.devices {
		if state[d] == 0 {
			visit(d)
		}
	}
}

// reportCycle names the devices of a cycle, e.g. "a → b → a".
func (r *reader) reportCycle(cycle []*device) {
	names := []string{}
	for _, d := range cycle {
		names = append(names, d.Name)
	}
	if len(names) > 8 {
		names = append(names[:7], "…", names[len(names)-1])
	}
	names = append(names, cycle[0].Name)
	r.problem(cycle[0].Place, "the devices need each other: %s; leave one of the arrows out", strings.Join(names, " → "))
}

// needs returns the names of the devices without which a device cannot be made.
func (d *device) needs() []string {
	if d.Parent != "" {
		return []string{d.Parent}
	}
	return d.Ports
}
