package openwrt

import (
	"strconv"

	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/shown"
)

// convertOther converts a route, a rule or a neighbour.
func (c *converter) convertOther(s *section) {
	switch s.Kind {
	case network.KindRoute:
		c.convertRoute(s)
	case network.KindRule:
		c.convertRule(s)
	case network.KindNeighbour:
		if c.requires(s, "interface") && c.requires(s, "ipaddr") && c.onInterface(s, "interface") && s.value("proxy") == "" {
			c.requires(s, "mac")
		}
	}
	if !s.leftOut {
		c.filter(s, "")
	}
}

func (c *converter) convertRoute(s *section) {
	if !c.requires(s, "interface") || !c.requires(s, "target") || !c.onInterface(s, "interface") || !c.knowsTable(s, "table") {
		return
	}
	if source := s.option("source"); source != nil && s.source.Type == "route6" {
		c.leaveOut(s, source.Place, "netconnectd has no IPv6 routes that are for one source only")
	}
}

func (c *converter) convertRule(s *section) {
	for _, name := range []string{"in", "out"} {
		if s.option(name) != nil && !c.onInterface(s, name) {
			return
		}
	}
	if s.option("lookup") == nil && s.option("goto") == nil && s.option("action") == nil {
		c.leaveOut(s, s.Place, "it has no lookup, goto or action")
		return
	}
	if !c.knowsTable(s, "lookup") {
		return
	}
	if s.source.Type == "rule6" && s.option("src") == nil && s.option("dest") == nil {
		s.set(s.Place, "family", "ipv6")
	}
}

// requires leaves out a section without an option. It reports whether the section stays.
func (c *converter) requires(s *section, name string) bool {
	if s.option(name) == nil {
		c.leaveOut(s, s.Place, "it has no %s; add the option %s", name, name)
	}
	return !s.leftOut
}

// onInterface leaves out a section that names an interface which is not declared. It
// reports whether the section stays.
func (c *converter) onInterface(s *section, option string) bool {
	if i := c.named[s.value(option)]; i == nil || i.leftOut {
		c.leaveOut(s, s.place(option), "there is no interface %s, or the interface is left out, too", shown.Text(s.value(option)))
	}
	return !s.leftOut
}

// knowsTable leaves out a section that names a routing table whose number is not known. It
// reports whether the section stays.
func (c *converter) knowsTable(s *section, option string) bool {
	o := s.option(option)
	c.resolveTable(o)
	if o == nil || len(o.Values) != 1 || network.IsTable(o.Values[0]) {
		return true
	}
	if _, err := strconv.ParseUint(o.Values[0], 10, 64); err != nil {
		c.leaveOut(s, o.Place, "%s is the name of no routing table; give its number, or name it in %s", shown.Text(o.Values[0]), tablesFile)
	}
	return !s.leftOut
}

// resolveTable puts the number of a routing table where its name is.
func (c *converter) resolveTable(o *network.Option) {
	if o == nil || len(o.Values) != 1 || network.IsTable(o.Values[0]) {
		return
	}
	if n, known := c.Tables[o.Values[0]]; known {
		o.Values = []string{strconv.FormatUint(uint64(n), 10)}
	}
}
