package network

import (
	"fmt"
	"slices"
)

// Kinds of a Section.
const (
	KindDevice    = "device"
	KindInterface = "interface"
	KindRoute     = "route"
	KindRule      = "rule"
	KindNeighbour = "neighbour"
)

// Section is a part of a file that declares one thing, in the words of the file. What
// reads a file, in whatever syntax it is, makes Sections of it, and Read alone decides
// what the words mean.
type Section struct {
	Place
	Kind    string // KindDevice and so on
	Name    string // of an interface; Read does not look at the Name of another kind
	Options []Option

	// Foreign is the protocol of an interface if the file may name protocols that
	// netconnectd does not have. The interface stays down then, with InvalidProto, and
	// has no option that is of a protocol.
	Foreign string
}

// Option is a setting of a Section.
type Option struct {
	Place
	Name   string   // e.g. "mtu"; "match.mac" for mac below match
	Values []string // as they were typed
	Lines  []int    // of each of Values; nil: all stand in Place.Line
	List   bool     // the file has a list, not a single value
}

// Problem is something wrong with what is declared.
type Problem struct {
	Place
	Text string // continues "<path>: ", e.g. "40 is not in 68..65535"; never several lines

	// Warning says that the network can be as it is declared, although what stands in
	// the Place is probably not what was meant.
	Warning bool
}

// Where returns the path and the line of a Place, e.g. "network.devices[2] (line 14)".
func (p Place) Where() string {
	if p.Line == 0 {
		return p.Path
	}
	return fmt.Sprintf("%s (line %d)", p.Path, p.Line)
}

// place returns where one of the Values stands.
func (o *Option) place(value int) Place {
	at := o.Place
	if value < len(o.Lines) {
		at.Line = o.Lines[value]
	}
	return at
}

// Claims returns the places in which Sections declare a link of the kernel, or take it as
// the device of an interface or as a port. It finds them also where Read finds problems.
func Claims(sections []Section, link string) []Place {
	var places []Place
	for i := range sections {
		s := &sections[i]
		for j := range s.Options {
			o := &s.Options[j]
			if n := slices.Index(o.Values, link); n >= 0 && s.claims(o.Name) {
				places = append(places, o.place(n))
			}
		}
	}
	return places
}

// claims reports whether an option of the Section names a link that is to be as the
// Section says.
func (s *Section) claims(option string) bool {
	switch option {
	case "name": // of a device that is found by its address, it is no name of the kernel's
		return s.Kind == KindDevice && s.value("match.mac") == ""
	case "peer_name", "ports", "slaves":
		return s.Kind == KindDevice
	case "device":
		return s.Kind == KindInterface
	case "ifname": // below a macvlan it is only used
		return s.Kind == KindInterface || slices.Contains(typesWithPorts, s.value("type"))
	}
	return false
}
