package policy

import (
	"fmt"
	"time"
)

// step is one Step in progress. seen, nothing and atOnce hold for this event
// only.
type step struct {
	State
	now     time.Time
	effects []Effect
	seen    bool   // a scan has just seen a saved network
	nothing bool   // a scan of all channels has just seen none
	atOnce  bool   // the hold ends now: there is nothing left to wait for
	why     string // the reason of a loss found in this step
}

// Step returns the state after ev happened at now, and the effects that must be
// carried out. It has no side effects.
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
		st.scanFromAccessPoint()
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

// unsureLimit is how long an access point counts as occupied while hostapd has
// not reported its stations yet: after the access point was found running, or was
// set up anew while stations were on it. hostapd is asked as soon as it is
// adopted, and either answers or is given up within seconds.
const unsureLimit = apLimit

// justStarted is the reason of the first state.
const justStarted = "started"

// begin enters the first state. An access point that the previous run left
// running goes on, so that a restart of the daemon disconnects no phone. A
// network that the previous run had joined is tried first.
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

// absorbConfig takes over new settings. A running access point comes up anew
// when its own settings have changed, and ends when the new settings no longer
// allow a fallback.
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

// working returns the best usable uplink, or nil: wired before wireless, and
// otherwise in the order of LinksChanged.
func (st *step) working() *watchedUplink {
	var found *watchedUplink
	for i := range st.uplinks {
		w := &st.uplinks[i]
		if st.usable(*w) && (found == nil || found.Wifi && !w.Wifi) {
			found = w
		}
	}
	return found
}

func (st *step) lose() {
	reason := st.why
	st.holdAt, st.yieldSince = st.now.Add(st.Config.Hold), time.Time{}
	if w := st.uplink(st.Uplink.Name); reason == "" && w != nil {
		switch {
		case w.failures >= st.Config.MaxLinkDown:
			// A soft loss. The failed probes have taken long enough; no hold follows.
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

// softReason returns what the probes of an uplink failed to reach.
func (st *step) softReason(w watchedUplink) string {
	switch {
	case !st.Config.Gateway:
		return w.why
	case !w.Gateway.IsValid():
		return w.Name + " has no gateway any more"
	}
	return fmt.Sprintf("gateway %v on %s is silent", w.Gateway, w.Name)
}

// startLimit returns how long to wait at the start. A saved network gets at
// least as much time as it would after a loss.
func (st *step) startLimit() time.Duration {
	if len(st.saved) > 0 {
		return max(st.Config.Settle, st.Config.Hold)
	}
	return st.Config.Settle
}

// hopeEnds returns until when an uplink may come up by itself after the start.
// If bounded is false, there is no such time: an uplink may always come up.
func (s State) hopeEnds() (at time.Time, bounded bool) {
	if len(s.saved) > 0 && s.radioPresent {
		return time.Time{}, false
	}
	at = s.started
	for _, w := range s.uplinks {
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

// hopeful reports whether an uplink may still come up by itself.
func (st *step) hopeful() bool {
	at, bounded := st.hopeEnds()
	return !bounded || st.now.Before(at)
}

// judgeFallback latches the fallback when the hold is over and releases it
// when an uplink works again and the access point may give way (mayLeaveAP).
func (st *step) judgeFallback() {
	online := st.Uplink.State == Online
	if !online && len(st.saved) == 0 {
		st.yieldSince = time.Time{} // there is neither a cable nor a network to return to
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

// mayLeaveAP reports whether the access point may give way to an uplink that is
// there to return to: when no station is on the access point, or when stations
// have held it up for YieldAfter.
func (st *step) mayLeaveAP() bool {
	if st.yieldSince.IsZero() {
		st.yieldSince = st.now
	}
	return !st.occupied() || !st.now.Before(st.yieldSince.Add(st.Config.YieldAfter))
}

// occupied reports whether a station is on the access point, or may be.
func (s State) occupied() bool { return s.clients > 0 || s.at.Before(s.unsureUntil) }

// nameUplink decides between the states Joining and Lost when no uplink works.
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

// nothingCameUp returns why the start ended without an uplink: what the first
// wired link that has a carrier lacks, if there is such a link.
func (st *step) nothingCameUp() string {
	for _, w := range st.uplinks {
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
