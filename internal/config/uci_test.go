package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ofOpenWrt has an interface, and an option that is left out.
const ofOpenWrt = "config interface 'lan'\n\toption device 'eth0'\n\toption proto 'static'\n\toption ipaddr '192.0.2.7/24'\n\toption zone 'lan'\n"

// writeUCI writes a file of OpenWrt's, and returns its path and a configuration that names
// it.
func writeUCI(t *testing.T, text string) (path, yaml string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "network")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, "network:\n  uci: " + path + "\n"
}

func TestUCI(t *testing.T) {
	path, yaml := writeUCI(t, ofOpenWrt)
	c, warnings, err := loadYAML(t, yaml)
	if err != nil || len(c.Network.Interfaces) != 1 || c.Network.Interfaces[0].Name != "lan" {
		t.Fatalf("%+v, %v", c, err)
	}
	if strings.Contains(fmt.Sprintf("%+v", c), "192.0.2.7/24'") {
		t.Error("a message can show the file, which may have secrets")
	}
	if got, want := texts(butOpen(warnings)), "network.lan.zone: the option is left out: there is no firewall with zones (line 5 of "+path+")\n"; got != want {
		t.Errorf("%swant\n%s", got, want)
	}
}

// TestUCIProblems: each problem names its file and line, those of the YAML come first, and
// nothing of the network is used.
func TestUCIProblems(t *testing.T) {
	path, yaml := writeUCI(t, "config interface lan\noption device eth0\noption metric low\n\noption proto dhcp\noption auto maybe\n")
	for _, row := range []struct{ name, text, want string }{
		{"values", "", fmt.Sprintf("ap.channel: 99 is not in 1..13 (2.4 GHz) and none of 36, 40, 44, 48, 149, 153, 157, 161, 165 (5 GHz) (line 3)\nnetwork.lan.metric: low is not a whole number (line 3 of %s)\nnetwork.lan.auto: maybe is neither true nor false (line 6 of %[1]s)\n", path)},
		{"syntax", "\n\noption a b c", "network.uci: the line has a word too many; put a value with spaces in quotes (line 3 of " + path + ")\n"},
		{"the radio's own interface", "config interface lan\noption device wlan0\n", "network.lan.device: wlan0 is interfaces.wifi already (line 4); name it in one of the two places (line 2 of " + path + ")\n"},
	} {
		text := yaml
		if row.text == "" {
			text += "ap: {channel: 99}\n"
		} else if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		text += "interfaces:\n  wifi: wlan0\n"
		_, _, err := loadYAML(t, text, "--check")
		if got := problemTexts(err); got != row.want {
			t.Errorf("%s:\n%swant\n%s", row.name, got, row.want)
		}
		args := []string{"-c", writeYAML(t, text)}
		if c := LoadDefaults(args, nil, err); c == nil || !c.Network.IsZero() {
			t.Errorf("%s: a start with defaults uses %+v", row.name, c)
		}
	}
}

func problemTexts(err error) string {
	wrong, ok := err.(*Error)
	if !ok {
		return fmt.Sprintln(err)
	}
	return texts(wrong.Problems)
}

// TestUCIFile: what may stand in the place of the path, and what the path may lead to.
func TestUCIFile(t *testing.T) {
	path, yaml := writeUCI(t, ofOpenWrt)
	folder := t.TempDir()
	for _, row := range []struct{ name, yaml, want string }{
		{"lists beside the file", yaml + "  devices: []\n", "network.devices: is beside uci, which names a file with the whole network; leave one of the two out (line 3)"},
		{"the file twice", yaml + "  uci: " + path + "\n", "network.uci: is given twice, first in line 2 (line 3)"},
		{"nothing", "network: {uci: }\n", "network.uci: is an anchor"},
		{"a list", "network: {uci: [a]}\n", "network.uci: is a list, not the path of a file (line 1)"},
		{"a relative path", "network: {uci: network}\n", "network.uci: is not an absolute path, e.g. /etc/config/network (line 1)"},
		{"a path that acts on a terminal", "network: {uci: \"/a\\e[2J\"}\n", "network.uci: is not an absolute path, e.g. /etc/config/network (line 1)"},
		{"no file", "network: {uci: " + folder + "/a}\n", "network.uci: the file cannot be read: open " + folder + "/a: no such file or directory (line 1)"},
		{"a folder", "network: {uci: " + folder + "}\n", "network.uci: the file cannot be read: read " + folder + ": it is not a regular file (line 1)"},
		{"a file without an end", "network: {uci: /dev/zero}\n", "network.uci: the file cannot be read: read /dev/zero: it is not a regular file (line 1)"},
	} {
		if _, _, err := loadYAML(t, row.yaml); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %s", row.name, err, row.want)
		}
	}
	if err := os.Truncate(path, 2<<20); err != nil {
		t.Fatal(err)
	}
	if _, _, err := loadYAML(t, yaml); err == nil || !strings.Contains(err.Error(), "it is too large: it has more than 1048576 bytes (line 2)") {
		t.Errorf("a large file: %v", err)
	}
}

// TestUCIOfAnotherUser: the daemon does not take its network from what another user can
// change.
func TestUCIOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("gives a file to another user; needs root")
	}
	path, yaml := writeUCI(t, ofOpenWrt)
	if err := os.Chown(path, 1000, 1000); err != nil {
		t.Fatal(err)
	}
	want := "it belongs to user 1000, who may have written anything into it; run chown root " + path + " (line 2)"
	if _, _, err := loadYAML(t, yaml); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestUCIOfAClient: a text that a client has sent does not let the daemon read a file.
func TestUCIOfAClient(t *testing.T) {
	path, yaml := writeUCI(t, ofOpenWrt)
	if c, _, err := Parse(nil, nil, []byte(yaml)); err == nil || !strings.Contains(err.Error(), "network.uci: the file cannot be read: a text that was sent may name no file") {
		t.Errorf("%s was read: %+v, %v", path, c, err)
	}
}

// TestKeptUCI: a start with a broken file of OpenWrt's takes the network of the file as it
// was when it was kept, and so does a start after a trial of another one.
func TestKeptUCI(t *testing.T) {
	path, yaml := writeUCI(t, ofOpenWrt)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := newDisk(t, yaml)
	inForce := d.keep()

	write(strings.Replace(ofOpenWrt, "'lan'", "'office'", 1))
	next := d.load()
	if err := next.Unconfirmed(d.args[1]); err != nil {
		t.Errorf("a change is taken for a trial: %v", err)
	}
	if err := next.Try(inForce, "a test", time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	c, _, err := LoadAtStart(d.args, d.env)
	if err != nil || c.Fault == nil || len(c.Network.Interfaces) != 1 || c.Network.Interfaces[0].Name != "lan" {
		t.Errorf("after a trial: %+v, %v", c.Network, err)
	}
	write(ofOpenWrt)
	if err := d.load().Unconfirmed(d.args[1]); err != nil {
		t.Errorf("the file of before counts as tried: %v", err)
	}

	for _, broken := range []string{"option\n", ""} {
		if write(broken); broken == "" {
			os.Remove(path)
		}
		_, _, fault := Load(d.args, d.env)
		if fault == nil {
			t.Fatal("no fault")
		}
		if c := LoadKept(d.args, d.env, fault); c == nil || len(c.Network.Interfaces) != 1 || c.Network.Interfaces[0].Name != "lan" {
			t.Errorf("%q: started with %+v", broken, c)
		}
	}
	write(ofOpenWrt)
	d.write("network:\n  uci: " + path + "x\nap: {channel: 99}\n")
	_, _, fault := Load(d.args, d.env)
	if c := LoadKept(d.args, d.env, fault); c == nil || len(c.Network.Interfaces) != 1 {
		t.Errorf("with another path in the file: %+v", c)
	}
}
