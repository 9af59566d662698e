// Package doctor looks at the machine and names what is, or may be, wrong with
// it for netconnectd: one finding for each check, with a remedy.
//
// It has two halves. What the machine says are Facts (Look and LookForConflicts,
// which read /proc, /sys, netlink, D-Bus and programs' versions and change
// nothing). What that means is judged by functions of the Facts alone. What
// could not be seen is unknown, with the reason; it is never taken for good.
package doctor

import "slices"

// Level says how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // works, or works now; something is in the way of more
	Problem Level = "problem" // keeps netconnectd from its job
	Unknown Level = "unknown" // could not be seen; the text says why
)

// Finding is what one check has found.
type Finding struct {
	ID     string `json:"id"`     // of the check, as in docs/troubleshooting.md
	Group  string `json:"group"`  // of checks, for people
	Level  Level  `json:"level"`  // how bad it is
	What   string `json:"what"`   // is so, for people
	Remedy string `json:"remedy"` // and why it matters; "" where there is nothing to do
}

// verdict is a Finding before its check's name is on it.
type verdict struct {
	level  Level
	what   string
	remedy string
}

// check is one thing that is looked at.
type check struct {
	id, group string
	conflict  bool // is among those that the daemon looks at
	settings  bool // hangs on settings, of which nobody knows while the file cannot be read
	judge     func(*Facts) []verdict
}

// checks are all, in the order in which people read them.
var checks = []check{
	{id: "daemon", group: "Daemon", judge: judgeDaemon},
	{id: "units", group: "Daemon", judge: judgeUnits},
	{id: "config", group: "Daemon", judge: judgeConfig},
	{id: "timeouts", group: "Daemon", settings: true, judge: judgeTimeouts},

	{id: "radio", group: "Radio", judge: judgeRadio},
	{id: "radio_driver", group: "Radio", judge: judgeDriver},
	{id: "rfkill", group: "Radio", judge: judgeRfkill},
	{id: "ap_mode", group: "Radio", judge: judgeAPMode},
	{id: "ap_and_station", group: "Radio", judge: judgeAPAndStation},
	{id: "country", group: "Radio", settings: true, judge: judgeCountry},
	{id: "channel", group: "Radio", settings: true, judge: judgeChannel},

	{id: "other_wpa_supplicant", group: "Other programs", conflict: true, judge: judgeSupplicants},
	{id: "other_hostapd", group: "Other programs", conflict: true, judge: judgeHostapds},
	{id: "other_dhcp_client", group: "Other programs", conflict: true, judge: judgeDHCPClients},
	{id: "systemd_networkd", group: "Other programs", conflict: true, judge: judgeNetworkd},
	{id: "ifupdown", group: "Other programs", conflict: true, judge: judgeIfupdown},
	{id: "iwd", group: "Other programs", conflict: true, judge: judgeIWD},
	{id: "connman", group: "Other programs", conflict: true, judge: judgeConnman},
	{id: "other_access_point_manager", group: "Other programs", conflict: true, judge: judgeManagers},
	{id: "port_dhcp", group: "Other programs", conflict: true, judge: judgePortDHCP},
	{id: "port_dns", group: "Other programs", conflict: true, judge: judgePortDNS},

	{id: "networkmanager", group: "NetworkManager", conflict: true, judge: judgeNetworkManager},
	{id: "polkit", group: "NetworkManager", conflict: true, judge: judgePolkit},
	{id: "netplan", group: "NetworkManager", judge: judgeNetplan},

	{id: "hostapd", group: "Programs", judge: judgeTool("hostapd")},
	{id: "dnsmasq", group: "Programs", judge: judgeTool("dnsmasq")},
	{id: "wpa_supplicant", group: "Programs", judge: judgeTool("wpa_supplicant")},

	{id: "capabilities", group: "Rights", judge: judgeCapabilities},
	{id: "group", group: "Rights", judge: judgeGroup},
	{id: "config_file", group: "Rights", judge: judgeConfigFile},
	{id: "rfkill_device", group: "Rights", settings: true, judge: judgeRfkillDevice},
	{id: "runtime_folder", group: "Rights", judge: judgeRuntimeFolder},
	{id: "state_folder", group: "Rights", judge: judgeStateFolder},

	{id: "packet_filter", group: "Device", judge: judgeFilter},
	{id: "clock", group: "Device", judge: judgeClock},
	{id: "disk_space", group: "Device", judge: judgeDisk},
}

// IDs lists the ids of all checks.
func IDs() []string {
	var ids []string
	for _, c := range checks {
		ids = append(ids, c.id)
	}
	return ids
}

// Judge says what the facts mean, at least one finding for each check.
func Judge(f *Facts) []Finding { return judge(f, checks) }

// JudgeConflicts names the problems among the checks for which LookForConflicts
// has gathered the facts: other programs on the radio or on our ports, and
// what polkit refuses.
func JudgeConflicts(f *Facts) []Finding {
	found := judge(f, slices.DeleteFunc(slices.Clone(checks), func(c check) bool { return !c.conflict }))
	return slices.DeleteFunc(found, func(f Finding) bool { return f.Level != Problem })
}

func judge(f *Facts, checks []check) []Finding {
	var found []Finding
	for _, c := range checks {
		verdicts := c.judge(f)
		if c.settings && f.Settings.Unseen != "" {
			verdicts = unseen("what the configuration says of it", f.Settings.Unseen)
		}
		for _, v := range verdicts {
			found = append(found, f.told(Finding{c.id, c.group, v.level, v.what, v.remedy}))
		}
	}
	return found
}

// told lets the daemon speak of what we could not see: it has other rights.
func (f *Facts) told(own Finding) Finding {
	for _, p := range f.Daemon.Problems {
		if p.Code == own.ID && own.Level == Unknown {
			own.Level, own.What, own.Remedy = Problem, p.Text+" (as the daemon has seen it)", p.Remedy
		}
	}
	return own
}

// one is the verdict of a check that has a single one.
func one(level Level, what, remedy string) []verdict { return []verdict{{level, what, remedy}} }

func good(what string) []verdict { return one(OK, what, "") }

// unseen is the verdict of what could not be looked at.
func unseen(what, why string) []verdict { return one(Unknown, what+" could not be seen: "+why, "") }
