package policy

import (
	"slices"
	"time"
)

const (
	// probeAgain is the pause between probes of an uplink that does not work yet.
	// It is short, so that an uplink that has just come up is noticed at once.
	probeAgain = 2 * time.Second
	// probeLimit is how long the policy waits for the verdict of a probe.
	probeLimit = 15 * time.Second
	// bareLimit is how long the radio may be in a network without an address.
	// The radio lane or NetworkManager puts a lost address back in less than a
	// second; an IPv6 address counts only after a second of duplicate address
	// detection.
	bareLimit = 10 * time.Second
)

func (st *step) uplink(name string) *watchedUplink {
	i := slices.IndexFunc(st.uplinks, func(w watchedUplink) bool { return w.Name == name })
	if i < 0 {
		return nil
	}
	return &st.uplinks[i]
}

// absorbLinks takes over what the links show, and keeps the probe results of
// uplinks that have not changed.
func (st *step) absorbLinks(ev LinksChanged) {
	st.linksKnown = true
	came := ev.Radio && !st.radioPresent
	st.radioPresent, st.together = ev.Radio, ev.Together
	uplinks := make([]watchedUplink, 0, len(ev.Uplinks))
	for _, u := range ev.Uplinks {
		came = came || u.Wifi && st.uplink(u.Name) == nil
		uplinks = append(uplinks, st.merge(u))
	}
	st.uplinks = uplinks
	if came {
		st.radioCame()
	}
	if !ev.Radio {
		if st.attempt != nil {
			st.attemptFailed(noRadio)
		}
		st.dropStartAP(noRadio)
	}
}

func (st *step) merge(u Uplink) watchedUplink {
	old := st.uplink(u.Name)
	if old == nil {
		return watchedUplink{Uplink: u, probeAt: st.now}
	}
	w := *old
	w.Uplink = u
	switch {
	case old.Carrier && !u.Carrier:
		w.works, w.failures, w.probing = false, 0, false
		w.probed, w.why = time.Time{}, ""
		if u.Wifi && st.joined() {
			st.radioLost("carrier lost on " + u.Name)
		}
	case !old.Carrier && u.Carrier && !u.Wifi,
		!old.Addressed && u.Addressed,
		old.Gateway != u.Gateway, old.Direct != u.Direct:
		w.probeAt, w.probing = st.now, false
	}
	return w
}

// judgeAddress gives up a network that leaves the radio without an address.
// Probes cannot notice the missing address, as none is sent without an address.
func (st *step) judgeAddress() {
	for i := range st.uplinks {
		w := &st.uplinks[i]
		switch {
		case !w.Wifi || w.Addressed || !w.Carrier || !st.joined():
			w.bare = time.Time{}
		case w.bare.IsZero():
			w.bare = st.now
		case !st.now.Before(w.bare.Add(bareLimit)):
			w.bare = time.Time{}
			w.works = false
			st.radioLost("address lost on " + w.Name)
		}
	}
}

// probe starts the probes that are due. An uplink with no probe target is not
// probed, and does not count as working.
func (st *step) probe() {
	for i := range st.uplinks {
		w := &st.uplinks[i]
		if !st.probeable(*w) {
			w.probeAt = time.Time{}
			continue
		}
		if w.probing && st.now.Before(w.probeAt) {
			continue
		}
		if w.probing {
			st.probeFailed(w, "no verdict on "+w.Name+" within "+probeLimit.String())
		}
		if !w.probeAt.After(st.now) {
			w.gen++
			w.probing = true
			w.probeAt = st.now.Add(probeLimit)
			st.emit(RunProbe{Gen: w.gen, Uplink: w.Uplink})
		}
	}
}

// probeable reports whether the uplink has a probe target. A working uplink is
// probed even after its gateway has vanished: the probe fails, and the uplink is
// lost as if the gateway were silent.
func (st *step) probeable(w watchedUplink) bool {
	askable := w.Gateway.IsValid() || w.Direct || !st.Config.Gateway || w.works
	return w.Carrier && w.Addressed && askable && (!w.Wifi || st.joined())
}

func (st *step) absorbProbe(ev ProbeDone) {
	w := st.uplink(ev.Uplink)
	if w == nil || !w.probing || w.gen != ev.Gen {
		return
	}
	w.probing = false
	if ev.Reason != "" {
		st.probeFailed(w, ev.Reason)
		return
	}
	w.portal = ev.Portal
	st.probePassed(w)
}

func (st *step) probePassed(w *watchedUplink) {
	w.works, w.failures, w.probing = true, 0, false
	w.probed, w.why = st.now, ""
	w.probeAt = st.now.Add(st.Config.Interval)
}

// probeFailed counts a failed probe towards a soft loss. A working uplink is
// probed once per interval, so MaxLinkDown failures take MaxLinkDown intervals.
func (st *step) probeFailed(w *watchedUplink, why string) {
	w.probing = false
	w.failures++
	w.probed, w.why = st.now, why
	if w.failures >= st.Config.MaxLinkDown {
		w.works = false
	}
	w.probeAt = st.now.Add(probeAgain)
	if w.works {
		w.probeAt = st.now.Add(st.Config.Interval)
	}
}
