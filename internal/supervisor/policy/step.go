package policy

import (
	"fmt"
	"time"
)

// step is one Step in progress. seen, nothing and atOnce are facts of this
// event only.
type step struct {
	State
	now     time.Time
	effects []Effect
	seen    bool   // a scan has just seen a saved network
	nothing bool   // a scan of all channels has just seen none
	atOnce  bool   // a loss found in this step leaves nothing to hold for
	why     string // the reason of a loss found in this step
}

// Step reports the state after ev happened at now, and what must be done
// about it. It has no side effects.
func Step(s State, now time.Time, ev Event) (State, []Effect) {
	st := &step{State: s.clone(), now: now}
	st.at = now
	st.absorb(ev)
	st.expire()
	if st.linksKnown {
		st.judgeAddress()
		st.judgeUplink()
		st.judgeFallback()
		st.judgeAttempt()
		st.nameUplink()
		st.steerRadio()
		st.judgeAP()
		st.probe()
		st.look()
	}
	if st.askedUntil != s.askedUntil {
		st.emit(KeepAsked{Until: st.askedUntil})
	}
	return st.State, st.effects
}

func (st *step) absorb(ev Event) {
	switch ev := ev.(type) {
	case Start:
		st.begin(ev)
	case LinksChanged:
		st.absorbLinks(ev)
	case NetworksChanged:
		st.absorbNetworks(ev)
	case RadioProgress:
		st.absorbProgress(ev)
	case RadioFailed:
		st.radioFailed(ev)
	case ScanDone:
		st.absorbScan(ev)
	case ProbeDone:
		st.absorbProbe(ev)
	case ClientsChanged:
		st.clients, st.unsureUntil = ev.Count, time.Time{}
	case ConfigChanged:
		st.absorbConfig(ev)
	case RadioChanged:
		st.radioChanged(ev.Reason)
	case Command:
		st.command(ev)
	case Wake:
	}
}

// unsureLimit is how long somebody may be on an access point that was found
// running, or is set up anew under its phones, unless hostapd says that nobody
// is: it is asked as soon as it is adopted, and answers, or is given up, within
// seconds.
const unsureLimit = apLimit

// justStarted is the reason of the first state.
const justStarted = "started"

// begin enters the first state. An access point that a predecessor left
// running goes on, so that a restart of the daemon throws no phone off; a
// network that it was on is tried first.
func (st *step) begin(ev Start) {
	st.started = st.now
	st.Uplink = UplinkStatus{State: Starting, Since: st.now, Reason: justStarted}
	st.AP = APStatus{State: APOff, Since: st.now}
	if ev.Asked > 0 {
		st.askedUntil = st.now.Add(min(ev.Asked, st.Config.AskedLimit))
	}
	switch {
	case ev.Running.AccessPoint:
		st.fallback = st.Config.Fallback && !st.asked()
		st.unsureUntil = st.now.Add(unsureLimit)
		st.Uplink.Reason = "found the access point of the previous run"
	case ev.Running.Station.Wanted:
		st.round = []Network{ev.Running.Station.Network}
	}
}

// absorbConfig takes over new settings. An access point that serves comes up
// anew when it is to be another one, and ends when it is no more to come up by
// itself.
func (st *step) absorbConfig(ev ConfigChanged) {
	st.Config = ev.Config
	if st.fallback && !st.Config.Fallback {
		st.fallback, st.holdAt = false, st.now // due at once, should it be wanted again
	}
	if ev.AccessPoint && st.radio.target.AccessPoint {
		st.setRadio(st.radio.target)
	}
}

// judgeUplink finds out whether some uplink works, and starts the hold timer
// when the last one is lost.
func (st *step) judgeUplink() {
	if w := st.working(); w != nil {
		st.holdAt = time.Time{}
		if st.Uplink.State != Online || st.Uplink.Name != w.Name {
			st.Uplink = UplinkStatus{State: Online, Name: w.Name, Since: st.now, Reason: w.Name + " works"}
		}
		st.Uplink.Portal = w.portal
		return
	}
	switch {
	case st.Uplink.State == Online:
		st.lose()
	case st.Uplink.State == Starting && !st.fallback && st.holdAt.IsZero():
		st.holdAt = st.started.Add(st.startLimit())
	}
	if st.Uplink.State == Starting && !st.fallback && !st.hopeful() {
		st.holdAt = st.now
		st.why = "no wired link and no known network"
	}
	if st.atOnce && !st.holdAt.IsZero() {
		st.holdAt = st.now
	}
}

// working is the best way out: wired before wireless, in the order given.
func (st *step) working() *way {
	var found *way
	for i := range st.ways {
		w := &st.ways[i]
		if st.usable(*w) && (found == nil || found.Wifi && !w.Wifi) {
			found = w
		}
	}
	return found
}

func (st *step) lose() {
	reason := st.why
	st.holdAt, st.wayBack = st.now.Add(st.Config.Hold), time.Time{}
	if w := st.way(st.Uplink.Name); reason == "" && w != nil {
		switch {
		case w.failures >= st.Config.MaxLinkDown:
			// The probes have taken their time already: a soft loss.
			reason = st.softReason(*w)
			st.holdAt = st.now
		case !w.Carrier:
			reason = "carrier lost on " + w.Name
		case !w.Addressed:
			reason = "address lost on " + w.Name
		}
	}
	if reason == "" {
		reason = st.Uplink.Name + " is gone"
	}
	st.Uplink = UplinkStatus{State: Lost, Since: st.now, Reason: reason}
}

// softReason says what the probes of a way have failed to reach.
func (st *step) softReason(w way) string {
	switch {
	case !st.Config.Gateway:
		return w.why
	case !w.Gateway.IsValid():
		return w.Name + " has no gateway any more"
	}
	return fmt.Sprintf("gateway %v on %s is silent", w.Gateway, w.Name)
}

// startLimit bounds the wait at the start; a known network gets as long as
// it would after a loss.
func (st *step) startLimit() time.Duration {
	if len(st.saved) > 0 {
		return max(st.Config.Settle, st.Config.Hold)
	}
	return st.Config.Settle
}

// hopeEnds reports until when something may come up by itself after the start; with
// bounded false that has no end.
func (s State) hopeEnds() (at time.Time, bounded bool) {
	if len(s.saved) > 0 && s.radioPresent {
		return time.Time{}, false
	}
	at = s.started
	for _, w := range s.ways {
		switch {
		case w.Wifi:
		case w.Carrier:
			return time.Time{}, false
		default:
			at = s.started.Add(noCarrierWait)
		}
	}
	return at, true
}

// hopeful reports whether something may still come up by itself.
func (st *step) hopeful() bool {
	at, bounded := st.hopeEnds()
	return !bounded || st.now.Before(at)
}

// judgeFallback latches the fallback when the hold is over and releases it
// when an uplink works again and nobody on the access point is in the way.
func (st *step) judgeFallback() {
	online := st.Uplink.State == Online
	if !online && len(st.saved) == 0 {
		st.wayBack = time.Time{} // neither a cable nor a network to go back to
	}
	if st.asked() && !online && st.Uplink.State != Starting {
		st.holdAt = st.askedUntil.Add(st.Config.Hold)
	}
	due := !st.holdAt.IsZero() && !st.now.Before(st.holdAt) && !st.silent()
	byCommand := st.attempt != nil && st.attempt.command != 0
	switch {
	case online && st.fallback:
		if st.mayLeaveAP() {
			st.fallback = false
		}
	case !online && !st.fallback && due && !byCommand && st.Config.Fallback:
		st.fallback = true
		st.holdAt = time.Time{}
		switch {
		case len(st.saved) == 1 && st.Uplink.State == Joining:
			st.why = fmt.Sprintf("%q could not be joined in time", st.saved[0].SSID)
		case len(st.saved) > 1 && st.LastFailure.Reason != "":
			st.why = st.LastFailure.Reason
		}
		st.attempt, st.round = nil, nil
	}
}

// mayLeaveAP reports whether the access point may give way now that there is
// a way back: nobody is on it, or somebody has been for too long.
func (st *step) mayLeaveAP() bool {
	if st.wayBack.IsZero() {
		st.wayBack = st.now
	}
	return !st.occupied() || !st.now.Before(st.wayBack.Add(st.Config.YieldAfter))
}

// occupied reports whether somebody is on the access point, or may be.
func (s State) occupied() bool { return s.clients > 0 || s.at.Before(s.unsureUntil) }

// nameUplink tells joining from lost.
func (st *step) nameUplink() {
	state, reason := Lost, st.why
	switch {
	case st.Uplink.State == Online:
		return
	case st.attempt != nil:
		state, reason = Joining, st.attempt.network.joining()
		if st.Uplink.State == Lost && st.Uplink.Since.Equal(st.now) {
			reason = st.Uplink.Reason + ", " + reason
		}
	case st.Uplink.State == Starting && st.now.Before(st.holdAt):
		return
	case st.scan.running && !st.wantAP():
		state, reason = Joining, "looking for known networks"
		if st.Uplink.State == Lost && st.Uplink.Since.Equal(st.now) {
			reason = st.Uplink.Reason + ", " + reason
		}
	case st.Uplink.State == Joining && !st.wantAP() && len(st.saved) > 0 && st.radioPresent:
		return // between two attempts
	}
	if st.Uplink.State == state {
		return
	}
	switch {
	case reason == "" && st.Uplink.Reason == justStarted:
		reason = st.nothingCameUp()
	case reason == "":
		reason = st.Uplink.Reason
	}
	st.Uplink = UplinkStatus{State: state, Since: st.now, Reason: reason}
}

// nothingCameUp says what a wired link that has a carrier lacks, if there is one.
func (st *step) nothingCameUp() string {
	for _, w := range st.ways {
		switch {
		case w.Wifi || !w.Carrier:
		case !w.Addressed:
			return w.Name + " has a carrier and no address"
		case !st.probeable(w):
			return w.Name + " has an address and no gateway; probe.kind: none has it count all the same"
		case w.why != "":
			return w.Name + " does not work: " + w.why
		}
	}
	return "nothing came up"
}
