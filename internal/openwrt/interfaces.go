package openwrt

import (
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/shown"
)

// loopback is the name of the kernel's loopback device.
const loopback = "lo"

// Protocols of network.Read.
var protocols = []string{network.ProtoNone, network.ProtoStatic, network.ProtoDHCP}

// prepareInterface notes the name of an interface, and looks at its protocol.
func (c *converter) prepareInterface(s *section) {
	if s.Name == "" {
		c.leaveOut(s, s.Place, "it has no name; write e.g. config interface 'lan'")
		return
	}
	c.named[s.Name] = s
	if old := s.option("ifname"); old != nil && s.option("device") != nil {
		c.warn(s.remove("ifname").Place, "the option is left out: device counts, in line %d", s.place("device").Line)
	} else if old != nil {
		old.Name = "device"
	}
	c.findProtocol(s)
}

// findProtocol looks at the protocol of an interface.
func (c *converter) findProtocol(s *section) {
	o := s.option("proto")
	if o == nil || len(o.Values) != 1 || slices.Contains(protocols, o.Values[0]) {
		return
	}
	proto := shown.Text(o.Values[0])
	if c.Translate {
		c.leaveOut(s, o.Place, "netconnectd does not have the protocol %s", proto)
		return
	}
	c.warn(o.Place, "netconnectd does not have the protocol %s; the interface stays down (%s)", proto, network.InvalidProto)
	s.remove("proto")
	s.Foreign = proto
}

// convertInterface finds the device of an interface, and moves the options that belong to
// the device there.
func (c *converter) convertInterface(s *section) {
	if !s.leftOut {
		c.findDevice(s)
	}
	if s.leftOut {
		return
	}
	of := s.value("proto")
	if of == "" {
		of = network.ProtoNone
	}
	if s.Foreign != "" {
		of = s.Foreign
	} else {
		c.giveDevice(s)
	}
	c.filter(s, of)
	c.resolveTable(s.option("ip4table"))
	c.resolveTable(s.option("ip6table"))
}

// findDevice finds the device of an interface, in each of the ways of OpenWrt's versions.
// It leaves out an interface without one.
func (c *converter) findDevice(s *section) {
	at, name := s.place("device"), s.value("device")
	of := s.remove("type")
	switch {
	case of != nil && isBridge(of) && s.Foreign == "":
		c.makeBridge(s, of.Place)
		return
	case of != nil && !isBridge(of):
		c.warn(of.Place, "the option is left out: an interface has no type other than bridge")
	}
	if isAlias(name) {
		if device := c.deviceOf(name); device != "" {
			s.set(at, "device", device)
			c.warnAlias(at, name, device)
		} else if s.Foreign == "" {
			c.leaveOut(s, at, "%s is the alias of no interface with a device", shown.Text(name))
			return
		}
	}
	if s.Foreign != "" && link.CheckName(s.value("device")) != nil || isAlias(s.value("device")) {
		s.set(at, "device", s.Name) // the protocol names its link after the interface
		if link.CheckName(s.Name) != nil {
			s.remove("device")
		}
	}
	switch {
	case s.option("device") == nil:
		c.leaveOut(s, s.Place, "it has no device; name the device in the option device")
	case s.value("device") == loopback:
		c.leaveOut(s, at, noLoopback)
	}
}

func isBridge(of *network.Option) bool { return slices.Equal(of.Values, []string{"bridge"}) }

// bridgeOf returns the name of the bridge of an interface of the type bridge.
func bridgeOf(s *section) string { return "br-" + s.Name }

// makeBridge declares the bridge that an interface of the type bridge stands for.
func (c *converter) makeBridge(s *section, at network.Place) {
	name := bridgeOf(s)
	bridge := c.deviceFor(name, at)
	if bridge.option("type") == nil {
		bridge.set(at, "type", "bridge")
	}
	if o := s.remove("device"); o != nil && !slices.Equal(o.Values, []string{name}) {
		ports := o.Values
		if !o.List {
			ports = strings.Fields(strings.Join(ports, " "))
		}
		if bridge.option("ports") == nil {
			bridge.set(o.Place, "ports", ports...)
		}
	}
	s.set(at, "device", name)
}

// Options of a device that an interface does not have for it.
var notGiven = []string{"name", "type", "enabled", "match.mac", "ports", "ifname"}

// giveDevice moves the options of an interface that are its device's, as in older versions
// of OpenWrt.
func (c *converter) giveDevice(s *section) {
	name := s.value("device")
	for _, o := range slices.Clone(s.Options) {
		if known, _ := network.Has(network.KindInterface, o.Name, ""); known || slices.Contains(notGiven, o.Name) || name == "" {
			continue
		}
		of := ""
		if d := c.device[name]; d != nil {
			of = d.value("type")
		} else if _, _, isVLAN := network.VLANByName(name); isVLAN {
			of = "8021q"
		}
		if _, fits := network.Has(network.KindDevice, o.Name, of); fits {
			c.give(s, c.deviceFor(name, o.Place), o.Name)
		}
	}
}
