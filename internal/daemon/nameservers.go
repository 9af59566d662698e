package daemon

import (
	"context"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"

	"github.com/netconnectd/netconnectd/internal/resolver"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// nameServers hands name servers to the system's resolver: those of declared interfaces
// that are up, and those of the radio's network while the radio is the uplink. The name
// servers of any other uplink belong to the program that configures that uplink.
type nameServers struct {
	dir      string // runtime folder
	hint     chan struct{}
	radio    slot
	log      *slog.Logger
	uplink   func() policy.UplinkStatus
	declared func() []resolver.Link
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
// publish: nothing has shown which uplink works, or the routers of the radio's network,
// which may be the only source of name servers, have not answered.
func (n *nameServers) unknown(want resolver.Config) bool {
	switch uplink := n.uplink(); uplink.Name {
	case "":
		return uplink.State == policy.Starting || len(want.Links) == 0
	case n.radio.Interface():
		_, heard := n.radio.Advertised()
		return !n.radio.Managed() && len(servers(n.radio)) == 0 && !heard
	}
	return false
}

// want returns what should be published, empty if nothing should. The uplink's name
// servers come first.
func (n *nameServers) want() resolver.Config {
	uplink, links := n.uplink().Name, n.declared()
	ours := false
	for i, l := range links {
		if l.Interface == uplink {
			ours = true
			copy(links[1:i+1], links[:i])
			links[0] = l
		}
	}
	if uplink != "" && uplink == n.radio.Interface() {
		ours = !n.radio.Managed()
		links = append([]resolver.Link{n.ofRadio()}, links...)
	}
	links = slices.DeleteFunc(links, func(l resolver.Link) bool { return len(l.Servers) == 0 })
	if len(links) == 0 {
		return resolver.Config{}
	}
	return resolver.Config{Links: links, Apart: uplink != "" && !ours}
}

// ofRadio returns the name servers and search domains of the radio's network.
func (n *nameServers) ofRadio() resolver.Link {
	l := resolver.Link{Interface: n.radio.Interface(), Servers: servers(n.radio)}
	if lease := n.radio.Lease(); lease != nil {
		l.Search = lease.Search
		if len(l.Search) == 0 && lease.Domain != "" {
			l.Search = []string{lease.Domain}
		}
	}
	return l
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
	if len(c.Links) == 0 {
		return resolver.Withdraw(n.dir)
	}
	return resolver.Publish(n.dir, c)
}
