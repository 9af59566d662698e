//go:build lab

package lab

import (
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// TestPackage is the life of the package on a machine that never had it. Nothing must
// be left in the end. TestPackage runs before the package is installed for the other
// scenarios.
func TestPackage(t *testing.T) {
	l := New(t, "The package is installed, upgraded and purged")
	if l.Device.installed() {
		t.Fatal("netconnectd is installed: this is not a clean machine")
	}
	must(t, "", "systemctl", "start", "systemd-logind.service") // otherwise apt would start it, and it creates folders
	clean := l.Device.inventory(t)

	l.installs(t)
	l.Device.Configure(t, false)
	l.Device.Restart(t)
	l.seeAccessPoint(t, startingUp)
	l.phoneUses(t)
	l.upgrades(t)
	l.hookLeaves(t)
	l.purges(t, clean, "with a phone on the access point")

	l.Phone.Leave()
	l.installsOverConfiguration(t)
	l.forwards(t)
	l.Phone.Leave()
	l.Cable.Absent(t)
	l.purges(t, clean, "while forwarding")

	stop := l.hostapdService(t)
	l.installs(t)
	l.Timeline.Step("hostapd.service has given way, and does not start", func() string {
		for _, when := range []string{"after the installation", "after a start"} {
			if state, err := namespace("").run("systemctl", "is-active", "hostapd.service"); err == nil {
				t.Errorf("%s hostapd.service is %s", when, state)
			}
			must(t, "", "systemctl", "start", "hostapd.service")
		}
		return "systemctl: " + firstLine(must(t, "", "systemctl", "show", "--property=ConditionResult", "hostapd.service"))
	})
	stop()
	must(t, "", "usermod", "--append", "--groups", "netconnect", member)
	l.switchOn(t, l.Home)
	l.join(t, l.Home)
	l.Timeline.Step("the router's name server is in use", func() string {
		until(t, noticed, "resolv.conf has it", func() (string, bool) {
			text, _ := os.ReadFile(resolvConf)
			return string(text), strings.Contains(string(text), "nameserver "+l.Home.Address())
		})
		return resolvConf
	})
	l.comesBack(t)
	l.waitsOnline(t)
	l.repliesAreValid(t)
	l.purges(t, clean, "joined")
}

// comesBack removes the package, which keeps the configuration and the networks,
// and installs it again.
func (l *Lab) comesBack(t *testing.T) {
	t.Helper()
	l.Timeline.Step("apt remove: nothing runs", func() string {
		l.Device.Apt(t, "remove", "netconnectd")
		if left := l.Device.processes(t); len(left) > 0 {
			t.Errorf("there still runs %v", left)
		}
		if left := link(radioDevice).addresses(); len(left) > 0 {
			t.Errorf("%s still has %v", radioDevice, left)
		}
		return "ps, ip"
	})
	l.installs(t)
	l.seeOn(t, l.Home, noise()*servesAfterStart)
}

// hookLeaves lets a hook leave a program running as the daemon's user.
func (l *Lab) hookLeaves(t *testing.T) {
	t.Helper()
	l.Timeline.Step("a hook leaves a program running", func() string {
		const hook = "/etc/netconnectd.d/leaves"
		writeFile(t, hook, "#!/bin/sh\nsleep 3600 &\n")
		must(t, "", "chmod", "755", hook)
		l.Device.Restart(t)
		until(t, noticed, "the program that the hook left runs", func() (string, bool) {
			all := l.Device.processes(t)
			return strings.Join(all, " "), slices.Contains(all, "sleep")
		})
		must(t, "", "rm", hook)
		return "sleep"
	})
}

// hostapdService runs Debian's own hostapd service, as a user may have done before,
// until stop is called.
func (l *Lab) hostapdService(t *testing.T) (stop func()) {
	t.Helper()
	const config, mask = "/etc/hostapd/hostapd.conf", "/etc/systemd/system/hostapd.service"
	writeFile(t, config, "interface=lo\ndriver=none\nssid=other\n")
	must(t, "", "rm", mask)
	must(t, "", "systemctl", "daemon-reload")
	must(t, "", "systemctl", "start", "hostapd.service")
	must(t, "", "systemctl", "is-active", "hostapd.service")
	return func() {
		t.Helper()
		must(t, "", "systemctl", "stop", "hostapd.service")
		must(t, "", "rm", config)
		must(t, "", "ln", "--symbolic", "/dev/null", mask)
		must(t, "", "systemctl", "daemon-reload")
	}
}

// installs installs the package as users do; afterwards the daemon must run.
func (l *Lab) installs(t *testing.T) {
	t.Helper()
	l.Timeline.Step("apt install ./netconnectd_….deb", func() string {
		l.Device.Apt(t, "install", packageIn(t, packageFolder))
		l.seeInstalled(t)
		return "systemctl: active, enabled; netconnectcli status: uplink " + l.Device.Status(t).Uplink.State
	})
}

// installsOverConfiguration installs over an existing configuration that every user
// can read. The file must stay unchanged except for its mode.
func (l *Lab) installsOverConfiguration(t *testing.T) {
	t.Helper()
	l.Device.Configure(t, true, "ap.forwarding_to_wired: true")
	before, err := os.ReadFile(configFile)
	if err != nil {
		t.Fatal(err)
	}
	l.Timeline.Step("apt install with the original's configuration there", func() string {
		l.Device.Apt(t, "install", "--option", "Dpkg::Options::=--force-confold", packageIn(t, packageFolder))
		l.seeInstalled(t)
		if now, err := os.ReadFile(configFile); err != nil || string(now) != string(before) {
			t.Errorf("the configuration was\n%sand is\n%s%v", before, now, err)
		}
		return "kept"
	})
	must(t, "", "rm", "--force", configFile+".dpkg-dist") // the administrator's own task
}

func (l *Lab) seeInstalled(t *testing.T) {
	t.Helper()
	for _, unit := range []string{daemonUnit, socketUnit, companionUnit, "netconnectd-resolv.path"} {
		if state, err := namespace("").run("systemctl", "is-active", unit); err != nil {
			t.Errorf("%s is %s", unit, strings.TrimSpace(state))
		}
	}
	for _, unit := range []string{daemonUnit, socketUnit, "netconnectd-resolv.path", "netconnectd-resolv.service"} {
		if state, err := namespace("").run("systemctl", "is-enabled", unit); err != nil {
			t.Errorf("%s is %s", unit, strings.TrimSpace(state))
		}
	}
	if state, _ := namespace("").run("systemctl", "is-enabled", waitUnit); strings.TrimSpace(state) != "disabled" {
		t.Errorf("%s is %s, and nobody asked for it", waitUnit, strings.TrimSpace(state))
	}
	for path, want := range map[string]string{
		configFile: "-rw-r----- root netconnectd", stateFolder: "drwx------ netconnectd netconnectd", "/dev/rfkill": "crw-rw-r-- root netconnectd",
	} {
		if got := strings.TrimSpace(must(t, "", "stat", "--format=%A %U %G", path)); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}

// upgrades checks an upgrade to another version: a new daemon, the same children, and
// a connected phone that notices nothing.
func (l *Lab) upgrades(t *testing.T) {
	t.Helper()
	children, pid := l.Device.Children(t), l.Device.MainPID(t)
	pings := l.Phone.ns.ping(t, l, apAddress)
	l.Timeline.Step("apt install of the next version", func() string {
		l.Device.Apt(t, "install", packageIn(t, nextPackageFolder))
		l.Device.awaitRestart(t, pid)
		if now := l.Device.Children(t); !now.equal(children) || len(now["hostapd"]) != 1 {
			t.Errorf("children are %v, want the same as before: %v", now, children)
		}
		status := l.Device.Status(t)
		if !strings.Contains(status.Text, "-next") || !status.Connections.AP {
			t.Errorf("after the upgrade the status is %s", status.Text)
		}
		return children.String()
	})
	l.Timeline.Step("phone noticed nothing", func() string { return pings.lostNone(t) })
}

// forwards puts all features in use: an access point that a person asked for, and the
// packet filter's table.
func (l *Lab) forwards(t *testing.T) {
	t.Helper()
	l.Cable.Socket(t)
	l.Cable.Plug(t)
	l.awaitWiredLease(t)
	l.awaitUplink(t, "online")
	if reply := l.Device.Run(t, "root", "start_ap"); reply.Status != 0 {
		t.Fatalf("start_ap: %+v", reply)
	}
	l.seeAccessPoint(t, startingUp)
	l.phoneUses(t)
	l.Timeline.Step("packet filter has a table", func() string {
		until(t, noticed, "nft has the table", func() (string, bool) {
			tables := must(t, "", "nft", "list", "tables")
			return tables, strings.Contains(tables, "netconnectd")
		})
		return strings.TrimSpace(must(t, "", "nft", "list", "tables"))
	})
}

// waitsOnline enables the unit that network-online.target waits for, which ends as
// soon as the device is online.
func (l *Lab) waitsOnline(t *testing.T) {
	t.Helper()
	l.awaitUplink(t, "online")
	l.Timeline.Step("systemctl enable --now "+waitUnit, func() string {
		must(t, "", "systemctl", "enable", "--now", waitUnit)
		said := must(t, "", "journalctl", "--no-pager", "--output=cat", "--boot", "--unit", waitUnit)
		if !strings.Contains(said, "online by ") {
			t.Errorf("the unit says\n%s", said)
		}
		return must(t, "", "systemctl", "is-active", waitUnit)
	})
}

// repliesAreValid checks the daemon's replies on a real radio against the package's
// JSON Schema.
func (l *Lab) repliesAreValid(t *testing.T) {
	t.Helper()
	l.Timeline.Step("replies match the package's JSON Schema", func() string {
		commands := []string{"status", "list_wifi", "list_networks", "history", "interfaces"}
		for _, command := range commands {
			var document any
			text := l.Device.must(t, "root", "--json", command)
			if err := json.Unmarshal([]byte(text), &document); err != nil {
				t.Fatal(err)
			}
			if err := replySchema(t, command).Validate(document); err != nil {
				t.Errorf("%s: %v in\n%s", command, err, text)
			}
		}
		return strings.Join(commands, ", ")
	})
}

// replySchema returns the schema of the reply to a command. It is read from the
// package file, since this machine installs no documents.
func replySchema(t *testing.T, command string) *jsonschema.Resolved {
	t.Helper()
	load := func(uri *url.URL) (*jsonschema.Schema, error) {
		text := must(t, "", "sh", "-c", `dpkg-deb --fsys-tarfile "$1" | tar --extract --to-stdout ".$2"`, "sh", packageIn(t, packageFolder), uri.Path)
		var schema jsonschema.Schema
		return &schema, json.Unmarshal([]byte(text), &schema)
	}
	file := &url.URL{Scheme: "file", Path: "/usr/share/doc/netconnectd/docs/protocol.schema.json"}
	schema, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	schema.AnyOf, schema.Ref = nil, "#/$defs/reply_"+command
	resolved, err := schema.Resolve(&jsonschema.ResolveOptions{BaseURI: file.String(), Loader: load})
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// purges checks that the machine is again as it was before the installation.
func (l *Lab) purges(t *testing.T, clean traces, from string) {
	t.Helper()
	l.Timeline.Step("apt purge "+from+": nothing is left", func() string {
		l.Device.Apt(t, "purge", "netconnectd")
		// systemd-networkd starts this service for the host name of a lease. The
		// service ends by itself after 30 s, and removes its folder in /var/tmp.
		must(t, "", "systemctl", "stop", "systemd-hostnamed.service")
		if changes := clean.differ(l.Device.inventory(t)); len(changes) != 0 {
			t.Errorf("purged %s, and this is not as before:\n%s", from, strings.Join(changes, "\n"))
		}
		return "files, users, groups, units, tables, addresses are as before"
	})
}
