package policy

import (
	"slices"
	"time"
)

const (
	// probeAgain is the pause between probes of a way that does not work yet:
	// what has just come up should be noticed at once.
	probeAgain = 2 * time.Second
	// probeLimit is when the verdict of a probe is no longer awaited.
	probeLimit = 15 * time.Second
	// bareLimit is how long the radio may be in a network without an address.
	// Whoever holds the network puts an address back in less than a second; an
	// IPv6 address counts only after a second of duplicate address detection.
	bareLimit = 10 * time.Second
)

func (st *step) way(name string) *way {
	i := slices.IndexFunc(st.ways, func(w way) bool { return w.Name == name })
	if i < 0 {
		return nil
	}
	return &st.ways[i]
}

// absorbLinks takes over what the links show and keeps what the probes said
// of ways that have not changed.
func (st *step) absorbLinks(ev LinksChanged) {
	st.linksKnown = true
	came := ev.Radio && !st.radioPresent
	st.radioPresent, st.together = ev.Radio, ev.Together
	ways := make([]way, 0, len(ev.Uplinks))
	for _, u := range ev.Uplinks {
		came = came || u.Wifi && st.way(u.Name) == nil
		ways = append(ways, st.merge(u))
	}
	st.ways = ways
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

func (st *step) merge(u Uplink) way {
	old := st.way(u.Name)
	if old == nil {
		return way{Uplink: u, probeAt: st.now}
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

// judgeAddress ends a stay in a network that leaves the radio without an address:
// no probe is sent without one, so no probe would find that out.
func (st *step) judgeAddress() {
	for i := range st.ways {
		w := &st.ways[i]
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

// probe starts the probes that are due. A way with nothing to ask is left
// alone: it works neither.
func (st *step) probe() {
	for i := range st.ways {
		w := &st.ways[i]
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

// probeable reports whether there is somebody to ask. A way that works is asked
// without a gateway, too: that fails, and so the way is lost as by its silence.
func (st *step) probeable(w way) bool {
	askable := w.Gateway.IsValid() || w.Direct || !st.Config.Gateway || w.works
	return w.Carrier && w.Addressed && askable && (!w.Wifi || st.joined())
}

func (st *step) absorbProbe(ev ProbeDone) {
	w := st.way(ev.Uplink)
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

func (st *step) probePassed(w *way) {
	w.works, w.failures, w.probing = true, 0, false
	w.probed, w.why = st.now, ""
	w.probeAt = st.now.Add(st.Config.Interval)
}

// probeFailed counts towards a soft loss. Verdicts of a way that works come
// at the interval, so MaxLinkDown of them take MaxLinkDown intervals.
func (st *step) probeFailed(w *way, why string) {
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
