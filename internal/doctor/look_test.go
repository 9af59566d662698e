package doctor

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// lay writes files below a root of their own.
func lay(t *testing.T, files map[string]string) machine {
	t.Helper()
	m := machine{root: t.TempDir()}
	for name, text := range files {
		path := m.path(name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestReach(t *testing.T) {
	m := lay(t, map[string]string{
		"/etc/hostapd/hostapd.conf": "# interface=wlan9\ninterface=wlan0\nbss=wlan0_1\n",
		"/etc/dhcpcd.conf":          "hostname\n# denyinterfaces eth0\ndenyinterfaces veth* wlan1\n",
		"/etc/connman/main.conf":    "[General]\nNetworkInterfaceBlacklist = vmnet,wlan1\n",
	})
	for _, tt := range []struct {
		name    string
		program string
		args    []string
		on, off string // interfaces that it works on and does not; "": there is none
	}{
		{"wpa_supplicant -i", "wpa_supplicant", []string{"-B", "-c", "/etc/w.conf", "-i", "wlan0", "-N", "-iwlan1"}, "wlan1", "eth0"},
		{"wpa_supplicant that waits on D-Bus", "wpa_supplicant", []string{"-u", "-s"}, "", "wlan0"},
		{"hostapd's file", "hostapd", []string{"-B", "-P", "/run/hostapd.pid", "/etc/hostapd/hostapd.conf"}, "wlan0", "wlan9"},
		{"hostapd's second network", "hostapd", []string{"/etc/hostapd/hostapd.conf"}, "wlan0_1", "wlan1"},
		{"dhclient of all", "dhclient", []string{"-v", "-pf", "/run/dhclient.pid"}, "wlan0", ""},
		{"dhclient of one", "dhclient", []string{"-v", "wlan0"}, "wlan0", "wlan1"},
		{"dhcpcd of its file", "dhcpcd", []string{"-q"}, "wlan0", "wlan1"},
		{"dhcpcd and a pattern", "dhcpcd", []string{"-q"}, "wlan0", "veth7"},
		{"dhcpcd of one", "dhcpcd", []string{"-q", "wlan1"}, "wlan1", "wlan0"},
		{"udhcpc", "udhcpc", []string{"-f", "--interface=wlan0"}, "wlan0", "wlan1"},
		{"iwd of all", "iwd", nil, "wlan0", ""},
		{"iwd of some", "iwd", []string{"-i", "wlan1,wlan2"}, "wlan2", "wlan0"},
		{"connman of its file", "connmand", []string{"-n"}, "wlan0", "wlan1"},
		{"comitup", "comitup", nil, "wlan0", ""},
		{"wifi-connect of one", "wifi-connect", []string{"--portal-ssid", "x", "--portal-interface", "wlan1"}, "wlan1", "wlan0"},
		{"wifi-connect of the first it finds", "wifi-connect", []string{"-s", "x"}, "wlan0", ""},
		{"create_ap of one", "create_ap", []string{"-n", "wlan1", "My AP"}, "wlan1", "wlan0"},
		{"create_ap of its file", "create_ap", []string{"--config", "/etc/wh.config"}, "wlan0", ""},
		{"connman of one", "connmand", []string{"-i", "eth0"}, "eth0", "wlan0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reach := programs[tt.program](m, tt.args)
			if tt.on != "" && !reach.on(tt.on) || tt.off != "" && reach.on(tt.off) || reach.Unseen != "" {
				t.Errorf("%+v: on %q %v, on %q %v", reach, tt.on, reach.on(tt.on), tt.off, reach.on(tt.off))
			}
		})
	}
	for title, on := range map[string]bool{"dhcpcd: wlan0 [ip4]": true, "dhcpcd: eth0 [ip4]": false, "dhcpcd: [manager] [ip4] [ip6]": true} {
		if titleReach(m, title).on("wlan0") != on {
			t.Errorf("%q: on wlan0 %v, want %v", title, !on, on)
		}
	}
	if reach := hostapdReach(m, []string{"/etc/hostapd/none.conf"}); reach.Unseen == "" {
		t.Error("a file that cannot be read tells something")
	}
}

func TestStanza(t *testing.T) {
	for _, tt := range []struct {
		name, text, more string
		want             Stanza
	}{
		{"brought up at boot", "auto lo wlan0\niface lo inet loopback\niface wlan0 inet dhcp\n", "", Stanza{"/etc/network/interfaces", 3, true, "dhcp", ""}},
		{"when it appears", "allow-hotplug wlan0\n", "iface wlan0 inet manual\n", Stanza{"/etc/network/interfaces.d/radio", 1, true, "manual", ""}},
		{"on demand, as the original wrote it", "iface wlan0 inet dhcp\n  wpa-ssid home\n", "", Stanza{"/etc/network/interfaces", 1, false, "dhcp", ""}},
		{"another interface", "auto eth0\niface eth0 inet dhcp\n#iface wlan0 inet dhcp\n", "", Stanza{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := lay(t, map[string]string{"/sbin/ifup": "", "/etc/network/interfaces": tt.text, "/etc/network/interfaces.d/radio": tt.more})
			if diff := cmp.Diff(tt.want, m.stanza("wlan0")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	m := lay(t, map[string]string{"/etc/network/interfaces": "auto wlan0\niface wlan0 inet dhcp\n"})
	if s := m.stanza("wlan0"); s.File != "" {
		t.Errorf("ifupdown is not installed, and %+v", s)
	}
	for _, unreadable := range []string{"/etc/network/interfaces", "/etc/network/interfaces.d"} { // of root, too
		m := lay(t, map[string]string{"/sbin/ifup": "", "/etc/network/eth0": ""})
		if err := os.Symlink(m.path(unreadable), m.path(unreadable)); err != nil {
			t.Fatal(err)
		}
		if s := m.stanza("wlan0"); s.Unseen == "" {
			t.Errorf("%s cannot be read, and %+v", unreadable, s)
		}
	}
}

func TestNetworkFile(t *testing.T) {
	m := lay(t, map[string]string{
		"/run/systemd/netif/links/3": "ADMIN_STATE=configuring\nOPER_STATE=carrier\nNETWORK_FILE=/etc/systemd/network/w.network\n",
		"/run/systemd/netif/links/4": "ADMIN_STATE=unmanaged\nNETWORK_FILE=/etc/systemd/network/05-netconnectd.network\n",
		"/run/systemd/netif/links/5": "ADMIN_STATE=unmanaged\n",
	})
	for index, want := range map[int]string{3: "/etc/systemd/network/w.network", 4: "", 5: "", 6: ""} {
		if got := m.networkFile(index); got != want {
			t.Errorf("link %d: %q, want %q", index, got, want)
		}
	}
}

func TestParsers(t *testing.T) {
	if name, parent := parseStat("7 (a (b) c) S 3 7 7 0 -1"); name != "a (b) c" || parent != 3 {
		t.Errorf("parseStat: %q, %d", name, parent)
	}
	for cgroup, want := range map[string]string{
		"0::/system.slice/dnsmasq.service\n":                                     "dnsmasq.service",
		"0::/user.slice/user-1000.slice/session-2.scope\n":                       "",
		"3:cpu:/x.service\n1:name=systemd:/system.slice/dhcpcd.service\n0::/\n":  "dhcpcd.service",
		"0::/system.slice/system-wpa.slice/wpa_supplicant@wlan0.service/child\n": "wpa_supplicant@wlan0.service",
	} {
		if got := unitOf(cgroup); got != want {
			t.Errorf("unit of %q: %q, want %q", cgroup, got, want)
		}
	}
	units := parseUnits("Id=a.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\nId=b.socket\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n")
	if diff := cmp.Diff(map[string]UnitState{"a.service": {"loaded", "active", "enabled"}, "b.socket": {"not-found", "inactive", ""}}, units); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := effective("Name:\tx\nCapInh:\t0000\nCapEff:\t0000000000003400\n"); got != 1<<10|1<<12|1<<13 {
		t.Errorf("capabilities %x", got)
	}
	for _, tt := range []struct {
		version, than string
		older         bool
	}{{"2.9", "2.10", true}, {"2.10", "2.9", false}, {"2.9", "2.9", false}, {"2", "2.9", true}, {"2.80", "2.80", false}, {"2.90", "2.80", false}} {
		if older(tt.version, tt.than) != tt.older {
			t.Errorf("%s older than %s: %v", tt.version, tt.than, !tt.older)
		}
	}
}

// What the kernel's two ways tell of the same sockets is the same, but for the
// device.
func TestAddressesOfProc(t *testing.T) {
	for text, want := range map[string]string{"0100007F:0035": "127.0.0.1:53", "00000000000000000000000001000000:0043": "[::1]:67"} {
		if got, ok := parseHexAddress(text); !ok || got != netip.MustParseAddrPort(want) {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
	}
	if _, ok := parseHexAddress("local_address"); ok {
		t.Error("the heading is an address")
	}
}

// Who has no right to see a process's network namespace knows a container by
// its namespace of pids.
func TestContainersAreLeftOut(t *testing.T) {
	files := map[string]string{}
	for pid, numbers := range map[string]string{"7": "7", "8": "8\t1"} {
		files["/proc/"+pid+"/stat"] = pid + " (dhclient) S 1 7 7 0 -1"
		files["/proc/"+pid+"/cmdline"] = "dhclient\x00wlan0\x00"
		files["/proc/"+pid+"/status"] = "Name:\tdhclient\nNSpid:\t" + numbers + "\nNSpgid:\t7\n"
	}
	found := lay(t, files).processes("")
	if len(found) != 1 || found[0].PID != 7 || found[0].Name != "dhclient" || found[0].Parent != 1 {
		t.Errorf("%+v, want process 7 alone", found)
	}
}

// A user can call any program netconnectd. Root must not read the settings of such a
// program.
func TestOnlyRootsDaemonIsBelieved(t *testing.T) {
	const main = 7 // as systemd says
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m := lay(t, map[string]string{"/proc/9/exe": "another program"})
	m.service = serviceUID
	if err := errors.Join(os.MkdirAll(m.path("/proc/8"), 0o755), os.Symlink(self, m.path("/proc/8/exe"))); err != nil {
		t.Fatal(err)
	}
	daemon := func(pid, uid int, args ...string) Process {
		return Process{PID: pid, UID: uid, Name: "netconnectd", Args: append([]string{"netconnectd"}, args...)}
	}
	for _, tt := range []struct {
		name string
		p    Process
		want bool
	}{
		{"systemd's", daemon(main, serviceUID, "-c", "/etc/x.yaml"), true},
		{"systemd's, run as root", daemon(main, 0), true},
		{"our executable, root's", daemon(8, 0), true},
		{"our executable, its own user's", daemon(8, serviceUID), true},
		{"our executable, somebody's", daemon(8, 1000, "--path-hostapd", "/tmp/mine"), false},
		{"a program of root's under that name", daemon(9, 0, "-c", "/tmp/mine.yaml"), false},
		{"a program of its user's under that name", daemon(9, serviceUID, "-c", "/tmp/mine.yaml"), false},
		{"one of whom nobody knows the user", daemon(8, -1), false},
		{"one that looks itself", daemon(main, 0, "--doctor"), false},
		{"one that packs", daemon(main, 0, "--bundle=/tmp/x"), false},
		{"another program", Process{PID: main, Name: "sshd", Args: []string{"sshd"}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, ok := m.daemonAmong([]Process{tt.p}, main); ok != tt.want {
				t.Errorf("believed: %v, want %v", ok, tt.want)
			}
		})
	}
	m.service = 0
	if _, ok := m.daemonAmong([]Process{daemon(8, 0)}, 0); !ok {
		t.Error("root's daemon is not believed where there is no user netconnectd")
	}
}

// A connection to the socket of a stopped daemon would start the daemon.
func TestStoppedDaemonStaysSo(t *testing.T) {
	for _, tt := range []struct {
		name  string
		pid   int
		state UnitState
		want  string // the silence; "": it is asked
	}{
		{"stopped", 0, UnitState{"loaded", "inactive", "enabled"}, "netconnectd.service is inactive"},
		{"failed", 0, UnitState{"loaded", "failed", "enabled"}, "netconnectd.service is failed"},
		{"runs", 0, UnitState{"loaded", "active", "enabled"}, ""}, // its process is hidden from us
		{"starts", 0, UnitState{"loaded", "activating", "enabled"}, ""},
		{"stopped, and started by hand", 7, UnitState{"loaded", "inactive", "enabled"}, ""},
		{"no unit", 0, UnitState{"not-found", "inactive", ""}, ""},
		{"no systemd", 0, UnitState{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			socket, asked := listening(t)
			d := Daemon{PID: tt.pid}
			d.ask(t.Context(), socket, Units{Systemd: true, States: map[string]UnitState{"netconnectd.service": tt.state}})
			if got := asked(); got != (tt.want == "") || tt.want != "" && d.Silence != tt.want {
				t.Errorf("asked: %v, silence %q; want silence %q", got, d.Silence, tt.want)
			}
		})
	}
}

// listening is a socket that ends every connection, and whether there was one.
func listening(t *testing.T) (path string, asked func() bool) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			count++
			conn.Close()
		}
	}()
	return path, func() bool { l.Close(); <-done; return count > 0 }
}

func TestKeyUsers(t *testing.T) {
	m := lay(t, map[string]string{"/proc/net/packet": `sk               RefCnt Type Proto  Iface R Rmem   User   Inode
00000000f1d4b3c8 3      2    888e   3     1 0      0      41375
0000000012345678 3      2    888e   3     1 0      990    41376
0000000012345679 3      2    888e   4     1 0      0      41377
000000001234567a 3      3    0003   3     1 0      0      41378
`})
	if diff := cmp.Diff([]int{0, 990}, m.keyUsers(3)); diff != "" {
		t.Errorf("users of the radio's keys (-want +got):\n%s", diff)
	}
	if got := lay(t, nil).keyUsers(3); got != nil {
		t.Errorf("without packet sockets: %v", got)
	}
}

// If /proc hides the processes of other users, systemd's units show them.
func TestServices(t *testing.T) {
	const slice = "/sys/fs/cgroup/system.slice/"
	m := lay(t, map[string]string{
		slice + "system-wpa_supplicant.slice/wpa_supplicant@wlan0.service/cgroup.procs": "7\n8\n",
		slice + "wpa_supplicant-nl80211@wlan1.service/cgroup.procs":                     "9\n",
		slice + "wpa_supplicant.service/cgroup.procs":                                   "10\n",
		slice + "dhcpcd.service/cgroup.procs":                                           "11\n",
		slice + "connman.service/cgroup.procs":                                          "12\n",
		slice + "hostapd.service/cgroup.procs":                                          "13\n",
		slice + "iwd.service/cgroup.procs":                                              "", // has ended
		"/sys/fs/cgroup/user.slice/session-1.scope/cgroup.procs":                        "14\n",
		"/etc/hostapd/hostapd.conf":                                                     "interface=wlan2\n",
	})
	got := map[int]string{}
	for _, p := range m.services(m.cgroups()) {
		got[p.PID] = p.Name
		if p.UID != -1 {
			t.Errorf("%v is taken for user %d's, which nobody has told", p, p.UID)
		}
		for _, iface := range []string{"wlan0", "wlan1", "wlan2"} {
			if p.Reach.on(iface) {
				got[p.PID] += " " + iface
			}
		}
	}
	want := map[int]string{
		7: "wpa_supplicant wlan0", 9: "wpa_supplicant wlan1", 10: "wpa_supplicant",
		11: "dhcpcd wlan0 wlan1 wlan2", 12: "connmand wlan0 wlan1 wlan2", 13: "hostapd wlan2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !m.blind() || (machine{}).blind() {
		t.Error("others' processes are hidden here, and not there")
	}
}

// The kernel's accounting names programs that are in no service. TestManagersApart
// checks a program in a network namespace of its own, as comitup's unit creates one:
// it is not among the processes of our namespace. A program that starts at boot
// counts, too.
func TestManagersApart(t *testing.T) {
	const slice, wants = "/sys/fs/cgroup/system.slice/", "/etc/systemd/system/"
	m := lay(t, map[string]string{
		slice + "comitup.service/cgroup.procs":                  "7\n",
		slice + "comitup-web.service/cgroup.procs":              "8\n",
		slice + "netconnectd.service/cgroup.procs":              "9\n",
		slice + "create_ap.service/cgroup.procs":                "10\n",
		slice + "AccessPopup.service/cgroup.procs":              "", // has ended
		wants + "timers.target.wants/AccessPopup.timer":         "",
		wants + "multi-user.target.wants/autohotspot.service":   "",
		wants + "multi-user.target.wants/ssh.service":           "",
		wants + "multi-user.target.wants/comitup-watch.service": "",
	})
	seen := []Process{{PID: 10, Name: "create_ap", Unit: "create_ap.service"}}
	found := m.managersApart(m.cgroups(), seen)
	if len(found) != 1 || found[0].Name != "comitup" || found[0].PID != 7 || !found[0].Reach.on("wlan0") {
		t.Errorf("%+v, want comitup", found)
	}
	if got, want := m.enabledManagers(), []string{"autohotspot.service", "AccessPopup.timer"}; !slices.Equal(got, want) {
		t.Errorf("%q start with the device, want %q", got, want)
	}
}

func TestStrangers(t *testing.T) {
	m := lay(t, map[string]string{
		"/sys/fs/cgroup/system.slice/wpa_supplicant.service/cgroup.procs":                                 "7\n",
		"/sys/fs/cgroup/system.slice/hotspot.service/radio/cgroup.procs":                                  "12\n",
		"/sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope/cgroup.procs":                          "8\n9\n",
		"/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/run-u2.scope/cgroup.procs": "10\n11\n",
	})
	names := map[int]string{7: "wpa_supplicant", 8: "bash", 9: "wpa_supplicant", 10: "hostapd", 12: "hostapd"} // 11 has ended
	found := m.strangers(func(pid int) (Process, bool) {
		name, ok := names[pid]
		return Process{PID: pid, Name: name}, ok
	})
	want := []Process{{PID: 9, Name: "wpa_supplicant"}, {PID: 10, Name: "hostapd"}}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An answer of Linux 6.1, up to the fields that count; and what is none.
func TestDecodeAccount(t *testing.T) {
	stats := make([]byte, 136)
	copy(stats[80:], "wpa_supplicant\x00rest")
	for at, number := range map[int]uint32{120: 1000, 128: 812, 132: 1} {
		binary.NativeEndian.PutUint32(stats[at:], number)
	}
	answer := func(stats []byte) []byte {
		inner, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: unix.TASKSTATS_TYPE_PID, Data: []byte{44, 3, 0, 0}}, {Type: unix.TASKSTATS_TYPE_STATS, Data: stats}})
		if err != nil {
			t.Fatal(err)
		}
		outer, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: unix.TASKSTATS_TYPE_AGGR_PID, Data: inner}})
		if err != nil {
			t.Fatal(err)
		}
		return outer
	}
	want := Process{PID: 812, Parent: 1, UID: 1000, Name: "wpa_supplicant"}
	if p, ok := decodeAccount(answer(stats)); !ok || !cmp.Equal(p, want) {
		t.Errorf("%+v, %v; want %+v", p, ok, want)
	}
	for _, bytes := range [][]byte{nil, {1}, answer(nil), answer(stats[:135])} {
		if p, ok := decodeAccount(bytes); ok {
			t.Errorf("%d bytes are %+v", len(bytes), p)
		}
	}
}

// The kernel reports the cgroup of a socket, and whether [::] includes IPv4.
func TestSocketsHaveACgroup(t *testing.T) {
	for network, only := range map[string]bool{"udp6": true, "udp": false} {
		conn, err := net.ListenPacket(network, "[::]:0")
		if err != nil {
			t.Skip(err)
		}
		defer conn.Close()
		all, err := diagnose()
		at := slices.IndexFunc(all, func(s Socket) bool { return int(s.Local.Port()) == conn.LocalAddr().(*net.UDPAddr).Port })
		if err != nil || at < 0 || all[at].V6Only != only || all[at].cgroup == 0 {
			t.Errorf("%s: %+v at %d, %v", network, all, at, err)
		}
	}
}
