package policy

import (
	"math/rand/v2"
	"testing"
	"time"
)

// These rules hold whatever happens, in any order: each command is answered exactly
// once, and a device that has no uplink becomes an access point and stays one.
func TestLongSimulationsKeepTheInvariants(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t, testConfig)
		w.cableThere = seed%2 == 0
		w.others["work"] = true
		w.start(leftOver(seed), []Network{home, {SSID: "work"}}[:seed%3]...)
		for range 300 {
			w.mischief(r.IntN(mischiefs))
			w.runFor(time.Duration(r.IntN(30000)) * time.Millisecond)
		}
		w.settle()
	}
}

// FuzzStep lets the fuzzer choose what happens and when.
func FuzzStep(f *testing.F) {
	f.Add([]byte{0, 10, 1, 20, 7, 3, 9, 200, 4, 0, 6, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		w := newWorld(t, testConfig)
		w.cableThere = len(script)%2 == 0
		w.boot(Target{})
		for i := 0; i+1 < len(script) && i < 200; i += 2 {
			w.mischief(int(script[i]) % mischiefs)
			w.runFor(time.Duration(script[i+1]) * 120 * time.Millisecond)
		}
		w.settle()
	})
}

// leftOver is what the run before has left: nothing, or an access point.
func leftOver(seed uint64) Start {
	switch seed % 5 {
	case 1:
		return Start{Running: Target{AccessPoint: true}}
	case 2:
		return Start{Running: Target{AccessPoint: true}, Asked: 20 * time.Minute}
	}
	return Start{}
}

const mischiefs = 20

func (w *world) mischief(what int) {
	switch what {
	case 0:
		w.power(true)
	case 1:
		w.power(false)
	case 2:
		w.plug(w.cableThere)
	case 3:
		w.plug(false)
	case 4:
		w.command(StartAP)
	case 5:
		w.command(StopAP)
	case 6:
		w.candidateOK = !w.candidateOK
		w.post(NetworksChanged{Saved: w.state.saved, Candidate: &Network{SSID: "new", Candidate: true}})
		w.command(Join)
	case 7:
		w.command(Forget)
	case 8:
		w.command(Reset)
	case 9:
		w.silent = !w.silent
	case 10:
		w.radio = !w.radio
		w.links()
	case 11:
		w.apBroken = !w.apBroken
		w.post(ClientsChanged{Count: len(w.trace) % 2})
	case 12:
		w.command(Resume)
	case 13:
		w.powerOther("work", !w.others["work"])
	case 14:
		w.ask(Connect, "work")
	case 15: // hostapd dies
		if w.state.AP.State == APUp {
			w.post(RadioFailed{Part: PartAccessPoint, Gen: w.target.Gen, Failure: Failure{Code: "ap_failed", Reason: "hostapd ended"}})
		}
	case 16:
		w.block(!w.blocked)
	case 17:
		w.route(w.gatewayGone)
	case 18: // another program sets the interface down
		w.setDown("wlan0 is down")
	case 19:
		w.fallback(!w.state.Config.Fallback)
	}
}

func (w *world) runFor(d time.Duration) { w.run(w.now.Add(d).Sub(epoch).String()) }

// settle removes every uplink and lets time pass.
func (w *world) settle() {
	w.t.Helper()
	w.apBroken, w.radio, w.blocked, w.gatewayGone = false, true, false, false
	w.links()
	w.post(ConfigChanged{Config: testConfig})
	w.power(false)
	w.plug(false)
	w.powerOther("work", false)
	w.command(StopAP)
	w.runFor(2 * time.Hour) // longer than AskedLimit
	for id := 1; id <= w.commandsSent; id++ {
		if w.replied[id] != 1 {
			w.t.Fatalf("command %d answered %d times\n%v", id, w.replied[id], w.tail())
		}
	}
	if w.state.AP.State != APUp {
		w.t.Fatalf("unreachable: uplink %+v, ap %+v\n%v", w.state.Uplink, w.state.AP, w.tail())
	}
	w.power(true)
	w.silent, w.savedKeyOK = false, true
	w.post(ClientsChanged{Count: 0})
	w.runFor(time.Hour)
	if len(w.state.saved) > 0 && w.state.Uplink.State != Online {
		w.t.Fatalf("did not return to its network: uplink %+v, ap %+v", w.state.Uplink, w.state.AP)
	}
}
