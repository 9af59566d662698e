package state

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
)

// fullRoute has a value in every field.
func fullRoute() Route {
	return Route{
		Family: FamilyIPv6, TOS: 16, Table: 1000, Protocol: 78, Scope: 255, Type: unix.RTN_UNICAST, Flags: unix.RTNH_F_ONLINK | unix.RTM_F_CLONED | 1<<31,
		Destination: netip.MustParsePrefix("2001:db8::/32"), OutIface: "eth0", InIface: `a"b<é`, PreferredSource: netip.MustParseAddr("fe80::1%eth0"),
		Source: netip.MustParsePrefix("::ffff:10.0.0.0/104"), Realm: Realm{3, 4}, Gateway: netip.MustParseAddr("::1"), Via: netip.MustParseAddr("10.0.0.1"),
		Mark: new(uint32(0)), UID: new(uint32(1000)), Metrics: &Metrics{MTU: 1400, CCAlgo: "cubic"},
		RouteCache: &RouteCache{References: 1, LastUse: 2, Expires: -3, Error: 4, Used: 5, ID: 6, Timestamp: 7, TSAge: 8},
		Metric:     new(uint32(1<<32 - 1)), Preference: new(RoutePreference(0)),
		Multipath: []RouteHop{{}, {Via: netip.MustParseAddr("fe80::1"), Iface: "eth1", Weight: 256, Flags: unix.RTNH_F_ONLINK, Realm: Realm{Destination: 5}, Encap: 1}},
		NexthopID: 7, Encap: 99,
	}
}

// TestRouteJSON holds the two ways to write a route equal to each other and to
// the text, which is nispor's.
func TestRouteJSON(t *testing.T) {
	full := fullRoute()
	for i, v := 0, reflect.ValueOf(full); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("the full route has no %s", v.Type().Field(i).Name)
		}
	}
	tests := []struct {
		name  string
		route Route
		text  string
	}{
		{"full", full, `{"address_family":"ipv6","tos":16,"table":1000,"protocol":"78","scope":"no_where","route_type":"unicast",` +
			`"flags":["onlink","cloned","2147483648"],"dst":"2001:db8::/32","oif":"eth0","iif":"a\"b\u003cé","prefered_src":"fe80::1%eth0","src":"::ffff:10.0.0.0/104",` +
			`"realm":{"source":3,"destination":4},"gateway":"::1","via":"10.0.0.1","mark":0,"uid":1000,"mtu":1400,"cc_algo":"cubic",` +
			`"cache_clntref":1,"cache_last_use":2,"cache_expires":-3,"cache_error":4,"cache_used":5,"cache_id":6,"cache_ts":7,"cache_ts_age":8,` +
			`"metric":4294967295,"preference":"medium","multipath":[{"via":"","iface":"","weight":0,"flags":[]},` +
			`{"via":"fe80::1","iface":"eth1","weight":256,"flags":["on_link"],"realm":{"source":0,"destination":5},"encap":"mpls"}],"nexthop_id":7,"encap":"99"}`},
		{"empty", Route{}, `{"address_family":"","tos":0,"table":0,"protocol":"unspec","scope":"universe","route_type":"unspec","flags":[]}`},
		{"metrics of which none is there", Route{Metrics: &Metrics{}},
			`{"address_family":"","tos":0,"table":0,"protocol":"unspec","scope":"universe","route_type":"unspec","flags":[]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want, err := json.Marshal(test.route)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.text, string(want)); diff != "" {
				t.Errorf("json.Marshal (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.text, string(test.route.AppendJSON(nil))); diff != "" {
				t.Errorf("AppendJSON (-want +got):\n%s", diff)
			}
		})
	}
	var again Route
	if err := json.Unmarshal(full.AppendJSON(nil), &again); err != nil || !reflect.DeepEqual(full, again) {
		t.Errorf("read back: %+v, %v", again, err)
	}
}

// FuzzRouteJSON: whatever the kernel and the names of interfaces are, both
// ways write the same, and reading it gives the route again.
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
		InIndex: new(uint32(2)), UID: new(uint32(0)), EncapType: new(uint16(2)), Metrics: &rtnl.Metrics{MTU: 9, CCAlgo: "<"}}})
	f.Fuzz(func(t *testing.T, name string, message []byte) {
		var from rtnl.Route
		if from.UnmarshalBinary(message) != nil {
			return
		}
		r := newRoute(&from, named(name))
		want, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.AppendJSON(nil); string(got) != string(want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
		var again Route
		err = json.Unmarshal(want, &again)
		if writable(r) && (err != nil || !reflect.DeepEqual(r, again)) {
			t.Errorf("wrote %+v\nread  %+v, %v", r, again, err)
		}
	})
}

// writable reports whether JSON can say it: all text is UTF-8, no prefix is
// longer than its address.
func writable(r Route) bool {
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

// named gives all interfaces the same name.
func named(name string) func(uint32) string { return func(uint32) string { return name } }

// manyRoutes is a table as a router has it.
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

func convertedRoutes(n int) []Route {
	from := manyRoutes(n)
	out := make([]Route, n)
	for i := range from {
		out[i] = newRoute(&from[i], named("eth0"))
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
		out := make([]Route, len(from))
		for i := range from {
			out[i] = newRoute(&from[i], named("eth0"))
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

// BenchmarkRouteMarshal is what BenchmarkRouteAppendJSON is measured by.
func BenchmarkRouteMarshal(b *testing.B) {
	routes := convertedRoutes(benchRoutes)
	for b.Loop() {
		if _, err := json.Marshal(routes); err != nil {
			b.Fatal(err)
		}
	}
	perRoute(b)
}
