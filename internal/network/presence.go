package network

import "slices"

// complete returns the spec with a device for each name that is only referred to: a
// link that exists by itself, or the VLAN of a name such as eth0.10.
func complete(spec Spec) Spec {
	declared := map[string]bool{}
	for _, d := range spec.Devices {
		declared[d.Name] = true
	}
	spec.Devices = slices.Clone(spec.Devices)
	var refer func(name string, at Place)
	refer = func(name string, at Place) {
		if name == "" || declared[name] {
			return
		}
		declared[name] = true
		d, isVLAN := impliedVLAN(name, at)
		if !isVLAN {
			d = Device{Name: name, Enabled: true}
		}
		spec.Devices = append(spec.Devices, d)
		refer(d.Parent, at)
	}
	for _, d := range slices.Clone(spec.Devices) {
		refer(d.Parent, d.Place)
		for _, port := range d.Ports {
			refer(port, d.Place)
		}
	}
	for _, i := range spec.Interfaces {
		refer(i.Device, i.Place)
	}
	return spec
}

// sortDevices returns the indexes of the devices, ports and parents before what stands
// on them, and the indexes by name. There is no cycle: Read refuses cycles.
func sortDevices(devices []Device) (order []int, byName map[string]int) {
	byName = make(map[string]int, len(devices))
	for i, d := range devices {
		byName[d.Name] = i
	}
	visited := make([]bool, len(devices))
	var visit func(i int)
	visit = func(i int) {
		if visited[i] {
			return
		}
		visited[i] = true
		for _, below := range devices[i].below() {
			visit(byName[below])
		}
		order = append(order, i)
	}
	for i := range devices {
		visit(i)
	}
	return order, byName
}

// below returns the names of the devices that a device stands on.
func (d Device) below() []string {
	if d.Parent == "" {
		return d.Ports
	}
	return append(slices.Clone(d.Ports), d.Parent)
}

// judgeDevices decides which devices are present and have a carrier.
func (n *step) judgeDevices() {
	byMAC := map[string]string{}
	for _, l := range n.links {
		byMAC[l.MAC.String()] = l.Name
	}
	n.devices = make([]deviceState, len(n.spec.Devices))
	for _, i := range n.order {
		d := n.spec.Devices[i]
		name := d.Name
		if d.MAC != nil {
			name = byMAC[d.MAC.String()]
		}
		l, there := n.links[name]
		n.devices[i] = deviceState{link: name, present: d.Enabled && (d.Type != "" || there) && n.standing(d), carrier: l.Carrier}
	}
}

// standing reports whether what a device stands on is present: its parent, and one of
// the ports of a bond, or of a bridge that may not be empty.
func (n *step) standing(d Device) bool {
	present := func(name string) bool { return n.devices[n.byName[name]].present }
	if d.Parent != "" && !present(d.Parent) {
		return false
	}
	return d.Type != typeBridge && d.Type != typeBonding || d.Empty || slices.ContainsFunc(d.Ports, present)
}

// claim decides which devices have to be up: those of the interfaces that are to be
// up, and what these devices stand on.
func (n *step) claim() {
	for i := range n.devices {
		n.devices[i].claimed = false
	}
	for i, declared := range n.spec.Interfaces {
		if n.wanted(i) || n.interfaces[i].phase == Setup || n.interfaces[i].phase == Up {
			n.devices[n.byName[declared.Device]].claimed = true
		}
	}
	for _, i := range slices.Backward(n.order) {
		if !n.devices[i].claimed {
			continue
		}
		n.claimed[n.spec.Devices[i].Name] = true
		for _, below := range n.spec.Devices[i].below() {
			n.devices[n.byName[below]].claimed = true
		}
	}
}
