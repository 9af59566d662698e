package openwrt

import (
	"fmt"
	"strings"

	"github.com/netconnectd/netconnectd/internal/nearest"
	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/shown"
	"github.com/netconnectd/netconnectd/internal/uci"
)

// converter makes Sections of package network of those of a file.
type converter struct {
	Options
	problems []network.Problem
	count    map[string]int // of the sections, by type
	hints    int            // that were looked for

	devices    []*section
	interfaces []*section
	others     []*section          // routes, rules and neighbours
	device     map[string]*section // by name
	named      map[string]*section // interfaces, by name
	filtered   map[string]bool     // bridges that have VLANs of their own
}

// section is a Section while it is converted.
type section struct {
	network.Section
	source  *uci.Section
	leftOut bool
}

func newConverter(options Options) *converter {
	return &converter{Options: options, count: map[string]int{}, device: map[string]*section{}, named: map[string]*section{}, filtered: map[string]bool{}}
}

// all returns the Sections that are left.
func (c *converter) all() []network.Section {
	var all []network.Section
	for _, list := range [][]*section{c.devices, c.interfaces, c.others} {
		for _, s := range list {
			if !s.leftOut {
				all = append(all, s.Section)
			}
		}
	}
	return all
}

func (c *converter) warn(at network.Place, format string, args ...any) {
	c.problems = append(c.problems, network.Problem{Place: at, Text: fmt.Sprintf(format, args...), Warning: true})
}

// leaveOut leaves a section out, with the reason.
func (c *converter) leaveOut(s *section, at network.Place, format string, args ...any) {
	s.leftOut = true
	c.warn(at, "the %s is left out: %s", s.Kind, fmt.Sprintf(format, args...))
}

// convert goes through the sections of a file. Devices come before interfaces, whose
// options may belong to them, and interfaces before what names an interface.
func (c *converter) convert(sections []uci.Section) {
	for i := range sections {
		c.section(&sections[i])
	}
	for _, s := range c.interfaces {
		c.prepareInterface(s)
	}
	for _, s := range c.devices {
		c.prepareDevice(s)
	}
	for _, s := range c.interfaces {
		c.convertInterface(s)
	}
	for _, s := range c.devices {
		c.convertDevice(s)
	}
	for _, s := range c.others {
		c.convertOther(s)
	}
}

// section takes a section of the file into one of the lists, or leaves it out.
func (c *converter) section(s *uci.Section) {
	at := network.Place{Path: fmt.Sprintf("network.@%s[%d]", shown.Text(s.Type), c.count[s.Type]), Line: s.Line}
	c.count[s.Type]++
	if s.Name != "" {
		at.Path = "network." + shortened(s.Name)
	}
	switch s.Type {
	case "interface":
		c.interfaces = append(c.interfaces, translate(s, at, network.KindInterface))
	case "device":
		c.devices = append(c.devices, translate(s, at, network.KindDevice))
	case "route", "route6":
		c.others = append(c.others, translate(s, at, network.KindRoute))
	case "rule", "rule6":
		c.others = append(c.others, translate(s, at, network.KindRule))
	case "neighbor", "neighbor6":
		c.others = append(c.others, translate(s, at, network.KindNeighbour))
	case "globals":
		for _, o := range translate(s, at, "globals").Options {
			c.dropOption("globals", &o)
		}
	case "bridge-vlan":
		for _, o := range s.Options {
			if o.Name == "device" {
				c.filtered[o.Values[0].Text] = true
			}
		}
		c.warn(at, "the section is left out: %s", noBridgeVLANs)
	default:
		c.warn(at, "the section is left out: %s", reasonOfType(s.Type))
	}
}

// translate returns a section of the file in the terms of package network. A list of one
// value is also a single value to netifd.
func translate(s *uci.Section, at network.Place, kind string) *section {
	out := &section{Section: network.Section{Place: at, Kind: kind, Name: s.Name}, source: s}
	for _, o := range s.Options {
		to := network.Option{Place: network.Place{Path: at.Path + "." + shortened(o.Name), Line: o.Line}, Name: o.Name, List: o.List && len(o.Values) > 1}
		for _, v := range o.Values {
			to.Values, to.Lines = append(to.Values, v.Text), append(to.Lines, v.Line)
		}
		out.Options = append(out.Options, to)
	}
	return out
}

// maxName is longer than the names of all options.
const maxName = 40

func shortened(name string) string {
	if len(name) > maxName {
		return name[:maxName] + "…"
	}
	return name
}

// option returns an option of the section, or nil.
func (s *section) option(name string) *network.Option {
	for i := range s.Options {
		if s.Options[i].Name == name {
			return &s.Options[i]
		}
	}
	return nil
}

// value returns the only value of an option, or "".
func (s *section) value(name string) string {
	if o := s.option(name); o != nil && len(o.Values) == 1 {
		return o.Values[0]
	}
	return ""
}

// place returns the place of an option, or that of the section.
func (s *section) place(name string) network.Place {
	if o := s.option(name); o != nil {
		return o.Place
	}
	return s.Place
}

// remove takes an option away and returns it, or nil.
func (s *section) remove(name string) *network.Option {
	for i := range s.Options {
		if o := s.Options[i]; o.Name == name {
			s.Options = append(s.Options[:i:i], s.Options[i+1:]...)
			return &o
		}
	}
	return nil
}

// set replaces an option of the section by the same option in the form of package network.
func (s *section) set(at network.Place, name string, values ...string) {
	s.remove(name)
	s.Options = append(s.Options, network.Option{Place: at, Name: name, Values: values, List: len(values) != 1})
}

// filter drops the options of a section that have no effect, with a warning for each.
func (c *converter) filter(s *section, of string) {
	var kept []network.Option
	for i := range s.Options {
		o := &s.Options[i]
		switch known, fits := network.Has(s.Kind, o.Name, of); {
		case fits:
			kept = append(kept, *o)
		case s.Foreign != "" && reasonOf(s.Kind, o.Name) == "":
			// Whatever it is, it belongs to the protocol, which is reported.
		case known:
			c.warn(o.Place, "the option is left out: it is not for %s", variant(s.Kind, of))
		default:
			c.dropOption(s.Kind, o)
		}
	}
	s.Options = kept
}

// variant describes a section whose type or protocol is of.
func variant(kind, of string) string {
	switch {
	case kind == network.KindInterface:
		return "the protocol " + of
	case of == "":
		return "devices without a type"
	}
	return "devices of type " + of
}

// maxHints bounds the search for names that a person may have meant.
const maxHints = 200

// dropOption reports an option that netconnectd does not have.
func (c *converter) dropOption(kind string, o *network.Option) {
	if reason := reasonOf(kind, o.Name); reason != "" {
		c.warn(o.Place, "the option is left out: %s", reason)
		return
	}
	hint := ""
	if c.hints++; c.hints <= maxHints {
		if near := nearest.Of(o.Name, network.Names(kind)); near != "" {
			hint = "; did you mean " + near + "?"
		}
	}
	c.warn(o.Place, "the option is left out: it is not known%s", hint)
}

// isAlias reports whether a name stands for the device of an interface.
func isAlias(name string) bool { return strings.HasPrefix(name, "@") }
