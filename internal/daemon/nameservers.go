package daemon

import (
	"context"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"

	"github.com/netconnectd/netconnectd/internal/resolver"
)

// nameServers hands the network's name servers to the system's resolver while
// the radio is the way out, and takes them back when it is not: those of a
// wired uplink belong to whoever configures it.
type nameServers struct {
	dir   string // runtime folder
	hint  chan struct{}
	radio slot
	log   *slog.Logger
	way   func() (iface string) // the uplink that works, "" for none
}

// changed says that there may be something to do; it never blocks.
func (n *nameServers) changed() { nudge(n.hint) }

// run publishes until ctx ends. What it published stays for the next run, which
// leaves it alone until it knows an uplink that works and what that has to say.
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

// unknown reports whether a daemon that has just started does not know yet what
// there is to publish: no uplink works, or the routers of the radio's network, which
// may be the only ones to name a server, have not answered.
func (n *nameServers) unknown(want resolver.Config) bool {
	switch n.way() {
	case "":
		return true
	case n.radio.Interface():
		_, heard := n.radio.Advertised()
		return !n.radio.Managed() && len(want.Servers) == 0 && !heard
	}
	return false
}

// want is empty while there is nothing to publish.
func (n *nameServers) want() resolver.Config {
	all := servers(n.radio)
	if len(all) == 0 || n.way() != n.radio.Interface() {
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

// servers are the name servers of the radio's network: those of the lease, then
// those that routers advertise (RFC 8106 5.3.1). Where there are more than programs
// ask, one of the routers' is among the first: it is the only one that answers when
// IPv4 fails.
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
