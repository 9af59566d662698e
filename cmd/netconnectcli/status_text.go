package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// failedProbe returns the last probe of the interface that leads out, if that probe
// failed. It returns nil if the probe passed, or if there was none.
func failedProbe(s client.Status) *client.Probe {
	for _, u := range s.Uplinks {
		if u.Name == s.Uplink.Interface && u.Probe != nil && !u.Probe.OK {
			return u.Probe
		}
	}
	return nil
}

// uplinkState returns the state in its tone. The tone is good only if no probe fails:
// the state stays online while some probes fail.
func uplinkState(u client.Uplink, failed *client.Probe) cell {
	c := cell{text: u.State, tone: waiting}
	switch {
	case u.State == "online" && failed == nil:
		c.tone = good
	case u.State == "lost":
		c.tone = bad
	}
	if u.Interface != "" {
		c.text += " by " + u.Interface
	}
	if u.Portal {
		c.text += ", behind a portal"
	}
	return c
}

// uplinkText returns the reason of the state or, if the uplink's probes have begun to
// fail, their reason.
func uplinkText(u client.Uplink, failed *client.Probe) string {
	if failed == nil {
		return conditionText(u.Condition)
	}
	u.Reason = ""
	return conditionText(u.Condition) + ", but " + failedText(*failed)
}

func failedText(p client.Probe) string {
	count := "its last probe"
	if p.Failures > 1 {
		count = fmt.Sprintf("its last %d probes", p.Failures)
	}
	return count + " failed: " + p.Reason
}

func accessPointState(ap client.AccessPoint) cell {
	if ap.State == "off" {
		return cell{text: ap.State}
	}
	c := cell{text: ap.State, tone: waiting}
	if ap.State == "up" {
		c.tone = good
	}
	if ap.SSID != "" {
		c.text += ` as "` + ap.SSID + `"`
	}
	return c
}

// interfaceState describes the role of an interface; the radio may be the access
// point.
func interfaceState(u client.Interface, ap bool) cell {
	switch {
	case u.Kind == "wifi" && ap:
		return cell{text: "access point"}
	case u.Works && u.Probe != nil && !u.Probe.OK:
		return cell{text: "failing", tone: waiting}
	case u.Works:
		return cell{text: "works", tone: good}
	case !u.Carrier:
		return cell{text: "no carrier"}
	case len(u.Addresses) == 0:
		return cell{text: "no address", tone: waiting}
	case u.Probe != nil && !u.Probe.OK:
		return cell{text: "does not work", tone: bad}
	case u.Gateway == "":
		return cell{text: "no gateway", tone: waiting}
	}
	return cell{text: "not probed yet", tone: waiting}
}

func probeText(p *client.Probe) cell {
	switch {
	case p == nil:
		return cell{text: "-"}
	case p.OK:
		return cell{text: "passed " + ago(p.Seconds) + " ago", tone: good}
	}
	return cell{text: fmt.Sprintf("failed %s ago, %d in a row", ago(p.Seconds), p.Failures), tone: bad}
}

// conditionText returns a text such as "for 3m: reason".
func conditionText(c client.Condition) string {
	text := ""
	if !c.Since.IsZero() {
		text = "for " + ago(c.Seconds)
	}
	if c.Reason != "" {
		text += ": " + c.Reason
	}
	return text
}

// soon is the number of seconds up to which a duration is clearer than a time of day.
const soon = 10 * 60

// when writes a future time for people: "in 9s", "at 18:04".
func when(seconds int64, now time.Time) string {
	if seconds < soon {
		return "in " + ago(seconds)
	}
	return "at " + now.Add(time.Duration(seconds)*time.Second).Local().Format("15:04")
}

func failureText(f client.Failure) string {
	text := f.Text + " (" + f.Code + ")"
	if f.Network != nil {
		text = quote(*f.Network) + ": " + text
	}
	return text
}

func wifiText(w client.Wifi) string {
	if !w.Present {
		return "no radio"
	}
	text := "not connected"
	if w.CurrentSSID != nil {
		text = `"` + *w.CurrentSSID + `"`
		if w.Signal != nil {
			text += fmt.Sprintf(", %d dBm", *w.Signal)
		}
		if w.Frequency != 0 {
			text += fmt.Sprintf(", %d MHz", w.Frequency)
		}
		if w.CurrentAddress != nil {
			text += ", cell " + *w.CurrentAddress
		}
	}
	if w.Backend != "" {
		text += ", by " + w.Backend
	}
	if w.Country != "" {
		text += ", country " + w.Country
	}
	return text
}

// savedText names the saved networks; if there are many, it names the best ones and
// the number of the others.
func (p *page) savedText(w client.Wifi) string {
	networks := w.Networks
	if networks == nil && w.ValidConfig {
		return "a network" // an original daemon does not name it
	}
	shown, count := networks, ""
	if len(networks) > fewNetworks {
		count = fmt.Sprintf("%d networks: ", len(networks))
	}
	if count != "" && !p.all {
		shown = networks[:fewNetworks]
	}
	var names []string
	for _, n := range shown {
		names = append(names, quote(n))
	}
	if n := len(networks) - len(shown); n > 0 {
		names = append(names, andMore(n))
	}
	return count + orNone(strings.Join(names, ", "))
}

// onAirText says where a phone finds the access point, and how many phones are on it:
// "at 10.250.250.1/24, channel 1 (2.4 GHz, 20 MHz wide), 2 stations". It returns ""
// if the access point is not up.
func onAirText(ap client.AccessPoint) string {
	var parts []string
	for _, address := range ap.Addresses {
		if !strings.HasPrefix(address, "fe80:") { // every interface has such an address
			parts = append(parts, address)
		}
	}
	if len(parts) > 0 {
		parts = []string{"at " + strings.Join(parts, ", ")}
	}
	if ap.Channel != 0 {
		parts = append(parts, channelText(ap))
	}
	if ap.State != "up" {
		return ""
	}
	if ap.Clients != nil { // an original daemon does not list them
		parts = append(parts, stationsText(len(ap.Clients)))
	}
	return strings.Join(parts, ", ")
}

func stationsText(n int) string {
	if n == 1 {
		return "1 station"
	}
	return fmt.Sprintf("%d stations", n)
}

// channelText returns the channel with its band and width, as far as they are known.
func channelText(ap client.AccessPoint) string {
	text := fmt.Sprintf("channel %d", ap.Channel)
	var more []string
	if b := band(ap.Frequency); b != "" {
		more = append(more, b)
	}
	if ap.Width != 0 {
		more = append(more, fmt.Sprintf("%d MHz wide", ap.Width))
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	return text
}

// band returns the name of the Wi-Fi band of a frequency in MHz, or "" for no band.
func band(mhz int) string {
	switch {
	case mhz >= 2400 && mhz < 2500:
		return "2.4 GHz"
	case mhz >= 5000 && mhz < 5925:
		return "5 GHz"
	case mhz >= 5925 && mhz < 7200:
		return "6 GHz"
	}
	return ""
}

func quote(n client.Network) string { return `"` + n.SSID + `"` }
