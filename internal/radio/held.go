package radio

import (
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
)

// heldLease reports whether the interface still has the address of a lease from an
// earlier run. It returns that lease with its age corrected: the kernel counts how
// long the address is still valid, even if the clock was set meanwhile.
func heldLease(s *link.Snapshot, iface string, of dhcp.Lease) (dhcp.Lease, bool) {
	if s == nil || !of.Server.IsValid() { // a static address is kept as a lease without a server
		return of, false
	}
	l, _ := s.Link(iface)
	for _, a := range s.AddressesOf(l.Index) {
		switch {
		case a.Prefix != of.Address:
		case a.ValidLifetime == link.Forever && of.Expire > link.LongestLifetime:
			return of, true // too long for the kernel to count, so only the clock shows its age
		case of.Expire == 0 || a.ValidLifetime == link.Forever:
			return of, of.Expire == 0 && a.ValidLifetime == link.Forever
		default:
			left := a.ValidLifetime - time.Since(s.Taken)
			of.Acquired = time.Now().Add(min(left, of.Expire) - of.Expire)
			return of, left > 0
		}
	}
	return of, false
}
