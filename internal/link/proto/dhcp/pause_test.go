package dhcp

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A machine that was not run in time (a stopped process) does what the age of
// its lease demands, not what it missed.
func TestMachineAfterAPause(t *testing.T) {
	lease := Lease{
		Address:  netip.MustParsePrefix("192.168.1.50/24"),
		Acquired: epoch, Renew: 15 * time.Second, Rebind: 26 * time.Second, Expire: 30 * time.Second,
	}
	for _, row := range []struct {
		name string
		age  time.Duration
		want string
	}{
		{"still early", 14 * time.Second, ""},
		{"at renewal", 15 * time.Second, "request 1 client 192.168.1.50 unicast 192.168.1.1"},
		{"past rebinding", 27 * time.Second, "request 1 client 192.168.1.50"},
		{"past the end", time.Hour, "LOST lease expired without an answer from any server; discover 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := state{phase: bound, lease: lease, server: netip.MustParseAddr("192.168.1.1"), due: epoch.Add(lease.Renew)}
			_, actions := step(s, input{now: epoch.Add(row.age), random: noJitter, event: timeout{}})
			var got []string
			for _, a := range actions {
				got = append(got, describe(a))
			}
			if diff := cmp.Diff(row.want, strings.Join(got, "; ")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestBackoffJitter(t *testing.T) {
	for _, row := range []struct {
		n         int
		low, high time.Duration
	}{
		{1, 750 * time.Millisecond, 1250 * time.Millisecond},
		{3, 3 * time.Second, 5 * time.Second},
		{6, 31 * time.Second, 33 * time.Second},
		{1000, 31 * time.Second, 33 * time.Second},
	} {
		low, high := backoff(row.n, 0), backoff(row.n, 1<<64-1)
		if low != row.low || (row.high-high).Abs() > time.Microsecond {
			t.Errorf("attempt %d: %v to %v, want %v to %v", row.n, low, high, row.low, row.high)
		}
	}
}
