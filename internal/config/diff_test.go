package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestDiffNamesWhatDiffers(t *testing.T) {
	load := func(text string) *Config {
		c, _, err := loadYAML(t, text)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const base = "probe: {kind: ping, hosts: [192.0.2.1]}\nap: {psk: hunter22, channel: 6}\n"
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", base, "[]"},
		{"the same in other words", "link_monitor: {enabled: on, interval: 10.0}\nprobe: {kind: ping, hosts: '192.0.2.1'}\nap: {psk: 'hunter22', channel: 06}\n", "[]"},
		{"a secret", strings.Replace(base, "hunter22", "hunter23", 1), "[ap.psk]"},
		{"one host more", strings.Replace(base, "192.0.2.1", "192.0.2.1, 192.0.2.2", 1), "[probe.hosts]"},
		{"several, in the order of the file", "ap: {psk: hunter22, ip: 10.250.250.2}\nsocket: /x\n", "[socket probe.kind probe.hosts ap.channel ap.ip]"},
	} {
		if got := fmt.Sprint(Diff(load(base), load(tt.text))); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
