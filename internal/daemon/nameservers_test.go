package daemon

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/resolver"
)

func TestNameServersFollowTheUplink(t *testing.T) {
	server := netip.MustParseAddr("192.0.2.1")
	for _, tt := range []struct {
		name  string
		lease *dhcp.Lease
		way   string
		want  resolver.Config
	}{
		{"no lease", nil, "wlan0", resolver.Config{}},
		{"a wired uplink has its own", &dhcp.Lease{DNS: []netip.Addr{server}}, "eth0", resolver.Config{}},
		{"no uplink works", &dhcp.Lease{DNS: []netip.Addr{server}}, "", resolver.Config{}},
		{"the radio is the way out", &dhcp.Lease{DNS: []netip.Addr{server}, Domain: "lan"}, "wlan0",
			resolver.Config{Interface: "wlan0", Servers: []netip.Addr{server}, Search: []string{"lan"}}},
		{"a search list wins over the domain", &dhcp.Lease{DNS: []netip.Addr{server}, Domain: "lan", Search: []string{"a", "b"}}, "wlan0",
			resolver.Config{Interface: "wlan0", Servers: []netip.Addr{server}, Search: []string{"a", "b"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			place := &slot{}
			place.current.Store(&radio{iface: "wlan0"})
			place.leased.Store(tt.lease)
			n := &nameServers{radio: place, way: func() string { return tt.way }}
			if got := n.want(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
