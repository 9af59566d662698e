package trial

import "testing"

func TestReloadSaysWhatItDid(t *testing.T) {
	for _, tt := range []struct {
		name    string
		changed []string
		station bool
		want    string
	}{
		{"nothing", nil, true, "nothing differs"},
		{"applied", []string{"ap.ssid", "ap.psk"}, true, "ap.ssid, ap.psk"},
		{"some wait", []string{"socket", "ap.ssid"}, false, "ap.ssid (after a restart: socket)"},
		{"all wait", []string{"paths.state"}, false, "nothing differs (after a restart: paths.state)"},
		{"a network is kept as it was joined", []string{"wifi.metric", "ap.ssid", "socket"}, true, "ap.ssid (at the next join: wifi.metric) (after a restart: socket)"},
		{"no network is joined", []string{"ap.country", "wifi.metric"}, false, "ap.country, wifi.metric"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := describe(tt.changed, tt.station); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
