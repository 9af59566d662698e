// Package policy decides what the device does about its network. It is pure:
// Step takes the state, the time and one event, and gives the next state and
// the effects to carry out. It does no I/O, starts no goroutine and reads no
// clock; deadlines are data in State.
package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Config are the settings that decisions depend on. See docs/config.md for
// their keys and defaults.
type Config struct {
	Fallback    bool          // become an access point when nothing is left
	Always      bool          // be an access point, whatever else there is
	Gateway     bool          // the probe asks the gateway, so there must be one
	MaxLinkDown int           // failed probes in a row that make a soft loss
	Interval    time.Duration // between probes of an uplink
	Hold        time.Duration // from a hard loss to the access point
	Settle      time.Duration // bounds the wait at the start
	JoinTimeout time.Duration // bounds one attempt to join a network
	AskedLimit  time.Duration // an access point that somebody asked for ends then
	YieldAfter  time.Duration // the access point gives way even with clients on it
	Rescan      time.Duration // between looks for known networks from the access point
	Delegated   bool          // somebody else chooses among the known networks, and joins
	Jitter      float64       // of this run, in [0, 1): spreads the back-off of many devices
}

// noCarrierWait is how long a wired interface that is up may take to find its
// carrier before it is nothing to wait for: auto-negotiation takes 1 to 4 s.
const noCarrierWait = 5 * time.Second

// UplinkState is the first of the two variables that describe the device.
//
//	starting --> online <------> joining <-----> lost
//	    |                           ^              ^
//	    '---------------------------+--------------'
type UplinkState string

// The uplink's states.
const (
	Starting UplinkState = "starting" // nothing known yet
	Online   UplinkState = "online"   // some uplink works
	Joining  UplinkState = "joining"  // none works; an attempt is under way
	Lost     UplinkState = "lost"     // none works and none is being tried
)

// APState is the second variable: off -> starting -> up -> stopping -> off.
type APState string

// The access point's states.
const (
	APOff      APState = "off"
	APStarting APState = "starting"
	APUp       APState = "up"
	APStopping APState = "stopping"
)

// Cause says why there is an access point.
type Cause string

// The access point's causes.
const (
	CauseNone     Cause = ""
	CauseFallback Cause = "fallback"
	CauseAsked    Cause = "asked"
	CauseAlways   Cause = "always"
)

// Network names a network that the store holds. The candidate is kept beside
// what worked and may bear the same SSID.
type Network struct {
	SSID      string // raw bytes
	Candidate bool
	Hidden    bool // it does not say its name, so a scan does not show whether it is there
}

// joining says what is done, for people.
func (n Network) joining() string {
	if n.SSID == "" {
		return "joining a known network"
	}
	return fmt.Sprintf("joining %q", n.SSID)
}

// Uplink is one way out of the device as the links show it.
type Uplink struct {
	Name      string
	Wifi      bool // it is the radio that the daemon drives
	Carrier   bool
	Addressed bool       // has a global address of either family
	Gateway   netip.Addr // of its best default route; zero if none
	Direct    bool       // its default route names no gateway, as that of a modem
}

// UplinkStatus is the uplink variable with its reason and since.
type UplinkStatus struct {
	State  UplinkState
	Name   string // the interface that is online
	Portal bool   // something in front of the Internet answers in its place
	Since  time.Time
	Reason string
}

// APStatus is the access point variable with its reason and since.
type APStatus struct {
	State  APState
	Cause  Cause
	Since  time.Time
	Reason string
}

// Failure says why the last attempt to join failed.
type Failure struct {
	Code   string // see client.Error
	Reason string
}

// JoinFailure is the last attempt that failed. One that a person asked for is
// told until it is outdone: the way back to the network before says nothing
// about it.
type JoinFailure struct {
	Failure
	SSID string // of the network; empty if none of them was in reach

	asked bool // by a person
}

// State is all that the decisions depend on. The zero value with a Config is
// the state before Start. Readers outside the package use Uplink, AP,
// LastFailure, Target, Ready, Works, Probed and Next.
type State struct {
	Config Config
	Uplink UplinkStatus
	AP     APStatus

	LastFailure JoinFailure // zero after a success

	at           time.Time // of the last Step
	started      time.Time
	linksKnown   bool // the first LinksChanged has come
	radioPresent bool
	together     bool // the radio can be an access point and a station at once
	ways         []way
	saved        []Network // that have worked or were added, the best first
	candidate    *Network

	radio   radio
	attempt *attempt
	round   []Network // still to be tried of those that the last scan has seen

	fallback    bool      // latched until an uplink works again
	holdAt      time.Time // when the fallback is latched; zero: no loss pending
	askedUntil  time.Time // somebody asked for the access point
	silentUntil time.Time // somebody asked for no access point
	startAP     int       // the command that waits for the access point; 0 none
	stopAP      int       // the command that waits for its end; 0 none

	joinAfter  time.Time // back-off of automatic attempts
	joinFailed int       // failed automatic attempts in a row
	scan       scan
	clients    int // stations on the access point
	// unsureUntil bounds the time in which nobody has said yet who is on an
	// access point that was found running, or was set up anew; zero: it is said.
	unsureUntil time.Time
	wayBack     time.Time // since when the access point could give way; zero: it cannot
}

// way is an uplink with what its probes said.
type way struct {
	Uplink
	works    bool // the verdict, kept until MaxLinkDown probes in a row failed
	portal   bool // of the last probe that passed
	failures int
	gen      int       // of the probe under way or last done
	probing  bool      // gen's result is owed
	probeAt  time.Time // when the next is due
	probed   time.Time // when the last verdict came; zero: there is none
	why      string    // it failed
	bare     time.Time // since when the radio is in a network and has no address; zero: it has one, or needs none
}

// attempt is one try to join a network; there is at most one.
type attempt struct {
	network  Network
	command  int // that waits for the outcome; 0: automatic
	deadline time.Time
}

type scan struct {
	gen     int
	running bool
	full    bool      // the one that runs or was last looks at all channels
	at      time.Time // when the next is due
	count   int       // of scans since the access point came up or the last network was lost
}

// Target returns what the radio is to be.
func (s State) Target() Target { return s.radio.target }

// Ready reports whether the radio has become a part of its target.
func (s State) Ready(p Part) bool { return s.radio.target.Has(p) && s.radio.parts.of(p).ready }

// LinksKnown reports whether the first look at the links has been decided upon.
func (s State) LinksKnown() bool { return s.linksKnown }

// Works reports whether the uplink of that name has passed its probe.
func (s State) Works(name string) bool {
	return slices.ContainsFunc(s.ways, func(w way) bool { return w.Name == name && s.usable(w) })
}

// Probe is what the last probe of an uplink has said.
type Probe struct {
	At       time.Time // zero: there was none
	Reason   string    // why it failed; empty: it passed
	Failures int       // in a row, up to now
}

// Probed gives the last probe of the uplink of that name.
func (s State) Probed(name string) Probe {
	for _, w := range s.ways {
		if w.Name == name {
			return Probe{At: w.probed, Reason: w.why, Failures: w.failures}
		}
	}
	return Probe{}
}

// usable reports whether the way leads out of the device now. The radio's
// only counts once its lane has verified the network.
func (s State) usable(w way) bool {
	if !w.Carrier || !w.works {
		return false
	}
	if w.Wifi {
		return s.joined()
	}
	return w.Addressed
}

// clone copies what Step may change in place.
func (s State) clone() State {
	s.ways = slices.Clone(s.ways)
	s.round = slices.Clone(s.round)
	if s.attempt != nil {
		a := *s.attempt
		s.attempt = &a
	}
	return s
}
