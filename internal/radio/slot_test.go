package radio

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/netconnectd/netconnectd/internal/ap"
	"github.com/netconnectd/netconnectd/internal/interfaces"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/networkmanager"
	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// idleSlot is a slot whose interface is not there, and which Run does not own yet.
func idleSlot(t *testing.T) *Slot {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	runner := &process.Runner{Dir: t.TempDir(), Log: log}
	t.Cleanup(runner.Close)
	return New(Parts{
		RuntimeDir: runner.Dir, Runner: runner, Monitor: link.NewMonitor(log), Interfaces: interfaces.New(func() {}), Saved: &store.Store{}, Events: *silent(), Log: log,
	}, Settings{Interface: "absent0", Backend: BackendOurs})
}

// owned runs the owner of the slot until the test ends.
func owned(t *testing.T, s *Slot) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
}

// TestSettingsKeepTheStation checks that a radio with new settings keeps the
// connection to wpa_supplicant, unless the settings concern that connection.
func TestSettingsKeepTheStation(t *testing.T) {
	s := idleSlot(t)
	owned(t, s)
	settings := s.current.Load().Settings
	for _, row := range []struct {
		name   string
		change func(*Settings)
		kept   bool
	}{
		{"nothing", func(*Settings) {}, true},
		{"the access point", func(c *Settings) { c.AccessPoint.SSID = "renamed" }, true},
		{"the country", func(c *Settings) { c.Country = "DE" }, false},
		{"the program", func(c *Settings) { c.WPASupplicant = "/opt/wpa_supplicant" }, false},
	} {
		before := s.current.Load().station
		row.change(&settings)
		if err := s.Configure(t.Context(), settings); err != nil {
			t.Fatal(err)
		}
		if len(s.recheck) != 1 {
			t.Errorf("%s: who joins networks is not decided again", row.name)
		}
		if after := s.current.Load().station; (after == before) != row.kept {
			t.Errorf("%s: kept %v", row.name, !row.kept)
		}
	}
	before := s.current.Load().station
	if err := s.ask(t.Context(), func(c choice) (choice, bool) { c.iface = "absent1"; return c, true }); err != nil {
		t.Fatal(err)
	}
	if s.current.Load().station == before {
		t.Error("another radio has the station of the one before")
	}
}

// TestServingRadioIsLookedAtAgain checks that the backend is chosen again if
// NetworkManager finds the radio after the access point had it released, and reports
// that before the access point serves.
func TestServingRadioIsLookedAtAgain(t *testing.T) {
	for managed, want := range map[bool]int{true: 1, false: 0} {
		s := idleSlot(t)
		s.build(choice{iface: "absent0", managed: managed})
		reported := policy.Stage("")
		s.current.Load().serves(t.Context(), func(stage policy.Stage) { reported = stage })
		if len(s.recheck) != want || !s.serving.Load() || reported != policy.StageReady {
			t.Errorf("managed %v: %d looks are due, serving %v, stage %q", managed, len(s.recheck), s.serving.Load(), reported)
		}
	}
}

// TestWritersDoNotOverwriteEachOther changes settings, interface and backend side by
// side, and checks that the radio has the latest of each. A writer that began from an
// older radio would undo what another has changed since.
func TestWritersDoNotOverwriteEachOther(t *testing.T) {
	for range 200 {
		s := idleSlot(t)
		owned(t, s)
		next := Settings{Backend: BackendAuto, AccessPoint: ap.Config{SSID: "renamed"}}
		var writers sync.WaitGroup
		writers.Go(func() {
			if err := s.Configure(t.Context(), next); err != nil {
				t.Error(err)
			}
		})
		writers.Go(func() {
			if err := s.ask(t.Context(), func(c choice) (choice, bool) { c.iface = "absent1"; return c, true }); err != nil {
				t.Error(err)
			}
		})
		writers.Go(func() {
			if err := s.ask(t.Context(), func(c choice) (choice, bool) { c.managed = true; return c, true }); err != nil {
				t.Error(err)
			}
		})
		writers.Wait()
		if r := s.current.Load(); r.AccessPoint.SSID != "renamed" || r.iface != "absent1" || !r.managed {
			t.Fatalf("the radio is %s with the access point %q, managed %v", r.iface, r.AccessPoint.SSID, r.managed)
		}
	}
}

// TestBackendFollowsTheLatestSettings checks that a choice which began under older
// settings is made by those in force.
func TestBackendFollowsTheLatestSettings(t *testing.T) {
	s := idleSlot(t)
	owned(t, s)
	has := networkmanager.Device{Managed: true}
	for _, row := range []struct {
		name    string
		backend string
		free    bool
		err     error
		managed bool
	}{
		{"NetworkManager has the radio", BackendAuto, false, nil, true},
		{"the bus says nothing", BackendAuto, false, context.DeadlineExceeded, true},
		{"the radio is to be ours", BackendOurs, false, nil, false},
		{"NetworkManager is to have the radio", BackendNetworkManager, false, networkmanager.ErrAbsent, true},
		{"NetworkManager is not there", BackendAuto, false, networkmanager.ErrAbsent, false},
		{"the radio is to be free", BackendAuto, true, nil, false},
	} {
		if err := s.Configure(t.Context(), Settings{Interface: "absent0", Backend: row.backend, Free: row.free}); err != nil {
			t.Fatal(err)
		}
		change, err := s.chooseBackend(t.Context(), has, row.err)
		if err != nil || change.is != row.managed || s.Managed() != row.managed {
			t.Errorf("%s: managed %v, %v", row.name, s.Managed(), err)
		}
	}
}
