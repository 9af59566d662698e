package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What runs must end, and be asked, whatever became of the configuration.
func TestWrongConfigurationDoesNotStandInTheWayOfTheEnd(t *testing.T) {
	const wrong = `
interfaces: {wifi: wlan7, wired: eth 0}
ap: {channel: 99, network: 192.168.7.0/24}
paths: {runtime: /run/elsewhere, hostapd_conf: /x}
probe: {kind: ping}
start: 10
`
	for _, args := range [][]string{{"--tear-down"}, {"--daemon=stop"}} {
		got, warnings, err := loadYAML(t, wrong, append(args, "--linkmon-interval=later")...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		want := defaults(t)
		want.File, want.TearDown, want.Daemon = got.File, got.TearDown, got.Daemon
		want.Interfaces.Wifi, want.RuntimeDir = "wlan7", "/run/elsewhere"
		if diff := cmp.Diff(want, got, asIs); diff != "" {
			t.Errorf("%v (-want +got):\n%s", args, diff)
		}
		for _, p := range []string{"interfaces.wired: ", "ap.channel: 99", "ap.ip: ", "probe.kind: ", "start: ", "(--linkmon-interval)"} {
			if !strings.Contains(texts(warnings), p) {
				t.Errorf("no warning of %q in\n%s", p, texts(warnings))
			}
		}
		if strings.Contains(texts(warnings), "hostapd_conf") {
			t.Errorf("warned of what only matters to a daemon:\n%s", texts(warnings))
		}
	}
	got, warnings, err := Load([]string{"--tear-down", "-c", "/nonexistent"}, nil)
	if err != nil || len(Diff(got, defaults(t))) > 0 || !strings.Contains(texts(warnings), "read configuration: open /nonexistent") {
		t.Errorf("without file: %v, %v, %v", got, warnings, err)
	}
}
