package ap

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/sysctl"
)

// settingsNow lists the careful settings of wlan0 that this kernel has.
func settingsNow(t *testing.T) string {
	t.Helper()
	var lines strings.Builder
	for _, s := range careful {
		if value, err := sysctl.Read(sysctl.Path(s.Family, "wlan0", s.Name)); err == nil {
			lines.WriteString(s.Family + " " + s.Name + "=" + value + "\n")
		}
	}
	return lines.String()
}

// carefulNow returns the values that the careful settings must have.
func carefulNow() string {
	var lines strings.Builder
	for _, s := range careful {
		if _, err := os.Stat(sysctl.Path(s.Family, "wlan0", s.Name)); err == nil {
			lines.WriteString(s.Family + " " + s.Name + "=" + s.Value + "\n")
		}
	}
	return lines.String()
}

// careless sets all careful settings to the values that help an attacker.
func careless(t *testing.T) {
	t.Helper()
	for _, s := range careful {
		value := "1"
		if s.Name == "rp_filter" {
			value = "0"
		}
		if file := sysctl.Path(s.Family, "wlan0", s.Name); os.WriteFile(file, []byte(value), 0o644) != nil {
			t.Logf("this kernel has no %s", file)
		}
	}
}

// TestSettingsAreTakenBack checks that stop restores the settings, whatever happens
// in between.
func TestSettingsAreTakenBack(t *testing.T) {
	replaced := func(before string) string { return strings.Replace(before, "accept_ra=1", "accept_ra=2", 1) }
	for _, row := range []struct {
		name    string
		between func(t *testing.T, c *Config)
		after   func(before string) string
	}{
		{name: "by another daemon after a crash"},
		{name: "also what another program set again meanwhile, as that set it", after: replaced, between: func(t *testing.T, c *Config) {
			setSetting(t, "ipv6/conf/wlan0/accept_ra", "2")
			if err := newSettings(*c, slog.New(slog.DiscardHandler)).keep(); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "but not what another program set last", after: replaced, between: func(t *testing.T, _ *Config) {
			setSetting(t, "ipv6/conf/wlan0/accept_ra", "2")
		}},
		{name: "when another interface is the access point's", between: func(t *testing.T, c *Config) {
			c.Interface = "wlan1"
			if err := newSettings(*c, slog.New(slog.DiscardHandler)).keep(); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "but not on another interface of that name", after: func(string) string { return carefulNow() }, between: func(t *testing.T, _ *Config) {
			netnstest.Run(t, "ip", "link", "del", "wlan0")
			netnstest.Run(t, "ip", "link", "add", "wlan0", "type", "veth", "peer", "name", "other")
			for _, s := range careful { // values that another program wants
				_ = os.WriteFile(sysctl.Path(s.Family, "wlan0", s.Name), []byte(s.Value), 0o644)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			cable(t)
			careless(t)
			before := settingsNow(t)
			c := testConfig(runtimeDir(t))
			for range 2 {
				if err := newSettings(c, slog.New(slog.DiscardHandler)).keep(); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(carefulNow(), settingsNow(t)); diff != "" {
				t.Errorf("during (-want +got):\n%s", diff)
			}
			if row.between != nil {
				row.between(t, &c)
			}
			if err := newSettings(c, slog.New(slog.DiscardHandler)).stop(); err != nil {
				t.Fatal(err)
			}
			want := before
			if row.after != nil {
				want = row.after(before)
			}
			if diff := cmp.Diff(want, settingsNow(t)); diff != "" {
				t.Errorf("after (-want +got):\n%s", diff)
			}
			if _, err := os.Stat(newSettings(c, slog.New(slog.DiscardHandler)).File); err == nil {
				t.Error("the record is left")
			}
		})
	}
}

// TestSettingsOfNoInterface checks that an interface which does not exist needs no
// settings.
func TestSettingsOfNoInterface(t *testing.T) {
	netnstest.Need(t)
	s := newSettings(testConfig(runtimeDir(t)), slog.New(slog.DiscardHandler))
	if err := s.keep(); err != nil {
		t.Error(err)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// A damaged part of a record is reported once and kept for a person. It prevents
// neither the set-up of the access point's guard nor the restoring of the other
// settings.
func TestDamagedRecordsAreHealed(t *testing.T) {
	for _, row := range []struct {
		name    string
		spoil   func(text string) string
		restore bool // the previous value is still known
	}{
		{"empty", func(string) string { return "" }, false},
		{"cut off", func(text string) string { return text[:len(text)/2] }, false},
		{"another shape", func(string) string { return `{"version": 2}` }, false},
		{"an element of another shape", func(text string) string { return `["x",` + text[1:] }, true},
		{"an element of another program's setting", func(text string) string {
			return `[{"interface":"wlan0","index":1,"family":"ipv4","name":"forwarding","was":"1","set":"0"},` + text[1:]
		}, true},
		{"an element that leaves the folder", func(text string) string {
			return `[{"interface":"../x","index":1,"family":"ipv4","name":"rp_filter","was":"1","set":"0"},` + text[1:]
		}, true},
	} {
		for _, next := range []string{"keep", "stop"} {
			t.Run(row.name+", then "+next, func(t *testing.T) {
				cable(t)
				careless(t)
				before := settingsNow(t)
				var said strings.Builder
				s := newSettings(testConfig(runtimeDir(t)), slog.New(slog.NewTextHandler(&said, nil)))
				if err := s.keep(); err != nil {
					t.Fatal(err)
				}
				record, err := os.ReadFile(s.File)
				if err != nil || !strings.HasPrefix(string(record), "[{") {
					t.Fatalf("%s, %v", record, err)
				}
				if err := os.WriteFile(s.File, []byte(row.spoil(string(record))), 0o600); err != nil {
					t.Fatal(err)
				}
				if next == "keep" {
					if err := s.keep(); err != nil {
						t.Errorf("keep: %v", err)
					}
				}
				if err := s.stop(); err != nil {
					t.Errorf("stop: %v", err)
				}
				if n := strings.Count(said.String(), "is damaged"); n != 1 {
					t.Errorf("said %d times: %s", n, said.String())
				}
				if _, err := os.Stat(s.File + ".broken"); err != nil {
					t.Error(err)
				}
				if got := settingsNow(t); row.restore && got != before {
					t.Errorf("not taken back:\n%s\nwant\n%s", got, before)
				}
			})
		}
	}
}
