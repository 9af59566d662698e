package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/state"
)

// checkPorts looks at the ports of a bridge, a bond or a VRF, and notes whose they are.
func (r *reader) checkPorts(d *device) {
	at := d.at("ports", d.Place)
	for _, port := range d.Ports {
		declared := r.deviceNamed[port]
		switch owner := r.masterOf[port]; {
		case port == d.Name:
			r.problem(at, "%s is the %s itself, which cannot be its own port", port, noun(d.Type))
		case port == "lo":
			r.problem(at, "lo cannot be a port of a %s", noun(d.Type))
		case owner == d:
			r.problem(at, "%s is there twice; leave one out", port)
		case owner != nil:
			r.problem(at, "%s is a port of %s already, %s; a device is a port of one %s", port, owner.Name, owner.Where(), noun(owner.Type))
		case declared != nil && !canBePort(declared.Type, d.Type):
			r.problem(at, "%s is a %s, %s, and the kernel lets no %[2]s be a port of %[4]s", port, noun(declared.Type), declared.Where(), another(declared.Type, d.Type))
		}
		if r.masterOf[port] == nil {
			r.masterOf[port] = d
		}
	}
}

// noun returns the word for a type with ports.
func noun(of string) string {
	switch of {
	case typeBonding:
		return "bond"
	case typeVRF:
		return "VRF"
	}
	return of
}

func another(port, of string) string {
	if port == of {
		return "another"
	}
	return "a " + noun(of)
}

// canBePort reports whether the kernel takes a device of a type as a port.
func canBePort(port, of string) bool {
	switch port {
	case typeBridge:
		return of == typeVRF
	case typeVRF:
		return false
	case typeBonding:
		return of != typeBonding
	}
	return true
}

// checkAsPort looks at what a device cannot be, or has without effect, by what other
// sections make of it.
func (r *reader) checkAsPort(d *device) {
	if master := r.masterOf[d.Parent]; d.Parent != "" && master != nil && master.Type != typeVRF && !slices.Contains(typesOfVLAN, d.Type) && slices.Contains(typesOnAnother, d.Type) {
		r.problem(d.at("ifname", d.Place), "%s is a port of %s, %s, and the kernel has no %s on a port; put the %[4]s on %[2]s", d.Parent, master.Name, master.Where(), d.Type)
	}
	master := r.masterOf[d.Name]
	if d.port == nil || master != nil && master.Type == typeBridge {
		return
	}
	if master != nil {
		d.Link.PortData = nil // of a bond or a VRF it would be an error
	}
	for i := range portOptions {
		if name := portOptions[i].name; portOptions[i].fits(d.Type) && d.has(name) {
			r.warning(d.given[name], "has no effect: %s is a port of no bridge that is declared", d.Name)
		}
	}
}

// checkNumbers reports a second VLAN of a number on a device, which the kernel refuses.
// The VLANs of names such as eth0.10 count, too.
func (r *reader) checkNumbers() {
	first := map[string]Device{}
	for _, d := range complete(r.spec()).Devices {
		if below, id, isVLAN := VLANByName(d.Name); isVLAN && r.deviceNamed[d.Name] == nil {
			first[fmt.Sprintf("%s %s %d", type8021Q, below, id)] = d
		}
	}
	for _, d := range r.devices {
		if !slices.Contains(typesOfVLAN, d.Type) || d.vlan.ID == nil || d.Parent == "" {
			continue
		}
		key := fmt.Sprintf("%s %s %d", d.Type, d.Parent, *d.vlan.ID)
		if other, twice := first[key]; twice {
			r.problem(d.at("vid", d.Place), "%d is that of %s already, %s; a device has one VLAN of each number", *d.vlan.ID, other.Name, other.Where())
			continue
		}
		first[key] = d.Device
	}
}

// checkBond looks at options of a bond that only make sense together.
func (r *reader) checkBond(d *device) {
	b, policy := d.bond, state.BondBalanceRR
	if b.Mode != nil {
		policy = *b.Mode
	}
	if len(d.Ports) == 0 {
		r.problem(d.Place, "has no ports; name the devices of the bond in it")
	}
	for i := range bondOptions {
		name := bondOptions[i].name
		if of := policiesOf[name]; d.has(name) && of != nil && !slices.Contains(of, policy) {
			r.problem(d.given[name], "is for bonds of policy %s, and this one has %s; leave out the option", orList(policyNames(of)), bondPolicies[policy])
		}
	}
	if b.arp && !slices.Contains(policiesWithARP, policy) {
		r.problem(d.given["monitor_mode"], "a bond of policy %s cannot ask neighbours; leave out the option", bondPolicies[policy])
	}
	if b.arp && len(b.ARPTargets)+len(b.NSTargets) == 0 {
		r.problem(d.given["monitor_mode"], "has nobody to ask; name neighbours in arp_target")
	}
	if most := max(len(b.ARPTargets), len(b.NSTargets)); most > mostTargets {
		r.problem(d.Place, "has %d neighbours to ask, and the kernel asks %d at most", most, mostTargets)
	}
	r.checkDelays(d)
	if b.Primary != "" && !slices.Contains(d.Ports, b.Primary) {
		r.problem(d.given["primary"], "%s is none of the ports, %s", b.Primary, strings.Join(d.Ports, ", "))
	}
}

// checkDelays looks at the delays of a bond, of which the kernel takes only multiples of
// the interval in which it looks at the ports.
func (r *reader) checkDelays(d *device) {
	interval := uint32(0)
	if !d.bond.arp && d.bond.interval != nil {
		interval = *d.bond.interval
	}
	for _, delay := range []struct {
		option string
		value  *uint32
	}{{"updelay", d.bond.UpDelay}, {"downdelay", d.bond.DownDelay}, {"peer_notif_delay", d.bond.PeerNotifyDelay}} {
		switch {
		case delay.value == nil || *delay.value == 0:
		case interval == 0:
			r.problem(d.given[delay.option], "needs monitor_mode mii and a monitor_interval")
		case *delay.value%interval != 0:
			r.problem(d.given[delay.option], "%d is no multiple of monitor_interval, %d", *delay.value, interval)
		}
	}
}

const mostTargets = 16 // BOND_MAX_ARP_TARGETS, net/bonding.h

func policyNames(all []state.BondMode) []string {
	var names []string
	for _, one := range all {
		names = append(names, bondPolicies[one])
	}
	return names
}
