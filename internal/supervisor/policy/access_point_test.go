package policy

import (
	"testing"
	"time"
)

// TestAccessPoint plays commands that start and stop the access point, and phones
// that are on it.
func TestAccessPoint(t *testing.T) {
	playStories(t, []story{
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
			10.0s uplink lost: eth0 has an address and no gateway; probe.kind: none has it count all the same`},
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
		{"access point that nobody has, stopped", func(w *world) {
			w.cableThere, w.cable = true, true
			w.boot(Target{})
			w.run("10s")
			w.command(StopAP)
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.0s uplink online eth0: eth0 works
			10.0s command stop_ap
			10.0s reply 1 access point is not running`},
		{"access point stopped without a radio", func(w *world) {
			w.radio = false
			w.boot(Target{})
			w.run("10s")
			w.command(StopAP)
			w.run("20s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			10.0s command stop_ap
			10.0s reply 1 error no_radio: there is no Wi-Fi interface`},
		{"access point stopped when its radio is gone, which changes nothing", func(w *world) {
			w.boot(Target{})
			w.run("10s")
			w.radio = false
			w.links()
			w.run("11s")
			w.command(StopAP)
			w.run("12s")
			w.radio = true
			w.links()
			w.run("60s")
		}, `
			0.0s uplink starting: started
			0.0s uplink lost: no wired link and no known network
			0.0s ap starting fallback: no wired link and no known network
			1.2s ap up fallback: no wired link and no known network
			10.0s ap stopping fallback: not wanted
			10.1s ap off: not wanted
			11.0s command stop_ap
			11.0s reply 1 error no_radio: there is no Wi-Fi interface
			12.0s ap starting fallback: no wired link and no known network
			13.2s ap up fallback: no wired link and no known network`},
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
	})
}

// TestAccessPointSetUpAnew checks that hostapd is adopted with its phones, and that
// no phone is disconnected before hostapd has reported them.
func TestAccessPointSetUpAnew(t *testing.T) {
	reload := func(w *world) { w.post(ConfigChanged{Config: testConfig, AccessPoint: true}) }
	dies := func(w *world) {
		w.post(RadioFailed{Part: PartAccessPoint, Gen: w.target.Gen, Failure: Failure{Code: "ap_failed", Reason: "dnsmasq ended"}})
	}
	backend := func(w *world) { w.post(RadioChanged{Reason: "NetworkManager went"}) }
	const inPlace = `
		60.0s ap starting fallback: eth0 works
		61.2s ap up fallback: eth0 works`
	for _, tt := range []struct {
		name   string
		happen func(w *world)
		phones int // phones on the access point afterwards
		mute   bool
		want   string
	}{
		{"reload, the phone is still on it", reload, 1, false, inPlace},
		{"another backend, the phone is still on it", backend, 1, false, inPlace},
		{"dnsmasq dies, the phone is still on it", dies, 1, false, `
			60.0s ap starting fallback: dnsmasq ended
			62.2s ap up fallback: eth0 works`},
		{"reload, the phone is gone", reload, 0, false, inPlace + `
			61.2s ap stopping fallback: eth0 works
			61.4s ap off: eth0 works`},
		{"reload, nobody can say who is on it", reload, 1, true, inPlace + `
			91.2s ap stopping fallback: eth0 works
			91.3s ap off: eth0 works`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, testConfig)
			w.cableThere, w.phones = true, 1
			w.boot(Target{})
			w.run("20s")
			w.plug(true) // and waits for the phone
			w.run("60s")
			w.trace, w.phones, w.mute = nil, tt.phones, tt.mute
			tt.happen(w)
			w.run("500s")
			w.want(tt.want)
		})
	}
}
