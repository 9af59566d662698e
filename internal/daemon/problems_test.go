package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/doctor"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

func TestFindingsBecomeProblems(t *testing.T) {
	got := toProblems([]doctor.Finding{{ID: "iwd", Group: "Other programs", Level: doctor.Problem, What: "iwd works on wlan0", Remedy: "end it"}})
	if diff := cmp.Diff([]client.Problem{{Code: "iwd", Text: "iwd works on wlan0", Remedy: "end it"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Faults of the configuration file are reported until the file is reloaded.
func TestFaultsBecomeProblems(t *testing.T) {
	file := filepath.Join(t.TempDir(), "netconnectd.yaml")
	load := func(text string) (*config.Config, []config.Problem, error) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return config.Load([]string{"-c", file}, nil)
	}
	if _, _, err := load("ap: {channel: 6}\n"); len(configProblems(err, &config.Config{File: file})) > 0 {
		t.Fatalf("%v, %v", err, configProblems(err, &config.Config{File: file}))
	}
	for _, tt := range []struct {
		name  string
		fault func() error
		want  []string
	}{
		{"two settings", func() error { _, _, err := load("ap: {channel: 99}\nprobe: {kind: x}\n"); return err }, []string{"ap.channel: 99 is not", "probe.kind: "}},
		{"no file", func() error { return errors.New("read configuration: no such file") }, []string{"read configuration: no such file; "}},
	} {
		got := configProblems(tt.fault(), &config.Config{File: file})
		if len(got) != len(tt.want) {
			t.Fatalf("%s: %+v", tt.name, got)
		}
		for i, want := range tt.want {
			if p := got[i]; p.Code != "config" || !strings.HasPrefix(p.Text, want) || !strings.Contains(p.Remedy, file) {
				t.Errorf("%s: %+v, want %q", tt.name, p, want)
			}
		}
	}
}

// A missing part of the packet filter is reported until it is there again.
func TestUnguardedAccessPointIsAProblem(t *testing.T) {
	d := idle(t)
	unguarded := d.radioEvents().Unguarded
	for _, row := range []struct {
		name string
		err  error
		told int
	}{
		{"no packet filter", errors.New("look for table netconnectd: this kernel has no nftables"), 1},
		{"all is there", nil, 0},
	} {
		unguarded(row.err)
		if len(d.problems.hint) != 1 {
			t.Errorf("%s: no look is asked for", row.name)
		}
		<-d.problems.hint
		told := 0
		for _, p := range d.findProblems(t.Context()) {
			if p.Code == "packet_filter" && strings.Contains(p.Text, "no nftables") && p.Remedy != "" {
				told++
			}
		}
		if told != row.told {
			t.Errorf("%s: told %d times", row.name, told)
		}
	}
}

// A reload with a fault is reported as well, although it changes nothing.
func TestReloadTellsWhatIsWrong(t *testing.T) {
	d := idle(t)
	read := errors.New("not YAML")
	d.Load = func() (*config.Config, []config.Problem, error) { return d.cfg.Load(), nil, read }
	if _, err := d.trial.Reload(t.Context()); err == nil || len(configProblems(d.configWrong(), &config.Config{})) != 1 || len(d.problems.hint) != 1 {
		t.Errorf("%v; %v, %d looks asked for", err, d.configWrong(), len(d.problems.hint))
	}
	read = nil
	if _, err := d.trial.Reload(t.Context()); err != nil || d.configWrong() != nil {
		t.Errorf("corrected: %v; %v", err, d.configWrong())
	}
}

// A check is asked for when the access point's state changes, and when its start
// fails for another reason than before, but not at each step of the policy.
func TestWhatAsksForALook(t *testing.T) {
	state := func(ap policy.APState, reason string) policy.State {
		var s policy.State
		s.AP.State, s.AP.Reason = ap, reason
		return s
	}
	off := state(policy.APOff, "not needed")
	for _, tt := range []struct {
		name string
		next policy.State
		want bool
	}{
		{"nothing of the access point", off, false},
		{"it starts", state(policy.APStarting, "carrier lost"), true},
		{"it could not", state(policy.APOff, "port 67 is taken"), true},
	} {
		if got := changesAccessPoint(off, tt.next); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	p := problems{hint: make(chan struct{}, 1)}
	p.recheck()
	p.recheck() // does not wait, and one check is enough for both
	if len(p.hint) != 1 || p.all() != nil {
		t.Errorf("%d looks asked for, %v seen", len(p.hint), p.all())
	}
}

// Faults of the files of earlier runs are reported with a remedy.
func TestDamagedFilesBecomeProblems(t *testing.T) {
	if got := fileProblems(nil, nil, nil); got != nil {
		t.Errorf("%+v", got)
	}
	later := fmt.Errorf("read saved networks x: %w", store.ErrLater)
	got := fileProblems(later, errors.New("read the history: input/output error"), nil)
	if len(got) != 2 || got[0].Code != "saved_files" || !strings.Contains(got[0].Remedy, "later netconnectd") || !strings.Contains(got[1].Text, "history") || got[1].Remedy == "" {
		t.Errorf("%+v", got)
	}
}

// At a first start with a fault the default is in force, and the problem says so if
// the access point is open because of it.
func TestDefaultsInForceAreTold(t *testing.T) {
	wrong := &config.Error{Problems: []config.Problem{{Key: "ap.psk", Text: "too short"}, {Key: "ap.channel", Text: "99"}}}
	got := configProblems(wrong, &config.Config{Defaults: true})
	if len(got) != 2 || !strings.HasSuffix(got[0].Text, "its default is in force, and the access point is open") || !strings.HasSuffix(got[1].Text, "its default is in force") {
		t.Errorf("%+v", got)
	}
}
