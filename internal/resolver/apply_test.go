package resolver

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestApplyBySystemdResolved(t *testing.T) {
	for _, row := range []struct {
		name string
		etc  func(m *machine)
		want bool
	}{
		{"link to its stub file", func(m *machine) { m.link("../run/systemd/resolve/stub-resolv.conf", systemFile) }, true},
		{"absolute link to its uplink file", func(m *machine) { m.link("/run/systemd/resolve/resolv.conf", systemFile) }, true},
		{"link to its static file", func(m *machine) { m.link("/usr/lib/systemd/resolv.conf", systemFile) }, true},
		{"file that names its stub", func(m *machine) { m.write(systemFile, "# hand-made\nnameserver 127.0.0.53\n") }, true},
		{"file that names another server too", func(m *machine) { m.write(systemFile, "nameserver 127.0.0.53\nnameserver 9.9.9.9\n") }, false},
		{"file that names nobody", func(m *machine) { m.write(systemFile, "") }, false},
		{"no file", func(m *machine) {}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newMachine(t)
			m.program("/usr/bin/resolvectl", "exit 0")
			row.etc(m)
			before := m.etc()
			m.ok(m.publish("wlan0", "10.0.0.1", "10.0.0.2"))
			if !row.want {
				m.same("resolvectl", "", m.diary())
				return
			}
			m.same("resolvectl", "resolvectl dns wlan0 10.0.0.1 10.0.0.2\nresolvectl domain wlan0 lan\n", m.diary())
			m.ok(m.withdraw())
			m.ok(m.withdraw())
			m.same("resolvectl", "resolvectl revert wlan0\n", m.diary())
			m.same("resolv.conf", before, m.etc())
		})
	}
}

func TestApplyMovesToAnotherInterface(t *testing.T) {
	m := newMachine(t)
	m.program("/usr/bin/resolvectl", `[ "$1 $2" != "revert wlan0" ]`)
	m.link("../run/systemd/resolve/stub-resolv.conf", systemFile)
	m.ok(m.publish("wlan0", "10.0.0.1"))
	m.ok(os.Remove(m.root + "/sys/class/net/wlan0")) // unplugged: revert fails, and that is no matter
	m.ok(m.publish("wlan1", "10.0.0.1"))
	m.same("resolvectl", "resolvectl dns wlan0 10.0.0.1\nresolvectl domain wlan0 lan\n"+
		"resolvectl revert wlan0\nresolvectl dns wlan1 10.0.0.1\nresolvectl domain wlan1 lan\n", m.diary())
}

// two are a declared uplink and a declared network behind it.
var two = []Link{{"br-wan", addresses("10.0.0.1"), []string{"isp.example"}}, {"br-lan", addresses("10.0.0.2"), nil}}

// TestApplyKeepsLinksApart checks that each link has its own servers where the system's
// resolver can do that, and that a link which is left out goes alone.
func TestApplyKeepsLinksApart(t *testing.T) {
	resolved := func(m *machine) {
		m.program("/usr/bin/resolvectl", "exit 0")
		m.link("../run/systemd/resolve/stub-resolv.conf", systemFile)
	}
	resolvconf := func(m *machine) { m.program("/usr/sbin/resolvconf", "exit 0") }
	file := func(m *machine) { m.write(systemFile, "nameserver 9.9.9.9\n") }
	const (
		wan = "resolvectl dns br-wan 10.0.0.1\nresolvectl domain br-wan isp.example\n"
		lan = "resolvectl dns br-lan 10.0.0.2\nresolvectl domain br-lan \n"
	)
	for _, row := range []struct {
		name                          string
		with                          func(m *machine)
		both, lanAlone, apart, nobody string
	}{
		{"systemd-resolved", resolved, wan + lan, "resolvectl revert br-wan\n" + lan, lan, "resolvectl revert br-lan\n"},
		{"resolvconf", resolvconf,
			"resolvconf -a br-wan.netconnectd\n  # netconnectd: br-wan\n  nameserver 10.0.0.1\n  search isp.example\nresolvconf -a br-lan.netconnectd\n  # netconnectd: br-lan\n  nameserver 10.0.0.2\n",
			"resolvconf -d br-wan.netconnectd\nresolvconf -a br-lan.netconnectd\n  # netconnectd: br-lan\n  nameserver 10.0.0.2\n",
			"resolvconf -a br-lan.netconnectd\n  # netconnectd: br-lan\n  nameserver 10.0.0.2\n", "resolvconf -d br-lan.netconnectd\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newMachine(t)
			row.with(m)
			m.ok(m.publishAll(Config{Links: two}))
			m.same("both", row.both, m.diary())
			m.ok(m.publishAll(Config{Links: two[1:]}))
			m.same("one", row.lanAlone, m.diary())
			m.ok(m.publishAll(Config{Links: two[1:], Apart: true}))
			m.same("beside another program", row.apart, m.diary())
			m.ok(m.withdraw())
			m.same("none", row.nobody, m.diary())
		})
	}
	t.Run("resolv.conf", func(t *testing.T) {
		m := newMachine(t)
		file(m)
		m.ok(m.publishAll(Config{Links: two}))
		if got := m.etc(); !strings.HasPrefix(got, "# netconnectd: br-wan\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch isp.example\n#") {
			t.Error(got)
		}
		m.ok(m.publishAll(Config{Links: two[1:], Apart: true}))
		m.same("beside another program", "nameserver 9.9.9.9\n", m.etc())
	})
}

// TestApplyGoesOnAfterAFailure checks that a link which fails keeps no other link
// without name servers, and that what is to be withdrawn is not forgotten.
func TestApplyGoesOnAfterAFailure(t *testing.T) {
	m := newMachine(t)
	m.program("/usr/bin/resolvectl", `case "$1 $2" in "dns br-lan" | "revert br-wan") [ -e "$0.works" ];; esac`)
	m.link("../run/systemd/resolve/stub-resolv.conf", systemFile)
	m.write("/sys/class/net/br-wan", "")
	if err := m.publishAll(Config{Links: []Link{two[1], two[0]}}); err == nil {
		t.Error("a link that failed is not reported")
	}
	m.same("the other link", "resolvectl dns br-lan 10.0.0.2\nresolvectl dns br-wan 10.0.0.1\nresolvectl domain br-wan isp.example\n", m.diary())
	for range 2 { // br-wan is not forgotten
		if err := m.publishAll(Config{Links: two[1:]}); err == nil {
			t.Error("a link that failed is not reported")
		}
		m.same("one", "resolvectl revert br-wan\nresolvectl dns br-lan 10.0.0.2\n", m.diary())
	}
	if err := m.withdraw(); err == nil {
		t.Error("a withdrawal that failed is not reported")
	}
	m.same("withdrawn", "resolvectl revert br-lan\nresolvectl revert br-wan\n", m.diary())
	m.write("/usr/bin/resolvectl.works", "")
	m.ok(m.withdraw())
	m.same("withdrawn again", "resolvectl revert br-lan\nresolvectl revert br-wan\n", m.diary())
}

// TestRecordOfAnEarlierVersion checks that an upgrade withdraws what the version before
// has set.
func TestRecordOfAnEarlierVersion(t *testing.T) {
	m := newMachine(t)
	m.program("/usr/bin/resolvectl", "exit 0")
	m.ok(os.MkdirAll(m.system.RunDir, 0o700))
	m.ok(os.WriteFile(m.system.runRecord(), []byte(`{"method":"systemd-resolved","interface":"wlan0"}`+"\n"), 0o600))
	m.ok(m.withdraw())
	m.same("withdrawn", "resolvectl revert wlan0\n", m.diary())
}

func TestApplyByResolvconf(t *testing.T) {
	m := newMachine(t)
	m.program("/usr/sbin/resolvconf", "exit 0")
	m.write(systemFile, "nameserver 9.9.9.9\n")
	m.ok(m.publish("wlan0", "10.0.0.1"))
	m.ok(m.withdraw())
	m.same("resolvconf", "resolvconf -a wlan0.netconnectd\n  # netconnectd: wlan0\n  nameserver 10.0.0.1\n  search lan\n"+
		"resolvconf -d wlan0.netconnectd\n", m.diary())
	m.same("resolv.conf", "nameserver 9.9.9.9\n", m.etc())
}

// systemd-resolved is installed but not in use: its resolvconf would inform a
// resolver that no program asks.
func TestApplyIgnoresResolvedsResolvconf(t *testing.T) {
	m := newMachine(t)
	m.program("/usr/bin/resolvectl", "exit 0")
	m.link("../bin/resolvectl", "/usr/sbin/resolvconf")
	m.write(systemFile, "nameserver 9.9.9.9\n")
	m.ok(m.publish("wlan0", "10.0.0.1"))
	m.same("programs", "", m.diary())
	m.same("resolv.conf", ours("wlan0", "10.0.0.1"), m.etc())
}

func TestApplyReportsAProgramThatFails(t *testing.T) {
	m := newMachine(t)
	m.program("/usr/sbin/resolvconf", "echo no space >&2; exit 3")
	err := m.publish("wlan0", "10.0.0.1")
	if err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("error %v, want the program's words", err)
	}
}

func TestApplyByFile(t *testing.T) {
	const static = "nameserver 9.9.9.9\noptions edns0\n"
	wlan, wlan2 := ours("wlan0", "10.0.0.1"), ours("wlan0", "10.0.0.2")
	for _, row := range []struct {
		name  string
		steps func(m *machine)
	}{
		{"put there and taken away again", func(m *machine) {
			m.write(systemFile, static)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.same("published", wlan, m.etc())
			m.ok(m.publish("wlan0", "10.0.0.2"))
			m.same("published anew", wlan2, m.etc())
			m.ok(m.publish("wlan1", "10.0.0.2"))
			m.same("other interface", ours("wlan1", "10.0.0.2"), m.etc())
			m.ok(m.withdraw())
			m.same("withdrawn", static, m.etc())
			m.ok(m.withdraw())
			m.same("withdrawn again", static, m.etc())
		}},
		{"nothing before, nothing after", func(m *machine) {
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.same("published", wlan, m.etc())
			m.ok(m.withdraw())
			m.same("withdrawn", "absent", m.etc())
		}},
		{"an empty file before, an empty file after", func(m *machine) {
			m.write(systemFile, "")
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.ok(m.withdraw())
			m.same("withdrawn", "", m.etc())
		}},
		{"another program writes meanwhile: its word stays", func(m *machine) {
			m.write(systemFile, static)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.write(systemFile, "nameserver 172.16.0.1 # eth0\n")
			m.ok(m.publish("wlan0", "10.0.0.1")) // the lease was renewed
			m.same("published again", "nameserver 172.16.0.1 # eth0\n", m.etc())
			if said := m.logged.String(); strings.Count(said, "name servers set") != 1 || !strings.Contains(said, "left to the program") {
				m.t.Errorf("logged %s", said)
			}
			m.ok(m.withdraw())
			m.same("withdrawn", "nameserver 172.16.0.1 # eth0\n", m.etc())
		}},
		{"somebody adds to what we wrote: it stays", func(m *machine) {
			m.write(systemFile, static)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.write(systemFile, wlan+"nameserver 1.1.1.1\n")
			m.ok(m.withdraw())
			m.same("withdrawn", wlan+"nameserver 1.1.1.1\n", m.etc())
		}},
		{"another program wrote meanwhile, but there is news", func(m *machine) {
			m.write(systemFile, static)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.write(systemFile, "nameserver 172.16.0.1 # eth0\n")
			m.ok(m.publish("wlan0", "10.0.0.2"))
			m.same("published", wlan2, m.etc())
			m.ok(m.withdraw())
			m.same("withdrawn", "nameserver 172.16.0.1 # eth0\n", m.etc())
		}},
		{"the power was cut while published", func(m *machine) {
			m.write(systemFile, static)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.ok(os.RemoveAll(m.run)) // /run is gone, /etc and the record are not
			m.ok(m.system.Apply(m.t.Context(), filepath.Join(m.run, FileName)))
			m.same("at the next start", static, m.etc())
		}},
		{"it cannot be written, and then it can", func(m *machine) {
			m.ok(os.Rename(m.root+"/etc", m.root+"/away"))
			if err := m.publish("wlan0", "10.0.0.1"); err == nil {
				m.t.Error("no error")
			}
			m.ok(os.Rename(m.root+"/away", m.root+"/etc"))
			m.write(systemFile, static)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.same("published", wlan, m.etc())
			m.ok(m.withdraw())
			m.same("withdrawn", static, m.etc())
		}},
		{"the power was cut before it was written", func(m *machine) {
			m.write(systemFile, static)
			m.aboutToWrite(static)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.same("published", wlan, m.etc())
			m.ok(m.withdraw())
			m.same("withdrawn", static, m.etc())
		}},
		{"and nothing is to be published any more", func(m *machine) {
			m.write(systemFile, static)
			m.aboutToWrite("older\n")
			m.ok(m.withdraw())
			m.same("withdrawn", static, m.etc())
		}},
		{"the power was cut when it was just written", func(m *machine) {
			m.write(systemFile, wlan)
			m.aboutToWrite(static)
			m.ok(m.publish("wlan0", "10.0.0.2"))
			m.same("published", wlan2, m.etc())
			m.ok(m.withdraw())
			m.same("withdrawn", static, m.etc())
		}},
		{"and nothing is to be published then", func(m *machine) {
			m.write(systemFile, wlan)
			m.aboutToWrite(static)
			m.ok(m.withdraw())
			m.same("withdrawn", static, m.etc())
		}},
		{"the records were lost", func(m *machine) {
			m.write(systemFile, static)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.ok(os.Remove(m.root + "/state/applied.json"))
			m.ok(os.Remove(m.root + "/run/netconnectd-resolv/applied.json"))
			m.ok(m.publish("wlan0", "10.0.0.2"))
			m.ok(m.withdraw())
			m.same("withdrawn", "absent", m.etc())
		}},
		{"link to another program's file", func(m *machine) {
			m.ok(os.Mkdir(m.root+"/run/other", 0o755))
			m.write("/run/other/resolv.conf", static)
			m.link("../run/other/resolv.conf", systemFile)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.same("the link", "-> ../run/other/resolv.conf", m.etc())
			content, _ := os.ReadFile(m.root + systemFile)
			m.same("behind the link", wlan, string(content))
			m.ok(m.withdraw())
			content, _ = os.ReadFile(m.root + systemFile)
			m.same("behind the link", static, string(content))
		}},
		{"link into nowhere", func(m *machine) {
			m.link("/run/uninstalled/resolv.conf", systemFile)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.same("published", wlan, m.etc())
			m.ok(m.publish("wlan0", "10.0.0.2"))
			m.same("published anew", wlan2, m.etc())
			m.ok(m.withdraw())
			m.same("withdrawn", "-> /run/uninstalled/resolv.conf", m.etc())
		}},
		{"permissions come back", func(m *machine) {
			m.write(systemFile, static)
			m.ok(os.Chmod(m.root+systemFile, 0o600))
			m.ok(m.publish("wlan0", "10.0.0.1"))
			info, err := os.Stat(m.root + systemFile)
			m.ok(err)
			m.same("published", "-rw-r--r--", info.Mode().String())
			m.ok(m.withdraw())
			info, err = os.Stat(m.root + systemFile)
			m.ok(err)
			m.same("withdrawn", "-rw-------", info.Mode().String())
		}},
		{"systemd-resolved takes over meanwhile", func(m *machine) {
			m.write(systemFile, static)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.program("/usr/bin/resolvectl", "exit 0")
			m.link("../run/systemd/resolve/stub-resolv.conf", systemFile)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.same("resolvectl", "resolvectl dns wlan0 10.0.0.1\nresolvectl domain wlan0 lan\n", m.diary())
			m.ok(m.withdraw())
			m.same("resolv.conf", "-> ../run/systemd/resolve/stub-resolv.conf", m.etc())
		}},
		{"a published file that is not ours changes nothing", func(m *machine) {
			m.write(systemFile, static)
			m.ok(m.publish("wlan0", "10.0.0.1"))
			m.ok(os.WriteFile(filepath.Join(m.run, FileName), []byte("nameserver 6.6.6.6\n"), 0o644))
			if err := m.system.Apply(m.t.Context(), filepath.Join(m.run, FileName)); err == nil {
				m.t.Error("no error")
			}
			m.same("resolv.conf", wlan, m.etc())
		}},
	} {
		t.Run(row.name, func(t *testing.T) { row.steps(newMachine(t)) })
	}
}

// Nothing is to be done where resolv.conf is a link to what is published.
func TestApplyWherePublishedFileIsUsed(t *testing.T) {
	m := newMachine(t)
	m.link("../run/netconnectd/resolv.conf", systemFile)
	m.ok(Publish(m.run, Config{Links: []Link{{Interface: "wlan0", Servers: addresses("10.0.0.1")}}}))
	m.system.StateDir = "/nowhere"
	written, err := m.system.setFile(record{}, "/run/netconnectd/resolv.conf", Config{Links: []Link{{Interface: "wlan0", Servers: addresses("10.0.0.1")}}})
	if err != nil || written {
		t.Errorf("written: %v, %v", written, err)
	}
	m.same("resolv.conf", "-> ../run/netconnectd/resolv.conf", m.etc())
}

// A folder of another user is no place for root to write, even if a link of
// the system leads there.
func TestApplyDoesNotWriteIntoAnotherUsersFolder(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to make another user's folder")
	}
	m := newMachine(t)
	m.ok(os.Mkdir(m.root+"/run/user", 0o777))
	m.ok(os.Chown(m.root+"/run/user", 65534, 65534))
	m.write("/run/user/resolv.conf", "nameserver 9.9.9.9\n")
	m.link("../run/user/resolv.conf", systemFile)
	m.ok(m.publish("wlan0", "10.0.0.1"))
	m.same("resolv.conf", ours("wlan0", "10.0.0.1"), m.etc())
	m.ok(m.withdraw())
	m.same("resolv.conf", "-> ../run/user/resolv.conf", m.etc())
}

// A publication between the read and the end of the root side is announced.
func TestApplyClearsTheAnnouncementBeforeItReads(t *testing.T) {
	m := newMachine(t)
	m.program("/usr/sbin/resolvconf", "exit 0")
	run := m.system.Run
	m.system.Run = func(ctx context.Context, path string, args []string, stdin []byte) ([]byte, error) {
		if _, err := os.Stat(filepath.Join(m.run, PendingName)); err == nil {
			t.Error("still announced while it is applied")
		}
		m.ok(Publish(m.run, Config{Links: []Link{{Interface: "wlan0", Servers: addresses("10.0.0.2")}}}))
		return run(ctx, path, args, stdin)
	}
	m.ok(m.publish("wlan0", "10.0.0.1"))
	if _, err := os.Stat(filepath.Join(m.run, PendingName)); err != nil {
		t.Errorf("the second publication is not announced: %v", err)
	}
}
