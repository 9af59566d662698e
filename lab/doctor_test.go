//go:build lab

package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// finding is a finding of `netconnectcli doctor`.
type finding struct{ ID, Level, What, Remedy string }

func (f finding) String() string { return f.Level + " " + f.ID + ": " + f.What }

// TestDoctor checks that a healthy device has no problems, and that each fault is
// named with a remedy, by the doctor and, if the fault hinders the daemon, by status.
func TestDoctor(t *testing.T) {
	l := New(t, "The doctor examines the device")
	secrets := secretsOf(t, map[string]string{apSSID: apPassphrase, l.Home.SSID: l.Home.passphrase})
	l.switchOn(t, l.Home)
	l.Device.Configure(t, false, "ap.country: DE")
	l.Device.HideConfig(t)
	l.coldStart(t, servesAfterStart)
	l.sound(t, "as access point")
	l.join(t, l.Home)
	l.sound(t, "as station")
	l.bundle(t, secrets)

	l.disturbed(t, rival{id: "other_wpa_supplicant", byHand: true, argv: []string{
		"wpa_supplicant", "-Dnone", "-i" + radioDevice, "-c" + writeFile(t, "/run/lab/rival.conf", "ctrl_interface=/run/lab/rival\n")}})
	l.disturbed(t, rival{id: "port_dhcp", argv: []string{
		"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--dhcp-range=192.0.2.10,192.0.2.20", "--dhcp-leasefile=/run/lab/rival.leases", "--pid-file="}})

	l.apart(t)

	l.rfkill(t, "block")
	l.names(t, "root", "rfkill", "problem", "soft blocked", "rfkill unblock wlan")
	l.rfkill(t, "unblock")
	l.Timeline.Step("no country", func() string {
		must(t, "", "sed", "-i", "/country:/d", configFile)
		must(t, "", "systemctl", "stop", daemonUnit, socketUnit)
		must(t, "", "iw", "reg", "set", "00")
		return "iw reg set 00"
	})
	l.names(t, "root", "country", "warning", "no country is set (00)", "ap.country")
	l.names(t, "root", "daemon", "problem", "does not run", "systemctl enable --now netconnectd")
}

// TestDoctorWithNetworkManager checks that if NetworkManager manages the radio, its
// wpa_supplicant is no rival, and that actions which polkit refuses are named.
func TestDoctorWithNetworkManager(t *testing.T) {
	l := New(t, "The doctor examines NetworkManager")
	l.switchOn(t, l.Home)
	l.Device.Manager(t)
	l.Device.Configure(t, false, "ap.country: DE")
	l.Device.HideConfig(t)
	l.coldStart(t, servesAfterStart)
	l.sound(t, "while the radio is on loan")
	l.join(t, l.Home)
	l.sound(t, "as NetworkManager's station")
	l.Timeline.Step("polkit's rule is taken away", func() string {
		const aside = "/var/tmp/60-netconnectd.rules"
		must(t, "", "mv", rulesFile, aside)
		t.Cleanup(func() { restoreRules(t, aside) })
		until(t, noticed, "polkit has noticed", func() (string, bool) {
			found, _ := l.Device.doctor(t, "root")
			return fmt.Sprint(found), slices.ContainsFunc(found, func(f finding) bool { return f.ID == "polkit" && f.Level == "problem" })
		})
		return "mv"
	})
	l.names(t, "root", "polkit", "problem", "network-control", "60-netconnectd.rules")
	l.Device.must(t, member, "reload")
	until(t, noticed, "status tells it", func() (string, bool) {
		text := l.Device.Status(t).Text
		return text, strings.Contains(text, `"code":"polkit"`)
	})
}

// doctor runs `netconnectcli doctor` and returns its findings.
func (d *Device) doctor(t *testing.T, user string) (found []finding, status int) {
	t.Helper()
	reply := d.Run(t, user, "--json", "doctor")
	var report struct{ Findings []finding }
	if err := json.Unmarshal([]byte(reply.Stdout), &report); err != nil || len(report.Findings) < 20 {
		t.Fatalf("doctor as %s: %v\n%+v", user, err, reply)
	}
	return report.Findings, reply.Status
}

// sound checks that neither root nor a user without rights finds a problem, and that
// root can examine everything.
func (l *Lab) sound(t *testing.T, as string) {
	t.Helper()
	l.Timeline.Step("doctor finds no problem "+as, func() string {
		count := map[string]int{}
		for _, user := range []string{"root", stranger} {
			found, status := l.Device.doctor(t, user)
			for _, f := range found {
				count[user+" "+f.Level]++
				if f.Level == "problem" || user == "root" && f.Level == "unknown" {
					t.Errorf("%s: %v (%s)", user, f, f.Remedy)
				}
			}
			if status != 0 {
				t.Errorf("exit status %d as %s", status, user)
			}
		}
		return fmt.Sprint(count)
	})
}

// names checks that the doctor reports a finding, and exits with the right status.
func (l *Lab) names(t *testing.T, user, id, level, what, remedy string) {
	t.Helper()
	l.Timeline.Step("doctor names "+id, func() string {
		found, status := l.Device.doctor(t, user)
		i := slices.IndexFunc(found, func(f finding) bool { return f.ID == id })
		if i < 0 || found[i].Level != level || !strings.Contains(found[i].What, what) || !strings.Contains(found[i].Remedy, remedy) {
			t.Errorf("%v\nwant %s %s with %q and %q", found, level, id, what, remedy)
			return "not named"
		}
		if level == "problem" && status != 1 {
			t.Errorf("exit status %d with %v", status, found[i])
		}
		return found[i].What
	})
}

// rival is a program that hinders the daemon.
type rival struct {
	id     string // the finding's id
	argv   []string
	byHand bool // runs in no service, as from a person's shell; otherwise in the scenarios' service
}

// disturbed starts a rival. Root's doctor must name its pid, and the daemon's status
// must name its pid if it is in no service, and otherwise its service.
func (l *Lab) disturbed(t *testing.T, r rival) {
	t.Helper()
	argv := r.argv
	if r.byHand {
		argv = append([]string{"systemd-run", "--quiet", "--scope", "--collect"}, argv...)
	}
	running := namespace("").start(t, filepath.Join(l.logs, "rival-"+r.argv[0]+".log"), argv...)
	defer running.end()
	who := fmt.Sprintf("%s (pid %d", r.argv[0], running.cmd.Process.Pid)
	told, remedy := "lab.service", "end it by: sudo systemctl disable --now lab.service"
	if r.byHand {
		told, remedy = who, fmt.Sprintf("end it by: sudo kill %d", running.cmd.Process.Pid)
	}
	until(t, noticed, who+" is in the way", func() (string, bool) {
		found, _ := l.Device.doctor(t, "root")
		return fmt.Sprint(found), slices.ContainsFunc(found, func(f finding) bool { return f.ID == r.id && f.Level == "problem" })
	})
	l.names(t, "root", r.id, "problem", who, remedy)
	l.Timeline.Step("status tells it, after a reload", func() (line string) {
		l.Device.must(t, member, "reload")
		until(t, noticed, "a problem in status that names "+told, func() (string, bool) {
			text := l.Device.must(t, stranger, "status")
			for l := range strings.Lines(text) {
				if strings.HasPrefix(l, "Problem ") && strings.Contains(l, r.id) && strings.Contains(l, told) {
					line = strings.Join(strings.Fields(l), " ")
				}
			}
			return text, line != ""
		})
		return line
	})
	l.names(t, stranger, r.id, "problem", "", "")
	running.end()
	l.Timeline.Step("no longer a problem after a reload", func() string {
		l.Device.must(t, member, "reload")
		until(t, noticed, "no problem in status", func() (string, bool) {
			text := l.Device.Status(t).Text
			return text, strings.Contains(text, `"problems":[]`)
		})
		return "netconnectcli status"
	})
}

// apart starts a program with the name of comitup as its package does: in a network
// namespace of its own, in which it cannot use ours.
func (l *Lab) apart(t *testing.T) {
	t.Helper()
	const unit, program = "/run/systemd/system/comitup.service", "/run/lab/comitup"
	writeFile(t, program, "#!/bin/sh\nsleep infinity & wait\n")
	must(t, "", "chmod", "755", program)
	writeFile(t, unit, "[Service]\nExecStart="+program+"\nPrivateNetwork=yes\n")
	must(t, "", "systemctl", "daemon-reload")
	must(t, "", "systemctl", "start", "comitup.service")
	l.names(t, "root", "other_access_point_manager", "problem", "comitup.service) works on "+radioDevice, "disable --now comitup.service")
	l.Timeline.Step("status tells it, after a reload", func() string {
		l.Device.must(t, member, "reload")
		until(t, noticed, "a problem in status", func() (string, bool) {
			text := l.Device.Status(t).Text
			return text, strings.Contains(text, `"code":"other_access_point_manager"`)
		})
		return "netconnectcli status"
	})
	must(t, "", "systemctl", "stop", "comitup.service")
	must(t, "", "rm", unit, program)
	must(t, "", "systemctl", "daemon-reload")
	l.Device.must(t, member, "reload")
}

// bundle checks that the archive has what it promises and contains no secret.
func (l *Lab) bundle(t *testing.T, s secrets) {
	t.Helper()
	l.Timeline.Step("doctor --bundle has no secret", func() string {
		file := "/var/tmp/lab-bundle.tar.gz"
		defer os.Remove(file)
		said := l.Device.must(t, "root", "doctor", "--bundle", file)
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
			t.Errorf("the archive: %v, %v", info, err)
		}
		text := must(t, "", "tar", "xzOf", file)
		s.absent(t, "the bundle", text)
		mac := must(t, "", "cat", "/sys/class/net/"+radioDevice+"/address")
		if strings.Contains(text, strings.TrimSpace(mac)) {
			t.Errorf("the radio's address %s is in the bundle", mac)
		}
		for _, want := range []string{"ap.psk: [redacted]", `"has_psk": true`, "PRETTY_NAME=", "AP-ENABLED", `"ssid": "home"`, apAddress} {
			if !strings.Contains(text, want) {
				t.Errorf("the bundle lacks %q", want)
			}
		}
		if list := must(t, "", "tar", "tzf", file); !strings.Contains(said, "journal.txt") || !strings.Contains(list, "netconnectd/journal.txt") {
			t.Errorf("it says\n%s and has\n%s", said, list)
		}
		return fmt.Sprintf("%d bytes of text, tar", len(text))
	})
}
