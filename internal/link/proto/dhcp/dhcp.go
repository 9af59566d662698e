// Package dhcp gets and keeps an IPv4 address by DHCP (RFC 2131). It tells its
// caller what was leased and never touches the kernel's addresses itself.
//
// The timers are a pure state machine (machine.go); Run joins it to a clock
// and to the sockets. A wall clock that jumps changes nothing, and the time in
// which the machine was suspended counts (CLOCK_BOOTTIME): the server has
// counted it, too. When Run ends the lease is not released, so that a daemon
// that restarts gets the same address back with one exchange (INIT-REBOOT).
//
// There is no address conflict probe and so no DHCPDECLINE, which RFC 2131
// 4.4.1 recommends: RFC 5227 wants several seconds before the address may be
// used, servers probe before they offer, and switches and access points that
// answer ARP for others would make a device give up an address that works.
package dhcp

import (
	"log/slog"
	"net/netip"
	"time"
)

// Lease is what a server granted. It survives JSON, so that it can be stored
// and handed to a later Run as Config.Previous.
type Lease struct {
	Address netip.Prefix `json:"address"`          // the leased address with its subnet's length
	Router  netip.Addr   `json:"router"`           // first usable router; zero when none was given
	Routes  []Route      `json:"routes,omitempty"` // beside the default one
	DNS     []netip.Addr `json:"dns,omitempty"`    // in the server's order of preference
	Domain  string       `json:"domain,omitempty"` // as received: not to be trusted as a domain name
	Search  []string     `json:"search,omitempty"` // as received
	Server  netip.Addr   `json:"server"`           // server identifier

	// Acquired is when the request was sent that the server granted; the
	// durations count from it (RFC 2131 4.4.1). In a Lease from Run it carries
	// the monotonic clock, set so that time.Since is the age of the lease at the
	// time of the event, suspended time included. An infinite lease has three zero durations.
	Acquired time.Time     `json:"acquired"`
	Renew    time.Duration `json:"renew"`  // T1: ask the same server again
	Rebind   time.Duration `json:"rebind"` // T2: ask any server
	Expire   time.Duration `json:"expire"` // the address must not be used any more
}

// Route is a way to some other network (RFC 3442).
type Route struct {
	Destination netip.Prefix `json:"destination"` // of at least 8 bits, masked
	Gateway     netip.Addr   `json:"gateway"`     // zero: the destination is on the link itself
}

// Config says on which interface, and as whom, to ask.
type Config struct {
	Interface string       // e.g. "wlan0"
	HostName  string       // option 12, e.g. "printer"; not sent when empty
	ClientID  []byte       // option 61, type octet included; nil: 1 and the hardware address
	Previous  *Lease       // asked for first (INIT-REBOOT), however old; nil: none
	Held      bool         // the interface has Previous, of this very network: it goes on if no server answers
	Log       *slog.Logger // nil: no log
}

// Event is what Run reports: Bound, Renewed or Lost.
type Event interface{ event() }

// Bound reports an address after none.
type Bound struct{ Lease Lease }

// Renewed reports that the lease was extended. Any field may have changed.
type Renewed struct{ Lease Lease }

// Lost reports that the address must not be used from now on.
type Lost struct{ Reason Reason }

func (Bound) event()   {}
func (Renewed) event() {}
func (Lost) event()    {}

// Reason says why a lease ended.
type Reason string

// The reasons of Lost.
const (
	Expired Reason = "lease expired without an answer from any server"
	Refused Reason = "server refused to extend the lease"
	Gone    Reason = "interface is gone"
)
