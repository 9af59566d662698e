package policy

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// NextKind says what the policy will do.
type NextKind string

// What may come next.
const (
	nextDecision    NextKind = ""             // a decision of no interest to people
	NextAccessPoint NextKind = "access_point" // the access point comes up
	NextEnd         NextKind = "end"          // the access point of a start_ap command ends
	NextYield       NextKind = "yield"        // the access point gives way although a station is on it
	NextJoin        NextKind = "join"         // a saved network is tried
	NextScan        NextKind = "scan"         // saved networks are looked for
	NextGiveUp      NextKind = "give_up"      // what is being tried has taken too long
	NextLost        NextKind = "lost"         // the uplink counts as lost
)

// Next is what the policy will do at a time, unless an event comes before.
type Next struct {
	Kind NextKind
	At   time.Time
	Text string // for people: what it is, and what would prevent it
}

// due returns all deadlines that are still to come. Deadlines that were due at
// the last Step were decided by it and are left out.
func (s State) due() []Next {
	list := []Next{s.nextAccessPoint(), s.nextOfAccessPoint(), s.nextAttempt(), s.nextGiveUp(), s.nextLoss()}
	decide := func(at time.Time) { list = append(list, Next{Kind: nextDecision, At: at}) }
	for _, at := range []time.Time{s.holdAt, s.askedUntil, s.silentUntil, s.unsureUntil, s.joinAfter, s.scan.at} {
		decide(at)
	}
	for _, p := range s.radio.target.Parts() {
		decide(s.radio.parts.of(p).retryAt)
	}
	if s.Uplink.State == Starting && !s.started.IsZero() {
		decide(s.started.Add(noCarrierWait))
	}
	if !s.yieldSince.IsZero() {
		decide(s.yieldSince.Add(s.Config.YieldAfter))
	}
	for _, w := range s.uplinks {
		decide(w.probeAt)
		if !w.bare.IsZero() {
			decide(w.bare.Add(bareLimit))
		}
	}
	return slices.DeleteFunc(list, func(n Next) bool { return !n.At.After(s.at) })
}

// Deadline returns when Step next needs a Wake; ok is false if it never does.
func (s State) Deadline() (at time.Time, ok bool) {
	for _, n := range s.due() {
		if !ok || n.At.Before(at) {
			at, ok = n.At, true
		}
	}
	return at, ok
}

// Next returns the deadlines that are of interest to people, the soonest first.
func (s State) Next() []Next {
	list := slices.DeleteFunc(s.due(), func(n Next) bool { return n.Kind == nextDecision })
	sort.SliceStable(list, func(i, j int) bool { return list[i].At.Before(list[j].At) })
	return list
}

// nextAccessPoint returns when the access point comes up, or is tried again.
func (s State) nextAccessPoint() Next {
	byCommand := s.attempt != nil && s.attempt.command != 0
	n := Next{Kind: NextAccessPoint}
	switch {
	case !s.radioPresent:
		return Next{}
	case s.radio.target.AccessPoint && s.radio.parts.accessPoint.failed:
		n.At, n.Text = s.radio.parts.accessPoint.retryAt, "the access point is tried again"
	case s.radio.target.AccessPoint:
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

// fallbackAt returns when the fallback is latched: at the end of the hold and of
// the silence after a stop_ap command, or during the start as soon as there is
// nothing left to wait for.
func (s State) fallbackAt() time.Time {
	at := s.holdAt
	if s.silentUntil.After(at) {
		at = s.silentUntil
	}
	if hope, bounded := s.hopeEnds(); s.Uplink.State == Starting && bounded && hope.Before(at) {
		return hope
	}
	return at
}

// nextOfAccessPoint returns what ends the access point, or when it next scans for
// saved networks.
func (s State) nextOfAccessPoint() Next {
	switch {
	case s.AP.State != APUp:
		return Next{}
	case s.AP.Cause == CauseAsked:
		return Next{NextEnd, s.askedUntil, "the access point that somebody asked for ends"}
	case s.AP.Cause != CauseFallback:
		return Next{}
	case !s.yieldSince.IsZero() && s.clients > 0:
		return Next{NextYield, s.yieldSince.Add(s.Config.YieldAfter), "the access point gives way, though somebody is on it"}
	case len(s.saved) > 0 && !s.scan.running:
		at := s.scan.at
		if s.joinAfter.After(at) {
			at = s.joinAfter
		}
		return Next{NextScan, at, "look for known networks"}
	}
	return Next{}
}

// nextAttempt returns when the pause after an attempt is over. While the radio is
// an access point, a scan comes before any attempt (nextOfAccessPoint).
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

// nextGiveUp returns when the attempt to join, or the start of the access point,
// is given up.
func (s State) nextGiveUp() Next {
	switch p := s.radio.parts.accessPoint; {
	case s.attempt != nil:
		return Next{NextGiveUp, s.attempt.deadline, s.attempt.network.joining() + " is given up"}
	case s.radio.target.AccessPoint && !p.ready && !p.failed:
		return Next{NextGiveUp, p.retryAt, "starting the access point is given up"}
	}
	return Next{}
}

// nextLoss returns when the last probe begins before an uplink whose probes fail
// counts as lost.
func (s State) nextLoss() Next {
	for _, w := range s.uplinks {
		if s.Uplink.State == Online && w.Name == s.Uplink.Name && w.failures > 0 {
			left := max(0, s.Config.MaxLinkDown-w.failures-1)
			return Next{NextLost, w.probeAt.Add(time.Duration(left) * s.Config.Interval), w.Name + " counts as lost, if its probes go on to fail"}
		}
	}
	return Next{}
}
