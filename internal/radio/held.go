package radio

import (
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
)

// heldLease reports whether the interface still has the address of a lease from
// an earlier run, and gives that lease by the clock of this one: how long the
// address is valid the kernel knows, whatever was done to the clock meanwhile.
func heldLease(s *link.Snapshot, iface string, of dhcp.Lease) (dhcp.Lease, bool) {
	if s == nil || !of.Server.IsValid() { // a static address is a lease that nobody gave
		return of, false
	}
	l, _ := s.Link(iface)
	for _, a := range s.AddressesOf(l.Index) {
		switch {
		case a.Prefix != of.Address:
		case a.ValidLifetime == link.Forever && of.Expire > link.LongestLifetime:
			return of, true // the kernel was not to count it: how old it is only the clock says
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
