package openwrt

import (
	"slices"
	"strconv"
	"strings"

	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/shown"
)

// prepareDevice notes the name of a device, and makes a VLAN of a name such as eth0.10, as
// netifd does.
func (c *converter) prepareDevice(s *section) {
	name := s.value("name")
	switch {
	case s.option("name") == nil:
		c.leaveOut(s, s.Place, "it has no name; add the option name")
		return
	case name == loopback:
		c.leaveOut(s, s.place("name"), noLoopback)
		return
	}
	c.checkFiltered(s)
	if of := s.option("type"); of != nil && !slices.Contains(network.Types(), s.value("type")) {
		c.leaveOut(s, of.Place, "%s is no type of device that netconnectd has", shown.Text(strings.Join(of.Values, " ")))
	}
	if c.device[name] == nil {
		c.device[name] = s
	}
	c.makeVLAN(s)
}

// checkFiltered leaves out a bridge that has VLANs of its own. Without them, networks that
// are to stay apart would be one.
func (c *converter) checkFiltered(s *section) {
	if c.filtered[s.value("name")] {
		c.leaveOut(s, s.place("name"), "%s, and without them all its ports would be in one network", noBridgeVLANs)
	}
}

// makeVLAN declares that a device without a type and with a name such as eth0.10 is a
// VLAN.
func (c *converter) makeVLAN(s *section) {
	below, id, ok := network.VLANByName(s.value("name"))
	if !ok || s.option("type") != nil {
		return
	}
	at := s.place("name")
	s.set(at, "type", "8021q")
	if s.option("ifname") == nil {
		s.set(at, "ifname", below)
	}
	if s.option("vid") == nil {
		s.set(at, "vid", strconv.Itoa(int(id)))
	}
}

// convertDevice drops what a device cannot have. Interfaces have given their options to
// the device before.
func (c *converter) convertDevice(s *section) {
	if s.leftOut {
		return
	}
	c.filter(s, s.value("type"))
	for i := range s.Options {
		o := &s.Options[i]
		switch o.Name {
		case "ifname", "parent", "ports", "slaves", "tunlink", "link":
			c.resolveAll(s, o)
		case "table":
			c.resolveTable(o)
		}
	}
}

// resolveAll puts the names of devices where aliases are.
func (c *converter) resolveAll(s *section, o *network.Option) {
	if !strings.Contains(strings.Join(o.Values, ""), "@") {
		return
	}
	values := o.Values
	if !o.List {
		values = strings.Fields(strings.Join(values, " "))
	}
	for i, name := range values {
		if !isAlias(name) {
			continue
		}
		device := c.deviceOf(name)
		if device == "" {
			c.leaveOut(s, o.Place, "%s is the alias of no interface with a device", shown.Text(name))
			return
		}
		values[i] = device
		c.warnAlias(o.Place, name, device)
	}
	o.Values = values
	if o.List = o.List || len(values) > 1; len(o.Lines) != len(values) {
		o.Lines = nil
	}
}

// warnAlias says how an alias differs from one of OpenWrt's.
func (c *converter) warnAlias(at network.Place, alias, device string) {
	c.warn(at, "%s is taken as %s, the device of that interface; unlike in OpenWrt, it does not follow whether the interface is up", shown.Text(alias), shown.Text(device))
}

// maxAliases bounds how many aliases stand for each other.
const maxAliases = 8

// deviceOf returns the device that a name such as @lan stands for, or "".
func (c *converter) deviceOf(name string) string {
	for range maxAliases {
		if !isAlias(name) {
			return name
		}
		s := c.named[name[1:]]
		if s == nil || s.Foreign != "" {
			return ""
		}
		if name = s.value("device"); s.value("type") == "bridge" { // makeBridge comes later
			name = bridgeOf(s)
		}
	}
	return ""
}

// deviceFor returns the section of a device that an interface has options for, and makes
// one if the file has none.
func (c *converter) deviceFor(name string, at network.Place) *section {
	if s := c.device[name]; s != nil {
		return s
	}
	s := &section{Section: network.Section{Place: at, Kind: network.KindDevice}}
	s.set(at, "name", name)
	c.checkFiltered(s)
	c.makeVLAN(s)
	c.devices, c.device[name] = append(c.devices, s), s
	return s
}

// give moves an option of an interface to its device, where the device has none of the
// name.
func (c *converter) give(from *section, to *section, name string) {
	o := from.remove(name)
	if o == nil {
		return
	}
	if has := to.option(name); has != nil {
		c.warn(o.Place, "the option is left out: its device has it, too, in line %d", has.Line)
		return
	}
	if to.leftOut {
		c.warn(o.Place, "the option is left out: its device is left out, in line %d", to.Line)
	}
	to.Options = append(to.Options, *o)
}
