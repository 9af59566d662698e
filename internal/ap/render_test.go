package ap

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// variants are the shapes that the two files can have.
var variants = []struct {
	name   string
	change func(*Config)
}{
	{"wpa2", func(*Config) {}},
	{"open", func(c *Config) { c.PSK = secret.Secret{} }},
	{"isolated", func(c *Config) { c.Isolate = true }},
	{"hexkey", func(c *Config) { c.PSK = secret.New(strings.Repeat("0aF1", 16)) }},
	{"5ghz", func(c *Config) { c.Channel, c.Country = 36, "DE" }},
	{"bytes", func(c *Config) { c.SSID = "\x00\xff\n\"=#" }},
	{"plain", func(c *Config) { c.Domain, c.HostName, c.User = "", "", "" }},
	{"forwarding", func(c *Config) { c.ForwardTo = "eth0" }},
	{"wide", func(c *Config) {
		c.Address = netip.MustParsePrefix("172.16.0.1/20")
		c.RangeFirst, c.RangeLast = netip.MustParseAddr("172.16.1.0"), netip.MustParseAddr("172.16.15.254")
	}},
}

func TestRenderedFiles(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			c := testConfig("/run/netconnectd")
			c.Driver, c.User = "nl80211", "netconnectd"
			v.change(&c)
			if err := c.Check(); err != nil {
				t.Fatal(err)
			}
			golden(t, v.name+".hostapd.conf", renderHostapd(c))
			golden(t, v.name+".dnsmasq.conf", renderDnsmasq(c, withNames))
		})
	}
	golden(t, "withoutnames.dnsmasq.conf", renderDnsmasq(testConfig("/run/netconnectd"), withoutNames))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// hostileSSIDs are names that a neighbour or an owner may have chosen.
var hostileSSIDs = map[string]string{
	"quotes":        `a"b'c`,
	"newline":       "x\nwpa=0",
	"nul":           "a\x00b",
	"comment":       "#hash",
	"spaces":        "  x  ",
	"only a space":  " ",
	"backslash":     `\x41\n`,
	"not UTF-8":     "\xff\xfe\x80",
	"UTF-8":         "Küche ☕",
	"all high":      strings.Repeat("\xff", 32),
	"escape":        "\x1b[31m",
	"looks like p":  `P"hello"`,
	"looks hex":     "74657374",
	"hex with odd":  "746",
	"looks a line":  "ssid=x",
	"longest ASCII": strings.Repeat("x", 32),
}

func TestHostapdReadsItsFile(t *testing.T) {
	type row struct {
		name   string
		change func(*Config)
	}
	var rows []row
	for _, v := range variants {
		rows = append(rows, row{v.name, v.change})
	}
	for name, ssid := range hostileSSIDs {
		rows = append(rows, row{"ssid " + name, func(c *Config) { c.SSID = ssid }})
	}
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(runtimeDir(t))
			tt.change(&c)
			status := hostapdStatus(t, c)
			want := "ENABLED"
			if c.Country != "" {
				want = "COUNTRY_UPDATE" // it lasts 5 s, as no driver confirms the country
			}
			if status["state"] != want {
				t.Errorf("state %q, want %s", status["state"], want)
			}
			if got := string(wpactrl.Unescape(status["ssid[0]"])); got != c.SSID {
				t.Errorf("SSID %q, want %q", got, c.SSID)
			}
		})
	}
}

// hostapdStatus starts the real hostapd with the rendered file.
func hostapdStatus(t *testing.T, c Config) map[string]string {
	t.Helper()
	d := newDaemon(t, c)
	spec, err := d.ap.hostapdSpec()
	if err != nil {
		t.Fatal(err)
	}
	spec.Caps = nil
	if err := os.MkdirAll(c.hostapdControlDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	child, _, err := d.runner.Ensure(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	alive, release := process.WhileAlive(t.Context(), child)
	defer release()
	conn, err := wpactrl.Await(alive, c.hostapdSocket(), c.RuntimeDir)
	if err != nil {
		t.Fatal(hostapdFailed(t.Context(), child, err))
	}
	defer conn.Close()
	reply, err := conn.Request(alive, "STATUS")
	if err != nil {
		t.Fatal(err)
	}
	if lines := child.LastOutput(); strings.Contains(strings.Join(lines, "\n"), "Line ") {
		t.Errorf("hostapd complains: %q", lines)
	}
	return wpactrl.Fields(reply)
}

func TestHostapdConfirmsTheKey(t *testing.T) {
	// wpa_passphrase derives keys independently of our code.
	tool, err := exec.LookPath("wpa_passphrase")
	if err != nil {
		t.Skip("wpa_passphrase is not installed")
	}
	c := testConfig("/run/netconnectd")
	out, err := exec.Command(tool, c.SSID, c.PSK.Reveal()).Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := "\tpsk=" + c.pairwiseKey() + "\n"; !strings.Contains(string(out), want) {
		t.Errorf("derived %s, but wpa_passphrase says\n%s", want, out)
	}
}

func TestDnsmasqReadsItsFile(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			c := testConfig(runtimeDir(t))
			v.change(&c)
			for _, names := range []nameService{withNames, withoutNames} {
				spec, err := New(c, nil, nil, nil).dnsmasqSpec(names)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := process.Run(t.Context(), spec.Path, append(spec.Args, "--test"), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestFilesAreForUsOnly(t *testing.T) {
	c := testConfig(runtimeDir(t))
	a := New(c, nil, nil, nil)
	if _, err := a.hostapdSpec(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.dnsmasqSpec(withNames); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{c.hostapdFile(), c.dnsmasqFile()} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, err %v", file, info.Mode(), err)
		}
	}
	if text, err := os.ReadFile(c.hostapdFile()); err != nil || strings.Contains(string(text), c.PSK.Reveal()) {
		t.Errorf("the passphrase itself is in %s (err %v)", c.hostapdFile(), err)
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string // "": no problem
	}{
		{"as it is", func(*Config) {}, ""},
		{"no SSID", func(c *Config) { c.SSID = "" }, "ap.ssid has 0 bytes, not 1 to 32"},
		{"SSID of 33 bytes", func(c *Config) { c.SSID = strings.Repeat("x", 33) }, "ap.ssid has 33 bytes, not 1 to 32"},
		{"passphrase of 7", func(c *Config) { c.PSK = secret.New("1234567") },
			"ap.psk is neither 8 to 63 printable ASCII characters nor 64 hexadecimal digits"},
		{"passphrase of 8", func(c *Config) { c.PSK = secret.New("12345678") }, ""},
		{"passphrase of 63", func(c *Config) { c.PSK = secret.New(strings.Repeat("x", 63)) }, ""},
		{"64 that are not hexadecimal", func(c *Config) { c.PSK = secret.New(strings.Repeat("x", 64)) },
			"ap.psk is neither 8 to 63 printable ASCII characters nor 64 hexadecimal digits"},
		{"passphrase with a newline", func(c *Config) { c.PSK = secret.New("12345678\nwpa=0") },
			"ap.psk is neither 8 to 63 printable ASCII characters nor 64 hexadecimal digits"},
		{"interface with a newline", func(c *Config) { c.Interface = "wlan0\nx" }, `interface "wlan0\nx" is not a name of an interface`},
		{"interface with a slash", func(c *Config) { c.Interface = "../x" }, `interface "../x" is not a name of an interface`},
		{"interface of all", func(c *Config) { c.ForwardTo = "all" }, `interface "all" is not a name of an interface`},
		{"forwarding to itself", func(c *Config) { c.ForwardTo = c.Interface }, `ap.forwarding_to_wired: "wlan0" is the access point's own interface`},
		{"no driver", func(c *Config) { c.Driver = "" }, `ap.driver: "" is not a name of a driver such as nl80211`},
		{"channel 15", func(c *Config) { c.Channel = 15 }, "ap.channel: 15 is neither in 1..14 nor in 36..177"},
		{"country in small letters", func(c *Config) { c.Country = "de" }, `ap.country: "de" is not two capital letters`},
		{"IPv6", func(c *Config) { c.Address = netip.MustParsePrefix("fd00::1/64") }, "ap.ip: fd00::1/64 is not an IPv4 address with a prefix\n" +
			"ap.range: 10.250.250.100 to 10.250.250.200 is not a range within fd00::/64 without fd00::1 itself"},
		{"range elsewhere", func(c *Config) { c.RangeFirst = netip.MustParseAddr("10.0.0.1") },
			"ap.range: 10.0.0.1 to 10.250.250.200 is not a range within 10.250.250.0/24 without 10.250.250.1 itself"},
		{"range backwards", func(c *Config) { c.RangeFirst, c.RangeLast = c.RangeLast, c.RangeFirst },
			"ap.range: 10.250.250.200 to 10.250.250.100 is not a range within 10.250.250.0/24 without 10.250.250.1 itself"},
		{"range over our own", func(c *Config) { c.RangeFirst = c.Address.Addr() },
			"ap.range: 10.250.250.1 to 10.250.250.200 is not a range within 10.250.250.0/24 without 10.250.250.1 itself"},
		{"no range", func(c *Config) { c.RangeLast = netip.Addr{} },
			"ap.range: 10.250.250.100 to invalid IP is not a range within 10.250.250.0/24 without 10.250.250.1 itself"},
		{"domain with a slash", func(c *Config) { c.Domain = "a/b" }, `ap.domain: "a/b" is not a domain name`},
		{"folder with a space", func(c *Config) { c.RuntimeDir = "/run/a b" }, `runtime folder "/run/a b" is not a plain absolute path`},
		{"two problems", func(c *Config) { c.Channel, c.Country = 0, "D" },
			"ap.channel: 0 is neither in 1..14 nor in 36..177\nap.country: \"D\" is not two capital letters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig("/run/netconnectd")
			tt.change(&c)
			got := ""
			if err := c.Check(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
