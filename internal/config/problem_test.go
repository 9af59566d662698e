package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// golden compares with a file in testdata, or rewrites it with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test ./internal/config -update rewrites it):\n%s", path, diff)
	}
}

func TestAllProblemsInOneReport(t *testing.T) {
	file, err := os.ReadFile("testdata/problems.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := writeYAML(t, string(file))
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"-c", path, "--linkmon-interval=later", "--linkmon-disabled=perhaps"}
	env := []string{"NETCONNECTD_WIFI_METRIC=-4", "NETCONNECTD_AP_CHANEL=3", "NETCONNECTD_AP_PSK=hunter2"}
	c, warnings, err := Load(args, env)
	if c != nil || err == nil {
		t.Fatalf("accepted: %+v", c)
	}
	got := err.Error() + "\nwarnings\n  " + strings.ReplaceAll(strings.TrimSpace(texts(warnings)), "\n", "\n  ") + "\n"
	got = strings.ReplaceAll(got, path, "netconnectd.yaml")
	golden(t, filepath.Join("testdata", "problems.golden"), got)
	if strings.Contains(got, "hunter2") {
		t.Error("the report tells a secret")
	}
}

// An original's file after an evening of editing: the faults that people make.
func TestFileWithTheUsualFaults(t *testing.T) {
	path := writeYAML(t, readText(t, "testdata/faults.yaml"))
	c, warnings, err := Load([]string{"-c", path}, nil)
	if c != nil || err == nil {
		t.Fatalf("accepted: %+v", c)
	}
	got := strings.ReplaceAll(err.Error(), path, "netconnectd.yaml") + "\nwarnings\n" + texts(warnings)
	golden(t, filepath.Join("testdata", "faults.golden"), got)
}

func TestSyntaxProblemsNameTheLineAndNoSecret(t *testing.T) {
	tests := []struct{ name, psk, says string }{
		{"alias", "*hunter22", "begins with * in quotes (line 3)"},
		{"anchor", "&hunter22", "ap.psk: is an anchor of YAML; put a value that begins with & in quotes (line 3)"},
		{"tag", "!hunter22 x", "ap.psk: has a tag of YAML; put a value that begins with ! in quotes (line 3)"},
		{"binary", "!!binary aHVudGVyMjI=", "ap.psk: has a tag"},
		{"tag handle", "!a!hunter22 x", "undefined tag handle (line 3)"},
		{"percent", "%hunter22", "begins with @, % or ` in quotes (line 3)"},
		{"colon", "hunter22: x", "mapping values are not allowed in this context (line 3)"},
		{"escape", `"hunter22\q"`, "unknown escape character (line 3)"},
		{"open quote", `"hunter22`, "while scanning a quoted scalar that begins in line 3 (line 5)"},
		{"control character", "hunter22\x01", "control characters are not allowed (value: 1) (line 3)"},
		{"Latin-1", "hunter22\xfc.", "invalid leading UTF-8 octet (value: 252); save the file as UTF-8 (line 3)"},
		{"list", "[hunter22]", "ap.psk: is a list, not text (line 3)"},
		{"mapping", "{hunter22: x}", "ap.psk: is a section, not text (line 3)"},
		{"too short", "hunter2", "ap.psk: has neither 8 to 63 characters nor 64 hexadecimal digits (line 3)"},
		{"line break", `"hunter22\n"`, "ap.psk: has control characters (line 3)"},
		{"64 that are not hexadecimal", "hunter22" + strings.Repeat("a", 56), "ap.psk: has neither"},
		{"65", strings.Repeat("a", 65), "ap.psk: has neither"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, warnings, err := loadYAML(t, "ap:\n  ssid: x\n  psk: "+tt.psk+"\n  channel: 3\n")
			var report *Error
			if !errors.As(err, &report) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error = %v", err)
			}
			if text := err.Error() + texts(warnings); strings.Contains(text, "hunter2") {
				t.Errorf("the secret is told: %s", text)
			}
		})
	}
}

func TestForgottenSpaceDoesNotTellThePassphrase(t *testing.T) {
	for _, text := range []string{
		"ap:\n  psk:hunter22\n", "ap:\n  ssid: x\n  psk:hunter22\n", "ap: {psk:hunter22}\n", "ap: {psk=hunter22}\n",
		"psk:hunter22\n", "ap:\n  psk:hunter22: \n", "ap:\n  psk hunter22: \n",
	} {
		_, warnings, err := loadYAML(t, text)
		all := texts(warnings)
		if err != nil {
			all += err.Error()
		}
		if all == "" || strings.Contains(all, "hunter22") {
			t.Errorf("%q: %q", text, all)
		}
	}
}

func TestFilesOfAnotherShape(t *testing.T) {
	for _, tt := range []struct{ yaml, says string }{
		{"- ap\n", "the file is a list, not sections with keys (line 1)"},
		{"\nap\n", "the file is a single value, not sections with keys (line 2)"},
		{"ap:\n---\nap:\n", "the file holds more than one YAML document (line 2)"},
		{"ap: 5\n", "ap: is a single value, not a section with keys of its own (line 1)"},
		{"ap:\n- 5\n", "ap: is a list, not a section with keys of its own (line 2)"},
		{"socket: [a]\n", "socket: is a list, not text (line 1)"},
		{"ap: {}\nap: {}\n", "ap: is given twice, first in line 1 (line 2)"},
		{"ap:\n  psk: aaaaaaaa\nwifi:\nap:\n  psk: bbbbbbbb\n", "ap.psk: is given twice, first in line 2 (line 5)"},
		{"ap:\n  range: [[10.250.250.3], 10.250.250.4]\n", "ap.range: is a list, not a list of a first and a last address"},
	} {
		_, _, err := loadYAML(t, tt.yaml)
		var report *Error
		if !errors.As(err, &report) || !strings.Contains(err.Error(), "\n  "+tt.says) {
			t.Errorf("%q: %v", tt.yaml, err)
		}
	}
}

func TestValuesThatOnlyMakeSenseTogether(t *testing.T) {
	tests := []struct{ name, yaml, problem, warning string }{
		{name: "same interface twice", yaml: "interfaces: {wifi: wlan0, wired: wlan0}",
			problem: "interfaces.wired: wlan0 is interfaces.wifi already (line 1)"},
		{name: "ping without hosts", yaml: "probe:\n  kind: ping", problem: "probe.kind: ping needs probe.hosts (line 2)"},
		{name: "ping with an empty list", yaml: "probe: {kind: ping, hosts: []}", problem: "probe.kind: ping needs probe.hosts (line 1)"},
		{name: "http without url", yaml: "probe: {kind: http}", problem: "probe.kind: http needs probe.url (line 1)"},
		{name: "dns without name", yaml: "probe: {kind: dns}", problem: "probe.kind: dns needs probe.name (line 1)"},
		{name: "hosts that nobody pings", yaml: "probe: {hosts: [192.0.2.1]}",
			warning: "probe.hosts: has no effect, because probe.kind is gateway (line 1)"},
		{name: "ping of a bad host", yaml: "probe: {kind: ping, hosts: [example.org]}",
			problem: "probe.hosts: example.org is not an address; a name is asked for by probe.kind dns (line 1)"},
		{name: "forwarding to no interface", yaml: "ap: {forwarding_to_wired: yes}",
			warning: "ap.forwarding_to_wired: has no effect without interfaces.wired (line 1)"},
		{name: "forwarding", yaml: "{ap: {forwarding_to_wired: yes}, interfaces: {wired: eth0}}"},
		{name: "both decided by the daemon", yaml: "interfaces: {wifi: '', wired: ''}"},
		{name: "5 GHz without country", yaml: "ap: {channel: 36}",
			warning: "ap.channel: 36 is in 5 GHz, where most radios need ap.country (line 1)"},
		{name: "5 GHz with country", yaml: "ap: {channel: 36, country: de}"},
		{name: "address outside", yaml: "ap: {ip: 10.250.251.1}",
			problem: "ap.ip: 10.250.251.1 is outside ap.network 10.250.250.0/24 (line 1)"},
		{name: "default address outside", yaml: "ap: {network: 10.0.0.0/24, range: [10.0.0.2, 10.0.0.9]}",
			problem: "ap.ip: 10.250.250.1 is outside ap.network 10.0.0.0/24 (default)"},
		{name: "address of the network", yaml: "ap: {ip: 10.250.250.0}", problem: "ap.ip: 10.250.250.0 is not an address for a device"},
		{name: "multicast", yaml: "ap: {ip: 224.0.0.5, network: 224.0.0.0/24, range: [224.0.0.10, 224.0.0.20]}", problem: "ap.ip: 224.0.0.5 is not an address for a device"},
		{name: "the device itself", yaml: "ap: {ip: 127.0.5.1, network: 127.0.5.0/24, range: [127.0.5.10, 127.0.5.20]}", problem: "ap.ip: 127.0.5.1 is not an address for a device"},
		{name: "broadcast", yaml: "ap: {ip: 10.250.250.255}", problem: "ap.ip: 10.250.250.255 is not an address for a device"},
		{name: "range outside", yaml: "ap: {range: [10.250.250.2, 10.250.251.2]}",
			problem: "ap.range: 10.250.251.2 is outside ap.network 10.250.250.0/24 (line 1)"},
		{name: "default range outside", yaml: "ap: {ip: 10.0.0.1, network: 10.0.0.0/24}",
			problem: "ap.range: 10.250.250.100 is outside ap.network 10.0.0.0/24 (default)"},
		{name: "range upside down", yaml: "ap: {range: [10.250.250.9, 10.250.250.2]}",
			problem: "ap.range: 10.250.250.2 comes before 10.250.250.9 (line 1)"},
		{name: "range of one", yaml: "ap: {range: [10.250.250.9, 10.250.250.9]}"},
		{name: "range with the device", yaml: "ap: {range: [10.250.250.1, 10.250.250.9]}",
			warning: "ap.range: holds ap.ip 10.250.250.1, which no client will get (line 1)"},
		{name: "network by netmask, with host bits", yaml: "ap: {network: 10.250.250.7/255.255.255.0}"},
		{name: "odd netmask", yaml: "ap: {network: 10.250.250.0/255.0.255.0}", problem: "is not an IPv4 network"},
		{name: "network of IPv6", yaml: "ap: {network: 'fd00::/64'}", problem: "is not an IPv4 network"},
		{name: "no room", yaml: "ap: {network: 10.250.250.0/31}", problem: "leaves no room"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, warnings, err := loadYAML(t, tt.yaml+"\n")
			if (err != nil) != (tt.problem != "") || err != nil && !strings.Contains(err.Error(), tt.problem) ||
				strings.Contains(fmt.Sprint(err), "problems") {
				t.Errorf("error = %v, want %q", err, tt.problem)
			}
			if got := texts(butOpen(warnings)); (got != "") != (tt.warning != "") || !strings.Contains(got, tt.warning) {
				t.Errorf("warnings = %q, want %q", got, tt.warning)
			}
		})
	}
}

func TestValuesAtTheirLimits(t *testing.T) {
	tests := []struct {
		path string
		good []string
		bad  []string
	}{
		{"ap.channel", []string{"1", "13", "06", `"6"`, "36", "165"}, []string{"0", "14", "52", "100", "166", "-1", "0x6", "1.0", "six"}},
		{"ap.country", []string{"DE", "no", `""`}, []string{"D", "DEU", "D1", "49"}},
		{"ap.ssid", []string{strings.Repeat("é", 16), `""`}, []string{strings.Repeat("é", 16) + "x"}},
		{"ap.domain", []string{"lan", "a-b.example.org", `""`}, []string{"a..b", ".", "-a", "a-", "a_b", "a b", strings.Repeat("a", 64)}},
		{"ap.driver", []string{"nl80211", "none"}, []string{`""`, "a b", `"a\nb"`, "a=b"}},
		{"interfaces.wifi", []string{"wlan0", "eth0.100", "wlp2s0f3u1u2u3", `""`}, []string{"a/b", ".", "..", "a b", "a234567890123456", `"a\n"`, "eth0:1"}},
		{"link_monitor.hold", []string{"0", "0.5", "15", "86400"}, []string{"-0.1", "86401", "15s", "nan", ".nan", "inf", `""`, "1e30"}},
		{"link_monitor.interval", []string{"1", "10"}, []string{"0", "0.9"}},
		{"link_monitor.max_link_down", []string{"1", "1000"}, []string{"0", "1001", "3.0"}},
		{"link_monitor.enabled", []string{"true", "FALSE", "Yes", "off"}, []string{"1", "0", "y", `""`, "[true]"}},
		{"wifi.metric", []string{"0", "2147483647"}, []string{"-1", "2147483648", "99999999999999999999"}},
		{"socket", []string{"/s", "/" + strings.Repeat("a", 106)}, []string{"s", `""`, "/" + strings.Repeat("a", 107), `"/a\nb"`}},
		{"paths.hostapd", []string{"/usr/bin/hostapd"}, []string{"hostapd", "./hostapd", "~/hostapd", `""`}},
		{"ap.mode", []string{"fallback", "always", "never"}, []string{"Always", "off", `""`}},
		{"probe.kind", []string{"gateway", "none"}, []string{"arp", "Ping", `""`}},
		{"probe.hosts", []string{"[192.0.2.1]", "192.0.2.1", "[192.0.2.1, '2001:db8::1']", "['fe80::1']", "[]", `""`, "192.0.2.1, 192.0.2.2"},
			[]string{"[example.org]", "['fe80::1%eth0']", "[0.0.0.0]", "['::']", "[127.0.0.1]", "[224.0.0.1]", "[192.0.2.1/24]", "[[192.0.2.1]]",
				"[" + strings.Repeat("192.0.2.1, ", 8) + "192.0.2.9]", "{a: b}"}},
		{"probe.url", []string{"http://example.org/generate_204", "https://example.org", "http://192.0.2.1:8080", "http://[2001:db8::1]/", `""`},
			[]string{"http://example.org:99999", "http://example.org:0", "http://[fe80::1%25eth0]/", "example.org", "http://", "http:///x", "ftp://example.org", "http://user:hunter22@example.org", "'http://a b/'"}},
		{"probe.name", []string{"example.org", "router", `""`}, []string{"-a", "a b", "http://example.org"}},
		{"permissions.change", []string{"group", "everyone"}, []string{"Group", "nobody", `""`}},
		{"ap.range", []string{`"10.250.250.3, 10.250.250.4"`}, []string{"10.250.250.3", "a,b", `"1.2.3.4,1.2.3.5,1.2.3.6"`, "[]", `"::1,::2"`}},
	}
	for _, tt := range tests {
		for _, text := range tt.good {
			if _, _, err := loadYAML(t, asYAML(tt.path, text)); err != nil {
				t.Errorf("%s: %s: %v", tt.path, text, err)
			}
		}
		for _, text := range tt.bad {
			_, _, err := loadYAML(t, asYAML(tt.path, text))
			if err == nil || !strings.Contains(err.Error(), ": 1 problem\n  "+tt.path+": ") {
				t.Errorf("%s: %s: error = %v", tt.path, text, err)
			}
		}
	}
}

func TestProblemInAnOverriddenValueIsReported(t *testing.T) {
	_, _, err := loadYAML(t, "ap:\n  channel: 15\n", "--ap-channel=6")
	if err == nil || !strings.Contains(err.Error(), "ap.channel: 15 is not in 1..13") {
		t.Errorf("error = %v", err)
	}
}

func TestHints(t *testing.T) {
	for typed, want := range map[string]string{
		"ap.chanel": "ap.channel", "ap.CHANNEL": "ap.channel", "channel": "ap.channel", "wifi.channel": "ap.channel",
		"linkmonitor": "link_monitor", "link-monitor": "link_monitor", "AP": "ap", "interface": "interfaces",
		"paths.wpa-supplicant": "paths.wpa_supplicant", "psk": "ap.psk", "ap.pks": "ap.psk", "zzz": "", "ap.quality": "", "": "",
	} {
		hint := didYouMean(typed, hints(typed))
		if want == "" && hint != "" || want != "" && hint != "; did you mean "+want+"?" {
			t.Errorf("%s: %q", typed, hint)
		}
	}
}

func TestSecretThatOthersCanRead(t *testing.T) {
	path := writeYAML(t, "ap:\n  psk: hunter22\n")
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, warnings, err := Load([]string{"-c", path}, nil)
		got := texts(warnings)
		if err != nil || strings.Contains(got, "chmod o-rwx "+path+" (line 2)") != warned || strings.Contains(got, "hunter22") {
			t.Errorf("%v: %q, %v", mode, got, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	problems, err := os.ReadFile("testdata/problems.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(problems), readText(f, originalFile), router, "ap: &a\n  psk: *a\n", "a: &x [*x]\n", "\"\\x00\": {", "ap: !!null x\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r report
		line := newCommandLine()
		d := settle(line, nil, parseFile(data, &r), &r)
		for _, p := range append(r.problems, r.warnings...) {
			if strings.ContainsAny(p.String(), "\n\x00\x1b") || len(p.String()) > 400 {
				t.Errorf("not one short line: %q", p)
			}
		}
		if len(r.problems) > 0 {
			return
		}
		ap := d.AP
		if !ap.Address.IsValid() || !ap.Address.Contains(ap.RangeFirst) || ap.RangeLast.Less(ap.RangeFirst) || ap.SSID == "" ||
			d.LinkMonitor.Interval <= 0 || d.Socket == "" {
			t.Errorf("accepted: %+v", d.Config)
		}
	})
}
