package daemon

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/probe"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/radio"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// TestMetrics checks that the daemon counts joins, probes and reloads.
func TestMetrics(t *testing.T) {
	d := idle(t)
	d.history, _ = openHistory(t.TempDir(), d.log)
	ended, end := context.WithCancel(t.Context())
	end()

	starting := policy.State{Uplink: policy.UplinkStatus{State: policy.Starting}}
	portal := policy.State{Uplink: policy.UplinkStatus{State: policy.Online, Name: "eth0", Portal: true}}
	serving := policy.State{Uplink: policy.UplinkStatus{State: policy.Lost}, AP: policy.APStatus{State: policy.APUp, Cause: policy.CauseFallback}}
	d.publish(policy.State{}, starting)
	d.publish(starting, portal)
	d.expect(t, `netconnectd_uplink_state{state="online"} 1`, `netconnectd_uplink_portal 1`)
	d.publish(portal, serving)
	d.radioEvents().Clients(ended, 2)
	if _, err := d.Probe(t.Context(), policy.Uplink{Name: "absent0"}); err == nil {
		t.Error("the probe of an interface that is not there passed")
	}
	for _, role := range []string{ap.RoleHostapd, ap.RoleDnsmasq, wifi.Role} {
		d.runner.Failed(role)
		d.expect(t, `netconnectd_child_failures_total{role="`+role+`"} 1`)
	}
	d.expect(t,
		`netconnectd_build_info{version="1.2.3"} 1`, `netconnectd_wifi_info{backend="wpa_supplicant",country=`,
		`netconnectd_uplink_state{state="lost"} 1`, `netconnectd_uplink_lost_total 1`,
		`netconnectd_access_point_state{state="up"} 1`, `netconnectd_access_point_starts_total{cause="fallback"} 1`,
		`netconnectd_access_point_clients 2`, `netconnectd_probes_total 1`, `netconnectd_probe_failures_total 1`,
	)

	d.Load = func() (*config.Config, []config.Problem, error) { return nil, nil, errors.New("not YAML") }
	d.expect(t, `netconnectd_config_last_load_successful 1`)
	if _, err := d.trial.Reload(t.Context()); err == nil {
		t.Error("a wrong configuration is applied")
	}
	d.expect(t, `netconnectd_config_last_load_successful 0`)

	home := policy.Target{Station: policy.Station{Wanted: true, Network: policy.Network{SSID: "not saved"}}}
	if err := d.radio.Hold(t.Context(), home, func(policy.Part, policy.Stage) {}); err == nil {
		t.Error("joined a network that is not saved")
	}
	_ = d.radio.Hold(ended, home, func(policy.Part, policy.Stage) {}) // whose end is all that counts
	d.expect(t, `netconnectd_join_attempts_total{result="not_configured"} 1`, `netconnectd_join_attempts_total{result="abandoned"} 1`)

	d.radio = &standIn{association: &wifi.Association{Signal: -61}}
	d.expect(t, `netconnectd_wifi_signal_dbm -61`)
}

// idle returns a daemon of which only the owners of the radio and of the declared
// network run. There is no radio, and the kernel's links are not known.
func idle(t *testing.T) *daemon {
	t.Helper()
	runner := &process.Runner{Dir: t.TempDir()}
	t.Cleanup(runner.Close)
	cfg := &config.Config{RuntimeDir: runner.Dir, Interfaces: config.Interfaces{Wifi: "absent0"}, Wifi: config.Wifi{Backend: radio.BackendOurs}}
	cfg.Probe.Kind = string(probe.KindGateway)
	d := build(cfg, Options{Version: "1.2.3", Log: slog.New(slog.DiscardHandler)}, runner, &store.Store{})
	ctx, stop := context.WithCancel(context.Background())
	owner := d.radio // a test may put another in its place
	var running sync.WaitGroup
	running.Go(func() { owner.Run(ctx) })
	running.Go(func() { _ = d.declared.Run(ctx) }) // its error is that ctx has ended
	running.Go(func() { d.trial.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	return d
}

// expect fails the test unless the metrics have lines that begin so.
func (d *daemon) expect(t *testing.T, lines ...string) {
	t.Helper()
	text, err := d.Handle(t.Context(), server.Peer{}, server.Metrics{})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if !strings.Contains(text.(string), "\n"+line) {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
}
