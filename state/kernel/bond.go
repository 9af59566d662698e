package kernel

import (
	"slices"

	"github.com/netconnectd/netconnectd/internal/link/rtnl"
	"github.com/netconnectd/netconnectd/state"
)

// newBond leaves out settings that the bond's mode does not use, as nispor does. The
// kernel reports all settings in every mode.
func newBond(seen *rtnl.Bond, l *rtnl.Link, of *view) *state.Bond {
	b := with(seen.Bond, func(b *state.Bond) {
		b.Subordinates, b.ActiveSubordinate = of.ports(l), of.optional(seen.ActivePort)
	})
	if seen.Mode == nil {
		return b
	}
	mode := seen.Mode.String()
	is := func(modes ...string) bool { return slices.Contains(modes, mode) }
	if is("active-backup", "balance-alb", "balance-tlb") {
		b.Primary = of.optional(seen.PrimaryIndex)
	}
	if is("active-backup") {
		b.NumUnsolicitedNA = b.PeerNotifications // the kernel has one number for both
	} else {
		b.FailOverMAC, b.PeerNotifications = nil, nil
	}
	if !is("balance-rr", "active-backup", "balance-tlb", "balance-alb") {
		b.ResendIGMP = nil
	}
	if is("802.3ad", "balance-tlb", "balance-alb") {
		b.ARPMissedMax = nil
	}
	if !is("balance-xor", "802.3ad", "balance-tlb") {
		b.TransmitHashPolicy = nil
	}
	if !is("balance-rr") {
		b.PacketsPerPort = nil
	}
	if !is("balance-tlb", "balance-alb") {
		b.TLBDynamic = nil
	}
	if !is("802.3ad") {
		b.LACPRate, b.LACPActive, b.ADSelect, b.ADActorSystem = nil, nil, nil, nil
		b.ADActorSystemPriority, b.ADUserPortKey = nil, nil
	}
	return b
}
