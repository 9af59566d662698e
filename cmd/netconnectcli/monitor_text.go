package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/netconnectd/netconnectd/state"
)

// changeText describes a change on one line: "NEW route 192.0.2.0/24 dev eth0 …".
func changeText(c state.Change) string {
	switch {
	case c.Op == state.Resync:
		return "RESYNC the kernel dropped messages; what follows makes up for it"
	case c.State != nil:
		return snapshotText(c.State)
	}
	text := strings.ToUpper(string(c.Op)) + " " + objectText(&c.Object)
	if c.Op == state.Changed && c.Old != nil {
		text += ": " + strings.Join(differences(c.Old, &c.Object), ", ")
	}
	return text
}

// snapshotText summarises a State: "12 interfaces, 40 routes".
func snapshotText(s *state.State) string {
	var counts []string
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{len(s.Ifaces), "interface", "interfaces"}, {len(s.Routes), "route", "routes"}, {len(s.Rules), "rule", "rules"},
		{len(s.Neighbours), "neighbour", "neighbours"}, {len(s.FDB), "FDB entry", "FDB entries"},
		{len(s.Nexthops), "nexthop", "nexthops"},
	} {
		switch part.n {
		case 0:
		case 1:
			counts = append(counts, "1 "+part.one)
		default:
			counts = append(counts, strconv.Itoa(part.n)+" "+part.many)
		}
	}
	return orNone(strings.Join(counts, ", "))
}

// objectText returns the kind of an object and what distinguishes it from others, in
// the words of ip(8) and bridge(8).
func objectText(o *state.Object) string {
	switch {
	case o.Iface != nil:
		return ifaceText(o.Iface)
	case o.Address != nil:
		return pairs(
			"address", fmt.Sprintf("%v/%d", o.Address.Address.Address, o.Address.PrefixLength),
			"peer", addr(o.Address.Peer), "dev", o.Address.Iface, "scope", o.Address.Scope.String(),
		)
	case o.Route != nil:
		return routeText(o.Route)
	case o.Rule != nil:
		return ruleText(o.Rule)
	case o.Neighbour != nil:
		n := o.Neighbour
		return pairs("neigh", addr(n.Address), "dev", n.Iface, "lladdr", n.HardwareAddress.String(),
			"state", strings.Join(n.State.Names(), ","))
	case o.FDB != nil:
		e := o.FDB
		return pairs("fdb", e.MAC.String(), "dev", e.Iface, "master", e.Controller, "dst", addr(e.Remote),
			"vlan", optional(e.VLAN), "vni", optional(e.VNI), "state", e.State)
	case o.Nexthop != nil:
		return nexthopText(o.Nexthop)
	}
	return "object of an unknown kind"
}

func ifaceText(i *state.Iface) string {
	return pairs("iface", i.Name, "type", string(i.Type), "state", i.State.String(), "mtu", strconv.Itoa(int(i.MTU)),
		"master", i.Controller, "mac", i.MAC.String())
}

func routeText(r *state.Route) string {
	destination := "default"
	if r.Destination.IsValid() {
		destination = r.Destination.String()
	}
	if kind := r.Type.String(); kind != "unicast" {
		destination = kind + " " + destination
	}
	table := strconv.FormatUint(uint64(r.Table), 10)
	if r.Table == mainTable {
		table = ""
	}
	text := pairs("route", destination, "from", prefix(r.Source), "via", addr(r.Gateway), "via", addr(r.Via), "dev", r.OutIface,
		"table", table, "proto", r.Protocol.String(), "scope", r.Scope.String(), "src", addr(r.PreferredSource),
		"metric", optional(r.Metric), "nhid", unlessZero(r.NexthopID))
	for _, h := range r.Multipath {
		text += " " + pairs("nexthop via", orNone(addr(h.Via)), "dev", h.Iface, "weight", strconv.Itoa(int(h.Weight)))
	}
	return text
}

func ruleText(r *state.Rule) string {
	source := "all"
	if r.Source.IsValid() {
		source = r.Source.String()
	}
	action, target := r.Action.String(), ""
	switch {
	case action == "table":
		action, target = "lookup", strconv.FormatUint(uint64(r.Table), 10)
	case r.Goto != nil:
		target = strconv.FormatUint(uint64(*r.Goto), 10)
	}
	text := pairs("rule", strconv.FormatUint(uint64(r.Priority), 10), string(r.Family)+" from", source, "to", prefix(r.Destination),
		"iif", r.InIface, "oif", r.OutIface, "fwmark", optional(r.Mark), action, target)
	if target == "" {
		text += " " + action
	}
	return text
}

func nexthopText(n *state.Nexthop) string {
	text := pairs("nexthop", strconv.FormatUint(uint64(n.ID), 10), "via", addr(n.Gateway), "dev", n.OutIface)
	var group []string
	for _, member := range n.Group {
		group = append(group, fmt.Sprintf("%d,%d", member.ID, member.Weight))
	}
	if len(group) > 0 {
		text += " group " + strings.Join(group, "/")
	}
	if n.Blackhole {
		text += " blackhole"
	}
	return text
}

func addr(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func prefix(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}
	return p.String()
}

func optional[N uint16 | uint32](n *N) string {
	if n == nil {
		return ""
	}
	return strconv.FormatUint(uint64(*n), 10)
}

func unlessZero(n uint32) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}

// differences returns texts such as "mtu 1500 -> 1400" for each member in which two
// objects' JSON differs. Members of members have a dot: "bridge_port.learning true ->
// false".
func differences(old, now *state.Object) []string {
	var all []string
	before, after := decoded(old), decoded(now)
	for kind := range after { // the kind that both have
		compare(&all, "", before[kind], after[kind])
	}
	return all
}

func decoded(o *state.Object) map[string]any {
	text, err := json.Marshal(o)
	if err != nil {
		return nil // an object of a change can always be encoded
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // a float64 would round numbers
	var members map[string]any
	if decoder.Decode(&members) != nil {
		return nil
	}
	return members
}

func compare(all *[]string, name string, old, now any) {
	before, isObject := old.(map[string]any)
	after, both := now.(map[string]any)
	if !isObject || !both {
		if x, y := valueText(old), valueText(now); x != y {
			*all = append(*all, name+" "+x+" -> "+y)
		}
		return
	}
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		path := key
		if name != "" {
			path = name + "." + key
		}
		compare(all, path, before[key], after[key])
	}
}

// valueText renders a value briefly: words without quotes, lists with commas.
func valueText(value any) string {
	switch value := value.(type) {
	case nil:
		return "none"
	case string:
		return orNone(value)
	case []any:
		var texts []string
		for _, v := range value {
			texts = append(texts, valueText(v))
		}
		return "[" + strings.Join(texts, ",") + "]"
	case map[string]any:
		text, _ := json.Marshal(value) // a value that was decoded from JSON can be encoded
		return string(text)
	}
	return fmt.Sprint(value)
}
