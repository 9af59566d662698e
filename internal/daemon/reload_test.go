package daemon

import (
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

// The radio of new settings goes on with the connection to wpa_supplicant, unless
// they concern that.
func TestReloadKeepsTheStation(t *testing.T) {
	d := idle(t)
	for _, row := range []struct {
		name   string
		change func(*config.Config)
		kept   bool
	}{
		{"nothing", func(*config.Config) {}, true},
		{"the access point", func(c *config.Config) { c.AP.SSID = "renamed" }, true},
		{"the country", func(c *config.Config) { c.AP.Country = "DE" }, false},
		{"the program", func(c *config.Config) { c.Paths.WPASupplicant = "/opt/wpa_supplicant" }, false},
	} {
		before := d.radio.current.Load()
		next := *d.cfg.Load()
		row.change(&next)
		d.cfg.Store(&next)
		if after := d.newRadio(before.iface); (after.station == before.station) != row.kept {
			t.Errorf("%s: kept %v", row.name, !row.kept)
		} else {
			d.radio.current.Store(after)
		}
	}
	if other := d.newRadio("absent1"); other.station == d.radio.current.Load().station {
		t.Error("another radio has the station of the one before")
	}
}
