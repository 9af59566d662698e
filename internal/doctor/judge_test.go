package doctor

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

const serviceUID = 990

// healthy is a device on which everything is as it should be.
func healthy(t *testing.T) *Facts {
	t.Helper()
	cfg, _, err := config.Load([]string{"--config", "/dev/null", "--ap-country", "DE"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	enabled := UnitState{Load: "loaded", Active: "active", File: "enabled"}
	return &Facts{
		Settings: Settings{Config: cfg},
		Caller:   Caller{Name: "pi", GroupIs: true, Member: true, Listed: true},
		Daemon: Daemon{
			PID: 100, Capabilities: 1<<12 | 1<<13 | 1<<10, Answers: true, Version: "1.0.0",
			User: User{Exists: true, Name: "netconnectd", UID: serviceUID, GID: serviceUID},
		},
		Units: Units{Systemd: true, States: map[string]UnitState{
			"netconnectd.service": enabled, "netconnectd.socket": enabled, "netconnectd-resolv.path": enabled,
		}},
		Radio: Radio{
			Name: "wlan0", Present: true, Driver: "mac80211_hwsim", Country: "DE",
			Radio: wifi.Radio{
				Name: "wlan0", Type: "station", APCapable: true, StationCapable: true, Both: wifi.SameChannel,
				Channels: []wifi.ChannelRights{{Frequency: 2412}, {Frequency: 2422}, {Frequency: 2472, NoIR: true}, {Frequency: 2484, Disabled: true}, {Frequency: 5260, Radar: true}, {Frequency: 5180}},
			},
		},
		Network: leadingOut(link.Link{Name: "eth0", Type: unix.ARPHRD_ETHER}),
		Tools: map[string]Tool{
			"hostapd": {Path: "/usr/sbin/hostapd", Version: "2.10"}, "dnsmasq": {Path: "/usr/sbin/dnsmasq", Version: "2.90"},
			"wpa_supplicant": {Path: "/sbin/wpa_supplicant", Version: "2.10"},
		},
		Files: map[string]File{
			fileConfig:  {Path: "/etc/netconnectd.yaml", Mode: 0o640, GID: serviceUID},
			fileRfkill:  {Path: "/dev/rfkill", Mode: 0o664, GID: serviceUID},
			fileRuntime: {Path: "/run/netconnectd", Mode: 0o755, UID: serviceUID, GID: serviceUID},
			fileState:   {Path: "/var/lib/netconnectd", Mode: 0o700, UID: serviceUID, GID: serviceUID},
		},
		Disk:   Disk{Path: "/var/lib/netconnectd", Free: 1 << 30, Inodes: 1000},
		Now:    time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC),
		Oldest: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func TestHealthyDeviceHasNothingButOK(t *testing.T) {
	found := Judge(healthy(t))
	for _, f := range found {
		if f.Level != OK {
			t.Errorf("%+v", f)
		}
	}
	if len(found) != len(checks) {
		t.Errorf("%d findings of %d checks", len(found), len(checks))
	}
}

// A device of which nothing could be seen is never called sound.
func TestNothingSeenIsNotOK(t *testing.T) {
	cfg := healthy(t).Settings.Config
	f := &Facts{
		Settings: Settings{Config: cfg, Unseen: "no rights"}, Units: Units{Systemd: true, Unseen: "no rights"},
		Radio: Radio{Name: "wlan0", Unseen: "no rights"}, Sockets: Sockets{Unseen: "no rights"}, Ifupdown: Stanza{Unseen: "no rights"}, Disk: Disk{Unseen: "no rights"},
		Tools:  map[string]Tool{"hostapd": {Unseen: "no rights"}, "dnsmasq": {Unseen: "no rights"}, "wpa_supplicant": {Unseen: "no rights"}},
		Filter: Filter{Unseen: "no rights"}, Network: Network{Unseen: "no rights"},
		Files: map[string]File{fileConfig: {Unseen: "no rights"}, fileRuntime: {Unseen: "no rights"}, fileState: {Unseen: "no rights"}},
	}
	fine := []string{"clock", // is among the facts
		"other_wpa_supplicant", "other_hostapd", "other_dhcp_client", "systemd_networkd", "iwd", "connman", // everybody sees who runs
		"networkmanager", "polkit", "netplan"}
	for _, found := range Judge(f) {
		if found.Level == OK && !slices.Contains(fine, found.ID) {
			t.Errorf("%+v", found)
		}
	}
}

// leadingOut is a network whose links all have a default route, and in which
// docker0 and lo have none of their own.
func leadingOut(links ...link.Link) Network {
	s := &link.Snapshot{Links: []link.Link{
		{Index: 1, Name: "lo", Type: unix.ARPHRD_LOOPBACK}, {Index: 2, Name: "docker0", Type: unix.ARPHRD_ETHER, Kind: "bridge"},
	}}
	for i, l := range links {
		l.Index = 10 + i
		s.Links = append(s.Links, l)
		for _, everywhere := range []string{"0.0.0.0/0", "::/0"} {
			s.Routes = append(s.Routes, link.Route{Index: l.Index, Destination: netip.MustParsePrefix(everywhere), Type: unix.RTN_UNICAST})
		}
	}
	return Network{Snapshot: s}
}

func running(pid int, name, unit string, args ...string) Process {
	p := Process{PID: pid, Name: name, Unit: unit, Args: append([]string{name}, args...)}
	p.Reach = programs[name](machine{root: "/nonexistent"}, args)
	return p
}

func listen(protocol, local, device string, holder *Process) Socket {
	return Socket{Protocol: protocol, Local: netip.MustParseAddrPort(local), Device: device, Holder: holder}
}

// managed is the device with a NetworkManager that has the radio.
func managed(f *Facts) {
	f.Manager = Manager{Running: true, Managed: true, Polkit: true, Permissions: map[string]string{}}
	for _, action := range actions {
		f.Manager.Permissions[action] = "yes"
	}
}

func TestJudge(t *testing.T) {
	dnsmasq := &Process{PID: 7, Name: "dnsmasq", Unit: "dnsmasq.service"}
	resolved := &Process{PID: 8, Name: "systemd-resolve", Unit: "systemd-resolved.service"}
	mine := &Process{PID: 9, Name: "dnsmasq", Ours: true}
	processes := func(list ...Process) func(*Facts) { return func(f *Facts) { f.Processes = list } }
	sockets := func(list ...Socket) func(*Facts) { return func(f *Facts) { f.Sockets.List = list } }
	leads := func(l link.Link, wired string) func(*Facts) {
		return func(f *Facts) { f.Network, f.Settings.Interfaces.Wired = leadingOut(l), wired }
	}
	for _, tt := range []struct {
		name   string
		change func(*Facts)
		id     string
		level  Level
		what   string // part of it
		remedy string // part of it
	}{
		{"no daemon", func(f *Facts) { f.Daemon = Daemon{User: f.Daemon.User, Silence: "no such file"} }, "daemon", Problem, "does not run", "systemctl enable --now netconnectd"},
		{"daemon that is stopped", func(f *Facts) {
			f.Daemon = Daemon{User: f.Daemon.User, Silence: "netconnectd.service is inactive"}
			f.Units.States["netconnectd.service"] = UnitState{"loaded", "inactive", "enabled"}
		}, "daemon", Problem, "does not run: netconnectd.service is inactive", "systemctl enable --now netconnectd"},
		{"daemon that hangs", func(f *Facts) { f.Daemon.Answers, f.Daemon.Silence = false, "i/o timeout" }, "daemon", Problem, "(pid 100) and does not answer: i/o timeout", "restart netconnectd"},
		{"unit failed", func(f *Facts) { f.Units.States["netconnectd.service"] = UnitState{"loaded", "failed", "enabled"} }, "units", Problem, "has failed", "journalctl -u netconnectd"},
		{"unit absent", func(f *Facts) { f.Units.States["netconnectd.service"] = UnitState{"not-found", "inactive", ""} }, "units", Warning, "not installed", "install"},
		{"socket disabled", func(f *Facts) { f.Units.States["netconnectd.socket"] = UnitState{"loaded", "active", "disabled"} }, "units", Warning, "netconnectd.socket will not start", "systemctl enable netconnectd.socket"},
		{"no systemd", func(f *Facts) { f.Units = Units{} }, "units", Unknown, "systemd does not run", ""},
		{"wrong setting", func(f *Facts) {
			f.Settings.Problems = []config.Problem{{Key: "ap.channel", Text: "15 is not in 1..13"}}
		}, "config", Problem, "ap.channel: 15", "netconnectd --check"},
		{"tried and not confirmed", func(f *Facts) {
			f.Settings.Problems = []config.Problem{{Text: "it was tried and is not confirmed", Remedy: "try it again"}}
		}, "config", Problem, "not confirmed", "try it again"},
		{"unknown setting", func(f *Facts) { f.Settings.Warnings = []config.Problem{{Key: "ap.chanel", Text: "is not a known key"}} }, "config", Warning, "ap.chanel", "docs/config.md"},
		{"config unreadable", func(f *Facts) { f.Settings.Unseen = "it needs root" }, "config", Unknown, "it needs root", ""},

		{"hold too short", func(f *Facts) { f.Settings.LinkMonitor.Hold = 5 * time.Second }, "timeouts", Warning, "link_monitor.hold is 5s", "15 or more"},
		{"hold short and no fallback", func(f *Facts) { f.Settings.LinkMonitor.Hold, f.Settings.AP.Mode = 0, "never" }, "timeouts", OK, "", ""},
		{"join too short", func(f *Facts) { f.Settings.Wifi.JoinTimeout = 5 * time.Second }, "timeouts", Warning, "wifi.join_timeout is 5s", "20 or more"},
		{"loss noticed late", func(f *Facts) { f.Settings.LinkMonitor.Interval = 5 * time.Minute }, "timeouts", Warning, "after 15m0s", "smaller"},
		{"loss noticed early", func(f *Facts) { f.Settings.LinkMonitor.MaxLinkDown, f.Settings.LinkMonitor.Interval = 1, time.Second }, "timeouts", Warning, "silent for 1s", "larger"},
		{"no probe", func(f *Facts) { f.Settings.LinkMonitor.MaxLinkDown, f.Settings.Probe.Kind = 1000, "none" }, "timeouts", OK, "", ""},
		{"asked too short", func(f *Facts) { f.Settings.AP.AskedLimit = time.Second }, "timeouts", Warning, "ap.asked_limit is 1s", "60 or more"},
		{"yields at once", func(f *Facts) { f.Settings.AP.YieldAfter = time.Second }, "timeouts", Warning, "ap.yield_after is 1s", "60 or more"},

		{"no radio", func(f *Facts) { f.Radio = Radio{Name: "wlan0"} }, "radio", Problem, "no Wi-Fi interface", "firmware"},
		{"named radio absent", func(f *Facts) { f.Radio, f.Settings.Interfaces.Wifi = Radio{Name: "wlan7"}, "wlan7" }, "radio", Problem, "no Wi-Fi interface wlan7", "interfaces.wifi"},
		{"nothing about no radio", func(f *Facts) { f.Radio = Radio{Name: "wlan0"} }, "channel", Unknown, "no radio", ""},
		{"driver not told", func(f *Facts) { f.Radio.Driver = "" }, "radio_driver", Unknown, "does not tell", ""},
		{"driver of the Raspberry Pi", func(f *Facts) { f.Radio.Driver = "brcmfmac" }, "radio_driver", OK, "brcmfmac", "firmware-brcm80211"},
		{"soft blocked", func(f *Facts) { f.Radio.Soft = true }, "rfkill", Problem, "soft blocked", "rfkill unblock wlan"},
		{"hard blocked", func(f *Facts) { f.Radio.Soft, f.Radio.Hard = true, true }, "rfkill", Problem, "hard blocked", "use that switch"},
		{"rfkill not seen", func(f *Facts) { f.Radio.RfkillNote = "no rights" }, "rfkill", Unknown, "no rights", ""},
		{"no access point mode", func(f *Facts) { f.Radio.APCapable = false }, "ap_mode", Problem, "cannot be an access point", "iw list"},
		{"no station mode", func(f *Facts) { f.Radio.StationCapable = false }, "ap_mode", Problem, "cannot join networks", "interfaces.wifi"},
		{"one at a time", func(f *Facts) { f.Radio.Both = wifi.NotBoth }, "ap_and_station", OK, "does not need", ""},
		{"no country", func(f *Facts) { f.Radio.Country, f.Settings.AP.Country = "00", "" }, "country", Warning, "no country is set", "ap.country"},
		{"country is still to be set", func(f *Facts) { f.Radio.Country = "00" }, "country", OK, "DE when it uses", ""},
		{"other country", func(f *Facts) { f.Radio.Country = "US" }, "country", Warning, "rules of US, and ap.country is DE", ""},
		{"rules of the hardware", func(f *Facts) { f.Radio.Country = "99" }, "country", OK, "rules of its own", ""},
		{"channel not there", func(f *Facts) { f.Settings.AP.Channel = 36; f.Radio.Channels = f.Radio.Channels[:1] }, "channel", Problem, "does not have ap.channel 36", "channel 1"},
		{"channel listens only", func(f *Facts) { f.Settings.AP.Channel = 13 }, "channel", Problem, "ap.channel 13 in country DE", "ap.country"},
		{"channel disabled", func(f *Facts) { f.Settings.AP.Channel = 14 }, "channel", Problem, "may not", ""},
		{"channel with radar", func(f *Facts) { f.Settings.AP.Channel = 52 }, "channel", Warning, "radar", "another"},
		{"channel under other rules", func(f *Facts) { f.Radio.Country = "00" }, "channel", Unknown, "yet", ""},

		{"wpa_supplicant of a unit", processes(running(7, "wpa_supplicant", "wpa_supplicant@wlan0.service", "-c/etc/w.conf", "-iwlan0")),
			"other_wpa_supplicant", Problem, "wpa_supplicant (pid 7, wpa_supplicant@wlan0.service) works on wlan0", "disable --now wpa_supplicant@wlan0.service"},
		{"wpa_supplicant by hand", processes(running(7, "wpa_supplicant", "", "-i", "wlan0")), "other_wpa_supplicant", Problem, "(pid 7)", "sudo kill 7"},
		{"wpa_supplicant of ifupdown", processes(running(7, "wpa_supplicant", "ifup@wlan0.service", "-i", "wlan0")), "other_wpa_supplicant", Problem, "ifup@", "/etc/network/interfaces"},
		{"wpa_supplicant of NetworkManager", processes(running(7, "wpa_supplicant", "wpa_supplicant.service", "-u", "-s", "-O", "DIR=/run/wpa_supplicant")), "other_wpa_supplicant", OK, "", ""},
		{"wpa_supplicant that the daemon, in its sandbox, does not see", func(f *Facts) { f.Sockets.KeyUsers = []int{serviceUID, 0} },
			"other_wpa_supplicant", Problem, "works on wlan0", "sudo netconnectcli doctor"},
		{"that is NetworkManager's", func(f *Facts) { f.Sockets.KeyUsers, f.Manager.Managed = []int{0}, true }, "other_wpa_supplicant", OK, "", ""},
		{"only our own", func(f *Facts) { f.Sockets.KeyUsers = []int{serviceUID} }, "other_wpa_supplicant", OK, "", ""},
		{"wpa_supplicant elsewhere", processes(running(7, "wpa_supplicant", "", "-iwlan1")), "other_wpa_supplicant", OK, "", ""},
		{"processes of others hidden", func(f *Facts) { f.Blind = "only units are seen" }, "other_wpa_supplicant", Unknown, "only units are seen", ""},
		{"processes of others hidden, who listens to keys is not", func(f *Facts) {
			f.Blind, f.Sockets.KeyUsers, f.Processes = "only units are seen", []int{0}, []Process{{PID: 9, UID: -1, Name: "cron"}}
		}, "other_wpa_supplicant", Problem, "some program", "doctor"},
		{"processes of others hidden, the kernel names one in no service", func(f *Facts) {
			f.Blind, f.Sockets.KeyUsers = "only units are seen", []int{serviceUID, 0}
			f.Strangers = []Process{{PID: 7, UID: 0, Name: "wpa_supplicant"}, {PID: 6, UID: serviceUID, Name: "wpa_supplicant"}}
		}, "other_wpa_supplicant", Problem, "wpa_supplicant (pid 7) works on wlan0", "sudo kill 7"},
		{"processes of others hidden, and it may be one of two", func(f *Facts) {
			f.Blind, f.Sockets.KeyUsers = "only units are seen", []int{0}
			f.Strangers = []Process{{PID: 7, UID: 0, Name: "wpa_supplicant"}, {PID: 8, UID: 0, Name: "hostapd"}}
		}, "other_wpa_supplicant", Problem, "wpa_supplicant (pid 7) or hostapd (pid 8) works on wlan0", "sudo kill 8"},
		{"processes of others hidden, a unit is not", func(f *Facts) {
			f.Blind, f.Sockets.KeyUsers = "only units are seen", []int{0}
			f.Processes = []Process{{PID: 7, UID: -1, Name: "wpa_supplicant", Unit: "wpa_supplicant@wlan0.service", Reach: Reach{Interfaces: []string{"wlan0"}}}}
		}, "other_wpa_supplicant", Problem, "wpa_supplicant (pid 7, wpa_supplicant@wlan0.service)", "disable --now wpa_supplicant@wlan0.service"},
		{"our wpa_supplicant", processes(Process{Name: "wpa_supplicant", Ours: true, Reach: Reach{Interfaces: []string{"wlan0"}}}), "other_wpa_supplicant", OK, "", ""},
		{"hostapd", processes(Process{PID: 7, Name: "hostapd", Unit: "hostapd.service", Reach: Reach{Interfaces: []string{"wlan0"}}}), "other_hostapd", Problem, "hostapd.service", "disable --now hostapd.service"},
		{"hostapd with a hidden configuration", processes(Process{PID: 7, Name: "hostapd", Reach: Reach{Unseen: "it needs root"}}), "other_hostapd", Unknown, "it needs root", ""},
		{"dhcpcd", processes(running(7, "dhcpcd", "dhcpcd.service", "-q", "-w")), "other_dhcp_client", Problem, "dhcpcd.service", "denyinterfaces wlan0"},
		{"dhcpcd's helpers are not named", processes(Process{PID: 7, Name: "dhcpcd", Reach: Reach{All: true}}, Process{PID: 8, Parent: 7, Name: "dhcpcd", Reach: Reach{All: true}}), "other_dhcp_client", Problem, "(pid 7)", ""},
		{"dhclient", processes(running(7, "dhclient", "", "-v", "wlan0")), "other_dhcp_client", Problem, "(pid 7)", "kill 7"},
		{"dhclient of another interface", processes(running(7, "dhclient", "", "eth0")), "other_dhcp_client", OK, "", ""},
		{"dhclient of NetworkManager", func(f *Facts) {
			managed(f)
			f.Processes = []Process{running(7, "dhclient", "NetworkManager.service", "-sf", "/usr/lib/NetworkManager/nm-dhcp-helper", "wlan0")}
		}, "other_dhcp_client", OK, "", ""},
		{"udhcpc", processes(running(7, "udhcpc", "", "-i", "wlan0")), "other_dhcp_client", Problem, "udhcpc", ""},
		{"systemd-networkd", func(f *Facts) { f.Networkd = "/etc/systemd/network/wlan.network" }, "systemd_networkd", Problem, "wlan.network", "Unmanaged=yes"},
		{"ifupdown at boot", func(f *Facts) { f.Ifupdown = Stanza{"/etc/network/interfaces", 4, true, "dhcp", ""} }, "ifupdown", Problem, "line 4", "netconnectcli import /etc/network/interfaces"},
		{"ifupdown on demand", func(f *Facts) { f.Ifupdown = Stanza{"/etc/network/interfaces", 4, false, "dhcp", ""} }, "ifupdown", OK, "only if", ""},
		{"ifupdown's file is root's", func(f *Facts) { f.Ifupdown = Stanza{Unseen: "it needs root"} }, "ifupdown", Unknown, "what ifupdown does with wlan0 could not be seen: it needs root", ""},
		{"ifupdown on demand, and another file is root's", func(f *Facts) { f.Ifupdown = Stanza{"/etc/network/interfaces", 4, false, "manual", "it needs root"} }, "ifupdown", Unknown, "it needs root", ""},
		{"ifupdown at boot, and another file is root's", func(f *Facts) { f.Ifupdown = Stanza{"/etc/network/interfaces", 4, true, "dhcp", "it needs root"} }, "ifupdown", Problem, "line 4", ""},
		{"iwd", processes(running(7, "iwd", "iwd.service")), "iwd", Problem, "iwd.service", "disable --now iwd.service"},
		{"iwd of NetworkManager", func(f *Facts) { managed(f); f.Processes = []Process{running(7, "iwd", "iwd.service")} }, "iwd", OK, "", ""},
		{"connman", processes(running(7, "connmand", "connman.service", "-n")), "connman", Problem, "connman.service", "NetworkInterfaceBlacklist=wlan0"},

		{"comitup", processes(running(7, "comitup", "comitup.service")), "other_access_point_manager", Problem, "comitup (pid 7, comitup.service) works on wlan0", "disable --now comitup.service"},
		{"comitup of a user who only calls it so", processes(Process{PID: 7, UID: 1000, Name: "comitup", Reach: Reach{All: true}}), "other_access_point_manager", OK, "", ""},
		{"wifi-connect of another radio", processes(running(7, "wifi-connect", "", "--portal-interface", "wlan1")), "other_access_point_manager", OK, "", ""},
		{"the original", processes(Process{PID: 7, Name: "netconnectd", Args: []string{"/usr/bin/python2.7", "/usr/local/bin/netconnectd"}, Reach: Reach{All: true}}),
			"other_access_point_manager", Problem, "netconnectd (pid 7) works on wlan0", "docs/migrating.md"},
		{"ourselves", processes(Process{PID: 7, Name: "netconnectd", Args: []string{"/usr/sbin/netconnectd"}, Reach: Reach{All: true}}), "other_access_point_manager", OK, "", ""},
		{"one that a timer starts", func(f *Facts) { f.Managers = []string{"AccessPopup.timer"} }, "other_access_point_manager", Warning, "AccessPopup.timer starts with the device", "disable --now AccessPopup.timer"},

		{"dnsmasq on every address", sockets(listen("udp", "0.0.0.0:53", "", dnsmasq), listen("tcp", "0.0.0.0:53", "", dnsmasq), listen("tcp", "[::]:53", "", dnsmasq)),
			"port_dns", OK, "dnsmasq (pid 7, dnsmasq.service) has port 53 (DNS) on 0.0.0.0 and serves the access point, too", "leave wlan0 out: then add bind-dynamic"},
		{"another name server on every address", sockets(listen("udp", "0.0.0.0:53", "", &Process{PID: 7, Name: "named", Unit: "named.service"})), "port_dns", Problem, "named (pid 7", "disable --now named.service"},
		{"systemd-resolved's stub", sockets(listen("udp", "127.0.0.53:53", "lo", resolved), listen("tcp", "127.0.0.53:53", "", resolved)), "port_dns", OK, "", ""},
		{"systemd-resolved on every address", sockets(listen("udp", "0.0.0.0:53", "", resolved)), "port_dns", Problem, "systemd-resolve", "DNSStubListenerExtra="},
		{"name server on another address", sockets(listen("udp", "192.168.1.2:53", "", dnsmasq)), "port_dns", OK, "", ""},
		{"name server on our address", sockets(listen("tcp", "10.250.250.1:53", "", dnsmasq)), "port_dns", Problem, "10.250.250.1", "except-interface=wlan0"},
		{"name server of IPv6 alone", sockets(Socket{Protocol: "udp", Local: netip.MustParseAddrPort("[::]:53"), V6Only: true, Holder: dnsmasq}), "port_dns", OK, "", ""},
		{"name server of both families", sockets(listen("udp", "[::]:53", "", dnsmasq)), "port_dns", OK, "dnsmasq (pid 7", ""},
		{"another one of both families", sockets(listen("udp", "[::]:53", "", resolved)), "port_dns", Problem, "systemd-resolve (pid 8", ""},
		{"name server of which only the unit is seen", sockets(Socket{Protocol: "udp", Local: netip.MustParseAddrPort("0.0.0.0:53"), Unit: "dnsmasq.service"}), "port_dns", OK, "dnsmasq.service has port 53", "leave wlan0 out"},
		{"another one of which only the unit is seen", sockets(Socket{Protocol: "udp", Local: netip.MustParseAddrPort("0.0.0.0:53"), Unit: "named.service"}), "port_dns", Problem, "named.service has port 53", "disable --now named.service"},
		{"our dnsmasq, by its unit", sockets(Socket{Protocol: "udp", Local: netip.MustParseAddrPort("10.250.250.1:53"), Unit: "netconnectd.service"}), "port_dns", OK, "", ""},
		{"name server bound to another interface", sockets(listen("udp", "0.0.0.0:53", "virbr0", dnsmasq)), "port_dns", OK, "", ""},
		{"our dnsmasq", sockets(listen("udp", "10.250.250.1:53", "", mine), listen("udp", "0.0.0.0:67", "wlan0", mine)), "port_dns", OK, "", ""},
		{"our dnsmasq, holder not seen", sockets(Socket{Protocol: "udp", Local: netip.MustParseAddrPort("0.0.0.0:67"), UID: serviceUID}), "port_dhcp", OK, "", ""},
		{"holder not seen", sockets(listen("udp", "0.0.0.0:67", "", nil)), "port_dhcp", Problem, "some program has port 67", "sudo ss -lnp sport = 67"},
		{"DHCP server on every address", sockets(listen("udp", "0.0.0.0:67", "", dnsmasq)), "port_dhcp", Problem, "dnsmasq (pid 7", "disable --now dnsmasq.service"},
		{"DHCP server on a bridge", sockets(listen("udp", "0.0.0.0:67", "virbr0", dnsmasq)), "port_dhcp", OK, "", ""},
		{"sockets not seen", func(f *Facts) { f.Sockets.Unseen = "no rights" }, "port_dhcp", Unknown, "no rights", ""},

		{"NetworkManager joins", managed, "networkmanager", OK, "joins networks", ""},
		{"NetworkManager and our own wpa_supplicant", func(f *Facts) { managed(f); f.Settings.Wifi.Backend = "wpa_supplicant" }, "networkmanager", Problem, "manages wlan0", "wifi.free: true"},
		{"NetworkManager wanted and away", func(f *Facts) { f.Settings.Wifi.Backend = "networkmanager" }, "networkmanager", Problem, "does not run", "enable --now NetworkManager"},
		{"radio on loan", func(f *Facts) { f.Manager = Manager{Running: true, OnLoan: true} }, "networkmanager", OK, "lent", ""},
		{"polkit allows", managed, "polkit", OK, "allows", ""},
		{"polkit refuses one", func(f *Facts) { managed(f); f.Manager.Permissions[actions[2]] = "auth" }, "polkit", Problem, "checkpoint-rollback", "60-netconnectd.rules"},
		{"no polkit", func(f *Facts) { managed(f); f.Manager.Polkit = false }, "polkit", Problem, "not installed", "polkitd"},
		{"no polkit and root", func(f *Facts) { managed(f); f.Manager.Polkit, f.Daemon.User.UID = false, 0 }, "polkit", OK, "root", ""},
		{"polkit not asked", func(f *Facts) { managed(f); f.Manager.Unseen = "only root" }, "polkit", Unknown, "only root", ""},
		{"netplan", func(f *Facts) {
			f.Manager.Netplan = []string{"/run/NetworkManager/system-connections/netplan-wlan0-Home.nmconnection"}
		}, "netplan", OK, "one of 1 profiles", "netplan apply"},

		{"no hostapd", func(f *Facts) { f.Tools["hostapd"] = Tool{Path: "/usr/sbin/hostapd", Missing: true} }, "hostapd", Problem, "not there", "apt install hostapd"},
		{"old dnsmasq", func(f *Facts) { f.Tools["dnsmasq"] = Tool{Path: "/usr/sbin/dnsmasq", Version: "2.76"} }, "dnsmasq", Warning, "2.76, older than 2.80", "upgrade"},
		{"version not told", func(f *Facts) { f.Tools["wpa_supplicant"] = Tool{Path: "/w", Unseen: "killed"} }, "wpa_supplicant", Unknown, "killed", ""},

		{"lacks a capability", func(f *Facts) { f.Daemon.Capabilities = 1<<12 | 1<<10 }, "capabilities", Problem, "lacks CAP_NET_RAW", "restart netconnectd"},
		{"runs as root", func(f *Facts) { f.Daemon.User.UID = 0 }, "capabilities", Warning, "as root", ""},
		{"not in the group", func(f *Facts) { f.Caller.Member, f.Caller.Listed = false, false }, "group", Warning, "not change it", "sudo adduser pi netconnect"},
		{"in the group since", func(f *Facts) { f.Caller.Member = false }, "group", Warning, "this session is older", "log in again"},
		{"no group", func(f *Facts) { f.Caller = Caller{Name: "pi"} }, "group", Warning, "no group netconnect", "systemd-sysusers"},
		{"everyone may", func(f *Facts) { f.Caller, f.Settings.Permissions.Change = Caller{Name: "pi"}, "everyone" }, "group", OK, "", ""},
		{"config of root alone", func(f *Facts) { f.Files[fileConfig] = File{Path: "/etc/netconnectd.yaml", Mode: 0o600} }, "config_file", Problem, "may not read", "chgrp netconnectd"},
		{"no user", func(f *Facts) { f.Daemon.User = User{} }, "config_file", Problem, "no user netconnectd", "systemd-sysusers"},
		{"rfkill not ours", func(f *Facts) {
			f.Settings.Wifi.Kill, f.Files[fileRfkill] = true, File{Path: "/dev/rfkill", Mode: 0o664}
		}, "rfkill_device", Problem, "may not write", "60-netconnectd-rfkill.rules"},
		{"rfkill not ours and not used", func(f *Facts) { f.Files[fileRfkill] = File{Path: "/dev/rfkill", Mode: 0o664} }, "rfkill_device", OK, "", ""},
		{"runtime folder of root", func(f *Facts) { f.Files[fileRuntime] = File{Path: "/run/netconnectd", Mode: 0o755} }, "runtime_folder", Problem, "may not write", "chown"},
		{"state folder is away", func(f *Facts) { f.Files[fileState] = File{Path: "/var/lib/netconnectd", Missing: true} }, "state_folder", Problem, "not there", "restart"},
		{"state folder on a read-only root", func(f *Facts) { f.Files[fileState] = File{Path: "/var/lib/netconnectd", ReadOnly: true} }, "state_folder", Problem, "cannot be written", "mount it writable"},

		{"bond", leads(link.Link{Name: "bond0", Type: unix.ARPHRD_ETHER, Kind: "bond"}, ""), "uplinks", OK, "bond0 (bond) has a default route and counts as an uplink", ""},
		{"bridge", leads(link.Link{Name: "br0", Type: unix.ARPHRD_ETHER, Kind: "bridge"}, ""), "uplinks", OK, "br0 (bridge) has a default route and counts", ""},
		{"VLAN", leads(link.Link{Name: "eth0.7", Type: unix.ARPHRD_ETHER, Kind: "vlan"}, ""), "uplinks", OK, "eth0.7 (vlan) has a default route and counts", ""},
		{"raw IP", leads(link.Link{Name: "wwan0", Type: arphrdRawIP}, ""), "uplinks", OK, "wwan0 (raw IP) has a default route and counts", ""},
		{"PPP", leads(link.Link{Name: "ppp0", Type: unix.ARPHRD_PPP}, ""), "uplinks", OK, "ppp0 (PPP) has", ""},
		{"the radio", leads(link.Link{Name: "wlan0", Type: unix.ARPHRD_ETHER, Wireless: true}, "eth0"), "uplinks", OK, "wlan0 (Wi-Fi) has a default route and counts", ""},
		{"of an unknown type", leads(link.Link{Name: "x0", Type: 824}, ""), "uplinks", OK, "x0 (type 824) has", ""},
		{"bond that is not named", leads(link.Link{Name: "bond0", Type: unix.ARPHRD_ETHER, Kind: "bond"}, "eth0"), "uplinks", Warning,
			"bond0 (bond) has a default route and does not count as an uplink: interfaces.wired is eth0", "name bond0 in interfaces.wired of "},
		{"bond that is named", leads(link.Link{Name: "bond0", Type: unix.ARPHRD_ETHER, Kind: "bond"}, "bond0"), "uplinks", OK, "bond0 (bond) has a default route and counts", ""},
		{"tunnel", leads(link.Link{Name: "wg0", Kind: "wireguard"}, ""), "uplinks", OK, "wg0 (wireguard) has a default route and does not count", "name it in interfaces.wired"},
		{"tunnel that is named", leads(link.Link{Name: "wg0", Kind: "wireguard"}, "wg0"), "uplinks", OK, "wg0 (wireguard) has a default route and counts", ""},
		{"no way out", func(f *Facts) { f.Network = leadingOut() }, "uplinks", OK, "no interface has a default route", ""},
		{"default routes not seen", func(f *Facts) { f.Network = Network{Unseen: "no rights"} }, "uplinks", Unknown, "no rights", ""},
		{"no nftables", func(f *Facts) { f.Filter.Missing = true }, "packet_filter", Problem, "no nftables", "CONFIG_NF_TABLES_INET"},
		{"nftables not seen", func(f *Facts) { f.Filter.Unseen = "only root" }, "packet_filter", Unknown, "only root", ""},
		{"nftables that refuse", func(f *Facts) {
			f.Daemon.Problems = []client.Problem{{Code: "packet_filter", Text: "install table: no such file", Remedy: "a kernel"}}
		}, "packet_filter", Problem, "install table: no such file", "a kernel"},
		{"clock of a device without battery", func(f *Facts) { f.Now = time.Unix(0, 0) }, "clock", Warning, "1970-01-01", "timedatectl"},
		{"disk full", func(f *Facts) { f.Disk.Free = 4096 }, "disk_space", Problem, "4 KiB", "make room"},
		{"no inodes", func(f *Facts) { f.Disk.Inodes = 0 }, "disk_space", Problem, "no room", "df -i"},
		{"disk not seen", func(f *Facts) { f.Disk.Unseen = "no rights" }, "disk_space", Unknown, "no rights", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := healthy(t)
			tt.change(f)
			var of []Finding
			for _, found := range Judge(f) {
				if found.ID == tt.id {
					of = append(of, found)
				}
			}
			if len(of) != 1 || of[0].Level != tt.level || !strings.Contains(of[0].What, tt.what) || !strings.Contains(of[0].Remedy, tt.remedy) {
				t.Errorf("%+v\nwant %s, what with %q, remedy with %q", of, tt.level, tt.what, tt.remedy)
			}
			if tt.level == Problem && of[0].Remedy == "" {
				t.Error("a problem without a remedy")
			}
		})
	}
}

// TestEveryEnabledManagerIsNamed checks that of several managers of access points that
// start with the device none is left out.
func TestEveryEnabledManagerIsNamed(t *testing.T) {
	f := healthy(t)
	f.Managers = []string{"AccessPopup.timer", "comitup.service"}
	var remedies []string
	for _, found := range Judge(f) {
		if found.ID == "other_access_point_manager" {
			remedies = append(remedies, found.Remedy)
		}
	}
	for i, unit := range f.Managers {
		if len(remedies) != len(f.Managers) || !strings.Contains(remedies[i], "disable --now "+unit) {
			t.Fatalf("the remedies are %q", remedies)
		}
	}
}

// TestNoRadioIsNotOK checks that nothing about a missing radio is called ok, and that
// problems of other programs are named nevertheless.
func TestNoRadioIsNotOK(t *testing.T) {
	for name, radio := range map[string]Radio{"absent": {Name: "wlan0"}, "not seen": {Name: "wlan0", Unseen: "no rights"}} {
		f := healthy(t)
		f.Radio = radio
		f.Processes = []Process{running(7, "iwd", "iwd.service")}
		f.Manager.Running = true
		for _, found := range Judge(f) {
			if found.Level == OK && strings.Contains(found.What, "wlan0") {
				t.Errorf("%s: %+v", name, found)
			}
			if found.ID == "iwd" && found.Level != Problem {
				t.Errorf("%s: %+v", name, found)
			}
			if radio.Unseen != "" && strings.Contains(found.What, "there is no radio") {
				t.Errorf("%s: %+v", name, found)
			}
		}
	}
}

// The daemon has other rights than the caller: what it has seen counts where we
// see nothing, and only there.
func TestDaemonTellsWhatWeDoNotSee(t *testing.T) {
	f := healthy(t)
	f.Processes = []Process{{PID: 7, Name: "hostapd", Reach: Reach{Unseen: "it needs root"}}}
	f.Daemon.Problems = []client.Problem{{Code: "other_hostapd", Text: "hostapd (pid 7) works on wlan0", Remedy: "end it"}, {Code: "iwd", Text: "gone since"}}
	for _, found := range Judge(f) {
		if found.ID == "other_hostapd" && (found.Level != Problem || !strings.Contains(found.What, "as the daemon has seen it") || found.Remedy != "end it") {
			t.Errorf("%+v", found)
		}
		if found.ID == "iwd" && found.Level != OK {
			t.Errorf("what we see ourselves is overruled: %+v", found)
		}
	}
}

func TestJudgeConflictsNamesProblemsOnly(t *testing.T) {
	f := healthy(t)
	f.Radio = Radio{Name: "wlan0"} // a problem that the daemon finds out by itself
	f.Processes = []Process{running(7, "iwd", "iwd.service"), {PID: 8, Name: "hostapd", Reach: Reach{Unseen: "it needs root"}}}
	found := JudgeConflicts(f)
	if len(found) != 1 || found[0].ID != "iwd" {
		t.Errorf("%+v, want iwd alone", found)
	}
}
