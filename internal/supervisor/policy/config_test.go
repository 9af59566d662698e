package policy

import "testing"

// TestConfigChanges plays changes of the settings and of the backend.
func TestConfigChanges(t *testing.T) {
	playStories(t, []story{
		{"ap.mode becomes never while it is up, and fallback again", func(w *world) {
			w.boot(Target{})
			w.phones = 1
			w.run("10s")
			w.fallback(false)
			w.run("60s")
			w.fallback(true)
			w.run("70s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting fallback: no wired link and no known network
			1.2s ap up fallback: no wired link and no known network
			10.0s fallback: false
			10.0s ap stopping fallback: not wanted
			10.1s ap off: not wanted
			60.0s fallback: true
			60.0s ap starting fallback: no wired link and no known network
			61.2s ap up fallback: no wired link and no known network`},
		{"ap.mode becomes never while it is up: a known network is tried at once", func(w *world) {
			w.boot(Target{}, home)
			w.run("20s")
			w.power(true)
			w.fallback(false)
			w.run("30s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			15.0s uplink lost: "home" could not be joined in time
			15.0s ap starting fallback: "home" could not be joined in time
			16.2s ap up fallback: "home" could not be joined in time
			20.0s router on: true
			20.0s fallback: false
			20.0s uplink joining: joining "home"
			20.0s ap stopping fallback: joining "home"
			20.1s ap off: joining "home"
			20.9s uplink online wlan0: wlan0 works`},
		{"ap.mode becomes never while somebody wants it", func(w *world) {
			w.cableThere, w.cable = true, true
			w.boot(Target{})
			w.run("10s")
			w.command(StartAP)
			w.run("20s")
			w.fallback(false)
			w.run("30s")
		}, `
			0.0s uplink starting: started
			0.0s uplink online eth0: eth0 works
			10.0s command start_ap
			10.0s ap starting asked: somebody asked for it
			11.2s ap up asked: somebody asked for it
			11.2s reply 1 started ap
			20.0s fallback: false`},
		{"another backend while joined", func(w *world) {
			w.router = true
			w.boot(Target{}, home)
			w.run("10s")
			w.post(RadioChanged{Reason: "NetworkManager came"})
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			0.9s uplink online wlan0: wlan0 works
			10.0s uplink joining: NetworkManager came, joining "home"
			10.9s uplink online wlan0: wlan0 works`},
		{"another backend while a person joins", func(w *world) {
			w.router = true
			w.boot(Target{})
			w.run("10s")
			w.post(NetworksChanged{Candidate: &Network{SSID: "home", Candidate: true}})
			w.command(Join)
			w.run("10.5s")
			w.post(RadioChanged{Reason: "NetworkManager came"})
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting fallback: no wired link and no known network
			1.2s ap up fallback: no wired link and no known network
			10.0s command start_wifi
			10.0s uplink joining: joining "home"
			10.0s ap stopping fallback: joining "home"
			10.1s ap off: joining "home"
			10.5s uplink lost: NetworkManager came
			10.5s ap starting fallback: NetworkManager came
			10.5s reply 1 error cancelled: NetworkManager came
			11.7s ap up fallback: NetworkManager came`},
		{"another backend while an access point", func(w *world) {
			w.boot(Target{})
			w.run("10s")
			w.post(RadioChanged{Reason: "NetworkManager came"})
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting fallback: no wired link and no known network
			1.2s ap up fallback: no wired link and no known network
			10.0s ap starting fallback: no wired link and no known network
			11.2s ap up fallback: no wired link and no known network`},
		{"somebody else chooses and joins: no scan before, and whatever it joined worked", func(w *world) {
			w.state.Config.Delegated = true
			w.router = true
			w.boot(Target{}, Network{SSID: "work"}, home)
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining a known network
			0.9s uplink online wlan0: wlan0 works
			0.9s record  failed false`},
		{"somebody else chooses, one of the networks is forgotten", func(w *world) {
			w.state.Config.Delegated = true
			w.router = true
			w.boot(Target{}, Network{SSID: "work"}, home)
			w.run("5s")
			w.post(NetworksChanged{Saved: []Network{home}})
			w.run("10s")
			w.post(NetworksChanged{})
			w.run("30s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining a known network
			0.9s uplink online wlan0: wlan0 works
			0.9s record  failed false
			10.0s uplink lost: the network was removed
			25.0s ap starting fallback: the network was removed
			26.2s ap up fallback: the network was removed`},
		{"another access point after a reload", func(w *world) {
			w.boot(Target{})
			w.run("10s")
			w.post(ConfigChanged{Config: testConfig, AccessPoint: true})
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting fallback: no wired link and no known network
			1.2s ap up fallback: no wired link and no known network
			10.0s ap starting fallback: no wired link and no known network
			11.2s ap up fallback: no wired link and no known network`},
	})
}
