package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Root does not start with what another user has written down as kept: it names
// programs and hooks.
func TestKeptOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("gives a file to another user; needs root")
	}
	state := t.TempDir()
	args, env := []string{"-c", writeYAML(t, "ap: {channel: 6}\n")}, []string{"NETCONNECTD_PATHS_STATE=" + state}
	keepAs(t, args, env)
	if err := os.WriteFile(args[1], []byte("ap: {channel: 99}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, fault := Load(args, env)
	if LoadKept(args, env, fault) == nil {
		t.Error("what root has kept does not help root")
	}
	if err := os.Chown(filepath.Join(state, keptFile), 1000, 1000); err != nil {
		t.Fatal(err)
	}
	if got := LoadKept(args, env, fault); got != nil {
		t.Errorf("root starts with what user 1000 has written: %+v", got)
	}
}

// At a start with a fault in it, the file is taken as it was when it was kept,
// and everything else as it is now.
func TestKept(t *testing.T) {
	// Where a file that cannot be read says that the state folder is, nobody knows.
	const right = "ap: {ssid: mine, channel: 6}\npaths: {state: /nonexistent}\n"
	for _, row := range []struct {
		name  string
		wrong string // what the file is now; "-": it is not there any more
		args  []string
		env   string
		want  string // of the fault; empty: it does not help
	}{
		{"bad value", "ap: {ssid: mine, channel: 99}\n", nil, "", "ap.channel: 99"},
		{"no YAML", "ap: {ssid: mine\n", nil, "", "line"},
		{"two problems", "ap: {channel: 99}\nprobe: {kind: x}\n", nil, "", "probe.kind: "},
		{"no file", "-", nil, "", "no such file"},
		{"only a check", "ap: {channel: 99}\n", []string{"--check"}, "", ""},
		{"the fault is in a flag", right, []string{"--ap-channel=99"}, "", ""},
		{"the fault is in the environment", right, nil, "NETCONNECTD_AP_CHANNEL=99", ""},
		{"the command line makes no sense", right, []string{"--nonsense"}, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			state := t.TempDir()
			args := append([]string{"-c", writeYAML(t, right)}, row.args...)
			env := []string{row.env, "NETCONNECTD_PATHS_STATE=" + state, "NETCONNECTD_AP_PSK=from outside"}
			keepAs(t, args[:2], env[1:])
			if row.wrong == "-" {
				os.Remove(args[1])
			} else if err := os.WriteFile(args[1], []byte(row.wrong), 0o600); err != nil {
				t.Fatal(err)
			}
			_, _, fault := Load(args, env)
			if fault == nil {
				t.Fatal("no fault")
			}
			got := LoadKept(args, env, fault)
			if row.want == "" {
				if got != nil {
					t.Errorf("started with %+v", got)
				}
				return
			}
			if got == nil || got.AP.Channel != 6 || got.AP.SSID != "mine" || got.AP.PSK.Reveal() != "from outside" || got.File != args[1] {
				t.Fatalf("settings %+v", got)
			}
			if !errors.Is(got.Fault, fault) || !strings.Contains(fault.Error(), row.want) {
				t.Errorf("fault %v, want %q", got.Fault, row.want)
			}
		})
	}
}

// keepAs keeps the file as a daemon does that was started with args.
func keepAs(t *testing.T, args, env []string) {
	t.Helper()
	c, _, err := Load(args, env)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Keep(); err != nil {
		t.Fatal(err)
	}
}

// What ends, asks or looks at a daemon has the settings with which it started.
func TestKeptForThoseWhoDealWithTheDaemon(t *testing.T) {
	state := t.TempDir()
	env := []string{"NETCONNECTD_PATHS_STATE=" + state}
	file := writeYAML(t, "interfaces: {wifi: wlan1}\nsocket: /run/other.sock\n")
	keepAs(t, []string{"-c", file}, env)
	if err := os.WriteFile(file, []byte("interfaces: {wifi: wlan1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		arg   string
		asked Config
	}{
		{"--tear-down", Config{TearDown: true}},
		{"--daemon=stop", Config{Daemon: "stop"}},
		{"--doctor", Config{Doctor: true}},
		{"--bundle=/tmp/x", Config{Doctor: true, Bundle: "/tmp/x"}},
	} {
		got, warnings, err := Load([]string{row.arg, "-c", file}, env)
		if got == nil || got.Interfaces.Wifi != "wlan1" || got.Socket != "/run/other.sock" || got.File != file {
			t.Fatalf("%s: settings %+v", row.arg, got)
		}
		if got.TearDown != row.asked.TearDown || got.Daemon != row.asked.Daemon || got.Doctor != row.asked.Doctor || got.Bundle != row.asked.Bundle {
			t.Errorf("%s: %+v", row.arg, got)
		}
		if told := err != nil; got.Fault == nil || told != got.Doctor || len(warnings) == 0 && !told {
			t.Errorf("%s: fault %v, error %v, warnings %v", row.arg, got.Fault, err, warnings)
		}
	}
	values, err := Values([]string{"-c", file}, env)
	if err != nil || !slices.Contains(values, "interfaces.wifi: wlan1 (line 1)") {
		t.Errorf("%v, %v", values, err)
	}
}

// A file may be in UTF-16, as Windows writes it.
func TestKeptInUTF16(t *testing.T) {
	env := []string{"NETCONNECTD_PATHS_STATE=" + t.TempDir()}
	text := "\xff\xfe"
	for _, c := range []byte("ap: {channel: 6}\n") {
		text += string([]byte{c, 0})
	}
	args := []string{"-c", writeYAML(t, text)}
	keepAs(t, args, env)
	if err := os.WriteFile(args[1], []byte("ap: {\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := LoadKept(args, env, errors.New("fault")); got == nil || got.AP.Channel != 6 {
		t.Errorf("settings %+v", got)
	}
}

// What was kept of one file is not taken for another, nor for one that somebody
// has removed on purpose; and it is written only when it differs.
func TestKeptIsOfOneFile(t *testing.T) {
	state := filepath.Join(t.TempDir(), "made")
	env := []string{"NETCONNECTD_PATHS_STATE=" + state}
	mine := []string{"-c", writeYAML(t, "ap: {channel: 6, psk: confidential}\n")}
	if c, _, err := Load(mine, env); err != nil || strings.Contains(fmt.Sprintf("%+v", c), "confidential") {
		t.Errorf("%v: a secret is printed of %+v", err, c)
	}
	keepAs(t, mine, env)
	file := filepath.Join(state, keptFile)
	left := filepath.Join(state, "."+keptFile+".123")
	if err := os.WriteFile(left, []byte("confidential"), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := os.Stat(file)
	if err != nil || first.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", first, err)
	}
	keepAs(t, mine, env)
	if again, err := os.Stat(file); err != nil || !os.SameFile(first, again) {
		t.Errorf("it was written again: %v", err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a power loss has left is still there: %v", err)
	}
	other := []string{"-c", writeYAML(t, "ap: {channel: 99}\n")}
	if got := LoadKept(other, env, errors.New("fault")); got != nil {
		t.Errorf("another file is %+v", got)
	}
	if _, err := os.Stat(DefaultFile); err == nil {
		t.Skip("there is " + DefaultFile)
	}
	keepAs(t, nil, env)
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file there is still what was kept: %v", err)
	}
	keepAs(t, nil, env)
}
