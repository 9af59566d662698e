package config

import (
	"errors"
	"slices"
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
		want.File, want.Fault, want.TearDown, want.Daemon = got.File, got.Fault, got.TearDown, got.Daemon
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

// A look at the device has the settings and all that is wrong with them.
func TestWrongConfigurationIsAmongWhatTheDoctorTells(t *testing.T) {
	got, warnings, err := loadYAML(t, "ap: {channel: 99, ssid: mine}\nwifi: {kil: true}\n", "--doctor")
	var wrong *Error
	if got == nil || !got.Doctor || got.AP.SSID != "mine" || got.AP.Channel != defaults(t).AP.Channel {
		t.Errorf("settings %+v", got)
	}
	if !errors.As(err, &wrong) || len(wrong.Problems) != 1 || !strings.Contains(texts(warnings), "wifi.kil: ") {
		t.Errorf("%v, %v", err, warnings)
	}
	got, _, err = Load([]string{"--bundle=/tmp/x", "-c", "/nonexistent"}, nil)
	if got == nil || !got.Doctor || got.Bundle != "/tmp/x" || err == nil || errors.As(err, &wrong) {
		t.Errorf("without file: %+v, %v", got, err)
	}
}

func TestValuesHaveTheirPlaceAndNoSecret(t *testing.T) {
	file := writeYAML(t, "ap:\n  psk: longenough\n  ssid: mine\n")
	got, err := Values([]string{"--config", file, "--ap-channel", "6"}, []string{"NETCONNECTD_AP_COUNTRY=DE"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ap.psk: [redacted] (line 2)", "ap.ssid: mine (line 3)", "ap.channel: 6 (--ap-channel)", "ap.country: DE (NETCONNECTD_AP_COUNTRY)", "ap.ip: 10.250.250.1 (default)"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}
