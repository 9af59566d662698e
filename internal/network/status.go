package network

import (
	"net/netip"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
)

// Status is an interface as commands show it.
type Status struct {
	Interface           // as declared
	Phase     Phase     //
	Available bool      // the device is present
	Autostart bool      // the interface goes up whenever the device is present
	Since     time.Time // of phase Up
	Link      string    // name of the kernel's link; "": not known
	Error     string    // code of netifd, see NoDevice; "": none
	Refusal   string    // text of what the kernel has refused

	Addresses []link.AddressSpec // of a phase in which the interface has addresses
	Routes    []link.RouteSpec
	DNS       []netip.Addr
	Search    []string
}

// Codes of Status.Error, in netifd's words.
const (
	NoDevice     = "NO_DEVICE"
	SetupFailed  = "SETUP_FAILED"
	InvalidProto = "INVALID_PROTO" // netconnectd does not have the protocol
)

// Interfaces returns the status of every declared interface, in the order of their
// declarations.
func (s State) Interfaces() []Status {
	n := step{State: s}
	all := make([]Status, len(s.interfaces))
	for i, have := range s.interfaces {
		declared := s.spec.Interfaces[i]
		device := s.devices[s.byName[declared.Device]]
		all[i] = Status{
			Interface: declared, Phase: have.phase, Available: device.present, Autostart: have.autostart, Since: have.since, Link: device.link,
			Refusal: s.Refusal(declared.Name),
		}
		switch {
		case !declared.hasProto():
			all[i].Error = InvalidProto
		case !device.present:
			all[i].Error = NoDevice
		case all[i].Refusal != "":
			all[i].Error = SetupFailed
		}
		if n.carries(i) {
			all[i].Addresses, all[i].Routes = n.addressing(i)
			all[i].DNS, all[i].Search = n.nameServers(i)
		}
	}
	return all
}

// nameServers returns the declared name servers of an interface, then those of its
// protocol.
func (s *State) nameServers(i int) (servers []netip.Addr, search []string) {
	declared, lease := s.spec.Interfaces[i], s.interfaces[i].lease
	servers, search = append(servers, declared.DNS...), append(search, declared.DNSSearch...)
	if lease != nil && declared.PeerDNS {
		servers, search = append(servers, lease.DNS...), append(search, lease.Search...)
	}
	return servers, search
}

// Refusal returns what the kernel has refused of an interface, or of the devices that
// the interface stands on; "": nothing.
func (s State) Refusal(name string) string {
	i := s.find(name)
	if i < 0 || len(s.refused) == 0 {
		return ""
	}
	declared := s.spec.Interfaces[i]
	for _, path := range []string{declared.Place.String(), ""} {
		if text := s.refused[path]; text != "" {
			return text
		}
	}
	for _, route := range s.routes[name] {
		if text := s.refused[s.spec.Routes[route].Place.String()]; text != "" {
			return text
		}
	}
	return s.refusalBelow(declared.Device)
}

// refusalBelow returns what the kernel has refused of a device, or of one below it.
func (s State) refusalBelow(device string) string {
	d := s.spec.Devices[s.byName[device]]
	if text := s.refused[d.Place.String()]; text != "" {
		return text
	}
	for _, below := range d.below() {
		if text := s.refusalBelow(below); text != "" {
			return text
		}
	}
	return ""
}

// Desired returns what is desired of the kernel.
func (s State) Desired() link.Desired { return s.desired }

// Generation returns the number that the Apply of Desired has.
func (s State) Generation() uint64 { return s.generation }
