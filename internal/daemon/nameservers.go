package daemon

import (
	"context"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"

	"github.com/netconnectd/netconnectd/internal/resolver"
)

// nameServers hands the name servers of the radio's network to the system's
// resolver while the radio is the uplink, and those of declared interfaces while their
// device is. Otherwise it withdraws them: the name servers of another wired uplink
// belong to the program that configures that uplink.
type nameServers struct {
	dir    string // runtime folder
	hint   chan struct{}
	radio  slot
	log    *slog.Logger
	uplink func() (iface string) // the uplink that works, "" for none

	// declared returns the name servers of the interfaces that are declared on a
	// link, and their search domains.
	declared func(link string) (servers []netip.Addr, search []string)
}

// recheck makes run compare again what is published and what should be. It never
// blocks.
func (n *nameServers) recheck() { nudge(n.hint) }

// run publishes until ctx ends. The published name servers stay for the next run of
// the daemon, which keeps them until an uplink works and its name servers are known.
func (n *nameServers) run(ctx context.Context) {
	var last *resolver.Config
	for {
		want := n.want()
		if !(last == nil && n.unknown(want)) && (last == nil || !reflect.DeepEqual(*last, want)) {
			if err := n.set(want); err != nil {
				n.log.Error("hand over the name servers", "err", err)
			} else {
				last = &want
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-n.hint:
		}
	}
}

// unknown reports whether a daemon that has just started does not know yet what to
// publish: no uplink works, or the routers of the radio's network, which may be the
// only source of name servers, have not answered.
func (n *nameServers) unknown(want resolver.Config) bool {
	switch n.uplink() {
	case "":
		return true
	case n.radio.Interface():
		_, heard := n.radio.Advertised()
		return !n.radio.Managed() && len(want.Servers) == 0 && !heard
	}
	return false
}

// want returns what should be published, empty if nothing should.
func (n *nameServers) want() resolver.Config {
	uplink := n.uplink()
	if uplink != "" && uplink != n.radio.Interface() {
		c := resolver.Config{Interface: uplink}
		if c.Servers, c.Search = n.declared(uplink); len(c.Servers) == 0 {
			return resolver.Config{}
		}
		return c
	}
	all := servers(n.radio)
	if len(all) == 0 || uplink == "" {
		return resolver.Config{}
	}
	c := resolver.Config{Interface: n.radio.Interface(), Servers: all}
	if lease := n.radio.Lease(); lease != nil {
		c.Search = lease.Search
		if len(c.Search) == 0 && lease.Domain != "" {
			c.Search = []string{lease.Domain}
		}
	}
	return c
}

// servers returns the name servers of the radio's network: those of the lease, then
// those that routers advertise (RFC 8106 5.3.1). Programs ask only the first
// resolver.MaxServers. One advertised server is always among these, as only it
// answers when IPv4 fails.
func servers(radio slot) []netip.Addr {
	var leased []netip.Addr
	if lease := radio.Lease(); lease != nil {
		leased = lease.DNS
	}
	advertised, _ := radio.Advertised()
	first := len(leased)
	if len(advertised) > 0 {
		first = min(first, resolver.MaxServers-1)
	}
	return slices.Concat(leased[:first], advertised, leased[first:])
}

func (n *nameServers) set(c resolver.Config) error {
	if c.Interface == "" {
		return resolver.Withdraw(n.dir)
	}
	return resolver.Publish(n.dir, c)
}
