// Package policy decides what the device does about its network. It is pure:
// Step takes the state, the time and one event, and returns the next state and
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
	Fallback    bool          // become an access point when no uplink works
	Always      bool          // be an access point even while an uplink works
	Gateway     bool          // the probe asks the gateway, so there must be one
	MaxLinkDown int           // failed probes in a row that make a soft loss
	Interval    time.Duration // between probes of an uplink
	Hold        time.Duration // from a hard loss to the access point
	Settle      time.Duration // bounds the wait at the start
	JoinTimeout time.Duration // bounds one attempt to join a network
	AskedLimit  time.Duration // how long the access point of a start_ap command lasts
	YieldAfter  time.Duration // the access point gives way even with clients on it
	Rescan      time.Duration // between scans for saved networks from the access point
	Delegated   bool          // NetworkManager chooses among the saved networks, and joins
	Jitter      float64       // of this run, in [0, 1): spreads the back-off of many devices
}

// noCarrierWait is how long the start waits for the carrier of a wired interface
// that is up. Auto-negotiation takes 1 to 4 s.
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

// Cause is why there is an access point.
type Cause string

// The access point's causes.
const (
	CauseNone     Cause = ""
	CauseFallback Cause = "fallback"
	CauseAsked    Cause = "asked"
	CauseAlways   Cause = "always"
)

// Network names a network that the store holds. The candidate is kept beside the
// saved networks and may have the SSID of one of them.
type Network struct {
	SSID      string // raw bytes
	Candidate bool
	Hidden    bool // its beacons do not carry the SSID, so a scan does not show whether it is there
}

// joining returns, for people, what an attempt to join the network does.
func (n Network) joining() string {
	if n.SSID == "" {
		return "joining a known network"
	}
	return fmt.Sprintf("joining %q", n.SSID)
}

// Uplink is an interface that may lead out of the device, as the links show it.
type Uplink struct {
	Name      string
	Wifi      bool // the interface is the radio that the daemon drives
	Carrier   bool
	Addressed bool       // has a global address of either family
	Gateway   netip.Addr // of its best default route; zero if none
	Direct    bool       // its default route names no gateway, as with a modem
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

// Failure is why a command, an attempt or a part of a target failed.
type Failure struct {
	Code   string // see client.Error
	Reason string
}

// JoinFailure is the last attempt that failed. The failure of an attempt that a
// command started is kept when the radio then returns to the previous network, as
// that success says nothing about the network that the command named.
type JoinFailure struct {
	Failure
	SSID string // of the network; empty if none of them was in reach

	asked bool // a command started the attempt
}

// State is everything that the decisions depend on. The zero value with a Config is
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
	uplinks      []watchedUplink
	saved        []Network // networks that have worked or were added, the best first
	candidate    *Network

	radio   radio
	attempt *attempt
	round   []Network // networks that the last scan has seen and that are still to be tried

	fallback    bool      // latched until an uplink works again
	holdAt      time.Time // when the fallback is latched; zero: no loss pending
	askedUntil  time.Time // until when a start_ap command applies
	silentUntil time.Time // until when a stop_ap command applies
	startAP     int       // the command that waits for the access point; 0 none
	stopAP      int       // the command that waits for its end; 0 none

	joinAfter  time.Time // back-off of automatic attempts
	joinFailed int       // failed automatic attempts in a row
	scan       scan
	clients    int // stations on the access point
	// unsureUntil bounds the time in which the stations on an access point that was
	// found running, or was set up anew, are not known yet; zero: they are known.
	unsureUntil time.Time
	yieldSince  time.Time // since when there is an uplink to give way to; zero: there is none
}

// watchedUplink is an uplink with the results of its probes.
type watchedUplink struct {
	Uplink
	works    bool // the verdict, kept until MaxLinkDown probes in a row failed
	portal   bool // of the last probe that passed
	failures int
	gen      int       // of the probe under way or last done
	probing  bool      // the result of probe gen has not come yet
	probeAt  time.Time // when the next is due
	probed   time.Time // when the last verdict came; zero: there is none
	why      string    // the last probe failed; empty: it passed
	bare     time.Time // since when the radio has been in a network without an address; zero: it has one, or needs none
}

// attempt is one try to join a network; there is at most one.
type attempt struct {
	network  Network
	command  int // the command that waits for the outcome; 0: automatic
	deadline time.Time
}

type scan struct {
	gen     int
	running bool
	full    bool      // the scan that runs, or else the last one, covers all channels
	at      time.Time // when the next is due
	count   int       // of scans since the access point came up or the last network was lost
}

// Target returns what the radio is to be.
func (s State) Target() Target { return s.radio.target }

// Ready reports whether the radio has become a part of its target.
func (s State) Ready(p Part) bool { return s.radio.target.Has(p) && s.radio.parts.of(p).ready }

// LinksKnown reports whether the first LinksChanged has come.
func (s State) LinksKnown() bool { return s.linksKnown }

// Works reports whether the uplink of that name has passed its probe.
func (s State) Works(name string) bool {
	return slices.ContainsFunc(s.uplinks, func(w watchedUplink) bool { return w.Name == name && s.usable(w) })
}

// Probe is the result of the last probe of an uplink.
type Probe struct {
	At       time.Time // when the verdict came; zero: there was no probe
	Reason   string    // why it failed; empty: it passed
	Failures int       // in a row, up to now
}

// Probed returns the last probe of the uplink of that name.
func (s State) Probed(name string) Probe {
	for _, w := range s.uplinks {
		if w.Name == name {
			return Probe{At: w.probed, Reason: w.why, Failures: w.failures}
		}
	}
	return Probe{}
}

// usable reports whether the uplink leads out of the device now. The radio's
// uplink counts only once the radio lane has verified the network.
func (s State) usable(w watchedUplink) bool {
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
	s.uplinks = slices.Clone(s.uplinks)
	s.round = slices.Clone(s.round)
	if s.attempt != nil {
		a := *s.attempt
		s.attempt = &a
	}
	return s
}
