package config

import (
	"strings"
	"time"
)

// kind is the shape of a setting in the file and its name in --help.
type kind string

const (
	kindText    kind = "text"
	kindPath    kind = "path"
	kindBoolean kind = "boolean"
	kindWhole   kind = "number"
	kindSeconds kind = "seconds"
	kindRange   kind = "first,last" // a list of two in the file
)

// describe says what the file has to hold.
func (k kind) describe() string {
	switch k {
	case kindBoolean:
		return "true or false"
	case kindWhole:
		return "a number"
	case kindSeconds:
		return "a number of seconds"
	case kindRange:
		return "a list of a first and a last address"
	}
	return "text"
}

// key describes one setting. Flags, environment, file, hints, --help,
// docs/config.md and configs/netconnectd.yaml all come from these.
type key struct {
	path     string // in the file, "section.name" or "name"
	flag     string // without dashes
	short    string // letter of the flag, or empty
	negated  bool   // the flag, given, means false
	secret   bool   // never shown
	kind     kind
	value    string // default, as text
	set      setter
	doc      string // sentences for people, without back quotes (pflag reads those)
	noEffect string // why the setting has none, or empty
}

// env is the variable of the environment: NETCONNECTD_AP_CHANNEL.
func (k *key) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_"))
}

const (
	without     = "has no effect, only files of the original have it"
	notYet      = "has no effect in this version"
	envPrefix   = "NETCONNECTD_"
	envFile     = envPrefix + "CONFIG"
	maxSettle   = 10 * time.Minute
	maxPriority = 1<<31 - 1 // fits int on 32 bits; the kernel takes up to 2^32-1
)

// sections are the first parts of the keys, in the order of the file.
var sections = []struct{ name, doc string }{
	{"", "The socket that netconnectcli, the web page and other programs talk to."},
	{"permissions", "Who may change something. Everybody may read."},
	{"interfaces", "Network interfaces. Without a name the daemon finds them."},
	{"link_monitor", "When the network counts as lost."},
	{"start", "The start of the daemon."},
	{"ap", "The access point that comes up when no network is left."},
	{"wifi", "The Wi-Fi networks that the device joins."},
	{"paths", "Programs and folders."},
}

var keys = []key{
	{path: "socket", flag: "address", short: "a", kind: kindPath, value: "/var/run/netconnectd.sock",
		set: text(func(d *draft) *string { return &d.Socket }, absolute, socketPath),
		doc: "Path of the Unix socket."},

	{path: "permissions.change", flag: "permissions-change", kind: kindText, value: "group",
		set: text(func(d *draft) *string { return &d.Permissions.Change }, oneOf("group", "everyone")),
		doc: "Who may change something: group (root and the members of the group netconnect) or everyone."},

	{path: "interfaces.wifi", flag: "interface-wifi", kind: kindText,
		set: text(func(d *draft) *string { return &d.Interfaces.Wifi }, interfaceName),
		doc: "Interface of the radio, e.g. wlan0. Empty: the first radio there is."},
	{path: "interfaces.wired", flag: "interface-wired", kind: kindText,
		set: text(func(d *draft) *string { return &d.Interfaces.Wired }, interfaceName),
		doc: "Wired interface that can keep the device online, e.g. eth0. Empty: every physical wired interface."},

	{path: "link_monitor.enabled", flag: "linkmon-disabled", negated: true, kind: kindBoolean, value: "true",
		set: boolean(func(d *draft) *bool { return &d.LinkMonitor.Enabled }),
		doc: "Whether the daemon acts by itself when the network is lost."},
	{path: "link_monitor.max_link_down", flag: "linkmon-maxdown", kind: kindWhole, value: "3",
		set: whole(func(d *draft) *int { return &d.LinkMonitor.MaxLinkDown }, within(1, 1000)),
		doc: "So many checks in a row have to fail before a network that still has carrier counts as lost."},
	{path: "link_monitor.interval", flag: "linkmon-interval", kind: kindSeconds, value: "10",
		set: seconds(func(d *draft) *time.Duration { return &d.LinkMonitor.Interval }, time.Second, day),
		doc: "Seconds from one check to the next."},
	{path: "link_monitor.hold", flag: "linkmon-hold", kind: kindSeconds, value: "15",
		set: seconds(func(d *draft) *time.Duration { return &d.LinkMonitor.Hold }, 0, day),
		doc: "Seconds without any carrier until the access point comes up, when no known network could be joined meanwhile."},

	{path: "start.settle", flag: "start-settle", kind: kindSeconds, value: "10",
		set: seconds(func(d *draft) *time.Duration { return &d.Start.Settle }, 0, maxSettle),
		doc: "Seconds that the daemon waits at most, at its start, for a network that others are setting up."},

	{path: "ap.ssid", flag: "ap-ssid", kind: kindText,
		set: text(func(d *draft) *string { return &d.AP.SSID }, ssid),
		doc: "Name of the access point's network, up to 32 bytes. Empty: netconnectd- and the name of the host."},
	{path: "ap.psk", flag: "ap-psk", secret: true, kind: kindText,
		set: passphrase,
		doc: "Passphrase of 8 to 63 characters, or a key of 64 hexadecimal digits. Empty: the access point is open to everybody."},
	{path: "ap.channel", flag: "ap-channel", kind: kindWhole, value: "3",
		set: whole(func(d *draft) *int { return &d.AP.Channel }, channel),
		doc: "Channel: 1 to 13 (2.4 GHz), or 36, 40, 44, 48, 149, 153, 157, 161, 165 (5 GHz, where the country allows it)."},
	{path: "ap.country", flag: "ap-country", kind: kindText,
		set: country,
		doc: "Country whose rules the radio obeys, in two letters, e.g. DE. Empty: whatever the system has set."},
	{path: "ap.ip", flag: "ap-ip", kind: kindText, value: "10.250.250.1",
		set: apIP,
		doc: "Address of the device on its access point."},
	{path: "ap.network", flag: "ap-network", kind: kindText, value: "10.250.250.0/24",
		set: apNetwork,
		doc: "Network of the access point."},
	{path: "ap.range", flag: "ap-range", kind: kindRange, value: "10.250.250.100,10.250.250.200",
		set: apRange,
		doc: "First and last address that clients of the access point get."},
	{path: "ap.domain", flag: "ap-domain", kind: kindText,
		set: text(func(d *draft) *string { return &d.AP.Domain }, domain),
		doc: "Domain of the access point's clients, e.g. lan. Empty: none."},
	{path: "ap.forwarding_to_wired", flag: "ap-forwarding", kind: kindBoolean, value: "false",
		set:      boolean(func(d *draft) *bool { return &d.AP.ForwardingToWired }),
		doc:      "Whether clients of the access point reach the wired network.",
		noEffect: notYet},
	{path: "ap.asked_limit", flag: "ap-asked-limit", kind: kindSeconds, value: "3600",
		set: seconds(func(d *draft) *time.Duration { return &d.AP.AskedLimit }, time.Second, year),
		doc: "Seconds after which an access point ends that somebody asked for."},
	{path: "ap.yield_after", flag: "ap-yield-after", kind: kindSeconds, value: "600",
		set: seconds(func(d *draft) *time.Duration { return &d.AP.YieldAfter }, 0, year),
		doc: "Seconds after which the access point gives way to a network that works, even while somebody is on it."},
	{path: "ap.rescan", flag: "ap-rescan", kind: kindSeconds, value: "15",
		set: seconds(func(d *draft) *time.Duration { return &d.AP.Rescan }, time.Second, day),
		doc: "Seconds from one look for known networks to the next while the access point is up."},
	{path: "ap.driver", flag: "ap-driver", kind: kindText, value: "nl80211",
		set: text(func(d *draft) *string { return &d.AP.Driver }, word),
		doc: "Driver of hostapd."},
	{path: "ap.name", flag: "ap-name", kind: kindText, value: "netconnectd_ap",
		set:      text(func(d *draft) *string { return &d.AP.Name }),
		doc:      "Name of the original's files for the access point.",
		noEffect: without},

	{path: "wifi.metric", flag: "wifi-metric", kind: kindWhole, value: "600",
		set: whole(func(d *draft) *int { return &d.Wifi.Metric }, within(0, maxPriority)),
		doc: "Metric of the default route through the radio. The lowest wins; wired interfaces usually have less than 600."},
	{path: "wifi.join_timeout", flag: "wifi-join-timeout", kind: kindSeconds, value: "45",
		set: seconds(func(d *draft) *time.Duration { return &d.Wifi.JoinTimeout }, time.Second, maxSettle),
		doc: "Seconds that joining a network may take, from the first frame to the answer of its gateway."},
	{path: "wifi.free", flag: "wifi-free", kind: kindBoolean, value: "false",
		set:      boolean(func(d *draft) *bool { return &d.Wifi.Free }),
		doc:      "Whether the radio is taken from NetworkManager.",
		noEffect: notYet},
	{path: "wifi.kill", flag: "wifi-kill", kind: kindBoolean, value: "false",
		set:      boolean(func(d *draft) *bool { return &d.Wifi.Kill }),
		doc:      "Whether the radio is switched off and on when its driver fails.",
		noEffect: notYet},
	{path: "wifi.name", flag: "wifi-name", kind: kindText, value: "netconnectd_wifi",
		set:      text(func(d *draft) *string { return &d.Wifi.Name }),
		doc:      "Name of the original's entry for the saved network.",
		noEffect: without},

	{path: "paths.hostapd", flag: "path-hostapd", kind: kindPath, value: "/usr/sbin/hostapd",
		set: text(func(d *draft) *string { return &d.Paths.Hostapd }, absolute),
		doc: "Program that is the access point."},
	{path: "paths.dnsmasq", flag: "path-dnsmasq", kind: kindPath, value: "/usr/sbin/dnsmasq",
		set: text(func(d *draft) *string { return &d.Paths.Dnsmasq }, absolute),
		doc: "Program that gives addresses and names to the access point's clients."},
	{path: "paths.wpa_supplicant", flag: "path-wpa-supplicant", kind: kindPath, value: "/sbin/wpa_supplicant",
		set: text(func(d *draft) *string { return &d.Paths.WPASupplicant }, absolute),
		doc: "Program that joins Wi-Fi networks."},
	{path: "paths.runtime", flag: "path-runtime", kind: kindPath, value: "/run/netconnectd",
		set: text(func(d *draft) *string { return &d.RuntimeDir }, absolute),
		doc: "Folder of files that a reboot may take away."},
	{path: "paths.state", flag: "path-state", kind: kindPath, value: "/var/lib/netconnectd",
		set: text(func(d *draft) *string { return &d.StateDir }, absolute),
		doc: "Folder of the saved networks."},
	{path: "paths.hostapd_conf", flag: "path-hostapd-conf", kind: kindPath, value: "/etc/hostapd/conf.d",
		set: ignored, noEffect: without,
		doc: "Folder of the original's files for hostapd."},
	{path: "paths.dnsmasq_conf", flag: "path-dnsmasq-conf", kind: kindPath, value: "/etc/dnsmasq.conf.d",
		set: ignored, noEffect: without,
		doc: "Folder of the original's files for dnsmasq."},
	{path: "paths.interfaces", flag: "path-interfaces", kind: kindPath, value: "/etc/network/interfaces",
		set: ignored, noEffect: without,
		doc: "The original's file of saved networks."},
}

// check reports what is wrong with the value that one source gives.
func (k *key) check(v value, r *report) {
	var scratch draft
	if err := k.set(&scratch, v.text); err != nil {
		r.problem(k.path, v.from, "%s", err)
		return
	}
	// A boolean that is false asks for nothing, so nothing is missed.
	truth, isTruth := truthOf(v.text)
	asksNothing := k.kind == kindBoolean && isTruth && !truth
	if k.noEffect != "" && !asksNothing {
		r.warning(k.path, v.from, "%s", k.noEffect)
	}
}

// paths of all keys, for hints.
func keyPaths() []string {
	paths := make([]string, len(keys))
	for i := range keys {
		paths[i] = keys[i].path
	}
	return paths
}

// keyByPath finds a key by its exact name.
func keyByPath(path string) *key {
	for i := range keys {
		if keys[i].path == path {
			return &keys[i]
		}
	}
	return nil
}
