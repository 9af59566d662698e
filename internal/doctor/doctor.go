// Package doctor checks the machine for what is, or may be, wrong with it for
// netconnectd. Each check has a finding, with a remedy.
//
// It has two halves. Look and LookForConflicts gather Facts: they read /proc, /sys,
// netlink, D-Bus and programs' versions, and change nothing. Judge and JudgeConflicts
// derive the findings from the Facts alone. A fact that could not be read makes an
// unknown finding with the reason; it never counts as good.
package doctor

import "slices"

// Level is how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // netconnectd works, but not fully, or not for sure in future
	Problem Level = "problem" // keeps netconnectd from its job
	Unknown Level = "unknown" // could not be checked; the text has the reason
)

// Finding is what one check has found.
type Finding struct {
	ID     string `json:"id"`     // of the check, as in docs/troubleshooting.md
	Group  string `json:"group"`  // of checks, for people
	Level  Level  `json:"level"`  // how bad it is
	What   string `json:"what"`   // the state found, for people
	Remedy string `json:"remedy"` // what to do, and why it matters; "" if there is nothing to do
}

// verdict is a Finding without the name of its check.
type verdict struct {
	level  Level
	what   string
	remedy string
}

// check is one check.
type check struct {
	id, group string
	conflict  bool // the daemon makes this check, too
	settings  bool // depends on settings, which are unknown if the file cannot be read
	judge     func(*Facts) []verdict
}

// checks are all checks, in the order in which people read them.
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

	{id: "uplinks", group: "Device", settings: true, judge: judgeUplinks},
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

// Judge returns the findings of all checks, at least one for each.
func Judge(f *Facts) []Finding { return judge(f, checks) }

// JudgeConflicts returns the problems among the checks for which LookForConflicts
// gathers the facts: other programs on the radio or on our ports, and actions that
// polkit refuses.
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
			found = append(found, f.completeFromDaemon(Finding{c.id, c.group, v.level, v.what, v.remedy}))
		}
	}
	return found
}

// completeFromDaemon replaces an unknown finding by the daemon's, as the daemon has
// rights that the caller lacks.
func (f *Facts) completeFromDaemon(own Finding) Finding {
	for _, p := range f.Daemon.Problems {
		if p.Code == own.ID && own.Level == Unknown {
			own.Level, own.What, own.Remedy = Problem, p.Text+" (as the daemon has seen it)", p.Remedy
		}
	}
	return own
}

// one returns the verdicts of a check that has a single one.
func one(level Level, what, remedy string) []verdict { return []verdict{{level, what, remedy}} }

func good(what string) []verdict { return one(OK, what, "") }

// unseen returns the verdict for a fact that could not be read.
func unseen(what, why string) []verdict { return one(Unknown, what+" could not be seen: "+why, "") }
