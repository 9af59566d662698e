package policy

import (
	"testing"
	"time"
)

// TestStarts plays starts of the daemon and of what it needs.
func TestStarts(t *testing.T) {
	playStories(t, []story{
		{"cold start with nothing", func(w *world) {
			w.boot(Target{})
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting fallback: no wired link and no known network
			1.2s ap up fallback: no wired link and no known network`},
		{"cold start with an unplugged wired interface", func(w *world) {
			w.cableThere = true
			w.boot(Target{})
			w.run("60s")
		}, `
			0.0s uplink starting: started
			5.0s uplink lost: no wired link and no known network
			5.0s ap starting fallback: no wired link and no known network
			6.2s ap up fallback: no wired link and no known network`},
		{"cold start with a cable", func(w *world) {
			w.cableThere, w.cable = true, true
			w.boot(Target{})
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink online eth0: eth0 works`},
		{"cold start, saved network there", func(w *world) {
			w.router = true
			w.boot(Target{}, home)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			0.9s uplink online wlan0: wlan0 works`},
		{"two saved networks, the better one is not there", func(w *world) {
			w.others["work"] = true
			w.boot(Target{}, home, Network{SSID: "work"})
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.5s uplink joining: joining "work"
			1.4s uplink online wlan0: wlan0 works
			1.4s record work failed false`},
		{"two saved networks, the better one refuses its key", func(w *world) {
			w.router, w.savedKeyOK = true, true
			w.others["work"] = true
			w.wrongKey = "home"
			w.boot(Target{}, home, Network{SSID: "work"})
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.5s uplink joining: joining "home"
			5.3s record home failed true
			6.2s uplink online wlan0: wlan0 works
			6.2s record work failed false`},
		{"a hidden network is tried although no scan shows it", func(w *world) {
			w.others["den"] = true
			w.boot(Target{}, home, Network{SSID: "den", Hidden: true})
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.9s uplink joining: joining "den"
			1.8s uplink online wlan0: wlan0 works
			1.8s record den failed false`},
		{"a restart keeps the network in use, though a better one is there", func(w *world) {
			w.router = true
			w.others["work"] = true
			w.boot(Target{Station: Station{Wanted: true, Network: Network{SSID: "work"}}}, home, Network{SSID: "work"})
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "work"
			0.9s uplink online wlan0: wlan0 works
			0.9s record work failed false`},
		{"cold start, saved network not there", func(w *world) {
			w.boot(Target{}, home)
			w.run("30s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			15.0s uplink lost: "home" could not be joined in time
			15.0s ap starting fallback: "home" could not be joined in time
			16.2s ap up fallback: "home" could not be joined in time`},
		{"restart of the daemon adopts the access point", func(w *world) {
			w.boot(Target{AccessPoint: true}, home)
			w.run("5s")
		}, `
			0.0s uplink starting: found the access point of the previous run
			0.0s uplink lost: found the access point of the previous run
			0.0s ap starting fallback: found the access point of the previous run
			1.2s ap up fallback: found the access point of the previous run`},
		{"radio appears late", func(w *world) {
			w.radio = false
			w.boot(Target{})
			w.run("30s")
			w.radio = true
			w.links()
			w.run("40s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			30.0s ap starting fallback: no wired link and no known network
			31.2s ap up fallback: no wired link and no known network`},
	})
}

// TestStartReason checks that the reason at the end of the start names what the
// wired link lacks, and that an uplink that needs no gateway is probed.
func TestStartReason(t *testing.T) {
	for _, tt := range []struct {
		name   string
		uplink Uplink
		probed bool
		want   string
	}{
		{"no carrier", Uplink{}, false, "no wired link and no known network"},
		{"no address", Uplink{Carrier: true}, false, "eth0 has a carrier and no address"},
		{"no gateway", Uplink{Carrier: true, Addressed: true}, false, "eth0 has an address and no gateway; probe.kind: none has it count all the same"},
		{"needs none", Uplink{Carrier: true, Addressed: true, Direct: true}, true, "eth0 does not work: silent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Gateway: true, Settle: 3 * time.Second, MaxLinkDown: 1}
			s, _ := Step(State{Config: c}, epoch, Start{})
			tt.uplink.Name = "eth0"
			s, effects := Step(s, epoch, LinksChanged{Uplinks: []Uplink{tt.uplink}})
			probed := false
			for _, e := range effects {
				if p, ok := e.(RunProbe); ok {
					probed = true
					s, _ = Step(s, epoch, ProbeDone{Uplink: "eth0", Gen: p.Gen, Reason: "silent"})
				}
			}
			if s, _ = Step(s, epoch.Add(6*time.Second), Wake{}); s.Uplink.Reason != tt.want || probed != tt.probed {
				t.Errorf("%q, probed %v", s.Uplink.Reason, probed)
			}
		})
	}
}
