package policy

import "github.com/netconnectd/netconnectd/client"

import "time"

// apReady takes over that the access point is up. If stations were on the access
// point before, hostapd may have been adopted together with them; until hostapd
// reports them, which takes milliseconds, the access point counts as occupied.
func (st *step) apReady() {
	if st.clients > 0 {
		st.clients, st.unsureUntil = 0, st.now.Add(unsureLimit)
	}
	st.scan = scan{gen: st.scan.gen, at: st.now.Add(st.Config.Rescan)}
	if st.startAP != 0 {
		st.reply(st.startAP, client.ResultStartedAP)
		st.startAP = 0
		st.askedUntil = st.now.Add(st.Config.AskedLimit) // the limit counts from now
	}
}

// apFailed schedules another try. It keeps the number of stations, as hostapd
// may still run when another part of the access point has failed.
func (st *step) apFailed(f Failure) {
	st.tryAgain(&st.radio.parts.accessPoint, f)
	st.dropStartAP(f)
}

// dropStartAP answers a start_ap command whose access point does not come up,
// and stops trying on behalf of that command.
func (st *step) dropStartAP(f Failure) {
	if st.startAP != 0 {
		st.fail(st.startAP, f)
		st.startAP = 0
		st.askedUntil = time.Time{}
	}
}

// judgeAP derives the access point variable from the radio.
func (st *step) judgeAP() {
	state, cause := APOff, CauseNone
	switch {
	case st.Ready(PartAccessPoint):
		state, cause = APUp, st.cause()
	case st.radio.target.AccessPoint:
		state, cause = APStarting, st.cause()
	case st.AP.State != APOff && !st.radio.cleared():
		state, cause = APStopping, st.AP.Cause
	}
	if state == st.AP.State && cause == st.AP.Cause {
		switch {
		case state == APOff && st.wantAP() && !st.radioPresent:
			st.AP.Reason = noRadio.Reason
		case state == APStarting && st.radio.parts.accessPoint.why != "": // a try has failed and the next is due
			st.AP.Reason = st.radio.parts.accessPoint.why
		}
		return
	}
	st.AP = APStatus{State: state, Cause: cause, Since: st.now, Reason: st.apReason(state, cause)}
	if state == APOff {
		st.clients, st.unsureUntil, st.yieldSince = 0, time.Time{}, time.Time{}
		st.scan.at, st.scan.running = time.Time{}, false
	}
}

func (st *step) cause() Cause {
	switch {
	case st.asked():
		return CauseAsked
	case st.Config.Always:
		return CauseAlways
	}
	return CauseFallback
}

func (st *step) apReason(state APState, cause Cause) string {
	switch {
	case state == APOff || state == APStopping:
		if st.attempt != nil || st.Uplink.State == Online {
			return st.Uplink.Reason
		}
		return "not wanted"
	case st.radio.parts.accessPoint.why != "":
		return st.radio.parts.accessPoint.why
	case cause == CauseAsked:
		return "somebody asked for it"
	case cause == CauseAlways:
		return "ap.mode is always"
	}
	return st.Uplink.Reason
}
