package radio

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/supervisor"
)

// TestTakenAddressIsPutBack checks that an address which another program removes from
// a station is put back with the lifetime that the server granted, and that a program
// which goes on removing it is reported.
func TestTakenAddressIsPutBack(t *testing.T) {
	r := wired(t, "taken0")
	ip(t, "link add taken0 type veth peer name taker0", "link set taker0 up")
	s := newSession(r, nil)
	lease := dhcp.Lease{
		Address: netip.MustParsePrefix("192.0.2.7/24"), Router: netip.MustParseAddr("192.0.2.1"),
		Acquired: time.Now().Add(-time.Minute), Expire: time.Hour,
	}
	if err := s.configure(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.keepAddressed(ctx) }()

	commands := []string{"addr flush dev taken0", "route del default dev taken0"}
	for i := range 2 * putBackLimit {
		hint, stop := r.monitor.Subscribe()
		command := commands[i%len(commands)]
		ip(t, command)
		for !asLeased(t) {
			select {
			case <-hint: // of what is put back, too
			case err := <-ended:
				var failed *supervisor.Failed
				if !errors.As(err, &failed) || failed.Code != "lost" || i < putBackLimit {
					t.Errorf("after %d times it ended with %v", i, err)
				}
				return
			case <-ctx.Done():
				t.Fatalf("%s: it does not come back", command)
			}
		}
		stop()
	}
	t.Errorf("it was put back %d times within a minute", 2*putBackLimit)
}

// asLeased reports whether the kernel has the address, for the 59 minutes that
// are left of the lease, and the route.
func asLeased(t *testing.T) bool {
	t.Helper()
	address := netnstest.Run(t, "ip", "-4", "addr", "show", "dev", "taken0")
	return strings.Contains(address, "192.0.2.7/24") && strings.Contains(address, "valid_lft 35") &&
		strings.Contains(netnstest.Run(t, "ip", "route", "show", "dev", "taken0"), "default via 192.0.2.1")
}
