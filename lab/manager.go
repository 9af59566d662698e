package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Files of NetworkManager.
const (
	managerConfig   = "/etc/NetworkManager/conf.d/lab.conf"
	managerProfiles = "/etc/NetworkManager/system-connections"
)

// managerUnits are masked in the image, so that only these scenarios have them.
var managerUnits = []string{"NetworkManager.service", "wpa_supplicant.service"}

// Manager is NetworkManager on the device, which has the radio and no cable.
type Manager struct{ device *Device }

// Manager starts NetworkManager until the end of the scenario.
func (d *Device) Manager(t testing.TB) *Manager {
	t.Helper()
	m := &Manager{d}
	writeFile(t, managerConfig, "[main]\nplugins=keyfile\ndhcp=internal\ndns=none\n"+
		"[keyfile]\nunmanaged-devices=*,except:interface-name:"+radioDevice+"\n")
	for _, unit := range managerUnits {
		if err := os.Remove("/etc/systemd/system/" + unit); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("unmask %s: %v", unit, err)
		}
	}
	must(t, "", "systemctl", "daemon-reload")
	t.Cleanup(func() { m.close(t) })
	m.Start(t)
	// It remembers, by the interface's index, what it was told not to manage.
	must(t, "", "nmcli", "device", "set", radioDevice, "managed", "yes")
	until(t, 30*time.Second, "NetworkManager has the radio", func() (string, bool) {
		state := m.State()
		return state, !strings.HasPrefix(state, "10 ") && !strings.HasPrefix(state, "20 ")
	})
	return m
}

// Start starts it and waits until it has the radio.
func (m *Manager) Start(t testing.TB) {
	t.Helper()
	must(t, "", "systemctl", "start", "NetworkManager.service")
	m.awaitRadio(t)
}

func (m *Manager) awaitRadio(t testing.TB) {
	t.Helper()
	until(t, 30*time.Second, "NetworkManager knows the radio", func() (string, bool) {
		state := m.State()
		return state, state != "" && !strings.HasPrefix(state, "20 ")
	})
}

// State of the radio in NetworkManager's words, such as "100 (connected)".
func (m *Manager) State() string {
	out, _ := namespace("").run("nmcli", "-g", "GENERAL.STATE", "device", "show", radioDevice)
	return strings.TrimSpace(out)
}

// Files are the saved profiles, byte for byte, by their names.
func (m *Manager) Files(t testing.TB) map[string]string {
	t.Helper()
	files, _ := filepath.Glob(managerProfiles + "/*")
	all := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = string(text)
	}
	return all
}

// Addresses that are on the radio's interface and are not the access point's.
func (m *Manager) foreignAddresses() []string {
	return slices.DeleteFunc(link(radioDevice).addresses(), func(a string) bool { return a == apAddress })
}

// close ends it and what it has saved, after the daemon.
func (m *Manager) close(t testing.TB) {
	if m.device.KeepForReboot {
		return
	}
	if t.Failed() {
		m.device.lab.write(t, "networkmanager.log", "", "journalctl", "--boot", "--no-pager", "--output=short-monotonic",
			"-u", "NetworkManager", "-u", "wpa_supplicant", "-u", "polkit")
	}
	// Its companion hands the radio back, which NetworkManager has to see.
	_, _ = namespace("").runFor(30*time.Second, "systemctl", "stop", daemonUnit, socketUnit, companionUnit)
	_, _ = namespace("").runFor(30*time.Second, append([]string{"systemctl", "stop"}, managerUnits...)...)
	for name := range m.Files(t) {
		_ = os.Remove(filepath.Join(managerProfiles, name))
	}
	_ = os.Remove(managerConfig)
	for _, unit := range managerUnits {
		if err := os.Symlink("/dev/null", "/etc/systemd/system/"+unit); err != nil {
			t.Errorf("mask %s: %v", unit, err)
		}
	}
	must(t, "", "systemctl", "daemon-reload")
	must(t, "", "ip", "addr", "flush", "dev", radioDevice)
	must(t, "", "ip", "link", "set", radioDevice, "down")
	forgetSettings(t)
}

// forgetSettings gives the radio's interface the settings of a new one. Those that
// NetworkManager leaves (accept_ra=0) would keep the next scenario from learning of
// an IPv6 router.
func forgetSettings(t testing.TB) {
	t.Helper()
	const folder = "/proc/sys/net/ipv6/conf/"
	files, _ := filepath.Glob(folder + "default/*")
	for _, file := range files {
		if filepath.Base(file) == "mtu" { // of a new interface it is that of the link
			continue
		}
		own := folder + radioDevice + "/" + filepath.Base(file)
		fresh, err := os.ReadFile(file) // one that was never set cannot be read
		if now, nowErr := os.ReadFile(own); err != nil || nowErr != nil || string(now) == string(fresh) {
			continue
		}
		if err := os.WriteFile(own, fresh, 0o644); err != nil {
			t.Errorf("take back what NetworkManager has set: %v", err)
		}
	}
}

// rulesFile is what polkit knows of the daemon.
const rulesFile = "/usr/share/polkit-1/rules.d/60-netconnectd.rules"

// restoreRules puts polkit's rules of the daemon back from where they were put
// aside. polkitd 122 now and then misses that a file is there again; started anew it
// reads them.
func restoreRules(t testing.TB, aside string) {
	t.Helper()
	must(t, "", "mv", aside, rulesFile)
	must(t, "", "systemctl", "restart", "polkit.service")
}

func (m *Manager) String() string { return fmt.Sprintf("nmcli: %s", m.State()) }
