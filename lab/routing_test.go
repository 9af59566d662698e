//go:build lab

package lab

import (
	"fmt"
	"strings"
	"testing"
)

// These tables translate names of iproute2 into our words.
var (
	scopes = words("global", "universe", "nowhere", "no_where")
	tables = words("main", "254", "local", "255", "default", "253")
)

// fact is a row for an object that is not a link: ip's key, our key, and how to
// translate ip's value into ours. An entry without the key has the value missing.
type fact struct {
	key, ours string
	as        func(any) any
	missing   any
}

// text renders an entry by its facts, with ip's keys if theirs. Keys that are no fact
// must be in left.
func text(t *testing.T, what string, entry object, facts []fact, theirs bool, left ...string) string {
	t.Helper()
	var all []string
	known := map[string]bool{}
	for _, f := range facts {
		key := f.ours
		if theirs {
			key = f.key
		}
		known[key] = true
		value, ok := entry[key]
		switch {
		case !ok:
			value = f.missing
		case theirs && f.as != nil:
			value = f.as(value)
		}
		all = append(all, fmt.Sprint(f.ours, "=", value))
	}
	for _, key := range left {
		known[key] = true
	}
	for key, value := range entry {
		if theirs && !known[key] {
			t.Errorf("%s: ip shows %s, which is in no row: %v", what, key, value)
		}
	}
	return strings.Join(all, " ")
}

func compareEntries(t *testing.T, what string, facts []fact, theirs, ours []object, left ...string) {
	t.Helper()
	var want, got []string
	for _, entry := range theirs {
		want = append(want, text(t, what, entry, facts, true, left...))
	}
	for _, entry := range ours {
		got = append(got, text(t, what, entry, facts, false))
	}
	compareSets(t, what, want, got)
}

var nexthopFacts = []fact{
	{key: "id", ours: "id"},
	{key: "gateway", ours: "gateway"},
	{key: "dev", ours: "oif"},
	{key: "scope", ours: "scope", as: scopes},
	{key: "protocol", ours: "protocol"},
	{key: "flags", ours: "flags", as: each(words("onlink", "on_link", "linkdown", "link_down"))},
	{key: "blackhole", ours: "blackhole", as: func(any) any { return true }, missing: false},
	{key: "group", ours: "group", as: members},
	{key: "type", ours: "group_type"},
	{key: "resilient_args", ours: "resilient"},
}

// each returns a function that translates every element of a list.
func each(as func(any) any) func(any) any {
	return func(v any) any {
		out := []any{}
		for _, one := range v.([]any) {
			out = append(out, as(one))
		}
		return out
	}
}

// members adds the weight of next hop members, which ip leaves out when it is 1.
func members(v any) any {
	return each(func(one any) any {
		member := one.(object)
		if member["weight"] == nil {
			member["weight"] = 1.0
		}
		return member
	})(v)
}

func (n namespace) compareNexthops(t *testing.T, l *Lab, ours []object) {
	t.Helper()
	for _, hop := range ours {
		if hop["group_type"] == "mpath" {
			delete(hop, "group_type") // ip leaves it out
		}
	}
	compareEntries(t, "next hop", nexthopFacts, n.ask(t, l, "ip", "-d", "-j", "nexthop"), ours)
}

var ruleFacts = []fact{
	{key: "priority", ours: "priority"},
	{key: "src", ours: "src"},
	{key: "dst", ours: "dst"},
	{key: "iif", ours: "iif"},
	{key: "oif", ours: "oif"},
	{key: "fwmark", ours: "fw_mark", as: number},
	{key: "fwmask", ours: "fw_mask", as: number},
	{key: "table", ours: "table", as: func(v any) any { return number(tables(v)) }},
	{key: "l3mdev", ours: "l3mdev", as: func(any) any { return true }},
	{key: "action", ours: "action", missing: "table"},
}

func (n namespace) compareRules(t *testing.T, ours []object) {
	t.Helper()
	for family, option := range map[string]string{"ipv4": "-4", "ipv6": "-6"} {
		theirs := parse[[]object](t, must(t, n, "ip", option, "-j", "rule"))
		for _, rule := range theirs {
			addLength(rule, "src", family)
			addLength(rule, "dst", family)
		}
		var here []object
		for _, rule := range ours {
			if rule["address_family"] == family {
				here = append(here, rule)
			}
		}
		compareEntries(t, "rule of "+family, ruleFacts, theirs, here)
	}
}

// addLength forms a prefix from an address and its length, which ip shows separately,
// or not at all.
func addLength(rule object, key, family string) {
	address, ok := rule[key]
	switch length := rule[key+"len"]; {
	case address == "all":
		delete(rule, key)
	case ok && length != nil:
		rule[key] = fmt.Sprint(address, "/", length)
	case ok:
		rule[key] = host(address.(string))
	}
	delete(rule, key+"len")
}

// host returns the prefix of one address.
func host(address string) string {
	switch {
	case strings.Contains(address, "/"):
		return address
	case strings.Contains(address, ":"):
		return address + "/128"
	}
	return address + "/32"
}

var routeFacts = []fact{
	{key: "type", ours: "route_type"},
	{key: "dst", ours: "dst", as: func(v any) any {
		if v == "default" {
			return nil
		}
		return host(v.(string))
	}},
	{key: "dev", ours: "oif"},
	{key: "gateway", ours: "gateway"},
	{key: "table", ours: "table", as: func(v any) any { return number(tables(v)) }},
	{key: "protocol", ours: "protocol"},
	{key: "scope", ours: "scope", as: scopes},
	{key: "prefsrc", ours: "prefered_src"},
	{key: "metric", ours: "metric"},
	{key: "pref", ours: "preference"},
	{key: "nhid", ours: "nexthop_id"},
	{key: "encap", ours: "encap"},
	{key: "nexthops", ours: "multipath", as: hops},
}

// hops translates next hops. ip's hops have "dev", and no gateway if there is none.
// The realm and the encapsulation of our hops are left out in the scenario.
func hops(v any) any {
	return each(func(one any) any {
		hop := one.(object)
		via := hop["gateway"]
		if via == nil {
			via = ""
		}
		return object{
			"via": via, "iface": hop["dev"], "weight": hop["weight"],
			"flags": each(words("onlink", "on_link", "linkdown", "link_down"))(hop["flags"]),
		}
	})(v)
}

func (n namespace) compareRoutes(t *testing.T, l *Lab, ours []object) {
	t.Helper()
	theirs := n.ask(t, l, "ip", "-d", "-j", "route", "show", "table", "all")
	compareEntries(t, "route", routeFacts, theirs, ours,
		"flags",        // written in ip's words; compared in package state
		"nh_info",      // the next hop object, which is compared separately
		"mode", "segs", // settings of a lightweight tunnel, of which we report the kind
	)
}
