package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const resolvUnit = "netconnectd-resolv.service"

// serviceUnits are all units that run programs of the daemon.
var serviceUnits = []string{daemonUnit, companionUnit, resolvUnit}

// StatusText returns the status text that systemd received from the daemon.
func (d *Device) StatusText(t testing.TB) string {
	t.Helper()
	return strings.TrimSpace(must(t, "", "systemctl", "show", "--property=StatusText", "--value", daemonUnit))
}

var exposure = regexp.MustCompile(`Overall exposure level for .*: ([0-9.]+)`)

// exposure returns systemd-analyze's verdict on a unit: 0 is best, 10 worst. Its
// whole output goes to the scenario's logs.
func (d *Device) exposure(t testing.TB, unit string) float64 {
	t.Helper()
	said := must(t, "", "systemd-analyze", "security", "--no-pager", unit)
	d.lab.write(t, "security-"+unit+".txt", "", "systemd-analyze", "security", "--no-pager", unit)
	m := exposure.FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("systemd-analyze security %s says no level:\n%s", unit, said)
	}
	level, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return level
}

// privileges holds what the kernel lets a process do.
type privileges struct {
	pid                      int
	name                     string
	uids                     []string // real, effective, saved, file system
	noNewPrivileges, seccomp string
	capabilities             uint64 // effective
}

func (p privileges) String() string {
	return fmt.Sprintf("%s NoNewPrivs %s Seccomp %s CapEff %x", p.name, p.noNewPrivileges, p.seccomp, p.capabilities)
}

// privilegesOf reads /proc/PID/status. It returns nil if the process has ended.
func privilegesOf(pid int) *privileges {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil
	}
	p := &privileges{pid: pid}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Name":
			p.name = value
		case "Uid":
			p.uids = strings.Fields(value)
		case "NoNewPrivs":
			p.noNewPrivileges = value
		case "Seccomp":
			p.seccomp = value
		case "CapEff":
			p.capabilities, _ = strconv.ParseUint(value, 16, 64)
		}
	}
	return p
}

// inUnits returns the processes of the service's units.
func (d *Device) inUnits(t testing.TB) (found []privileges) {
	t.Helper()
	for _, unit := range serviceUnits {
		found = append(found, inUnit(t, unit)...)
	}
	return found
}

// inUnit returns the processes of the unit, by its control group.
func inUnit(t testing.TB, unit string) (found []privileges) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/sys/fs/cgroup/system.slice", unit, "cgroup.procs"))
	if err != nil {
		return nil // the unit runs no process now
	}
	for _, word := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatalf("read the processes of %s: %v", unit, err)
		}
		if p := privilegesOf(pid); p != nil {
			found = append(found, *p)
		}
	}
	return found
}

// isRoot reports whether any of the process's user ids is root's.
func (p privileges) isRoot() bool { return slices.Contains(p.uids, "0") }
