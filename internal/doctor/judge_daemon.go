package doctor

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

func judgeDaemon(f *Facts) []verdict {
	d := f.Daemon
	switch {
	case d.Answers && d.PID == 0:
		return good("netconnectd " + d.Version + " answers")
	case d.Answers:
		return good(fmt.Sprintf("netconnectd %s answers (pid %d)", d.Version, d.PID))
	case d.PID == 0:
		what := "netconnectd does not run"
		if f.Units.stopped() != "" {
			what += ": " + d.Silence
		}
		return one(Problem, what, "nobody keeps the device reachable; start it by: sudo systemctl enable --now netconnectd, and see journalctl -u netconnectd if it ends")
	}
	return one(Problem, fmt.Sprintf("netconnectd runs (pid %d) and does not answer: %s", d.PID, d.Silence),
		"see journalctl -u netconnectd, then: sudo systemctl restart netconnectd")
}

func judgeUnits(f *Facts) []verdict {
	u := f.Units
	main := u.States[unitNames[0]]
	switch {
	case !u.Systemd:
		return one(Unknown, "systemd does not run here, so there are no units to look at", "")
	case u.Unseen != "":
		return unseen("the units", u.Unseen)
	case main.Load == "not-found":
		return one(Warning, "netconnectd.service is not installed", "netconnectd does not start with the device; install its package")
	case main.Active == "failed":
		return one(Problem, "netconnectd.service has failed", "see journalctl -u netconnectd, then: sudo systemctl restart netconnectd")
	}
	var off []string
	for _, name := range unitNames {
		if state := u.States[name]; state.File != "enabled" && state.Load == "loaded" {
			off = append(off, name)
		}
	}
	if len(off) > 0 {
		return one(Warning, strings.Join(off, ", ")+" will not start with the device", "sudo systemctl enable "+strings.Join(off, " "))
	}
	return good("netconnectd's units start with the device")
}

func judgeConfig(f *Facts) []verdict {
	s := f.Settings
	if s.Unseen != "" {
		return unseen("the configuration", s.Unseen)
	}
	var found []verdict
	for _, p := range s.Problems {
		found = append(found, verdict{Problem, p.String(), cmp.Or(p.Remedy,
			"netconnectd starts with the settings before it, or, without any, with its default; correct "+configPath(s)+", and see sudo netconnectd --check")})
	}
	for _, w := range s.Warnings {
		found = append(found, verdict{Warning, w.String(), "see " + configPath(s) + " and docs/config.md"})
	}
	if found == nil {
		return good("the configuration is right")
	}
	return found
}

// What joining a network takes, measured in the lab: a scan of all channels 4 s
// to 8 s, keys 1 s, an address 1 s, 4 s from a router that pings first (see
// internal/daemon, addressLimit); NetworkManager takes 6 s to 7.5 s after it has
// the radio.
const (
	joinTakes = 10 * time.Second
	// slowLoss is when a person has long given up.
	slowLoss = 5 * time.Minute
	// quickLoss is less than a router needs to choose another channel, or a
	// radio to roam.
	quickLoss = 10 * time.Second
)

func judgeTimeouts(f *Facts) []verdict {
	var found []verdict
	warn := func(what, remedy string) { found = append(found, verdict{Warning, what, remedy}) }
	c := f.Settings
	fallback := c.LinkMonitor.Enabled && c.AP.Mode == "fallback"
	if fallback && c.LinkMonitor.Hold < joinTakes {
		warn(fmt.Sprintf("link_monitor.hold is %v, and joining a network takes up to %v", c.LinkMonitor.Hold, joinTakes),
			"the access point comes up while a network is still being joined; set it to 15 or more")
	}
	if c.Wifi.JoinTimeout < joinTakes {
		warn(fmt.Sprintf("wifi.join_timeout is %v, and joining a network takes up to %v", c.Wifi.JoinTimeout, joinTakes),
			"networks that work are given up; set it to 20 or more")
	}
	loss := time.Duration(c.LinkMonitor.MaxLinkDown) * c.LinkMonitor.Interval
	switch {
	case !fallback || c.Probe.Kind == "none":
	case loss > slowLoss:
		warn(fmt.Sprintf("a network that leads nowhere is noticed after %v (link_monitor.interval times max_link_down)", loss),
			"the device is out of reach so long; make one of them smaller")
	case loss < quickLoss:
		warn(fmt.Sprintf("a network counts as lost when its gateway is silent for %v (link_monitor.interval times max_link_down)", loss),
			"a router that changes its channel is silent longer; make one of them larger")
	}
	if c.AP.AskedLimit < time.Minute {
		warn(fmt.Sprintf("ap.asked_limit is %v", c.AP.AskedLimit), "an access point that somebody asks for ends before a phone can use it; set it to 60 or more")
	}
	if c.AP.YieldAfter > 0 && c.AP.YieldAfter < time.Minute {
		warn(fmt.Sprintf("ap.yield_after is %v", c.AP.YieldAfter), "people are thrown off the access point while they type; set it to 60 or more")
	}
	if found == nil {
		return good("the time-outs fit together")
	}
	return found
}
