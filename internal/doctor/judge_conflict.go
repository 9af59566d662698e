package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// rivals judges the programs of some names: each that works on the radio is a
// conflict.
func rivals(f *Facts, what string, harmless func(Process) bool, remedy func(Process) string, names ...string) []verdict {
	var found []verdict
	var hidden []string
	for _, p := range f.Processes {
		switch {
		case !slices.Contains(names, p.Name) || p.Ours || harmless(p) || f.childOfSame(p):
		case p.Reach.on(f.Radio.Name):
			found = append(found, verdict{Problem, fmt.Sprintf("%s works on %s", p, f.Radio.Name), remedy(p)})
		case p.Reach.Unseen != "":
			hidden = append(hidden, fmt.Sprintf("whether %s works on %s could not be seen: %s", p, f.Radio.Name, p.Reach.Unseen))
		}
	}
	if f.Blind != "" {
		hidden = append(hidden, "who works on "+f.Radio.Name+" could not be seen: "+f.Blind)
	}
	switch {
	case len(found) > 0:
		return found
	case !f.Radio.Present:
		return f.without()
	case len(hidden) > 0:
		return one(Unknown, strings.Join(hidden, "; "), "")
	}
	return good("no " + what + " on " + f.Radio.Name)
}

// childOfSame reports whether the process's parent runs the same program and so is
// named already.
func (f *Facts) childOfSame(p Process) bool {
	for _, q := range f.Processes {
		if q.PID == p.Parent && q.Name == p.Name {
			return true
		}
	}
	return false
}

func never(Process) bool { return false }

// end returns how to end a program for good: by its unit, if it has its own.
func end(p Process) string {
	switch {
	case p.Unit == "" || strings.HasPrefix(p.Unit, "user@"):
		return fmt.Sprintf("end it by: sudo kill %d, and find out who starts it (ps -o ppid= -p %d)", p.PID, p.PID)
	case strings.HasPrefix(p.Unit, "ifup@"), p.Unit == "networking.service":
		return "ifupdown has started it: take the radio out of /etc/network/interfaces, then: sudo systemctl restart " + p.Unit
	case p.Unit == "NetworkManager.service":
		return "NetworkManager has started it: give it the radio (wifi.backend: auto) or take the radio from it (wifi.free: true)"
	}
	return "end it by: sudo systemctl disable --now " + p.Unit
}

func judgeSupplicants(f *Facts) []verdict {
	found := rivals(f, "wpa_supplicant but netconnectd's own", never, func(p Process) string {
		return "two of them undo each other's joins; " + end(p)
	}, "wpa_supplicant")
	if unseen := slices.ContainsFunc(f.Sockets.KeyUsers, f.hidden); found[0].level != Problem && unseen && !f.Manager.Managed {
		who, remedy := f.stranger()
		return one(Problem, who+" works on "+f.Radio.Name, "two of them undo each other's joins; "+remedy)
	}
	return found
}

// stranger returns which program may be listening to key exchanges on the radio.
func (f *Facts) stranger() (who, remedy string) {
	var names, remedies []string
	for _, p := range f.Strangers {
		if slices.Contains(f.Sockets.KeyUsers, p.UID) && f.hidden(p.UID) {
			names, remedies = append(names, p.String()), append(remedies, end(p))
		}
	}
	if names == nil {
		return "some program (wpa_supplicant or hostapd)", "find out which by: sudo netconnectcli doctor"
	}
	return strings.Join(names, " or "), strings.Join(remedies, "; ")
}

// hidden reports whether a user has a program on the radio that is not in Processes.
// Our own programs run as the daemon's user.
func (f *Facts) hidden(uid int) bool {
	return uid != f.Daemon.User.UID && !slices.ContainsFunc(f.Processes, func(p Process) bool { return p.UID == uid })
}

func judgeHostapds(f *Facts) []verdict {
	return rivals(f, "hostapd but netconnectd's own", never, func(p Process) string {
		return "the radio cannot be two access points; " + end(p)
	}, "hostapd")
}

// judgeDHCPClients judges DHCP clients on the radio. Those of NetworkManager are no
// conflict, as it gets addresses by them.
func judgeDHCPClients(f *Facts) []verdict {
	ofManager := func(p Process) bool {
		return f.Manager.Managed && strings.Contains(strings.Join(p.Args, " "), "nm-dhcp-helper")
	}
	return rivals(f, "DHCP client of somebody else", ofManager, func(p Process) string {
		if p.Name == "dhcpcd" && !strings.HasPrefix(p.Unit, "ifup@") {
			return fmt.Sprintf("it sets addresses and routes that are not netconnectd's; put the line denyinterfaces %s into /etc/dhcpcd.conf, then: sudo systemctl restart dhcpcd", f.Radio.Name)
		}
		return "it sets addresses and routes that are not netconnectd's; " + end(p)
	}, "dhcpcd", "dhclient", "udhcpc")
}

func judgeIWD(f *Facts) []verdict {
	ofManager := func(Process) bool { return f.Manager.Managed } // its wifi.backend may be iwd
	return rivals(f, "iwd", ofManager, func(p Process) string { return "it joins networks by itself; " + end(p) }, "iwd")
}

func judgeConnman(f *Facts) []verdict {
	return rivals(f, "ConnMan", never, func(p Process) string {
		return fmt.Sprintf("it joins networks by itself; leave it off the radio by NetworkInterfaceBlacklist=%s under [General] in /etc/connman/main.conf and restart it, or %s", f.Radio.Name, end(p))
	}, "connmand")
}

func judgeNetworkd(f *Facts) []verdict {
	switch {
	case f.Networkd == "" && !f.Radio.Present:
		return f.without()
	case f.Networkd == "":
		return good("systemd-networkd leaves " + f.Radio.Name + " alone")
	}
	return one(Problem, fmt.Sprintf("systemd-networkd configures %s by %s", f.Radio.Name, f.Networkd),
		fmt.Sprintf("it takes netconnectd's addresses away; write /etc/systemd/network/05-netconnectd.network with the lines [Match], Name=%s, [Link], Unmanaged=yes, then: sudo networkctl reload", f.Radio.Name))
}

func judgeIfupdown(f *Facts) []verdict {
	s := f.Ifupdown
	switch {
	case s.File != "" && s.Auto:
		return one(Problem, fmt.Sprintf("ifupdown brings %s up (%s, line %d)", f.Radio.Name, s.File, s.Line),
			fmt.Sprintf("it starts programs that fight for the radio; take the networks over by: sudo netconnectcli import %s, comment the lines of %s out, then: sudo ifdown --force %s", s.File, f.Radio.Name, f.Radio.Name))
	case !f.Radio.Present:
		return f.without()
	case s.Unseen != "":
		return unseen("what ifupdown does with "+f.Radio.Name, s.Unseen)
	case s.File == "" || s.Method == "manual":
		return good("ifupdown leaves " + f.Radio.Name + " alone")
	}
	return good(fmt.Sprintf("ifupdown brings %s up only if somebody asks for it (%s, line %d)", f.Radio.Name, s.File, s.Line))
}

func judgePortDHCP(f *Facts) []verdict {
	return judgePort(f, "port 67 (DHCP)", "phones on the access point would get no address", func(s Socket) bool {
		return s.Protocol == "udp" && s.Local.Port() == portDHCP
	}, func(Process, Socket) bool { return false })
}

// judgePortDNS judges the holders of port 53. A socket on an address other than the
// access point's is no conflict, such as 127.0.0.53 of systemd-resolved. A dnsmasq on
// every address, as Debian starts it, answers phones in our place (TestRealPrograms
// asks it).
func judgePortDNS(f *Facts) []verdict {
	everywhere := func(s Socket) bool {
		addr := s.Local.Addr()
		return addr.IsUnspecified() && !(addr.Is6() && s.V6Only)
	}
	return judgePort(f, "port 53 (DNS)", "phones on the access point would find no names", func(s Socket) bool {
		return s.Local.Port() == portDNS && (everywhere(s) || s.Local.Addr() == f.Settings.AP.Address.Addr())
	}, func(p Process, s Socket) bool { return p.Name == "dnsmasq" && everywhere(s) })
}

// judgePort names each holder once, however many sockets it has. A holder that
// serves the access point as well is no problem.
func judgePort(f *Facts, port, why string, clashes func(Socket) bool, serves func(Process, Socket) bool) []verdict {
	if f.Sockets.Unseen != "" {
		return unseen("who has "+port, f.Sockets.Unseen)
	}
	var found []verdict
	named := map[string]bool{}
	for _, s := range f.Sockets.List {
		if !clashes(s) || s.Device != "" && s.Device != f.Radio.Name || f.ours(s) {
			continue
		}
		p, who := holder(s)
		has := fmt.Sprintf("%s has %s on %v", who, port, s.Local.Addr())
		switch {
		case named[who]:
		case serves(p, s):
			found = append(found, verdict{OK, has + " and serves the access point, too",
				fmt.Sprintf("unless interface=, except-interface= or listen-address= in its settings leave %s out: then add bind-dynamic, so that netconnectd's own dnsmasq can", f.Radio.Name)})
		default:
			found = append(found, verdict{Problem, has, why + "; " + f.freed(p, s)})
		}
		named[who] = true
	}
	if found == nil {
		return good(port + " is free for the access point")
	}
	return found
}

// ours reports whether a socket belongs to our own dnsmasq. Only root and the
// daemon's user see the holder of the socket; others go by its unit or its user, as
// only our programs run as the daemon's user.
func (f *Facts) ours(s Socket) bool {
	if s.Holder != nil {
		return s.Holder.Ours
	}
	if s.Unit != "" {
		return s.Unit == unitNames[0] // its programs are in it as well
	}
	return f.Daemon.User.Exists && f.Daemon.User.UID != 0 && s.UID == f.Daemon.User.UID
}

// holder returns the program that has a socket, as far as it is known, and its name
// for people.
func holder(s Socket) (p Process, who string) {
	switch {
	case s.Holder != nil:
		return *s.Holder, s.Holder.String()
	case s.Unit != "":
		return Process{Name: strings.TrimSuffix(s.Unit, ".service"), Unit: s.Unit}, s.Unit
	}
	return Process{}, "some program"
}

// freed returns how to free a port from its holder.
func (f *Facts) freed(p Process, s Socket) string {
	switch {
	case p.Name == "":
		return fmt.Sprintf("find out which by: sudo ss -lnp sport = %d", s.Local.Port())
	case p.Name == "dnsmasq" && p.Unit == "dnsmasq.service":
		return fmt.Sprintf("%s; or have it leave the radio alone by the lines bind-dynamic and except-interface=%s in /etc/dnsmasq.conf and restart it", end(p), f.Radio.Name)
	case strings.HasPrefix(p.Name, "systemd-resolve"):
		return "take DNSStubListenerExtra= out of /etc/systemd/resolved.conf and its .conf.d, then: sudo systemctl restart systemd-resolved"
	}
	return end(p)
}

// usesManager reports whether NetworkManager joins networks for netconnectd.
func (f *Facts) usesManager() bool {
	switch f.Settings.Wifi.Backend {
	case "networkmanager":
		return true
	case "auto":
		return !f.Settings.Wifi.Free && (f.Manager.Managed || f.Manager.OnLoan)
	}
	return false
}

func judgeNetworkManager(f *Facts) []verdict {
	m, radio := f.Manager, f.Radio.Name
	switch {
	case !m.Running && f.Settings.Wifi.Backend == "networkmanager":
		return one(Problem, "NetworkManager does not run", "wifi.backend wants it to join networks: sudo systemctl enable --now NetworkManager, or set wifi.backend: auto")
	case !m.Running:
		return good("NetworkManager does not run")
	case m.Managed && f.Settings.Wifi.Backend == "wpa_supplicant" && !f.Settings.Wifi.Free:
		return one(Problem, "NetworkManager manages "+radio+", and wifi.backend is wpa_supplicant",
			"the two undo each other's joins; set wifi.backend: auto to have NetworkManager join networks, or wifi.free: true to take the radio from it")
	case m.Managed:
		return good("NetworkManager manages " + radio + " and joins networks")
	case !f.Radio.Present:
		return f.without()
	case m.OnLoan:
		return good("NetworkManager has lent " + radio + " to netconnectd")
	}
	return good("NetworkManager leaves " + radio + " alone")
}

func judgePolkit(f *Facts) []verdict {
	m := f.Manager
	switch {
	case !m.Running || !f.usesManager():
		return good("nothing is asked of NetworkManager")
	case f.Daemon.User.Exists && f.Daemon.User.UID == 0:
		return good("netconnectd runs as root, whom NetworkManager obeys")
	case !m.Polkit:
		return one(Problem, "polkit is not installed, so NetworkManager obeys root only", "sudo apt install polkitd")
	case m.Unseen != "":
		return unseen("what polkit allows netconnectd", m.Unseen)
	}
	var refused []string
	for _, action := range actions {
		if m.Permissions[action] != "yes" {
			refused = append(refused, strings.TrimPrefix(action, managerName+"."))
		}
	}
	if len(refused) == 0 {
		return good("polkit allows what netconnectd asks of NetworkManager")
	}
	return one(Problem, "polkit refuses netconnectd NetworkManager's "+strings.Join(refused, ", "),
		"reinstall netconnectd's package, or put packaging/polkit/60-netconnectd.rules into "+polkitRules[0]+"; polkit sees it at once, or after: sudo systemctl restart polkit")
}

func judgeNetplan(f *Facts) []verdict {
	if len(f.Manager.Netplan) == 0 {
		return good("no profile of NetworkManager is netplan's")
	}
	return one(OK, fmt.Sprintf("netplan has written %s, one of %d profiles of NetworkManager", f.Manager.Netplan[0], len(f.Manager.Netplan)),
		"netplan or cloud-init writes them anew from /etc/netplan at each boot: change them there, then: sudo netplan apply. What is changed here or by nmcli ends in /etc/netplan/90-NM-*.yaml")
}
