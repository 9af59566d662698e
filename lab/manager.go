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

// These are files of NetworkManager.
const (
	managerConfig   = "/etc/NetworkManager/conf.d/lab.conf"
	managerProfiles = "/etc/NetworkManager/system-connections"
)

// managerUnits are masked in the image, so that only these scenarios run them.
var managerUnits = []string{"NetworkManager.service", "wpa_supplicant.service"}

// Manager is NetworkManager on the device, which manages the radio and no cable.
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
	// NetworkManager remembers, by the interface's index, what it must not manage.
	must(t, "", "nmcli", "device", "set", radioDevice, "managed", "yes")
	until(t, 30*time.Second, "NetworkManager has the radio", func() (string, bool) {
		state := m.State()
		return state, !strings.HasPrefix(state, "10 ") && !strings.HasPrefix(state, "20 ")
	})
	return m
}

// Start starts NetworkManager and waits until it manages the radio.
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

// State returns the state of the radio in NetworkManager's words, such as "100
// (connected)".
func (m *Manager) State() string {
	out, _ := namespace("").run("nmcli", "-g", "GENERAL.STATE", "device", "show", radioDevice)
	return strings.TrimSpace(out)
}

// Files returns the saved profiles, byte for byte, by their names.
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

// foreignAddresses returns the addresses of the radio's interface that are not the
// access point's.
func (m *Manager) foreignAddresses() []string {
	return slices.DeleteFunc(link(radioDevice).addresses(), func(a string) bool { return a == apAddress })
}

// close ends NetworkManager and removes its profiles, after the end of the daemon.
func (m *Manager) close(t testing.TB) {
	if m.device.KeepForReboot {
		return
	}
	if t.Failed() {
		m.device.lab.write(t, "networkmanager.log", "", "journalctl", "--boot", "--no-pager", "--output=short-monotonic",
			"-u", "NetworkManager", "-u", "wpa_supplicant", "-u", "polkit")
	}
	// The daemon's companion unit hands the radio back, and NetworkManager must
	// notice that.
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

// forgetSettings restores the settings of a new interface on the radio's interface.
// Otherwise the settings that NetworkManager leaves (accept_ra=0) would keep the next
// scenario from learning of an IPv6 router.
func forgetSettings(t testing.TB) {
	t.Helper()
	const folder = "/proc/sys/net/ipv6/conf/"
	files, _ := filepath.Glob(folder + "default/*")
	for _, file := range files {
		if filepath.Base(file) == "mtu" { // a new interface has the link's own value
			continue
		}
		own := folder + radioDevice + "/" + filepath.Base(file)
		fresh, err := os.ReadFile(file) // a setting that was never set cannot be read
		if now, nowErr := os.ReadFile(own); err != nil || nowErr != nil || string(now) == string(fresh) {
			continue
		}
		if err := os.WriteFile(own, fresh, 0o644); err != nil {
			t.Errorf("take back what NetworkManager has set: %v", err)
		}
	}
}

// rulesFile holds polkit's rules for the daemon.
const rulesFile = "/usr/share/polkit-1/rules.d/60-netconnectd.rules"

// restoreRules moves polkit's rules for the daemon back to their place. polkitd 122
// sometimes misses that a file is there again, so it is restarted to read them.
func restoreRules(t testing.TB, aside string) {
	t.Helper()
	must(t, "", "mv", aside, rulesFile)
	must(t, "", "systemctl", "restart", "polkit.service")
}

func (m *Manager) String() string { return fmt.Sprintf("nmcli: %s", m.State()) }
