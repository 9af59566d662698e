package daemon

import "testing"

func TestReloadSaysWhatItDid(t *testing.T) {
	for _, tt := range []struct {
		name    string
		changed []string
		want    string
	}{
		{"nothing", nil, "reloaded: nothing differs"},
		{"applied", []string{"ap.ssid", "ap.psk"}, "reloaded: ap.ssid, ap.psk"},
		{"some wait", []string{"socket", "ap.ssid"}, "reloaded: ap.ssid (after a restart: socket)"},
		{"all wait", []string{"paths.state"}, "reloaded: nothing differs (after a restart: paths.state)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := describe(tt.changed); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
