package daemon

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

func TestUplinks(t *testing.T) {
	snapshot := &link.Snapshot{
		Links: []link.Link{
			{Index: 1, Name: "lo", Type: unix.ARPHRD_LOOPBACK, Carrier: true},
			{Index: 2, Name: "eth0", Type: unix.ARPHRD_ETHER, Carrier: true},
			{Index: 3, Name: "wlan0", Type: unix.ARPHRD_ETHER, Wireless: true},
			{Index: 4, Name: "docker0", Type: unix.ARPHRD_ETHER, Kind: "bridge", Carrier: true},
			{Index: 5, Name: "veth1", Type: unix.ARPHRD_ETHER, Kind: "veth", Carrier: true},
			{Index: 6, Name: "eth1", Type: unix.ARPHRD_ETHER, Carrier: true, Master: 4},
			{Index: 7, Name: "hwsim0", Type: 801, Wireless: true, Carrier: true},
			{Index: 8, Name: "wlan1", Type: unix.ARPHRD_ETHER, Wireless: true, Carrier: true},
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
		{"every physical wired interface", "wlan0", "", policy.LinksChanged{Radio: true, Uplinks: []policy.Uplink{
			{Name: "eth0", Carrier: true, Addressed: true, Gateway: gateway}, radio,
		}}},
		{"the named one only, whatever its kind", "wlan0", "veth1", policy.LinksChanged{Radio: true, Uplinks: []policy.Uplink{
			radio, {Name: "veth1", Carrier: true},
		}}},
		{"no radio", "wlan9", "eth1", policy.LinksChanged{Uplinks: []policy.Uplink{{Name: "eth1", Carrier: true}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := uplinks(snapshot, tt.radio, tt.wired)
			if diff := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
