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

// A lease that is dropped takes its name servers along, from the resolver and
// from the probe: the next network may give none.
func TestNameServersGoWithTheLease(t *testing.T) {
	d := idle(t)
	r := d.radio.current.Load()
	n := &nameServers{radio: &d.radio, way: d.radio.iface}
	r.leased.Store(&dhcp.Lease{DNS: []netip.Addr{netip.MustParseAddr("192.0.2.1")}})
	uplink := policy.Uplink{Name: r.iface, Wifi: true}
	if len(n.want().Servers) != 1 || len(d.servers(uplink)) != 1 {
		t.Fatalf("published %v, asked %v", n.want().Servers, d.servers(uplink))
	}
	if err := r.dropLease(); err != nil {
		t.Fatal(err)
	}
	if got := n.want(); !reflect.DeepEqual(got, resolver.Config{}) || d.servers(uplink) != nil {
		t.Errorf("published %+v, asked %v", got, d.servers(uplink))
	}
}

// Whoever hands them over is told of a lease: the radio may have been the way
// out by IPv6 before it.
func TestNameServersComeWithTheLease(t *testing.T) {
	r := wired(t, "lease0")
	told := 0
	r.leaseChanged = func() {
		if r.leased.Load() != nil {
			told++
		}
	}
	ip(t, "link add lease0 type veth")
	lease := dhcp.Lease{Address: netip.MustParsePrefix("192.0.2.7/24"), DNS: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
	if err := newSession(r, nil).configure(t.Context(), lease); err != nil || told != 1 {
		t.Errorf("told %d times, %v", told, err)
	}
}
