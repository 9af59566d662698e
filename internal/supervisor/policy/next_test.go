package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestNext compares what Next announces with what then comes when nothing happens.
func TestNext(t *testing.T) {
	for _, tt := range []struct {
		name string
		play func(w *world)
		then string // until when nothing happens
		want string
	}{
		{"cold start with an unplugged wired interface", func(w *world) {
			w.cableThere = true
			w.boot(Target{})
		}, "6s", `
			next 5.0s access_point: access point, if nothing comes up
			5.0s uplink lost: no wired link and no known network
			5.0s ap starting fallback: no wired link and no known network`},
		{"cold start with a cable that leads nowhere", func(w *world) {
			w.post(Start{})
			w.post(LinksChanged{Uplinks: []Uplink{{Name: "eth0", Carrier: true}}, Radio: true})
			w.run("1s")
		}, "11s", `
			next 10.0s access_point: access point, if nothing comes up
			10.0s uplink lost: eth0 has a carrier and no address
			10.0s ap starting fallback: eth0 has a carrier and no address`},
		{"the home router dies", func(w *world) {
			w.router = true
			w.boot(Target{}, home)
			w.run("10s")
			w.power(false)
			w.run("18s")
		}, "27s", `
			next 26.8s access_point: access point, if nothing is joined
			next 62.8s give_up: joining "home" is given up
			26.8s uplink lost: "home" could not be joined in time
			26.8s ap starting fallback: "home" could not be joined in time`},
		{"the home router dies, and somebody asks for another network", func(w *world) {
			w.router = true
			w.others["work"] = false
			w.boot(Target{}, home)
			w.run("10s")
			w.power(false)
			w.run("12s")
			w.post(NetworksChanged{Saved: []Network{home}, Candidate: &Network{SSID: "work", Candidate: true}})
			w.command(Join)
			w.run("13s")
		}, "15s", `
			next 57.0s give_up: joining "work" is given up`},
		{"between two attempts", func(w *world) {
			w.boot(Target{}, home)
			w.run("5s")
		}, "7s", `
			next 6.0s join: try to join "home"
			next 15.0s access_point: access point, if nothing is joined`},
		{"the gateway falls silent", func(w *world) {
			w.router = true
			w.boot(Target{}, home)
			w.run("5s")
			w.silent = true
			w.run("15s")
		}, "41s", `
			next 33.9s lost: wlan0 counts as lost, if its probes go on to fail
			39.9s uplink lost: gateway 198.51.100.1 on wlan0 is silent
			39.9s ap starting fallback: gateway 198.51.100.1 on wlan0 is silent`},
		{"the access point comes up", func(w *world) {
			w.boot(Target{})
			w.run("1s")
		}, "2s", `
			next 30.0s give_up: starting the access point is given up
			1.2s ap up fallback: no wired link and no known network`},
		{"the access point fails", func(w *world) {
			w.apBroken = true
			w.boot(Target{})
			w.run("1s")
		}, "3s", `
			next 2.0s access_point: the access point is tried again`},
		{"the access point looks for known networks", func(w *world) {
			w.boot(Target{}, home)
			w.run("20s")
			w.router = true
		}, "32s", `
			next 31.2s scan: look for known networks
			31.6s uplink joining: joining "home"
			31.6s ap stopping fallback: joining "home"
			31.7s ap off: joining "home"`},
		{"the access point without a known network", func(w *world) {
			w.boot(Target{})
			w.run("20s")
		}, "60s", ``},
		{"somebody is on the access point, and there is a way back", func(w *world) {
			w.boot(Target{}, home)
			w.run("20s")
			w.post(ClientsChanged{Count: 1})
			w.power(true)
			w.run("40s")
		}, "660s", `
			next 631.6s yield: the access point gives way, though somebody is on it
			632.2s uplink joining: joining "home"
			632.2s ap stopping fallback: joining "home"
			632.3s ap off: joining "home"
			633.1s uplink online wlan0: wlan0 works`},
		{"somebody is on the access point, and there is no way back", func(w *world) {
			w.boot(Target{}, home)
			w.run("20s")
			w.post(ClientsChanged{Count: 1})
		}, "60s", `
			next 31.2s scan: look for known networks`},
		{"a known network that refuses its key is looked for later and later", func(w *world) {
			w.router, w.savedKeyOK = true, false
			w.boot(Target{}, home)
			w.run("65s")
		}, "89s", `
			next 87.8s scan: look for known networks
			88.2s uplink joining: joining "home"
			88.2s ap stopping fallback: joining "home"
			88.3s ap off: joining "home"`},
		{"an access point that somebody asked for", func(w *world) {
			w.cableThere, w.cable = true, true
			w.boot(Target{})
			w.command(StartAP)
			w.run("20s")
		}, "3602s", `
			next 3601.2s end: the access point that somebody asked for ends
			3601.2s ap stopping asked: eth0 works
			3601.3s ap off: eth0 works`},
		{"somebody is on the access point, and the way back is gone", func(w *world) {
			w.cableThere, w.phones = true, 1
			w.boot(Target{})
			w.run("20s")
			w.plug(true)
			w.run("25s")
			w.plug(false)
			w.run("30s")
		}, "60s", ``},
		{"an access point that somebody stopped", func(w *world) {
			w.boot(Target{})
			w.run("20s")
			w.command(StopAP)
			w.run("21s")
		}, "51s", `
			next 50.0s access_point: access point, if nothing comes up
			50.0s ap starting fallback: no wired link and no known network`},
		{"an access point that somebody stopped, then the cable is unplugged", func(w *world) {
			w.cableThere, w.cable = true, true
			w.boot(Target{})
			w.command(StartAP)
			w.run("5s")
			w.command(StopAP)
			w.plug(false)
			w.run("10s")
		}, "36s", `
			next 35.0s access_point: access point, if nothing comes up
			35.0s ap starting fallback: carrier lost on eth0`},
		{"by cable, while the known network is not there", func(w *world) {
			w.cableThere, w.cable = true, true
			w.boot(Target{}, home)
			w.run("5s")
		}, "60s", `
			next 19.0s join: try to join "home"`},
		{"somebody asked to join", func(w *world) {
			w.boot(Target{})
			w.run("20s")
			w.candidateOK = false
			w.post(NetworksChanged{Candidate: &Network{SSID: "new", Candidate: true}})
			w.power(true)
			w.command(Join)
			w.run("21s")
		}, "22s", `
			next 65.0s give_up: joining "new" is given up`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, testConfig)
			tt.play(w)
			w.trace = nil
			for _, n := range w.state.Next() {
				w.trace = append(w.trace, fmt.Sprintf("next %.1fs %s: %s", n.At.Sub(epoch).Seconds(), n.Kind, n.Text))
			}
			w.run(tt.then)
			w.want(tt.want)
		})
	}
}

// TestNextOfOtherModes checks Next with ap.mode never and always.
func TestNextOfOtherModes(t *testing.T) {
	for _, tt := range []struct {
		name     string
		fallback bool
		always   bool
		want     string
	}{
		{"never", false, false, ""},
		{"always, and somebody stopped it", false, true, "access_point access point, as ap.mode is always"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig
			c.Fallback, c.Always = tt.fallback, tt.always
			w := newWorld(t, c)
			w.boot(Target{})
			w.run("5s")
			w.command(StopAP)
			w.run("6s")
			var got []string
			for _, n := range w.state.Next() {
				got = append(got, string(n.Kind)+" "+n.Text)
			}
			if text := strings.Join(got, "\n"); text != tt.want {
				t.Errorf("next %q, want %q", text, tt.want)
			}
		})
	}
}

// TestProbed checks the last verdict of an uplink, its time, and the number of
// failures in a row.
func TestProbed(t *testing.T) {
	w := newWorld(t, testConfig)
	w.cableThere, w.cable = true, true
	w.boot(Target{})
	if p := w.state.Probed("eth0"); p != (Probe{}) {
		t.Errorf("before the first verdict: %+v", p)
	}
	w.run("5s")
	if p := w.state.Probed("eth0"); p != (Probe{At: epoch.Add(10 * time.Millisecond)}) {
		t.Errorf("after a good one: %+v", p)
	}
	w.cable = false // for the probe only: the link does not change
	w.run("30s")
	if p := w.state.Probed("eth0"); p.Reason != "silent" || p.Failures != 2 || p.At.Sub(epoch).Round(time.Second) != 26*time.Second {
		t.Errorf("after two bad ones: %+v at %v", p, p.At.Sub(epoch))
	}
	w.plug(false)
	if p := w.state.Probed("eth0"); p != (Probe{}) {
		t.Errorf("without a carrier: %+v", p)
	}
	if p := w.state.Probed("eth9"); p != (Probe{}) {
		t.Errorf("of an uplink that is not there: %+v", p)
	}
}
