package daemon

import (
	"context"
	"testing"

	"github.com/netconnectd/netconnectd/internal/config"
)

func TestReloadSaysWhatItDid(t *testing.T) {
	for _, tt := range []struct {
		name    string
		changed []string
		station bool
		want    string
	}{
		{"nothing", nil, true, "reloaded: nothing differs"},
		{"applied", []string{"ap.ssid", "ap.psk"}, true, "reloaded: ap.ssid, ap.psk"},
		{"some wait", []string{"socket", "ap.ssid"}, false, "reloaded: ap.ssid (after a restart: socket)"},
		{"all wait", []string{"paths.state"}, false, "reloaded: nothing differs (after a restart: paths.state)"},
		{"a network is kept as it was joined", []string{"wifi.metric", "ap.ssid", "socket"}, true, "reloaded: ap.ssid (at the next join: wifi.metric) (after a restart: socket)"},
		{"no network is joined", []string{"ap.country", "wifi.metric"}, false, "reloaded: ap.country, wifi.metric"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := describe(tt.changed, tt.station); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestReloadTellsWarnings checks that the result of a reload has the warnings that a
// start would have logged.
func TestReloadTellsWarnings(t *testing.T) {
	d := idle(t)
	cfg := *d.cfg.Load()
	d.Load = func() (*config.Config, []config.Problem, error) {
		next := cfg
		return &next, []config.Problem{{Key: "ap.power", Text: "is not known"}, {Text: "the file is\nold"}}, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // no loop receives the event of the reload
	got, err := d.reload(ctx)
	if want := "reloaded: nothing differs\n  warning: ap.power: is not known\n  warning: the file is old"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}
