package policy

import (
	"testing"
	"time"
)

// TestRestartKeepsTheAccessPoint checks that a restart of the daemon disconnects no
// phone, and that the access point of a start_ap command lasts as long as before.
func TestRestartKeepsTheAccessPoint(t *testing.T) {
	served := Target{AccessPoint: true}
	byCable := func(w *world) { w.cableThere, w.cable = true, true }
	never := func(w *world) { w.state.Config.Fallback = false }
	for _, tt := range []struct {
		name string
		play func(w *world)
		want string
	}{
		{"a phone is on it, and the cable works", func(w *world) {
			byCable(w)
			w.phones = 1
			w.start(Start{Running: served})
			w.run("500s")
			w.post(ClientsChanged{Count: 0})
			w.run("510s")
		}, `
			0.0s uplink starting: found the access point of the previous run
			0.0s uplink lost: found the access point of the previous run
			0.0s ap starting fallback: found the access point of the previous run
			0.0s uplink online eth0: eth0 works
			1.2s ap up fallback: eth0 works
			500.0s ap stopping fallback: eth0 works
			500.1s ap off: eth0 works`},
		{"nobody is on it, and the cable works", func(w *world) {
			byCable(w)
			w.start(Start{Running: served})
			w.run("10s")
		}, `
			0.0s uplink starting: found the access point of the previous run
			0.0s uplink lost: found the access point of the previous run
			0.0s ap starting fallback: found the access point of the previous run
			0.0s uplink online eth0: eth0 works
			1.2s ap up fallback: eth0 works
			1.2s ap stopping fallback: eth0 works
			1.4s ap off: eth0 works`},
		{"nobody can say who is on it, and the cable works", func(w *world) {
			byCable(w)
			w.mute = true
			w.start(Start{Running: served})
			w.run("60s")
		}, `
			0.0s uplink starting: found the access point of the previous run
			0.0s uplink lost: found the access point of the previous run
			0.0s ap starting fallback: found the access point of the previous run
			0.0s uplink online eth0: eth0 works
			1.2s ap up fallback: eth0 works
			30.0s ap stopping fallback: eth0 works
			30.1s ap off: eth0 works`},
		{"it does not come up again, and the cable works", func(w *world) {
			byCable(w)
			w.apBroken = true
			w.start(Start{Running: served})
			w.run("60s")
		}, `
			0.0s uplink starting: found the access point of the previous run
			0.0s uplink lost: found the access point of the previous run
			0.0s ap starting fallback: found the access point of the previous run
			0.0s uplink online eth0: eth0 works
			30.0s ap stopping fallback: eth0 works
			30.1s ap off: eth0 works`},
		{"a phone is on it, it comes up at the second try only, and the cable works", func(w *world) {
			byCable(w)
			w.phones, w.apBroken = 1, true
			w.start(Start{Running: served})
			w.run("1.5s")
			w.apBroken = false
			w.run("500s")
			w.post(ClientsChanged{Count: 0})
			w.run("510s")
		}, `
			0.0s uplink starting: found the access point of the previous run
			0.0s uplink lost: found the access point of the previous run
			0.0s ap starting fallback: found the access point of the previous run
			0.0s uplink online eth0: eth0 works
			3.2s ap up fallback: eth0 works
			500.0s ap stopping fallback: eth0 works
			500.1s ap off: eth0 works`},
		{"it does not come up again, somebody joins in vain, and the cable works", func(w *world) {
			w.cableThere, w.apBroken, w.candidateOK, w.router = true, true, false, true
			w.start(Start{Running: served})
			w.run("3s")
			w.post(NetworksChanged{Candidate: &Network{SSID: "new", Candidate: true}})
			w.command(Join)
			w.run("8s")
			w.plug(true)
			w.run("60s")
		}, `
			0.0s uplink starting: found the access point of the previous run
			0.0s uplink lost: found the access point of the previous run
			0.0s ap starting fallback: found the access point of the previous run
			3.0s command start_wifi
			3.0s uplink joining: joining "new"
			3.0s ap stopping fallback: joining "new"
			3.1s ap off: joining "new"
			7.8s uplink lost: refused the key
			7.8s ap starting fallback: refused the key
			7.8s reply 1 error wrong_key: refused the key
			8.0s cable plugged in: true
			8.0s uplink online eth0: eth0 works
			8.0s ap stopping fallback: eth0 works
			8.1s ap off: eth0 works`},
		{"somebody has asked for it, and the cable works", func(w *world) {
			byCable(w)
			w.start(Start{Running: served, Asked: time.Minute})
			w.run("70s")
		}, `
			0.0s uplink starting: found the access point of the previous run
			0.0s ap starting asked: somebody asked for it
			0.0s uplink online eth0: eth0 works
			1.2s ap up asked: somebody asked for it
			60.0s ap stopping asked: eth0 works
			60.1s ap off: eth0 works`},
		{"somebody has asked for it, and ap.mode is never", func(w *world) {
			never(w)
			w.start(Start{Running: served, Asked: time.Minute})
			w.run("70s")
		}, `
			0.0s uplink starting: found the access point of the previous run
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting asked: somebody asked for it
			1.2s ap up asked: somebody asked for it
			60.0s ap stopping asked: not wanted
			60.1s ap off: not wanted`},
		{"nobody has asked for it, and ap.mode is never", func(w *world) {
			never(w)
			w.start(Start{Running: served})
			w.run("70s")
		}, `
			0.0s uplink starting: found the access point of the previous run
			0.0s uplink lost: no wired link and no known network`},
		{"somebody has asked for it, and there is nothing else", func(w *world) {
			w.start(Start{Running: served, Asked: time.Minute})
			w.run("100s")
		}, `
			0.0s uplink starting: found the access point of the previous run
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting asked: somebody asked for it
			1.2s ap up asked: somebody asked for it
			60.0s ap up fallback: no wired link and no known network`},
		{"somebody has asked for it, and the known network is there", func(w *world) {
			w.router = true
			w.start(Start{Running: served, Asked: time.Minute}, home)
			w.run("100s")
		}, `
			0.0s uplink starting: found the access point of the previous run
			0.0s ap starting asked: somebody asked for it
			1.2s ap up asked: somebody asked for it
			15.0s uplink lost: found the access point of the previous run
			60.0s ap up fallback: found the access point of the previous run
			60.4s uplink joining: joining "home"
			60.4s ap stopping fallback: joining "home"
			60.5s ap off: joining "home"
			61.3s uplink online wlan0: wlan0 works`},
		{"it has ended meanwhile, and somebody had asked for it", func(w *world) {
			byCable(w)
			w.start(Start{Asked: time.Minute})
			w.run("70s")
		}, `
			0.0s uplink starting: started
			0.0s ap starting asked: somebody asked for it
			0.0s uplink online eth0: eth0 works
			1.2s ap up asked: somebody asked for it
			60.0s ap stopping asked: eth0 works
			60.1s ap off: eth0 works`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, testConfig)
			tt.play(w)
			w.want(tt.want)
		})
	}
}

// TestKeepAsked checks what is kept for the next run about a start_ap command.
func TestKeepAsked(t *testing.T) {
	w := newWorld(t, testConfig)
	w.cableThere, w.cable = true, true
	kept := func(until time.Duration) {
		t.Helper()
		want := time.Time{}
		if until != 0 {
			want = epoch.Add(until)
		}
		if !w.kept.Equal(want) {
			t.Errorf("%s: kept until %v, want %v", w.stamp(), w.kept.Sub(epoch), until)
		}
	}
	w.start(Start{Running: Target{AccessPoint: true}, Asked: 24 * time.Hour})
	kept(time.Hour) // ap.asked_limit
	w.run("10s")
	w.command(StopAP)
	kept(0)
	w.run("20s")
	w.command(StartAP)
	kept(time.Hour + 20*time.Second)
	w.run("30s")
	kept(time.Hour + 21200*time.Millisecond) // the limit begins when the access point is up
	w.command(Reset)
	kept(0)
}
