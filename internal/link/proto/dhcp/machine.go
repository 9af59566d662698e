package dhcp

import (
	"net/netip"
	"time"
)

// phase is a state of RFC 2131 figure 5. INIT has no duration of its own:
// discovering starts at once, or after a pause (waiting) when servers refuse.
type phase string

const (
	rebooting  phase = "rebooting"  // asks for the previous address
	selecting  phase = "selecting"  // has sent DHCPDISCOVER, waits for an offer
	requesting phase = "requesting" // has sent DHCPREQUEST for an offer
	waiting    phase = "waiting"    // was refused what was offered
	bound      phase = "bound"
	renewing   phase = "renewing"  // asks the server of the lease
	rebinding  phase = "rebinding" // asks any server
)

const (
	// firstDelay and maxDelay bound the exponential retransmission. RFC 2131
	// 4.1 begins with 4 s and ends at 64 s; somebody waits for this device,
	// and a server that comes back shall be noticed sooner.
	firstDelay = time.Second
	maxDelay   = 32 * time.Second
	maxJitter  = time.Second // RFC 2131 4.1

	// maxReboots bounds INIT-REBOOT: a server that does not know the address
	// stays silent (RFC 2131 4.3.2), and the fresh start should not wait long.
	maxReboots = 2
	// maxRequests bounds REQUESTING: after 1+2+4+8 s the offer is given up.
	maxRequests = 4
	// renewFloor is the shortest pause between two requests that extend a
	// lease (RFC 2131 4.4.5); short leases use a part of their length instead.
	renewFloor      = time.Minute
	renewFloorShare = 20
)

// state is the whole memory of the machine. The zero state takes a start.
type state struct {
	phase    phase
	xid      uint32
	began    time.Time  // start of the exchange, for the secs field
	sent     time.Time  // the last request, from which a granted lease counts
	due      time.Time  // when a timeout is to be delivered; zero: never
	attempt  int        // messages sent in this exchange
	wanted   netip.Addr // address asked for; in selecting a mere hint
	server   netip.Addr // that made the offer, or granted the lease
	lease    Lease      // in bound, renewing and rebinding
	refusals int        // offers refused in a row
	held     Lease      // in rebooting: goes on if nobody answers; zero: none
}

// input is one thing that happened. random is fresh for every input: its low
// half becomes a transaction id, its high half jitter.
type input struct {
	now    time.Time
	random uint64
	event  any // start, timeout or reply
}

// start begins; previous is the zero address if there is none to ask for, held
// the zero Lease if nothing of it is known to be valid still.
type start struct {
	previous netip.Addr
	held     Lease
}

// timeout says that state.due has been reached.
type timeout struct{}

// kind is a DHCP message type that the machine sends or understands.
type kind string

const (
	discover kind = "discover"
	request  kind = "request"
	offer    kind = "offer"
	ack      kind = "ack"
	nak      kind = "nak"
)

// reply is a checked message of a server. lease has no Acquired yet, and is
// empty in a nak.
type reply struct {
	kind   kind
	xid    uint32
	server netip.Addr
	lease  Lease
}

// action is what the shell has to do: send or notify.
type action interface{ action() }

// send transmits a message. The three addresses are zero where RFC 2131
// table 5 says that the field must not be sent.
type send struct {
	kind      kind
	xid       uint32
	attempt   int           // 1 for the first
	elapsed   time.Duration // since the exchange began
	requested netip.Addr    // option 50
	server    netip.Addr    // option 54
	client    netip.Addr    // ciaddr, and the source address
	to        netip.Addr    // zero: broadcast
}

// notify reports to the caller of Run.
type notify struct{ event Event }

func (send) action()   {}
func (notify) action() {}

// step is the machine: no clock, no randomness and no input or output of its
// own. Inputs that do not fit the state change nothing.
func step(s state, in input) (state, []action) {
	switch event := in.event.(type) {
	case start:
		return s.start(in, event)
	case timeout:
		if s.due.IsZero() || in.now.Before(s.due) {
			return s, nil
		}
		return s.timeout(in)
	case reply:
		if event.xid != s.xid {
			return s, nil
		}
		return s.reply(in, event)
	}
	return s, nil
}

func (s state) start(in input, event start) (state, []action) {
	if !event.previous.IsValid() {
		return s.discover(in)
	}
	s.wanted, s.held = event.previous, event.held
	s = s.exchange(rebooting, in)
	return s.request(in)
}

func (s state) timeout(in input) (state, []action) {
	switch s.phase {
	case rebooting:
		if s.attempt < maxReboots {
			return s.request(in)
		}
		if s.held.validAt(in.now) {
			return s.resume(in)
		}
	case requesting:
		if s.attempt < maxRequests {
			return s.request(in)
		}
	case selecting:
		return s.rediscover(in)
	case bound, renewing, rebinding:
		return s.extend(in)
	}
	return s.discover(in)
}

func (s state) reply(in input, r reply) (state, []action) {
	switch s.phase {
	case selecting:
		if r.kind == offer {
			return s.accept(in, r)
		}
	case rebooting, rebinding:
		return s.verdict(in, r)
	case requesting, renewing:
		// The message went to one server; the word of another one, which may
		// serve a different network on the same wire, does not count.
		if r.server == s.server {
			return s.verdict(in, r)
		}
	}
	return s, nil
}

// verdict handles the answer to a request.
func (s state) verdict(in input, r reply) (state, []action) {
	switch r.kind {
	case ack:
		if r.lease.Address.Addr() != s.wanted {
			return s, nil // what was not asked for cannot be granted
		}
		return s.bind(r)
	case nak:
		return s.refused(in)
	}
	return s, nil
}

// exchange begins a new transaction in the given phase.
func (s state) exchange(p phase, in input) state {
	s.phase, s.attempt, s.began, s.xid = p, 0, in.now, uint32(in.random)
	return s
}

// discover starts afresh.
func (s state) discover(in input) (state, []action) {
	s.lease, s.server = Lease{}, netip.Addr{}
	return s.exchange(selecting, in).rediscover(in)
}

// rediscover repeats the DHCPDISCOVER of this exchange, for ever. It keeps
// its transaction id, so that a slow server's late offer still counts.
func (s state) rediscover(in input) (state, []action) {
	s.attempt++
	s.due = in.now.Add(backoff(s.attempt, in.random))
	return s, []action{send{
		kind: discover, xid: s.xid, attempt: s.attempt,
		elapsed: in.now.Sub(s.began), requested: s.wanted,
	}}
}

// accept takes the first offer: waiting for better ones costs time.
func (s state) accept(in input, r reply) (state, []action) {
	// Same transaction id and secs as the discover (RFC 2131 4.4.1, 4.3.1).
	s.phase, s.attempt = requesting, 0
	s.wanted, s.server = r.lease.Address.Addr(), r.server
	return s.request(in)
}

// request asks for an address while there is none.
func (s state) request(in input) (state, []action) {
	s.attempt++
	s.sent = in.now
	s.due = in.now.Add(backoff(s.attempt, in.random))
	return s, []action{send{
		kind: request, xid: s.xid, attempt: s.attempt,
		elapsed: in.now.Sub(s.began), requested: s.wanted, server: s.server,
	}}
}

// bind takes what was granted.
func (s state) bind(r reply) (state, []action) {
	var event Event
	had := s.lease.Address.IsValid()
	s.phase, s.attempt, s.refusals = bound, 0, 0
	s.lease, s.server = r.lease, r.server
	s.lease.Acquired = s.sent
	s.wanted = s.lease.Address.Addr()
	s.due = time.Time{}
	if s.lease.Expire > 0 {
		s.due = s.sent.Add(s.lease.Renew)
	}
	event = Bound{s.lease}
	if had {
		event = Renewed{s.lease}
	}
	return s, []action{notify{event}}
}

// resume goes on with the lease that is held, as RFC 2131 3.2 (4) allows where
// nobody answers, and begins to extend it at once.
func (s state) resume(in input) (state, []action) {
	s.phase, s.attempt = bound, 0
	s.lease, s.server = s.held, s.held.Server
	s.due = time.Time{}
	if s.lease.Expire > 0 {
		s.due = in.now
	}
	return s, []action{notify{Bound{s.lease}}}
}

func (l Lease) validAt(now time.Time) bool {
	return l.Address.IsValid() && !now.Before(l.Acquired) && (l.Expire == 0 || now.Before(l.Acquired.Add(l.Expire)))
}

// refused starts afresh without the address. A remembered or held address
// that is refused is the ordinary sign of another network; when a server
// refuses what was just offered, a pause keeps the two from spinning.
func (s state) refused(in input) (state, []action) {
	var actions []action
	if s.lease.Address.IsValid() {
		actions = []action{notify{Lost{Refused}}}
	}
	s.wanted = netip.Addr{}
	if s.phase == requesting {
		s.refusals++
		s.phase = waiting
		s.due = in.now.Add(backoff(s.refusals, in.random))
		return s, actions
	}
	s, more := s.discover(in)
	return s, append(actions, more...)
}

// extend does what the age of the lease demands.
func (s state) extend(in input) (state, []action) {
	rebind := s.lease.Acquired.Add(s.lease.Rebind)
	expire := s.lease.Acquired.Add(s.lease.Expire)
	if !in.now.Before(expire) {
		s, actions := s.discover(in)
		return s, append([]action{notify{Lost{Expired}}}, actions...)
	}
	if s.phase == bound {
		s = s.exchange(renewing, in)
	}
	limit := rebind
	if !in.now.Before(rebind) {
		limit = expire
		if s.phase == renewing {
			s.phase, s.attempt = rebinding, 0
		}
	}
	s.attempt++
	s.sent = in.now
	s.due = s.retry(in.now, limit)
	out := send{
		kind: request, xid: s.xid, attempt: s.attempt,
		elapsed: in.now.Sub(s.began), client: s.lease.Address.Addr(),
	}
	if s.phase == renewing {
		out.to = s.server
	}
	return s, []action{out}
}

// retry gives the time of the next request: after half of what is left until
// limit, but not too soon, and not after limit (RFC 2131 4.4.5).
func (s state) retry(now, limit time.Time) time.Time {
	floor := min(renewFloor, s.lease.Expire/renewFloorShare)
	next := now.Add(max(limit.Sub(now)/2, floor))
	if next.After(limit) {
		return limit
	}
	return next
}

// backoff gives the pause after the n-th message (from 1): doubling, moved by
// up to a quarter of itself, at most maxJitter, to either side.
func backoff(n int, random uint64) time.Duration {
	delay := maxDelay
	if n <= 5 { // 1 s << 5 is maxDelay; more would overflow some day
		delay = firstDelay << (n - 1)
	}
	spread := float64(min(delay/4, maxJitter))
	return delay + time.Duration(spread*(float64(random>>32)/(1<<31)-1))
}
