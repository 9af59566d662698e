// Package network decides what the declared network is: the devices and interfaces
// of the configuration's section network, in the terms of OpenWrt's netifd. A device
// is a link of the kernel, an interface gives a device its addresses by a protocol.
//
// The package is pure. Read turns the sections of a file into a Spec, and Step turns
// events into the state of each device and interface and into effects. It asks
// neither the kernel nor the clock.
package network

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
)

// Spec is what a configuration declares. It is checked: names are unique, what is
// referred to by name is declared or may exist by itself, and there is no cycle.
type Spec struct {
	Devices    []Device
	Interfaces []Interface
	Routes     []Route
	Rules      []Rule
	Neighbours []Neighbour
}

// Place is where something is declared.
type Place struct {
	Path string // e.g. "network.devices[2]"
	Line int    // from 1; 0: not from a file
}

// String returns e.g. "network.devices[2] (line 14)".
func (p Place) String() string {
	if p.Line == 0 {
		return p.Path
	}
	return fmt.Sprintf("%s (line %d)", p.Path, p.Line)
}

// Device is a declared device.
type Device struct {
	Place
	Name string // of the kernel's link, unless MAC names the link
	Type string // "": the link exists by itself

	// MAC finds a link that exists by itself by its permanent hardware address, for
	// adapters whose names change. Name is then only what other sections call it.
	MAC net.HardwareAddr

	Ports   []string // names of devices that are ports of this bridge, bond or VRF
	Empty   bool     // the bridge is there even while none of its ports is
	Parent  string   // name of the device below, e.g. of a macvlan; "": none
	Enabled bool     // option enabled; a disabled device counts as absent

	// Link has the device's own settings. Its Master, Up, Addresses and Routes are
	// unset: they follow from the ports and interfaces.
	Link link.LinkSpec
}

// Protocols of an interface.
const (
	ProtoNone   = "none"
	ProtoStatic = "static"
	ProtoDHCP   = "dhcp"
)

// hasProto reports whether netconnectd has the protocol of an interface.
func (i *Interface) hasProto() bool {
	return i.Proto == ProtoNone || i.Proto == ProtoStatic || i.Proto == ProtoDHCP
}

// Interface is a declared interface.
type Interface struct {
	Place
	Name   string
	Device string // name of a declared device, or of a link that exists by itself
	Proto  string // ProtoNone and so on, or a protocol that netconnectd does not have

	Disabled         bool
	Auto             bool          // set the interface up as soon as its device is present
	ForceLink        bool          // keep the interface up without a carrier
	CarrierLossDelay time.Duration // how long a carrier may be lost before the interface goes down
	Metric           uint32        // of the interface's routes
	DefaultRoute     bool          // take the default route of the protocol
	PeerDNS          bool          // take the name servers of the protocol
	IP4Table         uint32        // routing table of the interface's routes; 0: main
	IP6Table         uint32
	DNS              []netip.Addr // beside those of the protocol
	DNSSearch        []string
	DNSMetric        uint32

	// Of ProtoStatic.
	Addresses []link.AddressSpec
	Gateway   netip.Addr // IPv4
	Gateway6  netip.Addr

	// Of ProtoDHCP.
	Hostname string // "": the device's own; "*": none is sent
	ClientID string // hexadecimal digits
	VendorID string
}

// Route is a declared route. It is there while its interface is up.
type Route struct {
	Place
	Interface string
	Spec      link.RouteSpec
}

// Rule is a declared policy rule.
type Rule struct {
	Place
	In, Out  string // names of interfaces; the rule waits until their devices are known
	Disabled bool
	Spec     link.RuleSpec
}

// Neighbour is a declared permanent neighbour.
type Neighbour struct {
	Place
	Interface string
	Spec      link.NeighbourSpec
}
