package daemon

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// TestWhatLeadsOut checks that each interface with a default route is an uplink, and
// that the interfaces of containers and tunnels are not.
func TestWhatLeadsOut(t *testing.T) {
	const rawIP = 519 // ARPHRD_RAWIP: a modem
	for _, tt := range []struct {
		name    string
		link    link.Link
		nextHop string // the next hop, "dev" for none; "": there is no default route
		want    *policy.Uplink
	}{
		{"bond", link.Link{Type: unix.ARPHRD_ETHER, Kind: "bond"}, "192.0.2.1", &policy.Uplink{Gateway: netip.MustParseAddr("192.0.2.1")}},
		{"bridge", link.Link{Type: unix.ARPHRD_ETHER, Kind: "bridge"}, "192.0.2.1", &policy.Uplink{Gateway: netip.MustParseAddr("192.0.2.1")}},
		{"VLAN", link.Link{Type: unix.ARPHRD_ETHER, Kind: "vlan", Parent: 2}, "fe80::1", &policy.Uplink{Gateway: netip.MustParseAddr("fe80::1")}},
		{"a container's own end of a veth", link.Link{Type: unix.ARPHRD_ETHER, Kind: "veth"}, "192.0.2.1", &policy.Uplink{Gateway: netip.MustParseAddr("192.0.2.1")}},
		{"modem without a link layer", link.Link{Type: rawIP}, "dev", &policy.Uplink{Direct: true}},
		{"PPP", link.Link{Type: unix.ARPHRD_PPP, Kind: "ppp"}, "dev", &policy.Uplink{Direct: true}},
		{"physical, before it has a route", link.Link{Type: unix.ARPHRD_ETHER}, "", &policy.Uplink{}},
		{"a bridge of containers", link.Link{Type: unix.ARPHRD_ETHER, Kind: "bridge"}, "", nil},
		{"a container's veth", link.Link{Type: unix.ARPHRD_ETHER, Kind: "veth"}, "", nil},
		{"modem that is not connected", link.Link{Type: rawIP}, "", nil},
		{"loopback", link.Link{Type: unix.ARPHRD_LOOPBACK}, "dev", nil},
		{"VPN", link.Link{Type: unix.ARPHRD_NONE, Kind: "wireguard"}, "dev", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.link.Index, tt.link.Name, tt.link.Carrier = 7, "way0", true
			s := &link.Snapshot{Links: []link.Link{tt.link}, Addresses: []link.Address{{Index: 7, Prefix: netip.MustParsePrefix("192.0.2.7/24")}}}
			if tt.nextHop != "" {
				route := link.Route{Index: 7, Destination: netip.MustParsePrefix("0.0.0.0/0"), Type: unix.RTN_UNICAST}
				route.Gateway, _ = netip.ParseAddr(tt.nextHop)
				s.Routes = append(s.Routes, route)
			}
			want := policy.LinksChanged{}
			if tt.want != nil {
				tt.want.Name, tt.want.Carrier, tt.want.Addressed = "way0", true, true
				want.Uplinks = []policy.Uplink{*tt.want}
			}
			if diff := cmp.Diff(want, uplinks(s, "wlan0", ""), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestUplinks(t *testing.T) {
	snapshot := &link.Snapshot{
		Links: []link.Link{
			{Index: 1, Name: "lo", Type: unix.ARPHRD_LOOPBACK, Carrier: true},
			{Index: 2, Name: "eth0", Type: unix.ARPHRD_ETHER, Carrier: true},
			{Index: 3, Name: "wlan0", Type: unix.ARPHRD_ETHER, Wireless: true},
			{Index: 4, Name: "docker0", Type: unix.ARPHRD_ETHER, Kind: "bridge", Carrier: true},
			{Index: 5, Name: "veth1", Type: unix.ARPHRD_ETHER, Kind: "veth", Carrier: true},
			{Index: 6, Name: "veth2", Type: unix.ARPHRD_ETHER, Kind: "veth", Carrier: true, Master: 4},
			{Index: 7, Name: "hwsim0", Type: 801, Wireless: true, Carrier: true},
			{Index: 8, Name: "wlan1", Type: unix.ARPHRD_ETHER, Wireless: true, Carrier: true},
			{Index: 9, Name: "br0", Type: unix.ARPHRD_ETHER, Kind: "bridge", Carrier: true},
			{Index: 10, Name: "eth2", Type: unix.ARPHRD_ETHER, Master: 9},
			{Index: 11, Name: "br1", Type: unix.ARPHRD_ETHER, Kind: "bridge", Carrier: true},
			{Index: 12, Name: "wlan2", Type: unix.ARPHRD_ETHER, Wireless: true, Master: 11},
		},
		Addresses: []link.Address{
			{Index: 2, Prefix: netip.MustParsePrefix("fe80::2/64"), Scope: unix.RT_SCOPE_LINK},
			{Index: 2, Prefix: netip.MustParsePrefix("192.0.2.7/24")},
			{Index: 3, Prefix: netip.MustParsePrefix("169.254.3.4/16")},
			{Index: 5, Prefix: netip.MustParsePrefix("2001:db8::5/64"), Flags: unix.IFA_F_TENTATIVE},
		},
		Routes: []link.Route{{Index: 2, Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.0.2.1"), Type: unix.RTN_UNICAST}},
	}
	gateway := netip.MustParseAddr("192.0.2.1")
	radio := policy.Uplink{Name: "wlan0", Wifi: true}
	for _, tt := range []struct {
		name, radio, wired string
		want               policy.LinksChanged
	}{
		{"every physical wired interface, and the bridge of one", "wlan0", "", policy.LinksChanged{Radio: true, Uplinks: []policy.Uplink{
			{Name: "eth0", Carrier: true, Addressed: true, Gateway: gateway}, radio, {Name: "br0", Carrier: true},
		}}},
		{"the named one only, whatever its kind", "wlan0", "veth1", policy.LinksChanged{Radio: true, Uplinks: []policy.Uplink{
			radio, {Name: "veth1", Carrier: true},
		}}},
		{"no radio", "wlan9", "eth2", policy.LinksChanged{Uplinks: []policy.Uplink{{Name: "eth2"}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := uplinks(snapshot, tt.radio, tt.wired)
			if diff := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestNoGateway checks that an uplink that needs no gateway passes the probe of the
// gateway, and that a network without a gateway is reported with the remedy.
func TestNoGateway(t *testing.T) {
	d := idle(t)
	for _, tt := range []struct {
		uplink policy.Uplink
		passes bool
	}{
		{policy.Uplink{Name: "ppp0", Direct: true}, true},
		{policy.Uplink{Name: "eth0"}, false},
	} {
		if _, err := d.Probe(t.Context(), tt.uplink); (err == nil) != tt.passes {
			t.Errorf("%+v: %v", tt.uplink, err)
		}
	}
}
