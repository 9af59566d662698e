package policy

import "testing"

// TestLossAndReturn plays uplinks that are lost and come back.
func TestLossAndReturn(t *testing.T) {
	playStories(t, []story{
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
		{"the radio's addresses are taken away for a moment, and later for good", func(w *world) {
			w.router = true
			w.boot(Target{}, home)
			w.run("20s")
			w.flush(true)
			w.run("21s")
			w.flush(false)
			w.run("60s")
			w.flush(true)
			w.run("120s")
		}, `
			0.0s uplink starting: started
			0.0s uplink joining: joining "home"
			0.9s uplink online wlan0: wlan0 works
			20.0s addresses flushed: true
			21.0s addresses flushed: false
			60.0s addresses flushed: true
			70.0s uplink joining: address lost on wlan0, joining "home"
			70.9s uplink online wlan0: wlan0 works`},
		{"another probe than the gateway fails: it says itself what was asked", func(w *world) {
			w.cableThere, w.cable = true, true
			w.gatewayGone, w.state.Config.Gateway = true, false
			w.boot(Target{})
			w.run("15s")
			w.cable = false // for the probe only: the link does not change
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink online eth0: eth0 works
			49.0s uplink lost: silent
			49.0s ap starting fallback: silent
			50.2s ap up fallback: silent`},
	})
}
