package config

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/netconnectd/netconnectd/internal/secret"
)

var update = flag.Bool("update", false, "rewrite golden files, docs/config.md and configs/netconnectd.yaml")

// asIs shows what differs between two configs, secrets included.
var asIs = cmp.Options{
	cmp.Comparer(func(a, b secret.Secret) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmpopts.EquateErrors(),
	cmpopts.IgnoreFields(Config{}, "Text"),
	cmpopts.IgnoreUnexported(Config{}),
}

func defaults(t *testing.T) *Config {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return &Config{
		Socket:      "/var/run/netconnectd.sock",
		RuntimeDir:  "/run/netconnectd",
		StateDir:    "/var/lib/netconnectd",
		LinkMonitor: LinkMonitor{Enabled: true, MaxLinkDown: 3, Interval: 10 * time.Second, Hold: 15 * time.Second},
		Probe:       Probe{Kind: "gateway"},
		Start:       Start{Settle: 10 * time.Second},
		AP: AP{
			Mode: "fallback", Name: "netconnectd_ap", Driver: "nl80211", SSID: defaultSSID(host), Channel: 3,
			Address:    netip.MustParsePrefix("10.250.250.1/24"),
			RangeFirst: netip.MustParseAddr("10.250.250.100"), RangeLast: netip.MustParseAddr("10.250.250.200"),
			Isolate: "auto", AskedLimit: time.Hour, YieldAfter: 10 * time.Minute, Rescan: 15 * time.Second,
		},
		Wifi:        Wifi{Name: "netconnectd_wifi", Backend: "auto", Metric: 600, JoinTimeout: 45 * time.Second},
		Paths:       Paths{Hostapd: "/usr/sbin/hostapd", Dnsmasq: "/usr/sbin/dnsmasq", WPASupplicant: "/sbin/wpa_supplicant", Hooks: "/etc/netconnectd.d"},
		Permissions: Permissions{Change: "group"},
	}
}

// writeYAML makes a file that only its owner can read.
func writeYAML(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "netconnectd.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// loadYAML loads a file of that text, with more flags.
func loadYAML(t *testing.T, text string, args ...string) (*Config, []Problem, error) {
	t.Helper()
	return Load(append([]string{"-c", writeYAML(t, text)}, args...), nil)
}

// butOpen leaves out the warning that every configuration without ap.psk has,
// which TestAccessPointThatPeopleCannotOrAllCanJoin is about.
func butOpen(warnings []Problem) []Problem {
	return slices.DeleteFunc(warnings, func(p Problem) bool { return p.Key == "ap.psk" && strings.Contains(p.Text, "everybody can join") })
}

func texts(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}

func TestWithoutAnythingTheDefaultsHold(t *testing.T) {
	if _, err := os.Stat(DefaultFile); err == nil {
		t.Skipf("%s is there", DefaultFile)
	}
	got, warnings, err := Load(nil, nil)
	if err != nil || len(butOpen(warnings)) > 0 {
		t.Fatalf("%v, %v", warnings, err)
	}
	if diff := cmp.Diff(defaults(t), got, asIs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFilesThatSayNothing(t *testing.T) {
	for name, text := range map[string]string{
		"empty":                 "",
		"comments":              "# nothing\n",
		"document without keys": "---\n",
		"null":                  "~\n",
		"empty mapping":         "{}",
		"empty sections":        "interfaces:\nlink_monitor:\nap:\nwifi: ~\npaths: {}\nstart:\npermissions: null\n",
		"empty keys":            "socket:\nap:\n  psk:\n  channel: ~\n  range: null\n",
		"byte order mark":       "\ufeffap:\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, warnings, err := loadYAML(t, text)
			if err != nil || len(butOpen(warnings)) > 0 {
				t.Fatalf("%v, %v", warnings, err)
			}
			want := defaults(t)
			want.File = got.File
			if diff := cmp.Diff(want, got, asIs); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// originalFile is in the style of the original and has every key of it.
const originalFile = "testdata/original.yaml"

func readText(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantEveryOriginalKey(t *testing.T) *Config {
	want := defaults(t)
	want.Socket = "/tmp/netconnectd.sock"
	want.Interfaces = Interfaces{Wifi: "wlan1", Wired: "eth1"}
	want.LinkMonitor.Enabled, want.LinkMonitor.MaxLinkDown, want.LinkMonitor.Interval = false, 5, 20*time.Second
	want.AP.Name, want.AP.SSID, want.AP.PSK, want.AP.Channel = "my_ap", "0123", secret.New("01234567"), 6
	want.AP.Address = netip.MustParsePrefix("192.168.4.1/24")
	want.AP.RangeFirst, want.AP.RangeLast = netip.MustParseAddr("192.168.4.10"), netip.MustParseAddr("192.168.4.20")
	want.AP.Domain, want.AP.ForwardingToWired = "printer.local", true
	want.Wifi.Name, want.Wifi.Free, want.Wifi.Kill = "my_wifi", true, true
	want.Paths.Hostapd, want.Paths.Dnsmasq = "/opt/hostapd", "/opt/dnsmasq"
	return want
}

func TestFileOfTheOriginal(t *testing.T) {
	got, warnings, err := loadYAML(t, readText(t, originalFile))
	if err != nil {
		t.Fatal(err)
	}
	want := wantEveryOriginalKey(t)
	want.File = got.File
	if diff := cmp.Diff(want, got, asIs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const unused = `ap.name: has no effect, only files of the original have it (line 11)
wifi.name: has no effect, only files of the original have it (line 24)
paths.hostapd_conf: has no effect, only files of the original have it (line 29)
paths.dnsmasq_conf: has no effect, only files of the original have it (line 31)
paths.interfaces: has no effect, only files of the original have it (line 32)
`
	if diff := cmp.Diff(unused, texts(warnings)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestFlagsOfTheOriginal(t *testing.T) {
	args := strings.Fields(`-a /tmp/netconnectd.sock --interface-wifi wlan1 --interface-wired eth1
		--linkmon-disabled --linkmon-maxdown 5 --linkmon-interval 20
		--ap-name my_ap --ap-driver nl80211 --ap-ssid 0123 --ap-psk 01234567 --ap-channel 6
		--ap-ip 192.168.4.1 --ap-network 192.168.4.0/24 --ap-range 192.168.4.10,192.168.4.20
		--ap-domain printer.local --ap-forwarding --wifi-name my_wifi --wifi-free --wifi-kill
		--path-hostapd /opt/hostapd --path-hostapd-conf /x --path-dnsmasq /opt/dnsmasq
		--path-dnsmasq-conf /x --path-interfaces /x
		-F --foreground --pid /run/x.pid --logfile /var/log/x.log -d`)
	got, warnings, err := loadYAML(t, "", args...)
	if err != nil {
		t.Fatal(err)
	}
	want := wantEveryOriginalKey(t)
	want.File, want.Log = got.File, Log{Debug: true, File: "/var/log/x.log"}
	if diff := cmp.Diff(want, got, asIs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, says := range []string{
		"--pid: has no effect",
		"ap.psk: every user can read it in the list of processes; put it into the file (--ap-psk)",
	} {
		if !strings.Contains(texts(warnings), says) {
			t.Errorf("no warning %q in\n%s", says, texts(warnings))
		}
	}
}

func TestFlagBeatsEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	const file = "link_monitor:\n  max_link_down: 5\n  enabled: false\nap:\n  ssid: file\n"
	env := []string{"NETCONNECTD_LINK_MONITOR_MAX_LINK_DOWN=6", "NETCONNECTD_AP_SSID=env", "HOME=/root"}
	tests := []struct {
		name    string
		file    string
		env     []string
		args    []string
		maxDown int
		ssid    string
		enabled bool
	}{
		{name: "default", maxDown: 3, ssid: defaults(t).AP.SSID, enabled: true},
		{name: "file over default", file: file, maxDown: 5, ssid: "file"},
		{name: "environment over file", file: file, env: env, maxDown: 6, ssid: "env"},
		{name: "flag over environment and file", file: file, env: env,
			args: []string{"--linkmon-maxdown=7", "--ap-ssid", "flag"}, maxDown: 7, ssid: "flag"},
		{name: "environment over default", env: env, maxDown: 6, ssid: "env", enabled: true},
		{name: "flag with the default's value over file", file: file,
			args: []string{"--linkmon-maxdown=3", "--linkmon-disabled=false"}, maxDown: 3, ssid: "file", enabled: true},
		{name: "empty flag over file", file: file, args: []string{"--ap-ssid="}, maxDown: 5, ssid: defaults(t).AP.SSID},
		{name: "empty variable is absent", file: file, env: []string{"NETCONNECTD_AP_SSID="}, maxDown: 5, ssid: "file"},
		{name: "negated flag over environment", env: []string{"NETCONNECTD_LINK_MONITOR_ENABLED=on"},
			args: []string{"--linkmon-disabled"}, maxDown: 3, ssid: defaults(t).AP.SSID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, warnings, err := Load(append([]string{"-c", writeYAML(t, tt.file)}, tt.args...), tt.env)
			if err != nil || len(butOpen(warnings)) > 0 {
				t.Fatalf("%v, %v", warnings, err)
			}
			if c.LinkMonitor.MaxLinkDown != tt.maxDown || c.AP.SSID != tt.ssid || c.LinkMonitor.Enabled != tt.enabled {
				t.Errorf("max_link_down %d, ssid %q, enabled %t", c.LinkMonitor.MaxLinkDown, c.AP.SSID, c.LinkMonitor.Enabled)
			}
		})
	}
}

// TestIsolated: clients of an open access point are strangers to each other.
func TestIsolated(t *testing.T) {
	for _, tt := range []struct {
		name, yaml string
		want       bool
		wrong      string
	}{
		{name: "open", want: true},
		{name: "with a passphrase", yaml: "ap: {psk: hunter22}"},
		{name: "open, as somebody wants it", yaml: "ap: {isolate: no}"},
		{name: "with a passphrase, as somebody wants it", yaml: "ap: {isolate: on, psk: hunter22}", want: true},
		{name: "left to the daemon by name", yaml: "ap: {isolate: auto, psk: hunter22}"},
		{name: "neither", yaml: "ap: {isolate: maybe}", wrong: "ap.isolate: maybe is neither true nor false nor auto (line 1)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _, err := loadYAML(t, tt.yaml)
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("got %v, want %s", err, tt.wrong)
				}
				return
			}
			if err != nil || c.AP.Isolated() != tt.want {
				t.Errorf("isolated: %v, %v", c.AP.Isolated(), err)
			}
		})
	}
}

// Every key is wired to its flag, its variable and its place in the file.
func TestEveryKeyFromEverySource(t *testing.T) {
	changed := map[kind]string{
		kindText: "group", kindPath: "/changed", kindBoolean: "true", kindWhole: "11", kindSeconds: "77.5",
		kindRange: "10.250.250.3,10.250.250.4", kindHosts: "192.0.2.1,2001:db8::1",
	}
	special := map[string]string{
		"permissions.change": "everyone", "link_monitor.enabled": "no", "ap.country": "NO", "ap.psk": "00000000",
		"ap.ip": "10.250.250.2", "ap.network": "10.250.0.0/16",
		"probe.kind": "none", "probe.url": "http://example.org/", "ap.mode": "never", "ap.isolate": "true", "wifi.backend": "networkmanager",
	}
	// What a key needs to have an effect.
	needs := map[string][]string{"ap.forwarding_to_wired": {"--interface-wired=eth7"}}
	for i := range keys {
		k := &keys[i]
		t.Run(k.path, func(t *testing.T) {
			text := changed[k.kind]
			if s, ok := special[k.path]; ok {
				text = s
			}
			flagText := text
			if k.negated {
				flagText = "yes"
			}
			var viaFile *Config
			for source, load := range map[string]func() (*Config, []Problem, error){
				"file": func() (*Config, []Problem, error) { return loadYAML(t, asYAML(k.path, text), needs[k.path]...) },
				"env": func() (*Config, []Problem, error) {
					return Load(append([]string{"-c", writeYAML(t, "")}, needs[k.path]...), []string{k.env() + "=" + text})
				},
				"flag": func() (*Config, []Problem, error) {
					return loadYAML(t, "", append(needs[k.path], "--"+k.flag+"="+flagText)...)
				},
			} {
				c, _, err := load()
				if err != nil {
					t.Fatalf("%s: %v", source, err)
				}
				c.File = ""
				if viaFile == nil {
					viaFile = c
				}
				if diff := cmp.Diff(viaFile, c, asIs); diff != "" {
					t.Errorf("%s differs from another source:\n%s", source, diff)
				}
				want := []string{k.path}
				if strings.Contains(k.noEffect, "original") && strings.HasPrefix(k.path, "paths.") {
					want = nil
				}
				without, _, err := loadYAML(t, "", needs[k.path]...)
				if err != nil {
					t.Fatal(err)
				}
				if got := Diff(without, c); !slices.Equal(got, want) {
					t.Errorf("%s: changed %v", source, got)
				}
			}
		})
	}
}

func asYAML(path, text string) string {
	section, name, ok := strings.Cut(path, ".")
	if !ok {
		return path + ": " + text + "\n"
	}
	return section + ":\n  " + name + ": " + text + "\n"
}

func TestTextStaysAsItWasTyped(t *testing.T) {
	for _, tt := range []struct{ yaml, want string }{
		{"01234567", "01234567"}, {"1234567890123", "1234567890123"}, {"1e400000", "1e400000"}, {"0x1234567", "0x1234567"},
		{"2026-05-04", "2026-05-04"}, {`"yes or no"`, "yes or no"}, {"yes or no", "yes or no"}, {"12:34:56:78", "12:34:56:78"},
		{"'it''s me!'", "it's me!"}, {"a#b#c#d#e", "a#b#c#d#e"}, {`"tab\tno"`, ""}, {"+1_000_000", "+1_000_000"},
		{"pass word ", "pass word"}, {`"pass word "`, "pass word "}, {"пароль12", "пароль12"},
		{"!!str 12345678", "12345678"}, {"|-\n    12345678", "12345678"}, {"&a 12345678", "12345678"},
		{strings.Repeat("aF", 32), strings.Repeat("aF", 32)},
	} {
		t.Run(tt.yaml, func(t *testing.T) {
			c, _, err := loadYAML(t, "ap:\n  psk: "+tt.yaml+"\n")
			if tt.want == "" {
				if err == nil {
					t.Error("accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := c.AP.PSK.Reveal(); got != tt.want {
				t.Errorf("psk = %q", got)
			}
		})
	}
	for _, word := range []string{"0123", "yes", "NO", "off", "1.50", "True", "1_0", ".5", "Ünïcödé", "0o17", "=", "<<"} {
		if c, _, err := loadYAML(t, "ap:\n  ssid: "+word+"\n"); err != nil || c.AP.SSID != word {
			t.Errorf("ssid %s: %v, %v", word, c, err)
		}
	}
}

func TestAliasesStandForWhatTheyName(t *testing.T) {
	c, warnings, err := loadYAML(t, "interfaces: &i\n  wifi: &name wlan7\nap:\n  ssid: *name\n")
	if err != nil || len(butOpen(warnings)) > 0 || c.AP.SSID != "wlan7" {
		t.Errorf("%v, %v, %v", c, warnings, err)
	}
}

func TestDefaultSSIDFitsAndNamesTheHost(t *testing.T) {
	for host, want := range map[string]string{
		"octopi":                             "netconnectd-octopi",
		"octopi.example.org":                 "netconnectd-octopi",
		"":                                   "netconnectd",
		"localhost":                          "netconnectd",
		"a-very-long-host-name-of-a-printer": "netconnectd-a-very-long-host-nam",
	} {
		if got := defaultSSID(host); got != want || len(got) > 32 {
			t.Errorf("%q: %q", host, got)
		}
	}
}
