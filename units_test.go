package structure

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The daemon's children may outlive it, and the companion unit ends them. So both
// units must have the same rights.
func TestUnitsHaveTheSameRights(t *testing.T) {
	rights := func(unit string) (lines []string) {
		text, err := os.ReadFile("systemd/" + unit)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(text), "\nUser=")
		if !found {
			t.Fatalf("%s says no user", unit)
		}
		section, _, _ := strings.Cut(rest, "\n[")
		for line := range strings.Lines("User=" + section) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	daemon, companion := rights("netconnectd.service"), rights("netconnectd-radio.service")
	if !slices.Equal(daemon, companion) {
		t.Errorf("netconnectd.service:\n%s\n\nnetconnectd-radio.service:\n%s", strings.Join(daemon, "\n"), strings.Join(companion, "\n"))
	}
}

// TestReloadChecksFirst checks that systemctl reload fails for a file with an error:
// systemd runs the lines in their order and stops at the first that fails.
func TestReloadChecksFirst(t *testing.T) {
	unit, err := os.ReadFile("systemd/netconnectd.service")
	if err != nil {
		t.Fatal(err)
	}
	var reload []string
	for line := range strings.Lines(string(unit)) {
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecReload="); ok {
			reload = append(reload, command)
		}
	}
	want := []string{"/usr/sbin/netconnectd --check", "/bin/sh -c 'kill -HUP $MAINPID'"}
	if !slices.Equal(reload, want) {
		t.Errorf("systemctl reload runs %q, want %q", reload, want)
	}
}

// systemd must start the daemon again after any end except systemctl stop.
func TestDaemonComesBack(t *testing.T) {
	unit, err := os.ReadFile("systemd/netconnectd.service")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(unit), "\n")
	for _, want := range []string{"Restart=always", "StartLimitIntervalSec=0", "RestartSec=1", "RestartMaxDelaySec=10", "MemoryMax=256M", "OOMPolicy=continue"} {
		if !slices.Contains(lines, want) {
			t.Errorf("netconnectd.service lacks %s", want)
		}
	}
	for _, line := range lines {
		if name, _, _ := strings.Cut(line, "="); name == "RestartPreventExitStatus" || name == "SuccessExitStatus" {
			t.Errorf("netconnectd.service has an end that systemd takes for good: %s", line)
		}
	}
}
