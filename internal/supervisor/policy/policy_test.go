package policy

import (
	"testing"
	"time"
)

var home = Network{SSID: "home"}

func TestTraces(t *testing.T) {
	for _, tt := range []struct {
		name string
		play func(w *world)
		want string
	}{
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
			w.boot(Target{Role: RoleStation, Network: Network{SSID: "work"}}, home, Network{SSID: "work"})
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "work"
			0.9s uplink online wlan0: wlan0 works
			0.9s record work failed false`},
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
		{"cold start, saved network not there", func(w *world) {
			w.boot(Target{}, home)
			w.run("30s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			15.0s uplink lost: "home" could not be joined in time
			15.0s ap starting fallback: "home" could not be joined in time
			16.2s ap up fallback: "home" could not be joined in time`},
		{"router dies and returns", func(w *world) {
			w.router = true
			w.boot(Target{}, home)
			w.run("20s")
			w.power(false)
			w.run("80s")
			w.power(true)
			w.run("120s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			0.9s uplink online wlan0: wlan0 works
			20.0s router on: false
			21.8s uplink joining: carrier lost on wlan0, joining "home"
			36.8s uplink lost: "home" could not be joined in time
			36.8s ap starting fallback: "home" could not be joined in time
			38.0s ap up fallback: "home" could not be joined in time
			80.0s router on: true
			84.2s uplink joining: joining "home"
			84.2s ap stopping fallback: joining "home"
			84.3s ap off: joining "home"
			85.1s uplink online wlan0: wlan0 works`},
		{"router dies and returns within the hold", func(w *world) {
			w.router = true
			w.boot(Target{}, home)
			w.run("20s")
			w.power(false)
			w.run("25s")
			w.power(true)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			0.9s uplink online wlan0: wlan0 works
			20.0s router on: false
			21.8s uplink joining: carrier lost on wlan0, joining "home"
			25.0s router on: true
			28.7s uplink online wlan0: wlan0 works`},
		{"router dies and returns while a phone is on the access point", func(w *world) {
			w.boot(Target{}, home)
			w.run("30s")
			w.post(ClientsChanged{Count: 1})
			w.power(true)
			w.run("700s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			15.0s uplink lost: "home" could not be joined in time
			15.0s ap starting fallback: "home" could not be joined in time
			16.2s ap up fallback: "home" could not be joined in time
			30.0s router on: true
			632.2s uplink joining: joining "home"
			632.2s ap stopping fallback: joining "home"
			632.3s ap off: joining "home"
			633.1s uplink online wlan0: wlan0 works`},
		{"cable in fallback, pulled again", func(w *world) {
			w.cableThere = true
			w.boot(Target{})
			w.run("20s")
			w.plug(true)
			w.run("60s")
			w.plug(false)
			w.run("100s")
		}, `
			0.0s uplink starting: started
			5.0s uplink lost: no wired link and no known network
			5.0s ap starting fallback: no wired link and no known network
			6.2s ap up fallback: no wired link and no known network
			20.0s cable plugged in: true
			20.0s uplink online eth0: eth0 works
			20.0s ap stopping fallback: eth0 works
			20.1s ap off: eth0 works
			60.0s cable plugged in: false
			60.0s uplink lost: carrier lost on eth0
			75.0s ap starting fallback: carrier lost on eth0
			76.2s ap up fallback: carrier lost on eth0`},
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
		{"gateway silent, then back", func(w *world) {
			w.router = true
			w.boot(Target{}, home)
			w.run("15s")
			w.silent = true
			w.run("100s")
			w.silent = false
			w.run("200s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			0.9s uplink online wlan0: wlan0 works
			49.9s uplink lost: gateway 198.51.100.1 on wlan0 is silent
			49.9s ap starting fallback: gateway 198.51.100.1 on wlan0 is silent
			51.1s ap up fallback: gateway 198.51.100.1 on wlan0 is silent
			66.5s uplink joining: joining "home"
			66.5s ap stopping fallback: joining "home"
			66.6s ap off: joining "home"
			70.2s uplink lost: gateway is silent
			70.2s ap starting fallback: gateway is silent
			71.4s ap up fallback: gateway is silent
			86.8s uplink joining: joining "home"
			86.8s ap stopping fallback: joining "home"
			86.9s ap off: joining "home"
			90.5s uplink lost: gateway is silent
			90.5s ap starting fallback: gateway is silent
			91.7s ap up fallback: gateway is silent
			120.9s uplink joining: joining "home"
			120.9s ap stopping fallback: joining "home"
			121.0s ap off: joining "home"
			121.8s uplink online wlan0: wlan0 works`},
		{"access point asked for and its limit", func(w *world) {
			w.router = true
			w.boot(Target{}, home)
			w.run("10s")
			w.command(StartAP)
			w.run("1h1m")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			0.9s uplink online wlan0: wlan0 works
			10.0s command start_ap
			10.0s uplink lost: somebody asked for the access point
			10.0s ap starting asked: somebody asked for it
			11.2s ap up asked: somebody asked for it
			11.2s reply 1 started ap
			3611.2s uplink joining: joining "home"
			3611.2s ap stopping asked: joining "home"
			3611.3s ap off: joining "home"
			3612.1s uplink online wlan0: wlan0 works`},
		{"access point asked for, with a limit shorter than its start", func(w *world) {
			w.cableThere, w.cable = true, true
			w.state.Config.AskedLimit = time.Second
			w.boot(Target{})
			w.run("10s")
			w.command(StartAP)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink online eth0: eth0 works
			10.0s command start_ap
			10.0s ap starting asked: somebody asked for it
			11.2s ap up asked: somebody asked for it
			11.2s reply 1 started ap
			12.2s ap stopping asked: eth0 works
			12.3s ap off: eth0 works`},
		{"access point asked for at the start: the start is over all the same", func(w *world) {
			w.cableThere, w.cable = true, true
			w.gatewayGone = true
			w.boot(Target{})
			w.command(StartAP)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s command start_ap
			0.0s ap starting asked: somebody asked for it
			1.2s ap up asked: somebody asked for it
			1.2s reply 1 started ap
			10.0s uplink lost: nothing came up`},
		{"the gateway is gone for a moment, and later for good", func(w *world) {
			w.cableThere, w.cable = true, true
			w.boot(Target{})
			w.run("15s")
			w.route(false)
			w.run("16s")
			w.route(true)
			w.run("100s")
			w.route(false)
			w.run("150s")
			w.route(true)
			w.run("160s")
		}, `
			0.0s uplink starting: started
			0.0s uplink online eth0: eth0 works
			15.0s default route: false
			16.0s default route: true
			100.0s default route: false
			120.0s uplink lost: eth0 has no gateway any more
			120.0s ap starting fallback: eth0 has no gateway any more
			121.2s ap up fallback: eth0 has no gateway any more
			150.0s default route: true
			150.0s uplink online eth0: eth0 works
			150.0s ap stopping fallback: eth0 works
			150.1s ap off: eth0 works`},
		{"another probe than the gateway fails: it says itself what was asked", func(w *world) {
			w.cableThere, w.cable = true, true
			w.gatewayGone, w.state.Config.Gateway = true, false
			w.boot(Target{})
			w.run("15s")
			w.cable = false // for the probe only: the link tells nothing
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink online eth0: eth0 works
			49.0s uplink lost: silent
			49.0s ap starting fallback: silent
			50.2s ap up fallback: silent`},
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
		{"a phone is on the access point, and the cable comes, goes, and comes again", func(w *world) {
			w.cableThere, w.phones = true, 1
			w.boot(Target{})
			w.run("20s")
			w.plug(true)
			w.run("30s")
			w.plug(false)
			w.run("700s")
			w.plug(true)
			w.run("1301s")
		}, `
			0.0s uplink starting: started
			5.0s uplink lost: no wired link and no known network
			5.0s ap starting fallback: no wired link and no known network
			6.2s ap up fallback: no wired link and no known network
			20.0s cable plugged in: true
			20.0s uplink online eth0: eth0 works
			30.0s cable plugged in: false
			30.0s uplink lost: carrier lost on eth0
			700.0s cable plugged in: true
			700.0s uplink online eth0: eth0 works
			1300.0s ap stopping fallback: eth0 works
			1300.1s ap off: eth0 works`},
		{"a phone is on the access point, there is a known network, and the cable goes for a moment", func(w *world) {
			w.cableThere, w.phones = true, 1
			w.boot(Target{}, home)
			w.run("20s")
			w.plug(true)
			w.run("100s")
			w.plug(false)
			w.run("101s")
			w.plug(true)
			w.run("702s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			15.0s uplink lost: "home" could not be joined in time
			15.0s ap starting fallback: "home" could not be joined in time
			16.2s ap up fallback: "home" could not be joined in time
			20.0s cable plugged in: true
			20.0s uplink online eth0: eth0 works
			100.0s cable plugged in: false
			100.0s uplink lost: carrier lost on eth0
			101.0s cable plugged in: true
			101.0s uplink online eth0: eth0 works
			701.0s ap stopping fallback: eth0 works
			701.1s ap off: eth0 works`},
		{"a phone is on the access point, the known network comes and is forgotten, then the cable comes", func(w *world) {
			w.cableThere, w.phones = true, 1
			w.boot(Target{}, home)
			w.run("20s")
			w.power(true)
			w.run("60s")
			w.post(NetworksChanged{})
			w.run("700s")
			w.plug(true)
			w.run("710s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			15.0s uplink lost: "home" could not be joined in time
			15.0s ap starting fallback: "home" could not be joined in time
			16.2s ap up fallback: "home" could not be joined in time
			20.0s router on: true
			700.0s cable plugged in: true
			700.0s uplink online eth0: eth0 works`},
		{"access point stopped by somebody with nothing else", func(w *world) {
			w.boot(Target{})
			w.run("10s")
			w.command(StopAP)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting fallback: no wired link and no known network
			1.2s ap up fallback: no wired link and no known network
			10.0s command stop_ap
			10.0s ap stopping fallback: not wanted
			10.1s ap off: not wanted
			10.1s reply 1 stopped ap
			40.0s ap starting fallback: no wired link and no known network
			41.2s ap up fallback: no wired link and no known network`},
		{"access point stopped for a moment", func(w *world) {
			w.boot(Target{})
			w.run("10s")
			w.command(StopAP)
			w.run("14s")
			w.command(Resume)
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting fallback: no wired link and no known network
			1.2s ap up fallback: no wired link and no known network
			10.0s command stop_ap
			10.0s ap stopping fallback: not wanted
			10.1s ap off: not wanted
			10.1s reply 1 stopped ap
			14.0s command resume
			14.0s ap starting fallback: no wired link and no known network
			14.0s reply 2 resumed
			15.2s ap up fallback: no wired link and no known network`},
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
		{"restart of the daemon adopts the access point", func(w *world) {
			w.boot(Target{Role: RoleAccessPoint}, home)
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
		{"hostapd does not start, later it does", func(w *world) {
			w.apBroken = true
			w.boot(Target{})
			w.run("10s")
			w.apBroken = false
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting fallback: no wired link and no known network
			20.2s ap up fallback: no wired link and no known network`},
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
		{"ap.mode always", func(w *world) {
			w.router = true
			w.state.Config.Always, w.state.Config.Fallback = true, false
			w.boot(Target{}, home)
			w.run("60s")
			w.command(Join)
			w.run("70s")
		}, `
			0.0s uplink starting: started
			0.0s ap starting always: ap.mode is always
			1.2s ap up always: ap.mode is always
			15.0s uplink lost: nothing came up
			60.0s command start_wifi
			60.0s reply 1 error ap_always: ap.mode is always, so the radio is no station`},
		{"ap.mode never", func(w *world) {
			w.state.Config.Fallback = false
			w.boot(Target{})
			w.run("60s")
			w.command(StartAP)
			w.run("70s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			60.0s command start_ap
			60.0s ap starting asked: somebody asked for it
			61.2s ap up asked: somebody asked for it
			61.2s reply 1 started ap`},
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
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, testConfig)
			tt.play(w)
			w.want(tt.want)
		})
	}
}

// TestLastFailure lists what becomes of the reason why "work" could not be
// joined.
func TestLastFailure(t *testing.T) {
	work := Network{SSID: "work"}
	refused := Failure{Code: "wrong_key", Reason: "refused the key"}
	for _, tt := range []struct {
		name  string
		after func(w *world)
		want  JoinFailure
	}{
		{"the way back to the network before keeps it", func(w *world) { w.run("30s") }, JoinFailure{refused, "work", true}},
		{"so does a way back that somebody else has chosen", func(w *world) {
			w.state.Config.Delegated = true
			w.run("30s")
		}, JoinFailure{refused, "work", true}},
		{"the daemon tries again in vain, and goes back", func(w *world) {
			w.power(false)
			w.run("60s")
			w.power(true)
			w.run("60s")
		}, JoinFailure{refused, "work", true}},
		{"nothing is in reach any more", func(w *world) {
			w.power(false)
			w.powerOther("work", false)
			w.run("60s")
		}, JoinFailure{refused, "work", true}},
		{"it joins in the end", func(w *world) {
			w.wrongKey = ""
			w.ask(Connect, "work")
			w.run("30s")
		}, JoinFailure{}},
		{"somebody joins another network", func(w *world) {
			w.ask(Connect, "home")
			w.run("30s")
		}, JoinFailure{}},
		{"it is removed", func(w *world) {
			w.post(NetworksChanged{Saved: []Network{home}})
			w.run("30s")
		}, JoinFailure{}},
		{"all are forgotten", func(w *world) {
			w.command(Forget)
			w.run("30s")
		}, JoinFailure{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, testConfig)
			w.router, w.wrongKey = true, "work"
			w.others["work"] = true
			w.boot(Target{}, home, work)
			w.run("5s")
			w.ask(Connect, "work")
			w.run("20s")
			tt.after(w)
			if got := w.state.LastFailure; got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
