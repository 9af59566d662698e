package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// command carries out a request, or answers why it cannot.
func (st *step) command(c Command) {
	switch c.Kind {
	case StartAP:
		st.commandStartAP(c.ID)
	case StopAP:
		st.commandStopAP(c.ID)
	case Join:
		st.commandJoin(c.ID)
	case Connect:
		st.commandConnect(c.ID, c.SSID)
	case Forget:
		result := client.ResultNotConfigured
		if len(st.saved) > 0 || st.candidate != nil {
			result = client.ResultForgotten
		}
		st.forget()
		st.reply(c.ID, result)
	case Reset:
		st.forget()
		st.dropStartAP(Failure{Code: client.CodeCancelled, Reason: "the daemon was reset"})
		st.askedUntil, st.silentUntil = time.Time{}, time.Time{}
		st.reply(c.ID, client.ResultReset)
	case Resume:
		if st.silent() {
			st.silentUntil = time.Time{}
			st.atOnce = true
		}
		st.reply(c.ID, "resumed")
	}
}

func (st *step) commandStartAP(id int) {
	switch {
	case !st.radioPresent:
		st.fail(id, noRadio)
	case st.startAP != 0 || st.attempt != nil && st.attempt.command != 0:
		st.fail(id, busy)
	case st.Ready(PartAccessPoint):
		st.reply(id, client.ResultAlreadyRunning)
	default:
		if st.joined() {
			st.radioLost("somebody asked for the access point")
		}
		st.attempt = nil
		st.silentUntil = time.Time{}
		st.askedUntil = st.now.Add(st.Config.AskedLimit)
		st.startAP = id
	}
}

// commandStopAP ends the access point and keeps it off for as long as a soft
// loss takes to be noticed, as foosel's netconnectd did.
func (st *step) commandStopAP(id int) {
	switch {
	case !st.radioPresent:
		st.fail(id, noRadio)
	case !st.radio.target.AccessPoint:
		st.reply(id, client.ResultNotRunning)
	case st.stopAP != 0:
		st.fail(id, busy)
	default:
		st.dropStartAP(Failure{Code: client.CodeCancelled, Reason: "somebody stopped the access point"})
		st.stopAP = id
		st.fallback = false
		st.askedUntil = time.Time{}
		st.silentUntil = st.now.Add(time.Duration(st.Config.MaxLinkDown) * st.Config.Interval)
		if st.Uplink.State != Online {
			st.holdAt = st.silentUntil
		}
	}
}

// commandJoin tries the candidate, or the best saved network when there is none.
func (st *step) commandJoin(id int) {
	n := st.candidate
	if n == nil && len(st.saved) > 0 {
		n = &st.saved[0]
	}
	st.commandTry(id, n)
}

// commandConnect tries the saved network of that name.
func (st *step) commandConnect(id int, ssid string) {
	i := st.savedIndex(ssid)
	if i < 0 {
		st.fail(id, Failure{Code: "not_saved", Reason: fmt.Sprintf("the network %q is not saved", ssid)})
		return
	}
	st.commandTry(id, &st.saved[i])
}

func (st *step) savedIndex(ssid string) int {
	return slices.IndexFunc(st.saved, func(n Network) bool { return n.SSID == ssid })
}

func (st *step) commandTry(id int, n *Network) {
	switch {
	case !st.radioPresent:
		st.fail(id, noRadio)
	case n == nil:
		st.fail(id, Failure{Code: client.CodeNotConfigured, Reason: client.TextNotConfigured})
	case st.Config.Always:
		st.fail(id, Failure{Code: client.CodeAPAlways, Reason: "ap.mode is always, so the radio is no station"})
	case st.startAP != 0 || st.stopAP != 0 || st.attempt != nil && st.attempt.command != 0:
		st.fail(id, busy)
	default:
		st.why = "somebody asked to join another network"
		st.try(*n, id)
	}
}

var (
	busy    = Failure{Code: client.CodeBusy, Reason: "another request is being carried out"}
	noRadio = Failure{Code: client.CodeNoRadio, Reason: "there is no Wi-Fi interface"}
)

// forget drops every network, and ends a hold, as no network is left to wait for.
func (st *step) forget() {
	if st.attempt != nil && st.attempt.command != 0 {
		st.fail(st.attempt.command, Failure{Code: client.CodeCancelled, Reason: "the network was forgotten"})
	}
	st.attempt = nil
	st.saved, st.candidate, st.round, st.LastFailure = nil, nil, nil, JoinFailure{}
	st.emit(ForgetNetworks{})
	if p := &st.radio.parts.station; st.radio.target.Station.Wanted {
		p.ready, p.failed = false, true
	}
	st.why, st.atOnce = "the network was forgotten", true
}

func (st *step) reply(id int, result string) { st.emit(Reply{ID: id, Result: result}) }

func (st *step) fail(id int, f Failure) { st.emit(Reply{ID: id, Failure: f}) }
