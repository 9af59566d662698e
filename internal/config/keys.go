package config

import (
	"strings"
	"time"
)

// kind is the shape of a setting's value. Its text is the word of --help for the value.
type kind string

const (
	kindText    kind = "text"
	kindPath    kind = "path"
	kindBoolean kind = "boolean"
	kindWhole   kind = "number"
	kindSeconds kind = "seconds"
	kindRange   kind = "first,last" // the file has a list of two
	kindHosts   kind = "addresses"  // a flag has commas in between, the file has a list
)

// describe returns words for what the file has to have.
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
	case kindHosts:
		return "a list of addresses"
	}
	return "text"
}

// isList reports whether the file has a list for what a flag has with commas.
func (k kind) isList() bool { return k == kindRange || k == kindHosts }

// key describes one setting. Flags, environment, file, hints, --help, docs/config.md and
// configs/netconnectd.yaml are all made of the keys.
type key struct {
	path     string // place in the file: "section.name" or "name"
	flag     string // name without dashes
	short    string // letter of the flag, or empty
	negated  bool   // the flag means false
	secret   bool   // no message shows the value
	kind     kind
	value    string // the default, as text
	setting         // how the value gets into a Config and out of it
	doc      string // sentences for people; pflag reads back quotes, so there are none
	noEffect string // why the setting has no effect, or empty
}

// env returns the name of the environment's variable, e.g. NETCONNECTD_AP_CHANNEL.
func (k *key) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_"))
}

const (
	without     = "has no effect, only files of the original have it"
	envPrefix   = "NETCONNECTD_"
	envFile     = envPrefix + "CONFIG"
	maxSettle   = 10 * time.Minute
	maxPriority = 1<<31 - 1 // an int of 32 bits can hold this; the kernel takes up to 2^32-1
)

// sections are the first parts of the keys, in the order of the file.
var sections = []struct{ name, doc string }{
	{"", "The socket that netconnectcli and other programs talk to."},
	{"permissions", "Who may change something. Everybody may read."},
	{"interfaces", "Network interfaces. Without a name the daemon finds them."},
	{"link_monitor", "When the network counts as lost."},
	{"probe", "How the daemon finds out whether a network that is there leads anywhere."},
	{"start", "The start of the daemon."},
	{"ap", "The access point that comes up when no network is left."},
	{"wifi", "The Wi-Fi networks that the device joins."},
	{"paths", "Programs and folders."},
}

var keys = []key{
	{path: "socket", flag: "address", short: "a", kind: kindPath, value: "/var/run/netconnectd.sock",
		setting: text(func(d *draft) *string { return &d.Socket }, absolute, socketPath),
		doc:     "Path of the Unix socket."},

	{path: "permissions.change", flag: "permissions-change", kind: kindText, value: "group",
		setting: text(func(d *draft) *string { return &d.Permissions.Change }, oneOf("group", "everyone")),
		doc:     "Who may change something: group (root and the members of the group netconnect) or everyone."},

	{path: "interfaces.wifi", flag: "interface-wifi", kind: kindText,
		setting: text(func(d *draft) *string { return &d.Interfaces.Wifi }, interfaceName),
		doc:     "Interface of the radio, e.g. wlan0. Empty: the first radio there is."},
	{path: "interfaces.wired", flag: "interface-wired", kind: kindText,
		setting: text(func(d *draft) *string { return &d.Interfaces.Wired }, interfaceName),
		doc:     "Wired interface that can keep the device online, e.g. eth0. Empty: every physical wired interface, and whatever else has a default route."},

	{path: "link_monitor.enabled", flag: "linkmon-disabled", negated: true, kind: kindBoolean, value: "true",
		setting: boolean(func(d *draft) *bool { return &d.LinkMonitor.Enabled }),
		doc:     "Whether the daemon acts by itself when the network is lost."},
	{path: "link_monitor.max_link_down", flag: "linkmon-maxdown", kind: kindWhole, value: "3",
		setting: whole(func(d *draft) *int { return &d.LinkMonitor.MaxLinkDown }, within(1, 1000)),
		doc:     "So many checks in a row have to fail before a network that still has carrier counts as lost."},
	{path: "link_monitor.interval", flag: "linkmon-interval", kind: kindSeconds, value: "10",
		setting: seconds(func(d *draft) *time.Duration { return &d.LinkMonitor.Interval }, time.Second, day),
		doc:     "Seconds from one check to the next."},
	{path: "link_monitor.hold", flag: "linkmon-hold", kind: kindSeconds, value: "15",
		setting: seconds(func(d *draft) *time.Duration { return &d.LinkMonitor.Hold }, 0, day),
		doc:     "Seconds without any carrier until the access point comes up, when no known network could be joined meanwhile."},

	{path: "probe.kind", flag: "probe-kind", kind: kindText, value: "gateway",
		setting: text(func(d *draft) *string { return &d.Probe.Kind }, oneOf("gateway", "ping", "http", "dns", "none")),
		doc:     "What has to answer: gateway (the router), ping (one of probe.hosts), http (probe.url), dns (a name server that has an address for probe.name) or none (an address is enough)."},
	{path: "probe.hosts", flag: "probe-hosts", kind: kindHosts,
		setting: probeHosts,
		doc:     "Addresses to ping, up to 8; one that answers is enough. For probe.kind ping."},
	{path: "probe.url", flag: "probe-url", kind: kindText,
		setting: text(func(d *draft) *string { return &d.Probe.URL }, probeURL),
		doc:     "Page that has to be answered with status 204, e.g. http://example.org/generate_204; a redirect is a portal. With https the device needs 5 MB of memory more and a clock that is right. For probe.kind http."},
	{path: "probe.name", flag: "probe-name", kind: kindText,
		setting: text(func(d *draft) *string { return &d.Probe.Name }, domain),
		doc:     "Name that the name servers of the network have to know, e.g. example.org. For probe.kind dns."},

	{path: "start.settle", flag: "start-settle", kind: kindSeconds, value: "10",
		setting: seconds(func(d *draft) *time.Duration { return &d.Start.Settle }, 0, maxSettle),
		doc:     "Seconds that the daemon waits at most, at its start, for a network that others are setting up."},

	{path: "ap.mode", flag: "ap-mode", kind: kindText, value: "fallback",
		setting: text(func(d *draft) *string { return &d.AP.Mode }, oneOf("fallback", "always", "never")),
		doc:     "When the access point comes up by itself: fallback (no network is left), always (the radio joins no network), or never (somebody has to ask for it)."},
	{path: "ap.ssid", flag: "ap-ssid", kind: kindText,
		setting: text(func(d *draft) *string { return &d.AP.SSID }, ssid),
		doc:     "Name of the access point's network, up to 32 bytes. Empty: netconnectd- and the name of the host."},
	{path: "ap.psk", flag: "ap-psk", secret: true, kind: kindText,
		setting: passphrase,
		doc:     "Passphrase of 8 to 63 characters, or a key of 64 hexadecimal digits. Empty: the access point is open to everybody."},
	{path: "ap.channel", flag: "ap-channel", kind: kindWhole, value: "3",
		setting: whole(func(d *draft) *int { return &d.AP.Channel }, channel),
		doc:     "Channel: 1 to 13 (2.4 GHz), or 36, 40, 44, 48, 149, 153, 157, 161, 165 (5 GHz, where the country allows it)."},
	{path: "ap.country", flag: "ap-country", kind: kindText,
		setting: country,
		doc:     "Country whose rules the radio obeys, as access point and as station, in two letters, e.g. DE. Empty: whatever the system has set."},
	{path: "ap.ip", flag: "ap-ip", kind: kindText, value: "10.250.250.1",
		setting: apIP,
		doc:     "Address of the device on its access point."},
	{path: "ap.network", flag: "ap-network", kind: kindText, value: "10.250.250.0/24",
		setting: apNetwork,
		doc:     "Network of the access point."},
	{path: "ap.range", flag: "ap-range", kind: kindRange, value: "10.250.250.100,10.250.250.200",
		setting: apRange,
		doc:     "First and last address that clients of the access point get."},
	{path: "ap.domain", flag: "ap-domain", kind: kindText,
		setting: text(func(d *draft) *string { return &d.AP.Domain }, domain),
		doc:     "Domain of the access point's clients, e.g. lan. Empty: none."},
	{path: "ap.forwarding_to_wired", flag: "ap-forwarding", kind: kindBoolean, value: "false",
		setting: boolean(func(d *draft) *bool { return &d.AP.ForwardingToWired }),
		doc:     "Whether clients of the access point reach the network at interfaces.wired, which has to be named. Otherwise they reach this device only, whatever else it forwards."},
	{path: "ap.isolate", flag: "ap-isolate", kind: kindText, value: "auto",
		setting: choice(func(d *draft) *string { return &d.AP.Isolate }, "auto"),
		doc:     "Whether clients of the access point are kept from each other: true, false, or auto (on an open access point, that is without ap.psk)."},
	{path: "ap.asked_limit", flag: "ap-asked-limit", kind: kindSeconds, value: "3600",
		setting: seconds(func(d *draft) *time.Duration { return &d.AP.AskedLimit }, time.Second, year),
		doc:     "Seconds after which an access point ends that somebody asked for."},
	{path: "ap.yield_after", flag: "ap-yield-after", kind: kindSeconds, value: "600",
		setting: seconds(func(d *draft) *time.Duration { return &d.AP.YieldAfter }, 0, year),
		doc:     "Seconds after which the access point gives way to a network that works, even while somebody is on it."},
	{path: "ap.rescan", flag: "ap-rescan", kind: kindSeconds, value: "15",
		setting: seconds(func(d *draft) *time.Duration { return &d.AP.Rescan }, time.Second, day),
		doc:     "Seconds from one look for known networks to the next while the access point is up."},
	{path: "ap.driver", flag: "ap-driver", kind: kindText, value: "nl80211",
		setting: text(func(d *draft) *string { return &d.AP.Driver }, word),
		doc:     "Driver of hostapd."},
	{path: "ap.name", flag: "ap-name", kind: kindText, value: "netconnectd_ap",
		setting:  text(func(d *draft) *string { return &d.AP.Name }),
		doc:      "Name of the original's files for the access point.",
		noEffect: without},

	{path: "wifi.metric", flag: "wifi-metric", kind: kindWhole, value: "600",
		setting: whole(func(d *draft) *int { return &d.Wifi.Metric }, within(0, maxPriority)),
		doc:     "Metric of the default routes through the radio, also of those that IPv6 routers advertise (from Linux 5.13 on). The lowest wins; wired interfaces usually have less than 600. NetworkManager has its own."},
	{path: "wifi.join_timeout", flag: "wifi-join-timeout", kind: kindSeconds, value: "45",
		setting: seconds(func(d *draft) *time.Duration { return &d.Wifi.JoinTimeout }, time.Second, maxSettle),
		doc:     "Seconds that joining a network may take, from the first frame to the answer of its gateway."},
	{path: "wifi.free", flag: "wifi-free", kind: kindBoolean, value: "false",
		setting: boolean(func(d *draft) *bool { return &d.Wifi.Free }),
		doc:     "Whether the radio is taken from NetworkManager for good, so that netconnectd joins networks by wpa_supplicant itself."},
	{path: "wifi.backend", flag: "wifi-backend", kind: kindText, value: "auto",
		setting: text(func(d *draft) *string { return &d.Wifi.Backend }, oneOf("auto", "wpa_supplicant", "networkmanager")),
		doc:     "Who joins networks: wpa_supplicant, which netconnectd runs and steers itself, networkmanager, or auto: NetworkManager where it manages the radio."},
	{path: "wifi.kill", flag: "wifi-kill", kind: kindBoolean, value: "false",
		setting: boolean(func(d *draft) *bool { return &d.Wifi.Kill }),
		doc:     "Whether the radio, and no other, is switched off and on when its driver fails or when software has blocked it (rfkill)."},
	{path: "wifi.name", flag: "wifi-name", kind: kindText, value: "netconnectd_wifi",
		setting:  text(func(d *draft) *string { return &d.Wifi.Name }),
		doc:      "Name of the original's entry for the saved network.",
		noEffect: without},

	{path: "paths.hostapd", flag: "path-hostapd", kind: kindPath, value: "/usr/sbin/hostapd",
		setting: text(func(d *draft) *string { return &d.Paths.Hostapd }, absolute),
		doc:     "Program that is the access point."},
	{path: "paths.dnsmasq", flag: "path-dnsmasq", kind: kindPath, value: "/usr/sbin/dnsmasq",
		setting: text(func(d *draft) *string { return &d.Paths.Dnsmasq }, absolute),
		doc:     "Program that gives addresses and names to the access point's clients."},
	{path: "paths.wpa_supplicant", flag: "path-wpa-supplicant", kind: kindPath, value: "/sbin/wpa_supplicant",
		setting: text(func(d *draft) *string { return &d.Paths.WPASupplicant }, absolute),
		doc:     "Program that joins Wi-Fi networks."},
	{path: "paths.runtime", flag: "path-runtime", kind: kindPath, value: "/run/netconnectd",
		setting: text(func(d *draft) *string { return &d.RuntimeDir }, absolute),
		doc:     "Folder of files that a reboot may take away."},
	{path: "paths.state", flag: "path-state", kind: kindPath, value: "/var/lib/netconnectd",
		setting: text(func(d *draft) *string { return &d.StateDir }, absolute),
		doc:     "Folder of the saved networks."},
	{path: "paths.hooks", flag: "path-hooks", kind: kindPath, value: "/etc/netconnectd.d",
		setting: text(func(d *draft) *string { return &d.Paths.Hooks }, absolute),
		doc:     "Folder of programs that are told what happens; see docs/hooks.md."},
	{path: "paths.hostapd_conf", flag: "path-hostapd-conf", kind: kindPath, value: "/etc/hostapd/conf.d",
		setting: ignored, noEffect: without,
		doc: "Folder of the original's files for hostapd."},
	{path: "paths.dnsmasq_conf", flag: "path-dnsmasq-conf", kind: kindPath, value: "/etc/dnsmasq.conf.d",
		setting: ignored, noEffect: without,
		doc: "Folder of the original's files for dnsmasq."},
	{path: "paths.interfaces", flag: "path-interfaces", kind: kindPath, value: "/etc/network/interfaces",
		setting: ignored, noEffect: without,
		doc: "The original's file of saved networks."},
}

// check reports what is wrong with the value from one source.
func (k *key) check(v value, r *report) {
	var scratch draft
	if err := k.set(&scratch, v.text); err != nil {
		r.problem(k.path, v.from, "%s", err)
		return
	}
	// With false, the user wants nothing of the setting and misses no effect.
	truth, isTruth := truthOf(v.text)
	asksNothing := k.kind == kindBoolean && isTruth && !truth
	if k.noEffect != "" && !asksNothing {
		r.warning(k.path, v.from, "%s", k.noEffect)
	}
}

// keyPaths returns the paths of all keys, for hints.
func keyPaths() []string {
	paths := make([]string, len(keys))
	for i := range keys {
		paths[i] = keys[i].path
	}
	return paths
}

// keyByPath returns the key with exactly this path, or nil.
func keyByPath(path string) *key {
	for i := range keys {
		if keys[i].path == path {
			return &keys[i]
		}
	}
	return nil
}
