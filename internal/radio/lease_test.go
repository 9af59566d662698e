package radio

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/supervisor"
)

// TestLeaseRoutes checks that the kernel accepts every kind of route that a lease may
// name, and that a lease without them removes them.
func TestLeaseRoutes(t *testing.T) {
	r := wired(t, "routed0")
	r.Metric = 600
	ip(t, "link add routed0 type veth peer name router0", "link set router0 up")
	s := newSession(r, nil)
	lease := dhcp.Lease{
		Address: netip.MustParsePrefix("192.0.2.7/24"), Router: netip.MustParseAddr("192.0.2.1"),
		Acquired: time.Now(), Expire: 136 * 365 * 24 * time.Hour,
		Routes: []dhcp.Route{
			{Destination: netip.MustParsePrefix("10.0.0.0/8"), Gateway: netip.MustParseAddr("192.0.2.2")},
			{Destination: netip.MustParsePrefix("172.16.0.0/12")},
			{Destination: netip.MustParsePrefix("203.0.113.9/32"), Gateway: netip.MustParseAddr("198.51.100.1")},
		},
	}
	for _, tt := range []struct {
		name, want string
		change     func()
	}{
		{"with routes", `default via 192.0.2.1
			10.0.0.0/8 via 192.0.2.2
			172.16.0.0/12 scope link
			203.0.113.9 via 198.51.100.1`, func() {}},
		{"renewed without", "default via 192.0.2.1", func() { lease.Routes = nil }},
		{"without a router", "", func() { lease.Router = netip.Addr{} }},
	} {
		tt.change()
		if err := s.configure(t.Context(), lease); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		var got []string
		for line := range strings.Lines(netnstest.Run(t, "ip", "-4", "route", "show", "dev", "routed0")) {
			if strings.Contains(line, "proto kernel") {
				continue
			}
			way, _, _ := strings.Cut(line, " proto")
			if strings.Contains(line, "scope link") {
				way += " scope link"
			}
			if !strings.Contains(line, "metric 600") {
				t.Errorf("%s: %s", tt.name, line)
			}
			got = append(got, way)
		}
		if want := strings.ReplaceAll(tt.want, "\t", ""); strings.Join(got, "\n") != want {
			t.Errorf("%s: routes %q, want %q", tt.name, got, want)
		}
	}
}

// The part that passes on name servers must learn of a lease: the radio may already
// have been the uplink by IPv6.
func TestNameServersComeWithTheLease(t *testing.T) {
	r := wired(t, "lease0")
	told := 0
	r.events.Lease = func() {
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

// A dropped lease must be gone for every reader, because the next network may have no
// name servers.
func TestDroppedLeaseIsGone(t *testing.T) {
	s := idleSlot(t)
	s.leased.Store(&dhcp.Lease{DNS: []netip.Addr{netip.MustParseAddr("192.0.2.1")}})
	if err := s.current.Load().dropLease(); err != nil || s.Lease() != nil {
		t.Errorf("%+v, %v", s.Lease(), err)
	}
}

// TestNoGateway checks that joining a network without a router fails with the remedy.
func TestNoGateway(t *testing.T) {
	err := idleSlot(t).current.Load().askGateway(t.Context(), netip.Addr{})
	var failed *supervisor.Failed
	if !errors.As(err, &failed) || failed.Code != "no_gateway" || !strings.Contains(failed.Reason, "probe.kind: none") {
		t.Errorf("a network without a router: %v", err)
	}
}
