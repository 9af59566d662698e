package config

import (
	"strings"
	"testing"
)

// At a first start each wrong setting has its default, and every other counts.
func TestDefaultsOfWhatIsWrong(t *testing.T) {
	for _, row := range []struct {
		name string
		file string
		args []string
		env  []string
		says string
		ssid string // of the access point
		hold string // link_monitor.hold
	}{
		{name: "bad value", file: "ap: {ssid: mine, channel: 99}\n", says: "ap.channel: 99", ssid: "mine", hold: "15s"},
		{name: "two bad values", file: "ap: {ssid: mine, channel: 99}\nlink_monitor: {hold: x}\n", says: "link_monitor.hold", ssid: "mine", hold: "15s"},
		{name: "values that only fit together", file: "ap: {ssid: mine, ip: 192.0.2.1}\n", says: "ap.ip", ssid: "mine", hold: "15s"},
		{name: "a tab", file: "ap:\n  ssid: mine\n\tchannel: 6\nlink_monitor:\n  hold: 20\n", says: "line 3", ssid: "mine", hold: "20s"},
		{name: "no colon after a section", file: "link_monitor:\n  hold: 20\nap\n  ssid: mine\n", says: "line", hold: "20s"},
		{name: "a quote that does not end", file: "link_monitor:\n  hold: 20\nap:\n  ssid: 'mine\n", says: "line", hold: "20s"},
		{name: "no section at all", file: "@@@\n", says: "line 1", hold: "15s"},
		{name: "bad flag", file: "ap: {ssid: mine}\n", args: []string{"--ap-channel=99"}, says: "--ap-channel", ssid: "mine", hold: "15s"},
		{name: "bad variable", file: "ap: {ssid: mine}\n", env: []string{"NETCONNECTD_AP_CHANNEL=99"}, says: "NETCONNECTD_AP_CHANNEL", ssid: "mine", hold: "15s"},
		{name: "bad log file", file: "ap: {ssid: mine}\n", args: []string{"--logfile=x"}, says: "--logfile", ssid: "mine", hold: "15s"},
		{name: "no such file", file: "-", says: "no such file", hold: "15s"},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := t.TempDir() + "/none"
			if row.file != "-" {
				path = writeYAML(t, row.file)
			}
			args := append([]string{"-c", path}, row.args...)
			_, _, fault := Load(args, row.env)
			if fault == nil || !strings.Contains(fault.Error(), row.says) {
				t.Fatalf("Load: %v, want %s", fault, row.says)
			}
			c := LoadDefaults(args, row.env, fault)
			if c == nil {
				t.Fatal("no settings")
			}
			if c.Fault == nil || !c.Defaults || c.AP.Channel == 99 || !c.AP.Address.IsValid() || c.Log.File != "" {
				t.Errorf("%+v", c)
			}
			if row.ssid != "" && c.AP.SSID != row.ssid || row.ssid == "" && c.AP.SSID == "mine" || c.LinkMonitor.Hold.String() != row.hold {
				t.Errorf("SSID %q, hold %v", c.AP.SSID, c.LinkMonitor.Hold)
			}
			if LoadDefaults(append(args, "--check"), row.env, fault) != nil {
				t.Error("--check is no longer strict")
			}
		})
	}
	if LoadDefaults([]string{"--nonsense"}, nil, nil) != nil {
		t.Error("a command line that makes no sense")
	}
}

// A key never gets into another section than it was typed in.
func TestSalvageMovesNothing(t *testing.T) {
	got := salvage([]byte("wifi:\n  name: a\nap\n  name: b\n  psk: 12345678\nstart:\n  settle: 3\n")).values
	if len(got) != 2 || got["wifi.name"].text != "a" || got["start.settle"].text != "3" || got["start.settle"].from.line != 7 {
		t.Errorf("%+v", got)
	}
}

// A fault early in a section of many lines takes few attempts: the section is not parsed
// once for each line.
func TestSalvageOfManyLines(t *testing.T) {
	many := strings.Repeat("  # a comment\n", 2_000)
	for _, row := range []struct{ name, text string }{
		{"a tab", "ap:\n  ssid: mine\n\tchannel: 6\n"},
		{"an open quote", "ap:\n  ssid: mine\n  psk: 'x\n"},
		{"an open list", "ap:\n  ssid: mine\n  range: [a,\n"},
		{"an open mapping", "ap:\n  ssid: mine\n  psk: {a: b,\n"},
		{"a word", "ap:\n  ssid: mine\n channel\n"},
	} {
		var got contents
		few := testing.AllocsPerRun(1, func() { salvage([]byte(row.text)) })
		allocs := testing.AllocsPerRun(1, func() { got = salvage([]byte(row.text + many)) })
		if got.values["ap.ssid"].text != "mine" || allocs > few+20_000 {
			t.Errorf("%s: %q, %v allocations instead of %v", row.name, got.values["ap.ssid"].text, allocs, few)
		}
	}
}
