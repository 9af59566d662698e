package main

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/state"
)

// mainTable is RT_TABLE_MAIN of linux/rtnetlink.h.
const mainTable = 254

// briefFilter selects what a brief contains. Of the routes, only the main table's
// default routes are needed.
var briefFilter = state.Filter{Parts: state.PartIfaces | state.PartRoutes, Table: mainTable}

// brief is the short form of an interface.
type brief struct {
	Index      int32           `json:"index"`
	Name       string          `json:"name"`
	Flags      []string        `json:"flags"`
	State      string          `json:"state"`
	MTU        uint32          `json:"mtu"`
	Type       state.IfaceType `json:"iface_type"`
	Controller string          `json:"controller,omitempty"`
	MAC        string          `json:"mac,omitempty"`
	IPv4       []string        `json:"ipv4,omitempty"` // "192.0.2.7/24"
	GW4        []string        `json:"gw4,omitempty"`  // the gateways of default routes
	IPv6       []string        `json:"ipv6,omitempty"`
	GW6        []string        `json:"gw6,omitempty"`
}

func newBriefs(p picture) []brief {
	var all []brief
	gateways := gatewaysOf(p.table)
	for _, i := range byIndex(p.State) {
		b := brief{
			Index: i.Index, Name: i.Name, Flags: i.Flags.Names(), State: i.State.String(), MTU: i.MTU, Type: i.Type,
			Controller: i.Controller, MAC: i.MAC.String(),
			GW4: gateways[ifaceFamily{i.Name, state.FamilyIPv4}], GW6: gateways[ifaceFamily{i.Name, state.FamilyIPv6}],
		}
		if i.IPv4 != nil {
			b.IPv4 = prefixes(i.IPv4.Addresses)
		}
		if i.IPv6 != nil {
			b.IPv6 = prefixes(i.IPv6.Addresses)
		}
		all = append(all, b)
	}
	return all
}

func prefixes(addresses []state.Address) []string {
	var texts []string
	for _, a := range addresses {
		texts = append(texts, fmt.Sprintf("%v/%d", a.Address, a.PrefixLength))
	}
	return texts
}

// ifaceFamily is an interface through which default routes lead, for one address family.
type ifaceFamily struct {
	iface  string
	family state.AddressFamily
}

// gatewaysOf returns the gateways of default routes, each once.
func gatewaysOf(routes routeTable) map[ifaceFamily][]string {
	all := map[ifaceFamily][]string{}
	for i := range routes.Len() {
		r := routes.At(i)
		if r.Destination.IsValid() && r.Destination.Bits() > 0 {
			continue
		}
		hops := append(slices.Clone(r.Multipath), state.RouteHop{Iface: r.OutIface, Via: r.Gateway}, state.RouteHop{Iface: r.OutIface, Via: r.Via})
		for _, h := range hops {
			key := ifaceFamily{h.Iface, r.Family}
			if h.Via.IsValid() && !slices.Contains(all[key], h.Via.String()) {
				all[key] = append(all[key], h.Via.String())
			}
		}
	}
	return all
}

func (a *app) showBrief(all []brief) error {
	if a.json {
		return a.print(listOf(all))
	}
	w := bufio.NewWriter(a.out)
	for _, b := range all {
		fmt.Fprintf(w, "%d: %s: <%s> state %s mtu %d %s\n",
			b.Index, printable(b.Name), strings.Join(b.Flags, ","), b.State, b.MTU, printable(string(b.Type)))
		for _, line := range []string{
			pairs("controller", b.Controller), pairs("mac", b.MAC),
			pairs("ipv4", strings.Join(b.IPv4, " "), "gw4", strings.Join(b.GW4, " ")),
			pairs("ipv6", strings.Join(b.IPv6, " "), "gw6", strings.Join(b.GW6, " ")),
		} {
			if line != "" {
				fmt.Fprintf(w, "    %s\n", printable(line))
			}
		}
	}
	return w.Flush()
}

// pairs joins names and values with spaces, and leaves out those without a value.
func pairs(namesAndValues ...string) string {
	var words []string
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		if namesAndValues[i+1] != "" {
			words = append(words, namesAndValues[i], namesAndValues[i+1])
		}
	}
	return strings.Join(words, " ")
}
