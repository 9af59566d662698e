package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Device is the machine itself, whose netconnectd runs under systemd.
type Device struct {
	lab *Lab
	// KeepForReboot keeps the daemon and its saved networks when the scenario ends,
	// because the next scenario follows after a reboot.
	KeepForReboot bool

	index string // the radio's interface index when it was last plugged in
}

// These are the settings of the access point in the scenarios.
const (
	apSSID       = "netconnectd-lab"
	apPassphrase = "lab passphrase"
	apChannel    = 6
	apAddress    = "10.250.250.1"
	apFirst      = "10.250.250.100"
	apLast       = "10.250.250.200"
)

const (
	configFile  = "/etc/netconnectd.yaml"
	stateFolder = "/var/lib/netconnectd"
	daemonUser  = "netconnectd"
	radioDevice = "wlan0"
	devicePHY   = "phy0"

	daemonUnit    = "netconnectd.service"
	socketUnit    = "netconnectd.socket"
	companionUnit = "netconnectd-radio.service"
	waitUnit      = "netconnectd-wait-online.service"
)

// These users log in to the device. Only the first is a member of the group
// netconnect.
const (
	member   = "pi"
	stranger = "guest"
)

func newDevice(t testing.TB, l *Lab) *Device {
	t.Helper()
	d := &Device{lab: l}
	must(t, "", "ip", "link", "set", radioDevice, "down")
	return d
}

// installed reports whether netconnectd is installed.
func (d *Device) installed() bool {
	_, err := os.Stat("/lib/systemd/system/" + daemonUnit)
	return err == nil
}

// Configure writes the device's configuration with the keys that users of the
// original know. Other settings have their defaults: link_monitor.hold 15,
// start.settle 10. more has settings in the form "section.key: value", which override
// those here.
func (d *Device) Configure(t testing.TB, wired bool, more ...string) {
	t.Helper()
	settings := []string{
		"interfaces.wifi: " + radioDevice,
		"link_monitor.interval: 5",
		"link_monitor.max_link_down: 3",
		"ap.ssid: " + apSSID,
		"ap.psk: \"" + apPassphrase + "\"",
		fmt.Sprintf("ap.channel: %d", apChannel),
		"ap.ip: " + apAddress,
		"ap.network: 10.250.250.0/24",
		fmt.Sprintf("ap.range: [%s, %s]", apFirst, apLast),
	}
	if wired {
		settings = append(settings, "interfaces.wired: "+wiredDevice)
	}
	for _, setting := range more {
		key, _, _ := strings.Cut(setting, ":")
		settings = slices.DeleteFunc(settings, func(s string) bool { return strings.HasPrefix(s, key+":") })
	}
	writeFile(t, configFile, yaml(append(settings, more...)))
}

// HideConfig makes the configuration unreadable for other users, as the packages do.
func (d *Device) HideConfig(t testing.TB) {
	t.Helper()
	must(t, "", "chown", "root:"+daemonUser, configFile)
	must(t, "", "chmod", "640", configFile)
}

// yaml groups settings under the headings of their sections.
func yaml(settings []string) string {
	var sections []string
	keys := map[string]string{}
	for _, s := range settings {
		section, key, _ := strings.Cut(s, ".")
		if keys[section] == "" {
			sections = append(sections, section)
		}
		keys[section] += "  " + key + "\n"
	}
	var text strings.Builder
	for _, section := range sections {
		text.WriteString(section + ":\n" + keys[section])
	}
	return text.String()
}

// Start starts the daemon and does not wait for it.
func (d *Device) Start(t testing.TB) {
	t.Helper()
	if !d.installed() {
		t.Fatal("no netconnectd is installed: its units are missing")
	}
	must(t, "", "systemctl", "start", "--no-block", daemonUnit)
}

// Started returns when systemd executed the daemon, on the monotonic clock.
func (d *Device) Started(t testing.TB) time.Duration {
	t.Helper()
	out := must(t, "", "systemctl", "show", "--property=ExecMainStartTimestampMonotonic", "--value", daemonUnit)
	us, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	if err != nil || us == 0 {
		t.Fatalf("%s was never started: %q", daemonUnit, out)
	}
	return time.Duration(us) * time.Microsecond
}

// Restart restarts the daemon, as an upgrade does.
func (d *Device) Restart(t testing.TB) { t.Helper(); must(t, "", "systemctl", "restart", daemonUnit) }

// Stop ends the daemon and everything that it left on the device, and checks that
// nothing is left.
func (d *Device) Stop(t testing.TB) {
	t.Helper()
	if _, err := namespace("").runFor(30*time.Second, "systemctl", "stop", daemonUnit, socketUnit); err != nil {
		t.Errorf("stop the daemon: %v", err)
	}
	took, answer, ok := poll(10*time.Second, func() (string, bool) {
		left, air, wifi := d.processes(t), radio(radioDevice), link(radioDevice)
		if len(left) != 0 || air.Type != "managed" || len(wifi.addresses()) != 0 {
			return fmt.Sprintf("processes %v, %v, radio %+v", left, wifi, air), false
		}
		state, _ := namespace("").run("systemctl", "is-active", companionUnit)
		state = strings.TrimSpace(state)
		return "companion " + state, state != "active" && state != "deactivating"
	})
	if !ok {
		t.Errorf("stopped for %.0f s, and something is left: %s", took.Seconds(), answer)
	}
}

// processes returns the processes of the daemon's user.
func (d *Device) processes(t testing.TB) []string {
	t.Helper()
	return processesOf(d.uid(t))
}

// uid returns the id of the daemon's user.
func (d *Device) uid(t testing.TB) uint32 {
	t.Helper()
	u, err := user.Lookup(daemonUser)
	if err != nil {
		t.Fatalf("look the daemon's user up: %v", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatalf("look the daemon's user up: %v", err)
	}
	return uint32(uid)
}

// Reply is the output and status of netconnectcli, as a person sees them.
type Reply struct {
	Stdout, Stderr string
	Status         int
}

// Run runs netconnectcli as the user, without any privilege.
func (d *Device) Run(t testing.TB, user string, arguments ...string) Reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := as(t, user, exec.CommandContext(ctx, "netconnectcli", arguments...))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run netconnectcli %v as %s: %v", arguments, user, err)
	}
	return Reply{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must is Run for a command that has to succeed.
func (d *Device) must(t testing.TB, user string, arguments ...string) string {
	t.Helper()
	r := d.Run(t, user, arguments...)
	if r.Status != 0 {
		t.Fatalf("netconnectcli %s as %s: exit status %d\n%s%s", arguments[0], user, r.Status, r.Stdout, r.Stderr)
	}
	return r.Stdout
}

// Status is the part of the daemon's status that the scenarios read.
type Status struct {
	Link        bool `json:"link"`
	Connections struct {
		WiFi  bool `json:"wifi"`
		AP    bool `json:"ap"`
		Wired bool `json:"wired"`
	} `json:"connections"`
	WiFi struct {
		SSID      *string                            `json:"current_ssid"`
		Present   bool                               `json:"present"`
		Frequency int                                `json:"frequency"`
		Signal    int                                `json:"signal"`
		LastError *struct{ Code, Text, SSID string } `json:"last_error"`
		Networks  []struct{ SSID string }            `json:"networks"`
	} `json:"wifi"`
	Uplink      Condition `json:"uplink"`
	AccessPoint struct {
		Condition
		Addresses                 []string
		Channel, Frequency, Width int
	} `json:"access_point"`
	Problems []struct{ Code, Text, Remedy string }
	Text     string `json:"-"` // the whole reply, unchanged
}

// Condition is one of the daemon's two state variables.
type Condition struct {
	State, Reason string
	Seconds       int64
}

// Status asks the daemon, as a user without rights.
func (d *Device) Status(t testing.TB) Status {
	t.Helper()
	text := d.must(t, stranger, "--json", "status")
	var reply struct{ Result Status }
	if err := json.Unmarshal([]byte(text), &reply); err != nil {
		t.Fatalf("read the daemon's status: %v\n%s", err, text)
	}
	reply.Result.Text = text
	return reply.Result
}

// ServesAccessPoint reports whether the device is an access point according to its
// kernel, its DHCP server's socket, and the phone, which must see its beacons.
func (d *Device) ServesAccessPoint() (answer string, ok bool) {
	air, dhcp := radio(radioDevice), listensUDP(os.Getpid(), 67)
	if air.Type != "AP" || air.SSID != apSSID || !dhcp {
		return fmt.Sprintf("radio %+v, port 67 bound: %v", air, dhcp), false
	}
	if !d.lab.Phone.Sees(apSSID, frequency(apChannel)) {
		return fmt.Sprintf("radio %+v, not seen by the phone", air), false
	}
	return "iw: type AP, port 67 bound, phone's iw scan", true
}

// HasNoAccessPoint reports whether no part of an access point is left.
func (d *Device) HasNoAccessPoint(t testing.TB) (answer string, ok bool) {
	t.Helper()
	running, air := d.processes(t), radio(radioDevice)
	gone := !slices.Contains(running, "hostapd") && !slices.Contains(running, "dnsmasq") && air.Type == "managed"
	if !gone {
		return fmt.Sprintf("processes %v, radio %+v", running, air), false
	}
	if d.lab.Phone.Sees(apSSID, frequency(apChannel)) {
		return "the phone still sees it", false
	}
	return "iw: type managed, no hostapd, no dnsmasq, not in the phone's iw scan", true
}

// On reports whether the device is on the router's network: by its own address, and
// by the router, which must see its station and reach it.
func (d *Device) On(r *Router) (answer string, ok bool) {
	if !hasCarrier() { // starting programs would take the processor from the process that joins
		return "no carrier", false
	}
	wifi := link(radioDevice)
	if wifi == nil || !slices.ContainsFunc(wifi.addresses(), r.Leases) {
		return wifi.String(), false
	}
	on, err := r.Stations()
	if !slices.Contains(on, wifi.MAC) {
		return fmt.Sprintf("the router's stations %v (%v), without %s", on, err, wifi.MAC), false
	}
	if _, err := namespace("").run("ping", "-n", "-c", "1", "-W", "1", "-I", radioDevice, r.Address()); err != nil {
		return "the router does not answer", false
	}
	return "ip: " + strings.Join(wifi.addresses(), " ") + ", router's station dump, ping", true
}

// hasCarrier reads sysfs, which is faster than ip(8).
func hasCarrier() bool {
	text, err := os.ReadFile("/sys/class/net/" + radioDevice + "/carrier") // an error while the link is down
	return err == nil && strings.TrimSpace(string(text)) == "1"
}

// close stops the daemon and removes its saved state.
func (d *Device) close(t testing.TB) {
	if d.KeepForReboot || !d.installed() {
		return
	}
	d.Stop(t)
	saved, _ := filepath.Glob(stateFolder + "/*")
	for _, path := range saved {
		if err := os.RemoveAll(path); err != nil {
			t.Errorf("forget what the daemon has saved: %v", err)
		}
	}
}
