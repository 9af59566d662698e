package policy

import (
	"slices"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

const (
	// joinAgain is the pause between attempts while the hold runs.
	joinAgain = 2 * time.Second
	// backoffLimit is the longest pause between automatic attempts.
	backoffLimit = 10 * time.Minute
	// restartAgain is the first pause before an access point that failed, or a
	// radio at rest that went down, is set again; it doubles up to restartLimit.
	restartAgain = time.Second
	restartLimit = 30 * time.Second
	// apLimit is when the start of an access point is given up: hostapd and
	// dnsmasq take 2 s, on slow devices some seconds more.
	apLimit = 30 * time.Second
	// scanLimit is when the end of a scan is no longer awaited: a scan of all
	// channels takes 4 s, on busy radios three times as long.
	scanLimit = 30 * time.Second
	// fullScanEvery of the scans from the access point one looks at all
	// channels, in case a known network has moved; the others look at their
	// last known channels only, which clients do not notice.
	fullScanEvery = 4
)

func (st *step) emit(e Effect) { st.effects = append(st.effects, e) }

// joined reports whether the radio is a verified station.
func (s State) joined() bool { return s.radio.target.Role == RoleStation && s.radio.ready }

func (s State) asked() bool { return s.startAP != 0 || s.at.Before(s.askedUntil) }

func (s State) silent() bool { return s.at.Before(s.silentUntil) }

func (s State) wantAP() bool {
	return s.asked() || (s.fallback || s.Config.Always) && !s.silent()
}

func (st *step) absorbProgress(ev RadioProgress) {
	if ev.Gen != st.radio.gen {
		return
	}
	st.radio.cleared = true
	if st.stopAP != 0 {
		st.reply(st.stopAP, client.ResultStoppedAP)
		st.stopAP = 0
	}
	if ev.Stage == StageReady && !st.radio.ready {
		st.radio.ready, st.radio.readyAt = true, st.now
		st.radio.retryAt, st.radio.why = time.Time{}, ""
		switch st.radio.target.Role {
		case RoleAccessPoint:
			st.radio.retries = 0
			st.apReady()
		case RoleStation:
			st.attemptSucceeded()
		}
	}
}

func (st *step) radioFailed(f Failure) {
	if st.stopAP != 0 {
		st.fail(st.stopAP, f)
		st.stopAP = 0
	}
	switch {
	case st.radio.target.Role == RoleAccessPoint:
		st.apFailed(f)
	case st.attempt != nil:
		st.radio.failed = true
		st.attemptFailed(f)
	case st.joined():
		st.radioLost(f.Reason)
	case st.radio.target.Role == RoleOff:
		st.offFailed(f)
	}
}

// offFailed is told that a radio at rest is not up, without which nothing can
// be looked for. One that is switched off or gone is no access point any more.
func (st *step) offFailed(f Failure) {
	r := &st.radio
	r.cleared = r.cleared || f.Code == client.CodeRadioOff || f.Code == client.CodeNoRadio
	if r.ready && !st.now.Before(r.readyAt.Add(restartLimit)) {
		r.retries = 0
	}
	st.tryAgain(f)
}

// tryAgain has a target that failed be set again, later each time.
func (st *step) tryAgain(f Failure) {
	r := &st.radio
	r.ready, r.failed, r.why = false, true, f.Reason
	r.retryAt = st.now.Add(st.backoff(restartAgain, r.retries, restartLimit))
	r.retries++
}

// radioCame has a radio at rest be set up: it is another one, or was away, and
// the lane may have had nothing to set up.
func (st *step) radioCame() {
	if r := &st.radio; r.target.Role == RoleOff {
		r.ready, r.failed, r.retryAt = false, true, st.now
	}
}

// radioLost ends a verified association; the next attempt starts at once.
func (st *step) radioLost(reason string) {
	st.radio.ready, st.radio.failed = false, true
	st.why = reason
	st.joinAfter, st.joinFailed = st.now, 0
	st.round, st.scan.count = nil, 0
}

// radioChanged has the access point come up anew, a network be joined anew, or
// the radio be set to rest anew.
func (st *step) radioChanged(reason string) {
	switch {
	case st.radio.target.Role == RoleAccessPoint, st.radio.target.Role == RoleOff:
		st.setRadio(st.radio.target)
	case st.attempt != nil:
		st.radio.failed = true
		st.attemptFailed(Failure{Code: client.CodeCancelled, Reason: reason})
		st.joinAfter = st.now
	case st.joined():
		st.radioLost(reason)
	}
}

// expire gives up what has taken too long.
func (st *step) expire() {
	if st.attempt != nil && !st.now.Before(st.attempt.deadline) {
		st.radio.failed = true
		st.attemptFailed(Failure{Code: client.CodeTimeout, Reason: "no success within " + st.Config.JoinTimeout.String()})
	}
	if st.scan.running && !st.now.Before(st.scan.at) {
		st.scan.running = false
	}
	r := &st.radio
	if r.target.Role == RoleAccessPoint && !r.ready && !r.failed && !st.now.Before(r.retryAt) {
		st.apFailed(Failure{Code: client.CodeTimeout, Reason: "the access point did not come up within " + apLimit.String()})
	}
}

// judgeAttempt starts the next automatic attempt when it may.
func (st *step) judgeAttempt() {
	if st.attempt != nil || len(st.saved) == 0 || !st.radioPresent || st.joined() ||
		st.now.Before(st.joinAfter) || !st.radioFree() {
		return
	}
	switch {
	case st.Config.Delegated:
		st.round = nil
		st.try(Network{}, 0)
	case len(st.saved) == 1: // it is looked for while it is being joined
		st.round = nil
		st.try(st.saved[0], 0)
	case len(st.round) > 0:
		n := st.round[0]
		st.round = st.round[1:]
		st.try(n, 0)
	case st.radio.target.Role == RoleStation, st.radio.target.Role == RoleOff && st.radio.ready:
		st.runScan(st.scan.count%2 == 1)
	}
}

// radioFree reports whether an automatic attempt may take the radio: there is
// no access point, or one whose purpose is a network that has just been seen.
func (st *step) radioFree() bool {
	if !st.wantAP() {
		return true
	}
	underWay := st.radio.target.Role == RoleStation && len(st.round) > 0
	return (st.seen || underWay) && !st.asked() && !st.Config.Always && st.mayLeaveAP()
}

func (st *step) try(n Network, command int) {
	st.attempt = &attempt{network: n, command: command, deadline: st.now.Add(st.Config.JoinTimeout)}
	st.setRadio(Target{Role: RoleStation, Network: n, Asked: command != 0})
}

func (st *step) attemptSucceeded() {
	if st.attempt == nil {
		return
	}
	a := *st.attempt
	st.attempt = nil
	st.fallback = false
	st.askedUntil, st.silentUntil = time.Time{}, time.Time{}
	st.joinFailed, st.round = 0, nil
	if last := st.LastFailure; !last.asked || a.command != 0 || a.network.SSID == last.SSID {
		st.LastFailure = JoinFailure{}
	}
	if a.network.Candidate {
		st.emit(Promote{})
		st.promote(a.network)
	} else {
		st.emit(RecordJoin{Network: a.network})
	}
	for i := range st.ways {
		if w := &st.ways[i]; w.Wifi { // verified by the lane just now
			w.Carrier, w.Addressed = true, true
			st.probePassed(w)
		}
	}
	if a.command != 0 {
		st.reply(a.command, client.ResultConnected)
	}
}

// attemptFailed ends the attempt and decides when the next may start: soon
// while something is waited for, later and later from a working state. What a
// person asked for leaves the saved network as good as it was.
func (st *step) attemptFailed(f Failure) {
	a := *st.attempt
	st.attempt = nil
	stillAsked := st.LastFailure.asked && st.LastFailure.SSID == a.network.SSID
	st.LastFailure = JoinFailure{f, a.network.SSID, a.command != 0 || stillAsked}
	st.why = f.Reason
	if !a.network.Candidate && a.network.SSID != "" && blamesNetwork(f) {
		st.emit(RecordJoin{Network: a.network, Failed: true})
	}
	if a.command != 0 {
		st.fail(a.command, f)
		st.joinAfter = st.now
		if !st.fallback {
			st.holdAt = st.now
			if len(st.saved) > 0 {
				st.holdAt = st.now.Add(st.Config.Hold)
			}
		}
		return
	}
	if len(st.round) > 0 {
		st.joinAfter = st.now // the next one
		return
	}
	st.pause()
}

// blamesNetwork reports whether a failure says something of the network, and
// not of ours or of where the device is.
func blamesNetwork(f Failure) bool {
	return !slices.Contains([]string{client.CodeNotFound, client.CodeNoRadio, client.CodeRadioOff, client.CodeInternal}, f.Code)
}

// pause decides when the next automatic attempt may start.
func (st *step) pause() {
	pause := joinAgain
	if st.fallback || st.Uplink.State == Online {
		pause = st.backoff(st.Config.Rescan, st.joinFailed, backoffLimit)
		st.joinFailed++
	}
	st.joinAfter = st.now.Add(pause)
}

// promote takes over what the store does with a candidate that has worked.
func (st *step) promote(n Network) {
	n.Candidate = false
	others := slices.DeleteFunc(slices.Clone(st.saved), func(other Network) bool { return other.SSID == n.SSID })
	st.saved, st.candidate = append([]Network{n}, others...), nil
}

// absorbNetworks takes over what the store holds. A network that is no longer
// saved is left.
func (st *step) absorbNetworks(ev NetworksChanged) {
	st.saved, st.candidate = ev.Saved, ev.Candidate
	if st.savedIndex(st.LastFailure.SSID) < 0 && (st.candidate == nil || st.candidate.SSID != st.LastFailure.SSID) && st.LastFailure.SSID != "" {
		st.LastFailure = JoinFailure{}
	}
	st.round = slices.DeleteFunc(st.round, func(n Network) bool { return st.savedIndex(n.SSID) < 0 })
	t := st.radio.target
	pending := t.Network.Candidate && (!st.radio.ready || st.candidate != nil && st.candidate.SSID == t.Network.SSID)
	anyOf := t.Network.SSID == "" && len(st.saved) > 0
	if t.Role != RoleStation || st.radio.failed || st.savedIndex(t.Network.SSID) >= 0 || pending || anyOf {
		return
	}
	if st.attempt != nil && st.attempt.command != 0 {
		st.fail(st.attempt.command, Failure{Code: client.CodeCancelled, Reason: "the network was removed"})
	}
	st.attempt = nil
	st.radioLost("the network was removed")
}

// backoff doubles first n times up to limit and spreads it by the jitter.
func (st *step) backoff(first time.Duration, n int, limit time.Duration) time.Duration {
	d := first
	for ; n > 0 && d < limit; n-- {
		d *= 2
	}
	d = min(d, limit)
	return d + time.Duration(st.Config.Jitter*0.2*float64(d))
}

// steerRadio gives the radio the target that the rest of the state wants. Between
// attempts it stays a station, until nothing is in reach: nobody holds it up then.
func (st *step) steerRadio() {
	have := st.radio.target.Role
	retry := st.radio.failed && !st.now.Before(st.radio.retryAt)
	switch {
	case st.attempt != nil: // set by try
	case st.wantAP() && st.radioPresent:
		if have != RoleAccessPoint || retry {
			st.setRadio(Target{Role: RoleAccessPoint})
		}
	case have == RoleStation && len(st.saved) > 0 && st.radioPresent && (st.joined() || !st.nothing):
	case have != RoleOff, retry && st.radioPresent:
		st.setRadio(Target{Role: RoleOff})
	}
}

func (st *step) setRadio(t Target) {
	next := radio{gen: st.radio.gen + 1, target: t}
	if t == st.radio.target {
		next.retries, next.why = st.radio.retries, st.radio.why
	}
	if t.Role == RoleAccessPoint {
		next.retryAt = st.now.Add(apLimit)
	}
	st.radio = next
	st.emit(SetRadio{Gen: st.radio.gen, Target: t})
}

// look scans for saved networks from a fallback access point.
func (st *step) look() {
	if st.AP.State == APUp && st.AP.Cause == CauseFallback && len(st.saved) > 0 &&
		!st.now.Before(st.scan.at) && !st.now.Before(st.joinAfter) {
		st.runScan(!st.occupied() && (st.scan.count+1)%fullScanEvery == 0)
	}
}

func (st *step) runScan(full bool) {
	sc := &st.scan
	if sc.running {
		return
	}
	sc.gen++
	sc.count++
	sc.running, sc.full, sc.at = true, full, st.now.Add(scanLimit)
	st.emit(RunScan{Gen: sc.gen, Full: full})
}

func (st *step) absorbScan(ev ScanDone) {
	if !st.scan.running || ev.Gen != st.scan.gen {
		return
	}
	st.scan.running = false
	st.scan.at = st.now.Add(st.Config.Rescan)
	st.round = slices.DeleteFunc(slices.Clone(st.saved), func(n Network) bool {
		return !slices.Contains(ev.Visible, n.SSID) && !(n.Hidden && st.scan.full)
	})
	st.seen = len(st.round) > 0
	if st.seen {
		return
	}
	if st.Uplink.State != Online {
		st.wayBack = time.Time{}
	}
	if st.radio.target.Role != RoleAccessPoint && st.scan.full {
		nothing := Failure{Code: client.CodeNotFound, Reason: "no known network is in reach"}
		if !st.LastFailure.asked { // which says more
			st.LastFailure = JoinFailure{Failure: nothing}
		}
		st.why, st.nothing = nothing.Reason, true
		st.pause()
	}
}
