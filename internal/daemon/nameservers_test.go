package daemon

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/resolver"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

func TestNameServersFollowTheUplink(t *testing.T) {
	server := netip.MustParseAddr("192.0.2.1")
	for _, tt := range []struct {
		name  string
		lease *dhcp.Lease
		way   string
		want  resolver.Config
	}{
		{"no lease", nil, "absent0", resolver.Config{}},
		{"a wired uplink has its own", &dhcp.Lease{DNS: []netip.Addr{server}}, "eth0", resolver.Config{}},
		{"no uplink works", &dhcp.Lease{DNS: []netip.Addr{server}}, "", resolver.Config{}},
		{"the radio is the way out", &dhcp.Lease{DNS: []netip.Addr{server}, Domain: "lan"}, "absent0",
			resolver.Config{Interface: "absent0", Servers: []netip.Addr{server}, Search: []string{"lan"}}},
		{"a search list wins over the domain", &dhcp.Lease{DNS: []netip.Addr{server}, Domain: "lan", Search: []string{"a", "b"}}, "absent0",
			resolver.Config{Interface: "absent0", Servers: []netip.Addr{server}, Search: []string{"a", "b"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := &nameServers{radio: &standIn{lease: tt.lease}, way: func() string { return tt.way }}
			if got := n.want(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// A lease that is dropped takes its name servers along, from the resolver and
// from the probe: the next network may give none.
func TestNameServersGoWithTheLease(t *testing.T) {
	d, r := idle(t), &standIn{lease: &dhcp.Lease{DNS: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}}
	d.radio = r
	n := &nameServers{radio: r, way: r.Interface}
	uplink := policy.Uplink{Name: r.Interface(), Wifi: true}
	if len(n.want().Servers) != 1 || len(d.servers(uplink)) != 1 {
		t.Fatalf("published %v, asked %v", n.want().Servers, d.servers(uplink))
	}
	r.lease = nil
	if got := n.want(); !reflect.DeepEqual(got, resolver.Config{}) || d.servers(uplink) != nil {
		t.Errorf("published %+v, asked %v", got, d.servers(uplink))
	}
}
