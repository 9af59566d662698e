package kernel

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

const routeSetup = `
	ip route add 10.1.0.0/16 nexthop via 192.0.2.2 dev v0 weight 1 onlink nexthop via 198.51.100.2 dev v1 weight 256
	ip route add 10.2.0.0/16 via 192.0.2.2 table 1000 proto 186 realm 3/4
	ip route add 10.2.1.0/24 via 203.0.113.1 dev v0 onlink proto 78 metric 600
	ip route append 10.2.1.0/24 via 203.0.113.2 dev v0 onlink proto dhcp metric 600
	ip route add default via 192.0.2.2 proto static
	ip route add blackhole 10.3.0.0/16
	ip route add unreachable 10.4.0.0/16
	ip route add prohibit 10.5.0.0/16 table 1000
	ip route add throw 10.6.0.0/16 proto ra
	ip nexthop add id 7 via 192.0.2.7 dev v0 proto bgp
	ip nexthop add id 8 via 192.0.2.8 dev v0 onlink
	ip nexthop add id 9 group 7,3/8,256
	ip nexthop add id 10 blackhole
	ip nexthop add id 11 via fe80::7 dev v0
	ip nexthop add id 12 via 192.0.2.12 fdb
	ip nexthop add id 13 group 7/8 type resilient buckets 16 idle_timer 60 unbalanced_timer 300
	ip nexthop add id 14 dev v1
	ip nexthop add id 15 group 12 fdb
	ip route add 10.7.0.0/16 nhid 7
	ip route add 10.8.0.0/16 nhid 9
	ip route add 10.9.0.0/16 nhid 10
	ip route add 2001:db8:7::/48 nhid 11
	ip route add 2001:db8:8::/48 via fe80::1 dev v0 expires 600 pref high
	ip route add 2001:db8:9::/48 from 2001:db8:a::/64 via fe80::1 dev v0 pref low src 2001:db8::1
	ip route add 2001:db8:b::/48 nexthop via fe80::1 dev v0 nexthop via fe80::2 dev v1 weight 4
	ip route add blackhole 2001:db8:c::/48 metric 5
	ip route add default via fe80::1 dev v0 table 2000 proto zebra
	ip route add 10.10.0.0/16 via 192.0.2.2 mtu lock 1400 window 10000 rtt 100ms rttvar 50ms ssthresh 5 cwnd lock 9 advmss 1300 reordering 4 hoplimit 30 initcwnd 10 rto_min 300ms initrwnd 11 quickack 1 congctl cubic features ecn fastopen_no_cookie 1 src 192.0.2.1 metric 77
	ip route add 10.11.0.0/16 via inet6 fe80::5 dev v0 tos 0x10
	ip route add 10.12.0.0/16 encap ip id 5 dst 10.0.0.9 dev v0
	ip route add 10.14.0.0/16 nexthop via 192.0.2.2 dev v0 realm 5 nexthop via inet6 fe80::5 dev v1 realms 6/7 weight 3
	ip route add multicast 224.0.0.0/8 dev v0
	ip route add broadcast 10.15.255.255/32 dev v1 scope link
	ip route add local 10.17.0.0/16 dev v0 scope host`

// TestRoutes compares every field with ip(8)'s output for the same routes.
func TestRoutes(t *testing.T) {
	cable(t)
	netnstest.Lines(t, routeSetup)
	waitUsable(t)
	for _, family := range []state.AddressFamily{state.FamilyIPv4, state.FamilyIPv6} {
		t.Run(string(family), func(t *testing.T) {
			want := witness(t, "ip", "-j", "-d", "-"+strings.TrimPrefix(string(family), "ipv"), "route", "show", "table", "all")
			for _, r := range want {
				delete(r, "nh_info") // belongs to the nexthop object
				delete(r, "expires") // checked by TestRouteExpires
				// ip(8) adds the encapsulation's settings, and its address in place
				// of the route's.
				if r["encap"] != nil {
					r["dst"] = "10.12.0.0/16"
					for _, key := range []string{"id", "src", "ttl", "tos"} {
						delete(r, key)
					}
				}
			}
			var got []shape
			for _, r := range observe(t, state.PartRoutes, func(s *state.State) []state.Route { return s.Routes }) {
				if r.Family == family {
					got = append(got, ipRoute(r))
				}
			}
			sameSet(t, want, got)
		})
	}
}

// TestRouteKeys checks that no two of the kernel's routes have the same key.
func TestRouteKeys(t *testing.T) {
	cable(t)
	netnstest.Lines(t, routeSetup)
	netnstest.Lines(t, `
		ip route append 10.2.1.0/24 via 203.0.113.1 dev v0 onlink proto 78 metric 600 src 192.0.2.1
		ip route append 10.2.1.0/24 via 203.0.113.1 dev v0 onlink proto 78 metric 600 mtu 1400
		ip route add unreachable 10.3.0.0/16 metric 5
		ip route add 10.3.0.0/16 dev v1 tos 4
		ip route add 2001:db8:b::/48 dev v1 metric 1`)
	tables, err := link.Read(t.Context(), link.Routes, link.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[rtnl.RouteKey]rtnl.Route{}
	for _, r := range tables.Routes {
		if other, ok := seen[r.Key()]; ok {
			t.Errorf("two of one key:\n%+v\n%+v", other, r)
		}
		seen[r.Key()] = r
	}
	if len(seen) < 40 {
		t.Errorf("only %d routes", len(seen))
	}
}

// waitUsable waits for the routes that the kernel adds for addresses that were just
// added.
func waitUsable(t *testing.T) {
	t.Helper()
	for range 100 {
		if strings.Contains(netnstest.Run(t, "ip", "-6", "route", "show", "table", "local"), "2001:db8:1::1") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the IPv6 address has no route")
}

// ipRoute writes a route as ip(8) does.
func ipRoute(r state.Route) shape {
	s := shape{
		"type": r.Type.String(), "dst": ipDestination(r.Destination), "table": ipTable(r.Table), "protocol": ipWord(r.Protocol.String()),
		"scope": ipWord(r.Scope.String()), "flags": r.Flags.Names(),
	}
	put := func(key string, there bool, value any) {
		if there {
			s[key] = value
		}
	}
	put("tos", r.TOS != 0, fmt.Sprintf("%#x", r.TOS))
	put("dev", r.OutIface != "", r.OutIface)
	put("prefsrc", r.PreferredSource.IsValid(), r.PreferredSource)
	put("from", r.Source.IsValid(), ipDestination(r.Source))
	put("gateway", r.Gateway.IsValid(), r.Gateway)
	put("via", r.Via.IsValid(), ipVia(r.Via))
	put("flow", r.Realm != state.Realm{}, ipRealm(r.Realm))
	put("nhid", r.NexthopID != 0, r.NexthopID)
	put("encap", r.Encap != 0, r.Encap)
	put("metric", r.Metric != nil, r.Metric)
	put("pref", r.Preference != nil, r.Preference)
	if r.Metrics != nil {
		s["metrics"] = []shape{ipMetrics(r.Metrics)}
	}
	var hops []shape
	for _, hop := range r.Multipath {
		hops = append(hops, ipHop(hop))
	}
	put("nexthops", hops != nil, hops)
	return s
}

func ipHop(h state.RouteHop) shape {
	s := shape{"dev": h.Iface, "weight": h.Weight, "flags": ipWords(h.Flags.Names())}
	if h.Realm != (state.Realm{}) {
		s["flow"] = ipRealm(h.Realm)
	}
	if h.Via.Is6() && h.Iface == "v1" && h.Weight == 3 { // belongs to the IPv4 route
		s["via"] = ipVia(h.Via)
	} else {
		s["gateway"] = h.Via
	}
	return s
}

func ipMetrics(m *state.Metrics) shape {
	return shape{
		"mtu": m.MTU, "window": m.Window, "rtt": m.RTT / 8, "rttvar": m.RTTVar / 4, "ssthresh": m.SSThresh, "cwnd": m.Cwnd, "advmss": m.AdvMSS,
		"reordering": m.Reordering, "hoplimit": m.HopLimit, "initcwnd": m.InitCwnd, "ecn": nil, "rto_min": m.RTOMin, "initrwnd": m.InitRwnd,
		"quickack": m.QuickAck, "congestion": m.CCAlgo, "fastopen_no_cookie": m.FastOpenNoCookie,
	}
}

func ipDestination(p netip.Prefix) string {
	switch {
	case !p.IsValid():
		return "default"
	case p.IsSingleIP():
		return p.Addr().String()
	}
	return p.String()
}

func ipVia(a netip.Addr) shape {
	family := "inet6"
	if a.Is4() {
		family = "inet"
	}
	return shape{"family": family, "host": a}
}

func ipRealm(r state.Realm) shape {
	s := shape{"to": strconv.Itoa(int(r.Destination))}
	if r.Source != 0 {
		s["from"] = strconv.Itoa(int(r.Source))
	}
	return s
}

func ipTable(n uint32) string {
	if name, ok := map[uint32]string{253: "default", 254: "main", 255: "local"}[n]; ok {
		return name
	}
	return strconv.Itoa(int(n))
}

// ipWord returns ip(8)'s word for nispor's.
func ipWord(word string) string {
	if other, ok := map[string]string{"universe": "global", "on_link": "onlink", "link_down": "linkdown"}[word]; ok {
		return other
	}
	return word
}

func ipWords(words []string) []string {
	out := make([]string, 0, len(words))
	for _, word := range words {
		out = append(out, ipWord(word))
	}
	return out
}

func routeTo(t *testing.T, destination string) state.Route {
	t.Helper()
	for _, r := range observe(t, state.PartRoutes, func(s *state.State) []state.Route { return s.Routes }) {
		if r.Destination == netip.MustParsePrefix(destination) {
			return r
		}
	}
	t.Fatalf("no route to %s", destination)
	return state.Route{}
}

func TestRouteExpires(t *testing.T) {
	cable(t)
	netnstest.Run(t, "ip", "route", "add", "2001:db8:8::/48", "dev", "v0", "expires", "600")
	if r := routeTo(t, "2001:db8:8::/48"); r.RouteCache == nil || r.Expires < 597 || r.Expires > 600 {
		t.Errorf("got %+v", r.RouteCache)
	}
	if r := routeTo(t, "2001:db8::/64"); r.RouteCache == nil || r.Expires != 0 {
		t.Errorf("a route for ever: %+v", r.RouteCache)
	}
	if r := routeTo(t, "192.0.2.0/24"); r.RouteCache != nil || r.Metric != nil || r.Preference != nil || r.Metrics != nil {
		t.Errorf("an IPv4 route: %+v", r)
	}
}

// TestRouteLock checks the lock separately, because ip(8) leaves it out of its JSON.
func TestRouteLock(t *testing.T) {
	cable(t)
	netnstest.Run(t, "ip", "route", "add", "10.0.0.0/8", "dev", "v0", "mtu", "lock", "1400", "cwnd", "lock", "9", "hoplimit", "3")
	text := netnstest.Run(t, "ip", "route", "show", "10.0.0.0/8")
	if !strings.Contains(text, "mtu lock 1400 cwnd lock 9 hoplimit 3") {
		t.Fatalf("ip says %s", text)
	}
	const mtu, cwnd = 1 << 2, 1 << 7 // RTAX_MTU, RTAX_CWND
	if r := routeTo(t, "10.0.0.0/8"); r.Metrics == nil || *r.Metrics != (state.Metrics{Lock: mtu | cwnd, MTU: 1400, Cwnd: 9, HopLimit: 3}) {
		t.Errorf("got %+v", r.Metrics)
	}
}

// TestNexthops compares every field with ip(8)'s output for the same objects.
func TestNexthops(t *testing.T) {
	cable(t)
	for line := range strings.Lines(routeSetup) {
		if strings.Contains(line, "ip nexthop") {
			netnstest.Lines(t, line)
		}
	}
	var got []shape
	for _, n := range observe(t, state.PartNexthops, func(s *state.State) []state.Nexthop { return s.Nexthops }) {
		got = append(got, ipNexthop(n))
	}
	want := witness(t, "ip", "-j", "-d", "nexthop")
	for _, n := range want {
		if r, ok := n["resilient_args"].(shape); ok {
			delete(r, "unbalanced_time") // this time keeps running
		}
	}
	sameSet(t, want, got)
}

func ipNexthop(n state.Nexthop) shape {
	s := shape{"id": n.ID, "scope": ipWord(n.Scope.String()), "protocol": n.Protocol, "flags": ipWords(n.Flags.Names())}
	put := func(key string, there bool, value any) {
		if there {
			s[key] = value
		}
	}
	put("gateway", n.Gateway.IsValid(), n.Gateway)
	put("dev", n.OutIface != "", n.OutIface)
	put("blackhole", n.Blackhole, nil)
	put("fdb", n.FDB, nil)
	var group []shape
	for _, member := range n.Group {
		m := shape{"id": member.ID}
		if member.Weight != 1 {
			m["weight"] = member.Weight
		}
		group = append(group, m)
	}
	put("group", group != nil, group)
	if n.GroupType != nil && n.GroupType.String() != "mpath" {
		s["type"] = n.GroupType
	}
	if r := n.Resilient; r != nil {
		s["resilient_args"] = shape{"buckets": r.Buckets, "idle_timer": r.IdleTimer, "unbalanced_timer": r.UnbalancedTimer}
	}
	return s
}
