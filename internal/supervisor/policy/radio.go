package policy

import (
	"slices"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

const (
	// joinAgain is the pause between attempts to join while the hold runs.
	joinAgain = 2 * time.Second
	// backoffLimit is the longest pause between automatic attempts.
	backoffLimit = 10 * time.Minute
	// restartAgain is the first pause before an access point that failed, or a
	// radio at rest that went down, is set again; it doubles up to restartLimit.
	restartAgain = time.Second
	restartLimit = 30 * time.Second
	// apLimit is how long an access point may take to start. hostapd and dnsmasq
	// take 2 s, on slow devices some seconds more.
	apLimit = 30 * time.Second
	// scanLimit is how long the policy waits for the end of a scan. A scan of all
	// channels takes 4 s, on busy radios three times as long.
	scanLimit = 30 * time.Second
	// fullScanEvery makes every fourth scan from the access point cover all channels,
	// in case a saved network has moved. The other scans cover
	// only the last known channels, which clients do not notice.
	fullScanEvery = 4
)

func (st *step) emit(e Effect) { st.effects = append(st.effects, e) }

// joined reports whether the radio is a verified station.
func (s State) joined() bool { return s.Ready(PartStation) }

func (s State) asked() bool { return s.startAP != 0 || s.at.Before(s.askedUntil) }

func (s State) silent() bool { return s.at.Before(s.silentUntil) }

func (s State) wantAP() bool {
	return s.asked() || (s.fallback || s.Config.Always) && !s.silent()
}

func (st *step) absorbProgress(ev RadioProgress) {
	p := st.radio.parts.of(ev.Part)
	if ev.Gen != p.gen || !st.radio.target.Has(ev.Part) {
		return
	}
	p.cleared = true
	if st.stopAP != 0 {
		st.reply(st.stopAP, client.ResultStoppedAP)
		st.stopAP = 0
	}
	if ev.Stage == StageReady && !p.ready {
		p.ready, p.readyAt = true, st.now
		p.retryAt, p.why = time.Time{}, ""
		switch ev.Part {
		case PartAccessPoint:
			p.retries = 0
			st.apReady()
		case PartStation:
			st.attemptSucceeded()
		}
	}
}

func (st *step) radioFailed(ev RadioFailed) {
	if ev.Gen != st.radio.parts.of(ev.Part).gen || !st.radio.target.Has(ev.Part) {
		return
	}
	if st.stopAP != 0 {
		st.fail(st.stopAP, ev.Failure)
		st.stopAP = 0
	}
	switch {
	case ev.Part == PartAccessPoint:
		st.apFailed(ev.Failure)
	case ev.Part == PartRest:
		st.restFailed(ev.Failure)
	case st.attempt != nil:
		st.radio.parts.station.failed = true
		st.attemptFailed(ev.Failure)
	case st.joined():
		st.radioLost(ev.Reason)
	}
}

// restFailed schedules another try to set a radio at rest up, as no scan is
// possible while it is down. A radio that is switched off or gone can no longer
// be an access point, so what the previous target held counts as cleared.
func (st *step) restFailed(f Failure) {
	p := &st.radio.parts.rest
	p.cleared = p.cleared || f.Code == client.CodeRadioOff || f.Code == client.CodeNoRadio
	if p.ready && !st.now.Before(p.readyAt.Add(restartLimit)) {
		p.retries = 0
	}
	st.tryAgain(p, f)
}

// tryAgain schedules another try for a part that failed, later each time.
func (st *step) tryAgain(p *progress, f Failure) {
	p.ready, p.failed, p.why = false, true, f.Reason
	p.retryAt = st.now.Add(st.backoff(restartAgain, p.retries, restartLimit))
	p.retries++
}

// radioCame sets a radio at rest up again. The radio is another one, or was away,
// and the lane may have had nothing to set up before.
func (st *step) radioCame() {
	if p := &st.radio.parts.rest; st.radio.gen != 0 && st.radio.target.IsRest() {
		p.ready, p.failed, p.retryAt = false, true, st.now
	}
}

// radioLost ends a verified association. The next attempt starts at once.
func (st *step) radioLost(reason string) {
	p := &st.radio.parts.station
	p.ready, p.failed = false, true
	st.why = reason
	st.joinAfter, st.joinFailed = st.now, 0
	st.round, st.scan.count = nil, 0
}

// radioChanged makes the radio reach its target anew: the access point, the
// network, or the rest.
func (st *step) radioChanged(reason string) {
	switch {
	case st.radio.gen == 0:
	case st.radio.target.AccessPoint, st.radio.target.IsRest():
		st.setRadio(st.radio.target)
	case st.attempt != nil:
		st.radio.parts.station.failed = true
		st.attemptFailed(Failure{Code: client.CodeCancelled, Reason: reason})
		st.joinAfter = st.now
	case st.joined():
		st.radioLost(reason)
	}
}

// expire ends every attempt that has taken too long.
func (st *step) expire() {
	if st.attempt != nil && !st.now.Before(st.attempt.deadline) {
		st.radio.parts.station.failed = true
		st.attemptFailed(Failure{Code: client.CodeTimeout, Reason: "no success within " + st.Config.JoinTimeout.String()})
	}
	if st.scan.running && !st.now.Before(st.scan.at) {
		st.scan.running = false
	}
	if p := st.radio.parts.accessPoint; st.radio.target.AccessPoint && !p.ready && !p.failed && !st.now.Before(p.retryAt) {
		st.apFailed(Failure{Code: client.CodeTimeout, Reason: "the access point did not come up within " + apLimit.String()})
	}
}

// judgeAttempt starts the next automatic attempt if one is due and allowed.
func (st *step) judgeAttempt() {
	if st.attempt != nil || len(st.saved) == 0 || !st.radioPresent || st.joined() ||
		st.now.Before(st.joinAfter) || !st.radioFree() {
		return
	}
	switch {
	case st.Config.Delegated:
		st.round = nil
		st.try(Network{}, 0)
	case len(st.saved) == 1: // joining it includes a scan
		st.round = nil
		st.try(st.saved[0], 0)
	case len(st.round) > 0:
		n := st.round[0]
		st.round = st.round[1:]
		st.try(n, 0)
	case st.radio.target.Station.Wanted, st.Ready(PartRest):
		st.runScan(st.scan.count%2 == 1)
	}
}

// radioFree reports whether an automatic attempt may take the radio. It may if no
// access point is wanted, or if the access point is only a fallback and a saved
// network has just been seen.
func (st *step) radioFree() bool {
	if !st.wantAP() {
		return true
	}
	underWay := st.radio.target.Station.Wanted && len(st.round) > 0
	return (st.seen || underWay) && !st.asked() && !st.Config.Always && st.mayLeaveAP()
}

func (st *step) try(n Network, command int) {
	st.attempt = &attempt{network: n, command: command, deadline: st.now.Add(st.Config.JoinTimeout)}
	st.setRadio(Target{Station: Station{Wanted: true, Network: n, Asked: command != 0}})
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
	for i := range st.uplinks {
		if w := &st.uplinks[i]; w.Wifi { // verified by the lane just now
			w.Carrier, w.Addressed = true, true
			st.probePassed(w)
		}
	}
	if a.command != 0 {
		st.reply(a.command, client.ResultConnected)
	}
}

// attemptFailed ends the attempt and decides when the next may start: soon
// during the hold, later and later while the device is reachable. An attempt that
// a command started delays no later attempt.
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

// blamesNetwork reports whether the network is to blame for a failure, and not
// this device or its distance from the network.
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

// promote changes the saved networks as the store does when a candidate has
// worked.
func (st *step) promote(n Network) {
	n.Candidate = false
	others := slices.DeleteFunc(slices.Clone(st.saved), func(other Network) bool { return other.SSID == n.SSID })
	st.saved, st.candidate = append([]Network{n}, others...), nil
}

// absorbNetworks takes over what the store holds. The radio leaves a network that
// is no longer saved.
func (st *step) absorbNetworks(ev NetworksChanged) {
	st.saved, st.candidate = ev.Saved, ev.Candidate
	if st.savedIndex(st.LastFailure.SSID) < 0 && (st.candidate == nil || st.candidate.SSID != st.LastFailure.SSID) && st.LastFailure.SSID != "" {
		st.LastFailure = JoinFailure{}
	}
	st.round = slices.DeleteFunc(st.round, func(n Network) bool { return st.savedIndex(n.SSID) < 0 })
	t := st.radio.target.Station
	pending := t.Network.Candidate && (!st.radio.parts.station.ready || st.candidate != nil && st.candidate.SSID == t.Network.SSID)
	anyOf := t.Network.SSID == "" && len(st.saved) > 0
	if !t.Wanted || st.radio.parts.station.failed || st.savedIndex(t.Network.SSID) >= 0 || pending || anyOf {
		return
	}
	if st.attempt != nil && st.attempt.command != 0 {
		st.fail(st.attempt.command, Failure{Code: client.CodeCancelled, Reason: "the network was removed"})
	}
	st.attempt = nil
	st.radioLost("the network was removed")
}

// backoff returns first doubled n times, at most limit, spread by the jitter.
func (st *step) backoff(first time.Duration, n int, limit time.Duration) time.Duration {
	d := first
	for ; n > 0 && d < limit; n-- {
		d *= 2
	}
	d = min(d, limit)
	return d + time.Duration(st.Config.Jitter*0.2*float64(d))
}

// steerRadio sets the radio's target to the one that the rest of the state needs.
// Between attempts the radio stays a station, until a scan has found no saved
// network: then the radio goes to rest, which keeps its interface up.
func (st *step) steerRadio() {
	have := st.radio.target
	switch {
	case st.attempt != nil: // set by try
	case st.wantAP() && st.radioPresent:
		if !have.AccessPoint || st.mayRetry(PartAccessPoint) {
			st.setRadio(Target{AccessPoint: true})
		}
	case have.Station.Wanted && len(st.saved) > 0 && st.radioPresent && (st.joined() || !st.nothing):
	case st.radio.gen == 0, !have.IsRest(), st.mayRetry(PartRest) && st.radioPresent:
		st.setRadio(Target{})
	}
}

// setRadio asks for a target. If the radio cannot be an access point and a station
// at once, the station wins.
func (st *step) setRadio(t Target) {
	if !st.together && t.Station.Wanted {
		t.AccessPoint = false
	}
	next := radio{gen: st.radio.gen + 1, target: t}
	for _, p := range t.Parts() {
		part := next.parts.of(p)
		part.gen = next.gen
		if t == st.radio.target {
			last := st.radio.parts.of(p)
			part.retries, part.why = last.retries, last.why
		}
	}
	if t.AccessPoint {
		next.parts.accessPoint.retryAt = st.now.Add(apLimit)
	}
	st.radio = next
	st.emit(SetRadio{Gen: next.gen, Target: t})
}

// scanFromAccessPoint scans for saved networks while a fallback access point is up.
func (st *step) scanFromAccessPoint() {
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
		st.yieldSince = time.Time{}
	}
	if !st.radio.target.AccessPoint && st.scan.full {
		nothing := Failure{Code: client.CodeNotFound, Reason: "no known network is in reach"}
		if !st.LastFailure.asked { // which says more
			st.LastFailure = JoinFailure{Failure: nothing}
		}
		st.why, st.nothing = nothing.Reason, true
		st.pause()
	}
}
