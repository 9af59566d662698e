package daemon

import (
	"context"
	"log/slog"
	"reflect"

	"github.com/netconnectd/netconnectd/internal/resolver"
)

// nameServers hands the lease's name servers to the system's resolver while
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

// run publishes until ctx ends. What it published stays for the next run,
// which leaves it alone until it knows an uplink that works.
func (n *nameServers) run(ctx context.Context) {
	var last *resolver.Config
	for {
		want := n.want()
		unknown := last == nil && n.way() == ""
		if !unknown && (last == nil || !reflect.DeepEqual(*last, want)) {
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

// want is empty while there is nothing to publish.
func (n *nameServers) want() resolver.Config {
	lease := n.radio.Lease()
	if lease == nil || n.way() != n.radio.Interface() {
		return resolver.Config{}
	}
	c := resolver.Config{Interface: n.radio.Interface(), Servers: lease.DNS, Search: lease.Search}
	if len(c.Search) == 0 && lease.Domain != "" {
		c.Search = []string{lease.Domain}
	}
	return c
}

func (n *nameServers) set(c resolver.Config) error {
	if c.Interface == "" {
		return resolver.Withdraw(n.dir)
	}
	return resolver.Publish(n.dir, c)
}
