package state

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// fullRoute returns a route with a value in every field.
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

// TestRouteJSON compares the two ways to write a route with each other and with the
// text, which is nispor's.
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
