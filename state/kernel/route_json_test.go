package kernel

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// FuzzRouteJSON checks for any route and any names of interfaces that both ways write
// the same text, and that the text is read back as the same route.
func FuzzRouteJSON(f *testing.F) {
	add := func(name string, r rtnl.Route) {
		b, err := r.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(name, b)
	}
	add("eth0", manyRoutes(1)[0])
	add("", rtnl.Route{Family: unix.AF_INET6, OutIndex: 9, Cache: &rtnl.RouteCache{Expires: 100}, Hops: []rtnl.Hop{{Flags: 4, Index: 3}}})
	add("a\"\xff", rtnl.Route{Family: unix.AF_INET, NexthopID: 7, OutIndex: 1, Details: &rtnl.RouteDetails{
		InIndex: new(uint32(2)), UID: new(uint32(0)), EncapType: new(uint16(2)), Metrics: &state.Metrics{MTU: 9, CCAlgo: "<"}}})
	f.Fuzz(func(t *testing.T, name string, message []byte) {
		var from rtnl.Route
		if from.UnmarshalBinary(message) != nil {
			return
		}
		r := newRoute(&from, always(name))
		want, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.AppendJSON(nil); string(got) != string(want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
		var again state.Route
		err = json.Unmarshal(want, &again)
		if writable(r) && (err != nil || !reflect.DeepEqual(r, again)) {
			t.Errorf("wrote %+v\nread  %+v, %v", r, again, err)
		}
	})
}

// writable reports whether JSON can represent the route: all text is UTF-8, and no
// prefix is longer than its address.
func writable(r state.Route) bool {
	text := r.OutIface
	for _, hop := range r.Multipath {
		text += hop.Iface
	}
	if r.Metrics != nil {
		text += r.Metrics.CCAlgo
	}
	return utf8.ValidString(text+r.InIface) && r.Destination.IsValid() == (r.Destination != netip.Prefix{}) &&
		r.Source.IsValid() == (r.Source != netip.Prefix{})
}

// always returns a function that returns the same name for all interfaces.
func always(name string) func(uint32) string { return func(uint32) string { return name } }

// manyRoutes returns a table like that of a router.
func manyRoutes(n int) []rtnl.Route {
	out := make([]rtnl.Route, n)
	for i := range out {
		out[i] = rtnl.Route{
			Family: unix.AF_INET, DestinationLength: 32, Table: 100, Protocol: 186, Type: unix.RTN_UNICAST, OutIndex: 3, Metric: 20,
			Destination: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}),
			Gateway:     netip.AddrFrom4([4]byte{192, 0, 2, 1}),
		}
	}
	return out
}

func convertedRoutes(n int) []state.Route {
	from := manyRoutes(n)
	out := make([]state.Route, n)
	for i := range from {
		out[i] = newRoute(&from[i], always("eth0"))
	}
	return out
}

const benchRoutes = 1000

func perRoute(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRoutes, "ns/route")
}

func BenchmarkRouteConvert(b *testing.B) {
	from := manyRoutes(benchRoutes)
	b.ReportAllocs()
	for b.Loop() {
		out := make([]state.Route, len(from))
		for i := range from {
			out[i] = newRoute(&from[i], always("eth0"))
		}
	}
	perRoute(b)
}

func BenchmarkRouteAppendJSON(b *testing.B) {
	routes := convertedRoutes(benchRoutes)
	var text []byte
	for b.Loop() {
		for i := range routes {
			text = routes[i].AppendJSON(text[:0])
		}
	}
	perRoute(b)
}

// BenchmarkRouteMarshal is the comparison for BenchmarkRouteAppendJSON.
func BenchmarkRouteMarshal(b *testing.B) {
	routes := convertedRoutes(benchRoutes)
	for b.Loop() {
		if _, err := json.Marshal(routes); err != nil {
			b.Fatal(err)
		}
	}
	perRoute(b)
}
