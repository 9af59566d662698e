package ap

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/process"
)

// TestUnprivileged holds and ends an access point as an ordinary user with the three
// capabilities that the unit grants.
func TestUnprivileged(t *testing.T) {
	netnstest.Need(t)
	if os.Geteuid() != 0 {
		t.Skip("this is the ordinary user")
	}
	binary := filepath.Join(runtimeDir(t), "ap.test")
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(binary), 0o755); err != nil {
		t.Fatal(err)
	}
	// Root creates the cable and plays the phone; the user holds the access point.
	phone := cable(t)
	wire(t)
	careless(t)
	settingsBefore := settingsNow(t)
	dir := runtimeDir(t)
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	ordinary := func(name string) {
		t.Helper()
		cmd := exec.Command(binary, "-test.run=^"+name+"$", "-test.v")
		cmd.Env = append(os.Environ(), "AP_TEST_ORDINARY="+dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
			AmbientCaps: []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW, unix.CAP_NET_BIND_SERVICE},
		}
		output(t, cmd)
	}
	defer newDaemon(t, testConfig(dir)) // ends the processes that a failed test leaves running
	ordinary("TestHoldAsOrdinaryUser")
	got := askLease(t, phone)
	if got["ip"] == "" {
		t.Error("no lease")
	}
	join(t, phone, got["ip"])
	if !pings(phone) {
		t.Error("no forwarding")
	}
	if got := settingsNow(t); got != carefulNow() {
		t.Errorf("settings of the interface:\n%s", got)
	}
	ordinary("TestEndAsOrdinaryUser")
	if got := addresses(t); len(got) != 0 {
		t.Errorf("addresses %v", got)
	}
	if got := switchesNow(t); got != "all=0 eth0=0 wlan0=0" {
		t.Errorf("forwarding afterwards: %s", got)
	}
	if got := settingsNow(t); got != settingsBefore {
		t.Errorf("settings of the interface afterwards:\n%s", got)
	}
	if strings.Contains(ruleset(t), tableName) {
		t.Error("our table is left")
	}
}

// asOrdinaryUser returns a daemon whose children stay when the test ends.
func asOrdinaryUser(t *testing.T) *daemon {
	t.Helper()
	dir := os.Getenv("AP_TEST_ORDINARY")
	if dir == "" {
		t.Skip("TestUnprivileged runs it as an ordinary user")
	}
	if err := process.ClearInheritable(); err != nil && !errors.Is(err, unix.ENOTSUP) { // ENOTSUP: the test was built with cgo
		t.Fatal(err)
	}
	runner := &process.Runner{Dir: dir, Self: "/proc/self/exe"}
	t.Cleanup(runner.Close)
	return &daemon{t: t, runner: runner, ap: New(forwardingConfig(dir), runner, kernelLinks{}, slog.New(slog.DiscardHandler))}
}

func TestHoldAsOrdinaryUser(t *testing.T) {
	first := asOrdinaryUser(t)
	h := first.start()
	hostapd, dnsmasq := first.pids()
	h.leave()
	second := asOrdinaryUser(t)
	second.start()
	if h2, m2 := second.pids(); h2 != hostapd || m2 != dnsmasq {
		t.Errorf("hostapd %d then %d, dnsmasq %d then %d; want the same", hostapd, h2, dnsmasq, m2)
	}
	eventually(t, 5*time.Second, "eth0 forwards", func() bool { on, err := readSwitch("eth0"); return err == nil && on })
}

func TestEndAsOrdinaryUser(t *testing.T) {
	d := asOrdinaryUser(t)
	d.pids() // fails the test unless both run
	if err := d.ap.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if roles := []string{RoleHostapd, RoleDnsmasq}; slices.ContainsFunc(roles, func(role string) bool {
		_, found := d.runner.Find(role)
		return found
	}) {
		t.Error("a child is still there")
	}
}
