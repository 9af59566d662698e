package ndp

import (
	"net/netip"
	"slices"
	"time"
)

const (
	// mostServers bounds what is kept of one router. The C library asks three
	// servers (resolv.conf(5)), and RFC 8106 5.3.1 wants room for three.
	mostServers = 4
	// mostRouters bounds the routers that are listened to.
	mostRouters = 4
)

// entry is a name server as one router names it.
type entry struct {
	router, server netip.Addr
	until          time.Time // zero: for ever
}

// outlives reports whether e is valid for longer than other.
func (e entry) outlives(other entry) bool {
	return !other.until.IsZero() && (e.until.IsZero() || e.until.After(other.until))
}

// list has what the routers of a link have named, in the order in which they
// began to. A router answers for its own words only: it neither withdraws nor
// displaces what another one names.
type list struct{ entries []entry }

// take notes that a router names a server. A lifetime of 0 withdraws it, and
// infinite never ends (RFC 8106 5.1).
func (l *list) take(now time.Time, router, server netip.Addr, lifetime time.Duration) {
	e := entry{router: router, server: server}
	if lifetime != infinite {
		e.until = now.Add(lifetime)
	}
	i := slices.IndexFunc(l.entries, func(old entry) bool { return old.router == router && old.server == server })
	switch {
	case i >= 0 && lifetime == 0:
		l.entries = slices.Delete(l.entries, i, i+1)
	case i >= 0:
		l.entries[i] = e
	case lifetime != 0:
		l.add(e)
	}
}

// add adds a server that is new. Where a router names too many, those that are
// valid for longest count (RFC 8106 6.1).
func (l *list) add(e entry) {
	routers := map[netip.Addr]int{}
	shortest := -1 // of the same router
	for i, old := range l.entries {
		routers[old.router]++
		if old.router == e.router && (shortest < 0 || l.entries[shortest].outlives(old)) {
			shortest = i
		}
	}
	switch {
	case routers[e.router] == 0 && len(routers) >= mostRouters:
	case routers[e.router] < mostServers:
		l.entries = append(l.entries, e)
	case e.outlives(l.entries[shortest]):
		l.entries[shortest] = e
	}
}

// expire drops what is not valid any more.
func (l *list) expire(now time.Time) {
	l.entries = slices.DeleteFunc(l.entries, func(e entry) bool { return !e.until.IsZero() && !now.Before(e.until) })
}

// next is when the next entry expires; zero: none does.
func (l *list) next() (next time.Time) {
	for _, e := range l.entries {
		if !e.until.IsZero() && (next.IsZero() || e.until.Before(next)) {
			next = e.until
		}
	}
	return next
}

// servers are the name servers, each once.
func (l *list) servers() (servers []netip.Addr) {
	for _, e := range l.entries {
		if !slices.Contains(servers, e.server) {
			servers = append(servers, e.server)
		}
	}
	return servers
}
