package policy

import (
	"strings"
	"time"
)

// Target is what the radio is to be: an access point, the station of a network, or
// both where the radio can be both at once (LinksChanged.Together). The zero value
// is a radio at rest.
type Target struct {
	AccessPoint bool
	Station     Station
}

// Station names the network whose station the radio is to be.
type Station struct {
	Wanted  bool
	Network Network // without an SSID where NetworkManager chooses (Config.Delegated)
	Asked   bool    // a command asked for this network
}

// Part is a part of a target. The radio reaches and loses each part separately.
type Part string

// The parts.
const (
	PartRest        Part = "rest" // neither of the others
	PartAccessPoint Part = "access point"
	PartStation     Part = "station"
)

// Has reports whether the target has that part.
func (t Target) Has(p Part) bool {
	switch p {
	case PartAccessPoint:
		return t.AccessPoint
	case PartStation:
		return t.Station.Wanted
	}
	return t.IsRest()
}

// IsRest reports whether the radio is to be neither an access point nor a station.
func (t Target) IsRest() bool { return !t.AccessPoint && !t.Station.Wanted }

// Parts returns the parts that the target has, at least one.
func (t Target) Parts() []Part {
	var all []Part
	for _, p := range []Part{PartAccessPoint, PartStation, PartRest} {
		if t.Has(p) {
			all = append(all, p)
		}
	}
	return all
}

// String returns the parts in words, e.g. "access point".
func (t Target) String() string {
	var words []string
	for _, p := range t.Parts() {
		words = append(words, string(p))
	}
	return strings.Join(words, " and ")
}

// radio is the last target of the radio lane and how far the lane is with it.
type radio struct {
	gen    int // of the last SetRadio; 0: nothing was asked yet
	target Target
	parts  parts
}

// parts is the progress of each part.
type parts struct{ rest, accessPoint, station progress }

func (p *parts) of(part Part) *progress {
	switch part {
	case PartAccessPoint:
		return &p.accessPoint
	case PartStation:
		return &p.station
	}
	return &p.rest
}

// progress is how far a part of the target is.
type progress struct {
	gen     int
	cleared bool      // what the previous target held is gone
	ready   bool      // the part is reached
	readyAt time.Time // since when the part is ready, if it is
	failed  bool      // the lane gave the part up
	retryAt time.Time // when a failed part is tried again, or an access point that starts is given up
	retries int
	why     string // the last failure of this part
}

// cleared reports whether what the previous target held is gone.
func (r *radio) cleared() bool {
	for _, p := range r.target.Parts() {
		if r.parts.of(p).cleared {
			return true
		}
	}
	return false
}

// mayRetry reports whether a part of the target has failed and is due again.
func (s State) mayRetry(p Part) bool {
	part := s.radio.parts.of(p)
	return part.failed && !s.at.Before(part.retryAt)
}
