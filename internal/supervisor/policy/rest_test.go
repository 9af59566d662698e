package policy

import (
	"slices"
	"testing"
	"time"
)

// TestRadioAtRest checks that a radio at rest is set up again, whatever happened to
// it. No scan is possible while the radio is down.
func TestRadioAtRest(t *testing.T) {
	work := Network{SSID: "work"}
	byCable := func(w *world, saved ...Network) {
		w.cableThere, w.cable = true, true
		w.boot(Target{}, saved...)
	}
	never := func(w *world, saved ...Network) {
		w.state.Config.Fallback = false
		w.boot(Target{}, saved...)
	}
	for _, tt := range []struct {
		name string
		play func(w *world)
		want string
	}{
		{"it is plugged in late", func(w *world) {
			w.radio = false
			byCable(w)
			w.run("30s")
			w.replug(true)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink online eth0: eth0 works
			30.0s radio plugged in: true`},
		{"it is plugged in late and there are saved networks", func(w *world) {
			w.radio = false
			byCable(w, home, work)
			w.others["work"] = true
			w.run("30s")
			w.replug(true)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink online eth0: eth0 works
			30.0s radio plugged in: true
			31.4s record work failed false`},
		{"it is pulled and plugged in again", func(w *world) {
			byCable(w, home, work)
			w.run("30s")
			w.replug(false)
			w.run("40s")
			w.replug(true)
			w.powerOther("work", true)
			w.run("90s")
		}, `
			0.0s uplink starting: started
			0.0s uplink online eth0: eth0 works
			30.0s radio plugged in: false
			40.0s radio plugged in: true
			40.0s router of work on: true
			48.0s record work failed false`},
		{"another one takes its place at once", func(w *world) {
			byCable(w)
			w.run("30s")
			w.up = false
			others := []Uplink{{Name: "wlan1", Wifi: true}}
			w.post(LinksChanged{Uplinks: append(w.uplinks()[:1], others...), Radio: true})
			w.run("31s")
		}, `
			0.0s uplink starting: started
			0.0s uplink online eth0: eth0 works`},
		{"something else drives it", func(w *world) {
			byCable(w)
			w.run("30s")
			w.up = false
			w.post(RadioChanged{Reason: "NetworkManager went"})
			w.run("31s")
		}, `
			0.0s uplink starting: started
			0.0s uplink online eth0: eth0 works`},
		{"it is switched off and on", func(w *world) {
			never(w, home, work)
			w.run("30s")
			w.block(true)
			w.run("50s")
			w.block(false)
			w.powerOther("work", true)
			w.run("90s")
		}, `
			0.0s uplink starting: started
			15.0s uplink lost: nothing came up
			16.9s uplink joining: looking for known networks
			30.0s radio blocked: true
			50.0s radio blocked: false
			50.0s router of work on: true
			62.6s uplink online wlan0: wlan0 works
			62.6s record work failed false`},
		{"it is switched off at the start", func(w *world) {
			w.blocked = true
			w.others["work"] = true
			never(w, home, work)
			w.run("50s")
			w.block(false)
			w.run("90s")
		}, `
			0.0s uplink starting: started
			15.0s uplink lost: nothing came up
			50.0s radio blocked: false
			61.4s uplink joining: looking for known networks
			62.7s uplink online wlan0: wlan0 works
			62.7s record work failed false`},
		{"it is switched off as an access point, and the cable is plugged in", func(w *world) {
			w.cableThere = true
			w.boot(Target{})
			w.run("30s")
			w.block(true)
			w.run("40s")
			w.plug(true)
			w.run("60s")
			w.block(false)
			w.run("100s")
		}, `
			0.0s uplink starting: started
			5.0s uplink lost: no wired link and no known network
			5.0s ap starting fallback: no wired link and no known network
			6.2s ap up fallback: no wired link and no known network
			30.0s radio blocked: true
			30.0s ap starting fallback: the radio is switched off
			40.0s cable plugged in: true
			40.0s uplink online eth0: eth0 works
			40.0s ap stopping fallback: eth0 works
			40.1s ap off: eth0 works
			60.0s radio blocked: false`},
		{"another program sets it down between attempts", func(w *world) {
			w.others["work"] = true
			never(w, home, work)
			w.run("30s")
			w.powerOther("work", false)
			w.run("32s")
			w.up = false
			w.run("35s")
			w.powerOther("work", true)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.5s uplink joining: joining "work"
			1.4s uplink online wlan0: wlan0 works
			1.4s record work failed false
			30.0s router of work on: false
			31.8s uplink joining: carrier lost on wlan0, looking for known networks
			35.0s router of work on: true
			36.3s uplink online wlan0: wlan0 works
			36.3s record work failed false`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, testConfig)
			w.others["work"] = false
			tt.play(w)
			w.want(tt.want)
			if !w.up {
				t.Error("the radio is down in the end")
			}
		})
	}
}

// TestRadioAtRestIsNotFoughtFor checks that a radio that another program sets down
// each time, or that cannot be up, is set up later and later, and soon again once
// it has stayed up for a while.
func TestRadioAtRestIsNotFoughtFor(t *testing.T) {
	for _, blocked := range []bool{false, true} {
		w := newWorld(t, testConfig)
		w.cableThere, w.cable = true, true
		w.blocked = blocked
		w.boot(Target{})
		for end := w.now.Add(10 * time.Minute); w.now.Before(end); {
			w.runFor(200 * time.Millisecond)
			if w.state.Ready(PartRest) {
				w.setDown("wlan0 is down")
			}
		}
		if set := w.target.Gen; set < 15 || set > 30 {
			t.Errorf("blocked %v: set %d times in 10 min", blocked, set)
		}
		w.blocked = false
		w.runFor(2 * time.Minute)
		w.setDown("wlan0 is down")
		w.runFor(2 * time.Second)
		if !w.up {
			t.Errorf("blocked %v: not up 2 s after the first time in minutes", blocked)
		}
	}
}

// TestBothOnlyWhereTheRadioCan checks that a radio that cannot be an access point
// and a station at once is asked for the station alone.
func TestBothOnlyWhereTheRadioCan(t *testing.T) {
	both := Target{AccessPoint: true, Station: Station{Wanted: true, Network: Network{SSID: "home"}}}
	for together, want := range map[bool][]Part{true: {PartAccessPoint, PartStation}, false: {PartStation}} {
		st := &step{now: epoch}
		st.absorbLinks(LinksChanged{Radio: true, Together: together})
		st.setRadio(both)
		asked := st.effects[len(st.effects)-1].(SetRadio)
		if got := asked.Target.Parts(); !slices.Equal(got, want) {
			t.Errorf("together %v: asked for %v, want %v", together, got, want)
		}
		for _, p := range want {
			st.radioFailed(RadioFailed{Part: p, Gen: asked.Gen, Failure: Failure{Code: "lost", Reason: "gone"}})
			st.absorbProgress(RadioProgress{Part: p, Gen: asked.Gen, Stage: StageReady})
			if !st.Ready(p) {
				t.Errorf("together %v: %s is not ready", together, p)
			}
		}
		st.absorbProgress(RadioProgress{Part: PartRest, Gen: asked.Gen, Stage: StageReady})
		if st.Ready(PartRest) {
			t.Errorf("together %v: the radio is at rest", together)
		}
	}
}
