package policy

import (
	"time"
)

// post runs one Step and plays its effects.
func (w *world) post(ev Event) {
	before := w.state
	w.state, w.lastEffects = Step(w.state, w.now, ev)
	if due, ok := w.state.Deadline(); ok && !due.After(w.now) {
		w.t.Fatalf("%s: deadline %v is not in the future", w.stamp(), due.Sub(epoch))
	}
	for _, n := range w.state.Next() {
		if due, ok := w.state.Deadline(); !ok || due.After(n.At) {
			w.t.Fatalf("%s: nothing wakes the loop for %v\n%v", w.stamp(), n, w.tail())
		}
	}
	w.noteTransitions(before)
	for id, since := range w.waiting {
		if w.now.Sub(since) > answerLimit {
			w.t.Fatalf("%s: command %d waits for %v\n%v", w.stamp(), id, w.now.Sub(since), w.tail())
		}
	}
	for _, e := range w.lastEffects {
		w.play(e)
	}
}

func (w *world) play(e Effect) {
	switch e := e.(type) {
	case SetRadio:
		w.target = e
		w.associated = w.associated && e.Target.Station.Wanted
		w.playRadio(e)
	case RunProbe:
		if w.state.Config.Gateway && !e.Uplink.Gateway.IsValid() {
			w.later(0, ProbeDone{Uplink: e.Uplink.Name, Gen: e.Gen, Reason: "there is none"})
		} else if e.Uplink.Wifi && (w.silent || !w.there(w.target.Target.Station.Network)) || !e.Uplink.Wifi && !w.cable {
			w.later(3*time.Second, ProbeDone{Uplink: e.Uplink.Name, Gen: e.Gen, Reason: "silent"})
		} else {
			w.later(10*time.Millisecond, ProbeDone{Uplink: e.Uplink.Name, Gen: e.Gen})
		}
	case RunScan:
		w.after(400*time.Millisecond, func() { w.post(ScanDone{Gen: e.Gen, Visible: w.visible()}) })
	case Reply:
		w.replied[e.ID]++
		delete(w.waiting, e.ID)
		if e.Code != "" {
			w.note("reply %d error %s: %s", e.ID, e.Code, e.Reason)
		} else {
			w.note("reply %d %s", e.ID, e.Result)
		}
	case Promote:
		w.note("promote")
		w.savedKeyOK = w.candidateOK
	case RecordJoin:
		if len(w.state.saved) > 1 {
			w.note("record %s failed %v", e.Network.SSID, e.Failed)
		}
	case ForgetNetworks:
		w.note("forget")
	case KeepAsked:
		w.kept = e.Until
	}
}

// visible are the saved networks that are on the air.
func (w *world) visible() (ssids []string) {
	for _, n := range w.state.saved {
		if w.up && w.there(n) && !n.Hidden {
			ssids = append(ssids, n.SSID)
		}
	}
	return ssids
}

// part is the one part of a target of a radio that cannot be two things at once.
func (e SetRadio) part() Part {
	all := e.Target.Parts()
	if len(all) != 1 {
		panic("the radio is asked to be two things at once")
	}
	return all[0]
}

func (w *world) playRadio(e SetRadio) {
	if w.radio && w.blocked {
		w.later(50*time.Millisecond, RadioFailed{Part: e.part(), Gen: e.Gen, Failure: Failure{Code: "radio_off", Reason: "the radio is switched off"}})
		return
	}
	w.up = w.radio
	w.later(100*time.Millisecond, RadioProgress{Part: e.part(), Gen: e.Gen, Stage: StageCleared})
	switch e.part() {
	case PartRest:
		w.later(110*time.Millisecond, RadioProgress{Part: e.part(), Gen: e.Gen, Stage: StageReady})
	case PartAccessPoint:
		if w.apBroken {
			w.later(time.Second, RadioFailed{Part: e.part(), Gen: e.Gen, Failure: Failure{Code: "ap_failed", Reason: "hostapd ended"}})
			return
		}
		w.later(1200*time.Millisecond, RadioProgress{Part: e.part(), Gen: e.Gen, Stage: StageReady})
		w.after(1250*time.Millisecond, func() {
			if w.target.Gen == e.Gen && w.state.Ready(PartAccessPoint) && !w.mute {
				w.post(ClientsChanged{Count: w.phones})
			}
		})
	case PartStation:
		w.playStation(e)
	}
}

func (w *world) playStation(e SetRadio) {
	keyOK := w.savedKeyOK
	if e.Target.Station.Network.Candidate {
		keyOK = w.candidateOK
	}
	current := func() bool { return w.target.Gen == e.Gen }
	there := func() bool { return w.there(e.Target.Station.Network) }
	keyOK = keyOK && (w.wrongKey == "" || e.Target.Station.Network.SSID != w.wrongKey)
	switch {
	case !there():
		w.later(4*time.Second, RadioFailed{Part: e.part(), Gen: e.Gen, Failure: Failure{Code: "not_found", Reason: "not seen"}})
	case !keyOK:
		w.later(4800*time.Millisecond, RadioFailed{Part: e.part(), Gen: e.Gen, Failure: Failure{Code: "wrong_key", Reason: "refused the key"}})
	default:
		w.after(700*time.Millisecond, func() {
			if !current() || !there() {
				return
			}
			w.associated, w.flushed = true, false // it is addressed anew
			w.links()
			if w.silent {
				w.later(3*time.Second, RadioFailed{Part: e.part(), Gen: e.Gen, Failure: Failure{Code: "no_gateway", Reason: "gateway is silent"}})
				return
			}
			w.later(200*time.Millisecond, RadioProgress{Part: e.part(), Gen: e.Gen, Stage: StageReady})
		})
	}
}
