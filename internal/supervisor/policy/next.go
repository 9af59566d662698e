package policy

import (
	"fmt"
	"slices"
	"time"
)

// NextKind says what the policy will do.
type NextKind string

// What may come next.
const (
	NextAccessPoint NextKind = "access_point" // it comes up
	NextEnd         NextKind = "end"          // the access point that somebody asked for ends
	NextYield       NextKind = "yield"        // the access point gives way, though somebody is on it
	NextJoin        NextKind = "join"         // a saved network is tried
	NextScan        NextKind = "scan"         // saved networks are looked for
	NextGiveUp      NextKind = "give_up"      // what is being tried has taken too long
	NextLost        NextKind = "lost"         // the uplink counts as lost
)

// Next is something that will be done at a time unless something happens
// before.
type Next struct {
	Kind NextKind
	At   time.Time
	Text string // for people: what it is, and what would prevent it
}

// Next reports what the deadlines mean, the soonest first.
func (s State) Next() []Next {
	var all []Next
	for _, n := range []Next{
		s.nextAccessPoint(), s.nextOfAccessPoint(), s.nextAttempt(), s.nextGiveUp(), s.nextLoss(),
	} {
		if n.Kind != "" && n.At.After(s.at) {
			all = append(all, n)
		}
	}
	slices.SortStableFunc(all, func(a, b Next) int { return a.At.Compare(b.At) })
	return all
}

// nextAccessPoint is when it comes up, or is tried again.
func (s State) nextAccessPoint() Next {
	byCommand := s.attempt != nil && s.attempt.command != 0
	n := Next{Kind: NextAccessPoint}
	switch {
	case !s.radioPresent:
		return Next{}
	case s.radio.target.Role == RoleAccessPoint && s.radio.failed:
		n.At, n.Text = s.radio.retryAt, "the access point is tried again"
	case s.radio.target.Role == RoleAccessPoint:
		return Next{}
	case s.Config.Always:
		n.At, n.Text = s.silentUntil, "access point, as ap.mode is always"
	case s.Config.Fallback && s.Uplink.State != Online && !s.fallback && !byCommand && !s.holdAt.IsZero():
		n.At, n.Text = s.fallbackAt(), "access point, if nothing comes up"
		if len(s.saved) > 0 {
			n.Text = "access point, if nothing is joined"
		}
	default:
		return Next{}
	}
	return n
}

// fallbackAt is when the fallback is latched: at the end of the hold and of a
// silence, or as soon as there is nothing to wait for at the start.
func (s State) fallbackAt() time.Time {
	at := s.holdAt
	if s.silentUntil.After(at) {
		at = s.silentUntil
	}
	wired := slices.ContainsFunc(s.ways, func(w way) bool { return !w.Wifi && w.Carrier })
	patience := s.started.Add(noCarrierWait)
	if s.Uplink.State == Starting && len(s.saved) == 0 && !wired && patience.Before(at) {
		return patience
	}
	return at
}

// nextOfAccessPoint is what ends the access point, or its search.
func (s State) nextOfAccessPoint() Next {
	switch {
	case s.AP.State != APUp:
		return Next{}
	case s.AP.Cause == CauseAsked:
		return Next{NextEnd, s.askedUntil, "the access point that somebody asked for ends"}
	case s.AP.Cause != CauseFallback:
		return Next{}
	case !s.wayBack.IsZero() && s.clients > 0:
		return Next{NextYield, s.wayBack.Add(s.Config.YieldAfter), "the access point gives way, though somebody is on it"}
	case len(s.saved) > 0 && !s.scan.running:
		at := s.scan.at
		if s.joinAfter.After(at) {
			at = s.joinAfter
		}
		return Next{NextScan, at, "look for known networks"}
	}
	return Next{}
}

// nextAttempt is when the pause after an attempt is over. From the access
// point a scan comes first.
func (s State) nextAttempt() Next {
	switch {
	case s.attempt != nil, len(s.saved) == 0, !s.radioPresent, s.joined(), s.wantAP():
		return Next{}
	case s.Config.Delegated:
		return Next{NextJoin, s.joinAfter, "try to join a known network"}
	case len(s.saved) == 1:
		return Next{NextJoin, s.joinAfter, fmt.Sprintf("try to join %q", s.saved[0].SSID)}
	}
	return Next{NextScan, s.joinAfter, "look for known networks"}
}

// nextGiveUp is when the radio has had its time.
func (s State) nextGiveUp() Next {
	switch r := s.radio; {
	case s.attempt != nil:
		return Next{NextGiveUp, s.attempt.deadline, s.attempt.network.joining() + " is given up"}
	case r.target.Role == RoleAccessPoint && !r.ready && !r.failed:
		return Next{NextGiveUp, r.retryAt, "starting the access point is given up"}
	}
	return Next{}
}

// nextLoss is when an uplink whose probes fail has its last chance: the probe
// that begins then decides.
func (s State) nextLoss() Next {
	for _, w := range s.ways {
		if s.Uplink.State == Online && w.Name == s.Uplink.Name && w.failures > 0 {
			left := max(0, s.Config.MaxLinkDown-w.failures-1)
			return Next{NextLost, w.probeAt.Add(time.Duration(left) * s.Config.Interval), w.Name + " counts as lost, if its probes go on to fail"}
		}
	}
	return Next{}
}
