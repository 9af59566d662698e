package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The texts of a file before, on and after a trial.
const (
	earlier = "ap: {ssid: mine, channel: 1}\n"
	onTrial = "ap: {ssid: mine, channel: 2}\n"
	another = "ap: {ssid: mine, channel: 3}\n"
)

// disk is a configuration file beside a state folder.
type disk struct {
	t     *testing.T
	state string
	args  []string
	env   []string
}

func newDisk(t *testing.T, text string) *disk {
	state := filepath.Join(t.TempDir(), "state")
	return &disk{t: t, state: state, args: []string{"-c", writeYAML(t, text)}, env: []string{"NETCONNECTD_PATHS_STATE=" + state}}
}

func (d *disk) write(text string) {
	d.t.Helper()
	if err := os.WriteFile(d.args[1], []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// load is Load of a file in which nothing is wrong.
func (d *disk) load() *Config {
	d.t.Helper()
	c, _, err := Load(d.args, d.env)
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

func (d *disk) keep() *Config {
	d.t.Helper()
	c := d.load()
	if err := c.Keep(); err != nil {
		d.t.Fatal(err)
	}
	return c
}

// try begins a trial of the text.
func (d *disk) try(text string) *Config {
	d.t.Helper()
	inForce := d.load()
	d.write(text)
	next := d.load()
	if err := next.Try(inForce, "user pi, uid 1000", time.Unix(1e9, 0)); err != nil {
		d.t.Fatal(err)
	}
	return next
}

// start checks which configuration a start takes, and whether it reports that another one
// was tried and not confirmed.
func (d *disk) start(channel int, tried bool) {
	d.t.Helper()
	c, _, err := LoadAtStart(d.args, d.env)
	if err != nil {
		d.t.Fatal(err)
	}
	var fault *Error
	if got := errors.As(c.Fault, &fault) && fault.Tried; c.AP.Channel != channel || got != tried {
		d.t.Errorf("started with channel %d, fault %v; want channel %d, tried %v", c.AP.Channel, c.Fault, channel, tried)
	}
}

// TestEachMomentOfATrial goes through all states of the disk that a kill or a power loss
// can leave, in their order. Each has to leave one of the two configurations whole.
func TestEachMomentOfATrial(t *testing.T) {
	d := newDisk(t, earlier)
	d.start(1, false) // nothing is kept yet
	d.keep()
	d.start(1, false)
	d.write(onTrial) // a file that was only edited counts, as it always has
	d.start(2, false)
	d.write(earlier)
	next := d.try(onTrial)
	d.start(1, true)
	if err := next.writeKept(next.File); err != nil { // the first step of Keep
		t.Fatal(err)
	}
	d.start(2, false)
	if err := next.Keep(); err != nil {
		t.Fatal(err)
	}
	d.start(2, false)
	if _, err := os.Stat(filepath.Join(d.state, triedFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the record is still there: %v", err)
	}
	d.write(earlier) // the void record of a trial that was confirmed must not come back
	d.start(1, false)
}

// TestRecordOutlivesAFullDisk checks that the record is removed only when the copy has been
// replaced: a trial goes on if what was confirmed could not be saved.
func TestRecordOutlivesAFullDisk(t *testing.T) {
	d := newDisk(t, earlier)
	d.keep()
	next := d.try(onTrial)
	copied, aside := filepath.Join(d.state, keptFile), filepath.Join(d.state, "aside")
	if err := errors.Join(os.Rename(copied, aside), os.MkdirAll(filepath.Join(copied, "full"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if next.Keep() == nil {
		t.Error("a copy that could not be written counts as written")
	}
	if err := errors.Join(os.RemoveAll(copied), os.Rename(aside, copied)); err != nil {
		t.Fatal(err)
	}
	d.start(1, true)
}

// TestAfterATrial checks what ends the effect of a trial that was not confirmed.
func TestAfterATrial(t *testing.T) {
	for _, row := range []struct {
		name    string
		then    func(d *disk)
		channel int
		tried   bool
	}{
		{"nothing", func(*disk) {}, 1, true},
		{"another text", func(d *disk) { d.write(another) }, 3, false},
		{"the earlier text", func(d *disk) { d.write(earlier) }, 1, false},
		{"a text with a fault", func(d *disk) { d.write("ap: {channel: 99}\n"); d.write(onTrial) }, 1, true},
		{"a reload", func(d *disk) { d.keep() }, 2, false},
		{"a reload, and then another text", func(d *disk) { d.keep(); d.write(another) }, 3, false},
		{"the copy is lost", func(d *disk) { os.Remove(filepath.Join(d.state, keptFile)) }, 2, false},
		{"the copy is damaged", func(d *disk) { os.WriteFile(filepath.Join(d.state, keptFile), []byte("{"), 0o600) }, 2, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDisk(t, earlier)
			d.keep()
			d.try(onTrial)
			row.then(d)
			d.start(row.channel, row.tried)
		})
	}
}

// TestHostileRecord checks that a record that cannot be understood never lets a start take a
// text that may have been refused, and that a reload mends it.
func TestHostileRecord(t *testing.T) {
	for _, row := range []struct {
		name   string
		damage func(path string) error
	}{
		{"empty", func(path string) error { return os.WriteFile(path, nil, 0o600) }},
		{"garbage", func(path string) error { return os.WriteFile(path, []byte("\x00\xff{"), 0o600) }},
		{"of another shape", func(path string) error { return os.WriteFile(path, []byte(`[1]`), 0o600) }},
		{"huge", func(path string) error { return os.WriteFile(path, make([]byte, 1<<20), 0o600) }},
		{"a folder", func(path string) error { os.Remove(path); return os.Mkdir(path, 0o700) }},
		{"a device without an end", func(path string) error { os.Remove(path); return os.Symlink("/dev/zero", path) }},
		{"of another user", func(path string) error { return os.Chown(path, 1000, 1000) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.name == "of another user" && os.Geteuid() != 0 {
				t.Skip("gives a file to another user; needs root")
			}
			d := newDisk(t, earlier)
			d.keep()
			d.try(onTrial)
			path := filepath.Join(d.state, triedFile)
			if err := row.damage(path); err != nil {
				t.Fatal(err)
			}
			d.start(1, true)
			c, _, err := LoadAtStart(d.args, d.env)
			if err != nil || !strings.Contains(c.Fault.Error(), path) {
				t.Errorf("%v; %v does not name %s", err, c.Fault, path)
			}
			d.keep()
			d.start(2, false)
		})
	}
}

// TestTryRefuses checks that no trial begins if a start could not go back.
func TestTryRefuses(t *testing.T) {
	for _, row := range []struct {
		name    string
		prepare func(d *disk)
	}{
		{"nothing is kept", func(*disk) {}},
		{"another text is kept", func(d *disk) { d.write(another); d.keep(); d.write(earlier) }},
		{"the copy of another file is kept", func(d *disk) {
			other := *d
			other.args = []string{"-c", writeYAML(d.t, earlier)}
			other.keep()
		}},
		{"the copy is damaged", func(d *disk) { d.keep(); os.WriteFile(filepath.Join(d.state, keptFile), []byte("{"), 0o600) }},
		{"the record cannot be written", func(d *disk) { d.keep(); os.MkdirAll(filepath.Join(d.state, triedFile, "full"), 0o700) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDisk(t, earlier)
			row.prepare(d)
			inForce := d.load()
			d.write(onTrial)
			err := d.load().Try(inForce, "root", time.Now())
			if err == nil {
				t.Fatal("a trial begins")
			}
			if strings.Contains(err.Error(), "%!") {
				t.Error(err)
			}
		})
	}
}

// TestTrialOfTheFirstFile checks that a start goes back to no file, and that the removal of
// a file can be tried.
func TestTrialOfTheFirstFile(t *testing.T) {
	d := newDisk(t, onTrial)
	next := d.load()
	if err := next.Try(&Config{keptIn: d.state}, "root", time.Now()); err != nil {
		t.Fatal(err)
	}
	c, _, err := LoadAtStart(d.args, d.env)
	if err != nil || c.AP.Channel == 2 || c.Fault == nil {
		t.Errorf("started with %+v, %v", c.AP, err)
	}
	d.keep()
	d.start(2, false)
	none := &Config{keptIn: d.state}
	if err := none.Try(next, "root", time.Now()); err != nil {
		t.Fatal(err)
	}
	if fault := none.Unconfirmed(d.args[1]); fault == nil {
		t.Error("the removal of the file counts, although nobody has confirmed it")
	}
	if err := none.Keep(); err != nil || none.Unconfirmed(d.args[1]) != nil {
		t.Errorf("the removal was confirmed: %v, %v", err, none.Unconfirmed(d.args[1]))
	}
}

// TestTriedForThoseWhoDealWithTheDaemon checks that everything that ends, asks or looks at
// a daemon has the settings with which the daemon started or will start.
func TestTriedForThoseWhoDealWithTheDaemon(t *testing.T) {
	d := newDisk(t, "interfaces: {wifi: wlan1}\n")
	d.keep()
	d.try("interfaces: {wifi: wlan2}\n")
	for _, arg := range []string{"--tear-down", "--daemon=stop", "--doctor", "--bundle=/tmp/x"} {
		c, _, err := LoadAtStart(append(d.args, arg), d.env)
		if c == nil || c.Interfaces.Wifi != "wlan1" || c.Fault == nil || (err != nil) != c.Doctor {
			t.Errorf("%s: %+v, %v", arg, c, err)
		}
	}
	if c, _, err := LoadAtStart(append(d.args, "--check"), d.env); err != nil || c.Interfaces.Wifi != "wlan2" {
		t.Errorf("--check looks at another text than the file's: %+v, %v", c, err)
	}
	if values, err := Values(d.args, d.env); err != nil || !strings.Contains(strings.Join(values, "\n"), "interfaces.wifi: wlan1 (line 1)") {
		t.Errorf("%v, %v", values, err)
	}
}

// TestParse checks that a text is read as the file would be, without its path.
func TestParse(t *testing.T) {
	d := newDisk(t, earlier)
	c, _, err := Parse(d.args, d.env, []byte("network: {interfaces: [{name: lan, device: eth0}]}\n"))
	if err != nil || len(c.Network.Interfaces) != 1 || c.AP.Channel == 1 {
		t.Errorf("%+v, %v", c, err)
	}
	_, _, err = Parse(d.args, d.env, []byte("ap:\n  psk: short\nnetwork: {fly: 1}\n"))
	if err == nil || strings.Contains(err.Error(), "short") || strings.Contains(err.Error(), d.args[1]) ||
		!strings.Contains(err.Error(), "(line 2)") || !strings.Contains(err.Error(), "(line 3)") {
		t.Errorf("%v", err)
	}
}
