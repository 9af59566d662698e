package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// MainPID returns the daemon's pid, 0 if it does not run.
func (d *Device) MainPID(t testing.TB) int {
	t.Helper()
	text := must(t, "", "systemctl", "show", "--property=MainPID", "--value", daemonUnit)
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatalf("read the pid of %s: %v", daemonUnit, err)
	}
	return pid
}

// Kill kills the daemon, which leaves it no time for an orderly end.
func (d *Device) Kill(t testing.TB) {
	t.Helper()
	d.signal(t, d.MainPID(t), syscall.SIGKILL)
}

func (d *Device) signal(t testing.TB, pid int, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatalf("send %v to %d: %v", signal, pid, err)
	}
}

// awaitRestart waits until another process than old has become the daemon and has
// told systemd that it is ready.
func (d *Device) awaitRestart(t testing.TB, old int) (pid int) {
	t.Helper()
	pid, _ = d.awaitRestartFor(t, 20*time.Second, old)
	return pid
}

// awaitRestartFor is awaitRestart with a limit, and also returns how long it waited.
func (d *Device) awaitRestartFor(t testing.TB, limit time.Duration, old int) (pid int, took time.Duration) {
	t.Helper()
	took = until(t, limit, "another daemon is ready", func() (string, bool) {
		if !d.startedAgain(t, old) {
			return "no process of another daemon", false
		}
		pid = d.MainPID(t)
		state, _ := namespace("").run("systemctl", "is-active", daemonUnit)
		return fmt.Sprintf("pid %d, %s", pid, state), pid != 0 && pid != old && strings.TrimSpace(state) == "active"
	})
	return pid, took
}

// startedAgain reports whether the daemon's unit has a process of the daemon's
// program that is not old. It reads the control group; systemctl is the witness that
// a wait asks afterwards, because each start of it takes a tenth of a second.
func (d *Device) startedAgain(t testing.TB, old int) bool {
	t.Helper()
	return slices.ContainsFunc(inUnit(t, daemonUnit), func(p privileges) bool {
		return p.pid != old && strings.HasPrefix(p.name, "netconnectd")
	})
}

// Children holds the pids of the programs that run for the daemon, by their names.
type Children map[string][]int

// Children returns the processes of the daemon's user except the daemon itself.
func (d *Device) Children(t testing.TB) Children {
	t.Helper()
	uid, daemon, found := d.uid(t), d.MainPID(t), Children{}
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		info, err := os.Stat(folder)
		pid, _ := strconv.Atoi(filepath.Base(folder))
		if err != nil || pid == daemon || info.Sys().(*syscall.Stat_t).Uid != uid {
			continue
		}
		if name, err := os.ReadFile(folder + "/comm"); err == nil {
			name := strings.TrimSpace(string(name))
			found[name] = append(found[name], pid)
		}
	}
	return found
}

// child returns the pid of the one process with that name.
func (d *Device) child(t testing.TB, name string) int {
	t.Helper()
	pids := d.Children(t)[name]
	if len(pids) != 1 {
		t.Fatalf("%s runs as %v, want one process", name, pids)
	}
	return pids[0]
}

func (c Children) equal(other Children) bool { return maps.EqualFunc(c, other, slices.Equal) }

func (c Children) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		all = append(all, fmt.Sprintf("%s %v", name, c[name]))
	}
	return strings.Join(all, ", ")
}

// byHand runs a second daemon as a person does in a shell.
func (d *Device) byHand(t testing.TB, user string) Reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := as(t, user, exec.CommandContext(ctx, "netconnectd"))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run netconnectd as %s: %v", user, err)
	}
	return Reply{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}
