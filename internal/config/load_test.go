package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMissingAndUnreadableFiles(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.yaml")
	tests := []struct {
		name string
		args []string
		env  []string
	}{
		{"named by a flag", []string{"-c", missing}, nil},
		{"default named by a flag", []string{"--config", DefaultFile}, nil},
		{"named by the environment", nil, []string{"NETCONNECTD_CONFIG=" + missing}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := os.Stat(DefaultFile); err == nil && slices.Contains(tt.args, DefaultFile) {
				t.Skipf("%s is there", DefaultFile)
			}
			_, _, err := Load(tt.args, tt.env)
			if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "read configuration: open /") {
				t.Errorf("error = %v", err)
			}
		})
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{t.TempDir(), "/dev/zero", pipe} {
		if _, _, err := Load([]string{"-c", path}, nil); err == nil || !strings.Contains(err.Error(), "it is not a regular file") {
			t.Errorf("%s was read: %v", path, err)
		}
	}
	if _, _, err := loadYAML(t, strings.Repeat("#\n", 1<<20)); err == nil || !strings.Contains(err.Error(), "1 MiB") {
		t.Errorf("2 MiB: %v", err)
	}
}

func TestConfigNamedByFlagBeatsEnvironment(t *testing.T) {
	other := writeYAML(t, "ap:\n  ssid: other\n")
	c, _, err := loadYAML(t, "ap:\n  ssid: flag\n")
	if err != nil || c.AP.SSID != "flag" {
		t.Errorf("%v, %v", c, err)
	}
	c, _, err = Load(nil, []string{"NETCONNECTD_CONFIG=" + other})
	if err != nil || c.AP.SSID != "other" || c.File != other {
		t.Errorf("%v, %v", c, err)
	}
}

func TestWrongUse(t *testing.T) {
	for _, tt := range []struct{ args, says string }{
		{"--ap-chanel 3", "there is no flag --ap-chanel; did you mean --ap-channel?"},
		{"-x", "there is no flag -x"},
		{"-xhunter22", "there is no flag -x"},
		{"--ap-channel", "--ap-channel needs a value: --ap-channel number"},
		{"--debug=maybe", `--debug takes true or false, not "maybe"`},
		{"--wifi-free true", "argument 2 is not a flag"},
		{"--ap-ssid x hunter22", "argument 3 is not a flag"},
		{"-d -q", "exclude each other"},
		{"--daemon", "--daemon needs a value: --daemon status"},
		{"--daemon=", "--daemon takes stop or status, not \"\""},
		{"--daemon start", "--daemon takes stop or status, not start"},
	} {
		_, _, err := Load(strings.Fields(tt.args), nil)
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%s: %v", tt.args, err)
		}
	}
}

func TestVersionHelpAndCheck(t *testing.T) {
	for _, arg := range []string{"-v", "--version"} {
		// Nothing is read: the version has to be told on a broken device too.
		if c, _, err := Load([]string{arg, "-c", "/nonexistent"}, nil); err != nil || !c.Version {
			t.Errorf("%s: %v, %v", arg, c, err)
		}
	}
	for _, arg := range []string{"-h", "--help"} {
		if _, _, err := Load([]string{arg}, nil); !errors.Is(err, ErrHelp) {
			t.Errorf("%s: %v", arg, err)
		}
	}
	if c, _, err := loadYAML(t, "", "--check"); err != nil || !c.Check {
		t.Errorf("--check: %v, %v", c, err)
	}
	for _, args := range [][]string{{"--daemon", "stop"}, {"--daemon=status"}} {
		if c, _, err := loadYAML(t, "", args...); err != nil || "--daemon="+c.Daemon != strings.Join(args, "=") {
			t.Errorf("%v: %v, %v", args, c, err)
		}
	}
	for i := range keys {
		if !strings.Contains(Usage(), "--"+keys[i].flag+" ") {
			t.Errorf("--help does not have --%s", keys[i].flag)
		}
	}
}
