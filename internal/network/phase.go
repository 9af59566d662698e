package network

import "time"

// advance lets interfaces begin to go up or down, by their devices, their carriers
// and what was asked for.
func (n *step) advance() {
	for i := range n.interfaces {
		have, declared := &n.interfaces[i], &n.spec.Interfaces[i]
		device := n.devices[n.byName[declared.Device]]
		n.noteCarrier(have, device)
		ready := n.wanted(i) && n.linked(i)
		switch have.phase {
		case Down:
			if ready {
				have.phase = Setup
				n.start(have, *declared, device)
			}
		case Setup, Up:
			if !ready {
				n.leave(have, declared.Name)
				have.phase = Teardown
			}
		}
	}
}

// start runs the protocol of an interface, if the protocol needs a program.
func (n *step) start(have *interfaceState, declared Interface, device deviceState) {
	have.session++
	if declared.Proto != ProtoDHCP {
		return
	}
	have.running = true
	n.do(StartProtocol{declared, have.session, device.link})
}

// conclude lets interfaces arrive whose part of the kernel is as desired.
func (n *step) conclude() {
	if n.applied != n.generation {
		return
	}
	for i := range n.interfaces {
		have, declared := &n.interfaces[i], n.spec.Interfaces[i]
		switch {
		case have.phase == Teardown:
			have.phase = Down
		case have.phase == Setup && n.configured(i) && n.Refusal(declared.Name) == "":
			have.phase, have.since = Up, n.now
			n.do(Notify{declared.Name, ActionUp})
		}
	}
}

// configured reports whether the protocol of an interface has its addresses.
func (s *State) configured(i int) bool {
	return s.spec.Interfaces[i].Proto != ProtoDHCP || s.interfaces[i].lease != nil
}

// wanted reports whether an interface is to be up as far as its device and the
// commands go.
func (s *State) wanted(i int) bool {
	declared := s.spec.Interfaces[i]
	return s.interfaces[i].autostart && !declared.Disabled && declared.hasProto() && s.devices[s.byName[declared.Device]].present
}

// linked reports whether an interface has a carrier, needs none, or has lost it only
// for a moment.
func (n *step) linked(i int) bool {
	declared, have := n.spec.Interfaces[i], n.interfaces[i]
	if declared.ForceLink || have.lost.IsZero() {
		return true
	}
	up := have.phase == Setup || have.phase == Up
	return up && n.now.Before(have.lost.Add(declared.CarrierLossDelay))
}

// noteCarrier notes when the carrier went. A device that has never had a carrier
// counts as having lost it now.
func (n *step) noteCarrier(have *interfaceState, device deviceState) {
	switch {
	case device.carrier:
		have.lost = time.Time{}
	case have.lost.IsZero():
		have.lost = n.now
	}
}
