package policy

import "testing"

// TestNetworks plays networks that are added, chosen, tried and removed.
func TestNetworks(t *testing.T) {
	playStories(t, []story{
		{"two saved networks, that in use dies", func(w *world) {
			w.router = true
			w.others["work"] = true
			w.boot(Target{}, home, Network{SSID: "work"})
			w.run("10s")
			w.power(false)
			w.run("40s")
		}, `
			0.0s uplink starting: started
			0.5s uplink joining: joining "home"
			1.4s uplink online wlan0: wlan0 works
			1.4s record home failed false
			10.0s router on: false
			11.8s uplink joining: carrier lost on wlan0, looking for known networks
			13.1s uplink online wlan0: wlan0 works
			13.1s record work failed false`},
		{"none of two saved networks is there, one comes back", func(w *world) {
			w.others["work"] = false
			w.boot(Target{}, home, Network{SSID: "work"})
			w.run("30s")
			w.powerOther("work", true)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			15.0s uplink lost: no known network is in reach
			15.0s ap starting fallback: no known network is in reach
			16.2s ap up fallback: no known network is in reach
			30.0s router of work on: true
			31.6s uplink joining: joining "work"
			31.6s ap stopping fallback: joining "work"
			31.7s ap off: joining "work"
			32.5s uplink online wlan0: wlan0 works
			32.5s record work failed false`},
		{"connect to one of two saved networks, and to one that is not saved", func(w *world) {
			w.router = true
			w.others["work"] = true
			w.boot(Target{}, home, Network{SSID: "work"})
			w.run("10s")
			w.ask(Connect, "work")
			w.run("20s")
			w.ask(Connect, "nowhere")
			w.run("21s")
		}, `
			0.0s uplink starting: started
			0.5s uplink joining: joining "home"
			1.4s uplink online wlan0: wlan0 works
			1.4s record home failed false
			10.0s command connect work
			10.0s uplink joining: somebody asked to join another network, joining "work"
			10.9s uplink online wlan0: wlan0 works
			10.9s record work failed false
			10.9s reply 1 connected to wifi
			20.0s command connect nowhere
			20.0s reply 2 error not_saved: the network "nowhere" is not saved`},
		{"connect to a network that refuses its key leads back", func(w *world) {
			w.router = true
			w.others["work"] = true
			w.wrongKey = "work"
			w.boot(Target{}, home, Network{SSID: "work"})
			w.run("10s")
			w.ask(Connect, "work")
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.5s uplink joining: joining "home"
			1.4s uplink online wlan0: wlan0 works
			1.4s record home failed false
			10.0s command connect work
			10.0s uplink joining: somebody asked to join another network, joining "work"
			14.8s record work failed true
			14.8s reply 1 error wrong_key: refused the key
			16.1s uplink online wlan0: wlan0 works
			16.1s record home failed false`},
		{"the network in use is removed", func(w *world) {
			w.router = true
			w.others["work"] = true
			w.boot(Target{}, home, Network{SSID: "work"})
			w.run("10s")
			w.post(NetworksChanged{Saved: []Network{{SSID: "work"}}})
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.5s uplink joining: joining "home"
			1.4s uplink online wlan0: wlan0 works
			1.4s record home failed false
			10.0s uplink joining: the network was removed, joining "work"
			10.9s uplink online wlan0: wlan0 works`},
		{"a person gives the network through the access point", func(w *world) {
			w.router = true
			w.boot(Target{})
			w.run("10s")
			w.post(NetworksChanged{Candidate: &Network{SSID: "home", Candidate: true}})
			w.command(Join)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting fallback: no wired link and no known network
			1.2s ap up fallback: no wired link and no known network
			10.0s command start_wifi
			10.0s uplink joining: joining "home"
			10.0s ap stopping fallback: joining "home"
			10.1s ap off: joining "home"
			10.9s uplink online wlan0: wlan0 works
			10.9s promote
			10.9s reply 1 connected to wifi`},
		{"wrong passphrase on the access point, nothing saved", func(w *world) {
			w.router, w.candidateOK = true, false
			w.boot(Target{})
			w.run("10s")
			w.post(NetworksChanged{Candidate: &Network{SSID: "home", Candidate: true}})
			w.command(Join)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting fallback: no wired link and no known network
			1.2s ap up fallback: no wired link and no known network
			10.0s command start_wifi
			10.0s uplink joining: joining "home"
			10.0s ap stopping fallback: joining "home"
			10.1s ap off: joining "home"
			14.8s uplink lost: refused the key
			14.8s ap starting fallback: refused the key
			14.8s reply 1 error wrong_key: refused the key
			16.0s ap up fallback: refused the key`},
		{"wrong passphrase for a second network while the first works", func(w *world) {
			w.router, w.candidateOK = true, false
			w.boot(Target{}, home)
			w.run("10s")
			w.post(NetworksChanged{Saved: []Network{home}, Candidate: &Network{SSID: "other", Candidate: true}})
			w.command(Join)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			0.9s uplink online wlan0: wlan0 works
			10.0s command start_wifi
			10.0s uplink joining: somebody asked to join another network, joining "other"
			14.8s reply 1 error wrong_key: refused the key
			15.7s uplink online wlan0: wlan0 works`},
		{"forget while connected", func(w *world) {
			w.router = true
			w.boot(Target{}, home)
			w.run("10s")
			w.command(Forget)
			w.run("30s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			0.9s uplink online wlan0: wlan0 works
			10.0s command forget_wifi
			10.0s uplink lost: the network was forgotten
			10.0s ap starting fallback: the network was forgotten
			10.0s forget
			10.0s reply 1 forgot configured wifi
			11.2s ap up fallback: the network was forgotten`},
		{"forget, and what NetworkManager has of somebody else stays", func(w *world) {
			w.state.Config.Delegated = true
			w.router = true
			w.boot(Target{}, home)
			w.run("10s")
			w.command(Forget)
			w.post(NetworksChanged{Saved: []Network{home}})
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining a known network
			0.9s uplink online wlan0: wlan0 works
			10.0s command forget_wifi
			10.0s uplink lost: the network was forgotten
			10.0s ap starting fallback: the network was forgotten
			10.0s forget
			10.0s reply 1 forgot configured wifi
			11.2s ap up fallback: the network was forgotten
			26.6s uplink joining: joining a known network
			26.6s ap stopping fallback: joining a known network
			26.7s ap off: joining a known network
			27.5s uplink online wlan0: wlan0 works`},
		{"second request while joining", func(w *world) {
			w.router = true
			w.boot(Target{})
			w.run("10s")
			w.post(NetworksChanged{Candidate: &Network{SSID: "home", Candidate: true}})
			w.command(Join)
			w.command(Join)
			w.command(StartAP)
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting fallback: no wired link and no known network
			1.2s ap up fallback: no wired link and no known network
			10.0s command start_wifi
			10.0s uplink joining: joining "home"
			10.0s ap stopping fallback: joining "home"
			10.0s command start_wifi
			10.0s reply 2 error busy: another request is being carried out
			10.0s command start_ap
			10.0s reply 3 error busy: another request is being carried out
			10.1s ap off: joining "home"
			10.9s uplink online wlan0: wlan0 works
			10.9s promote
			10.9s reply 1 connected to wifi`},
	})
}
