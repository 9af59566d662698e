package metrics

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// read parses the text with Prometheus' own parser, and returns every sample by its
// name and labels.
func read(t *testing.T, text string) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	samples := map[string]float64{}
	for _, f := range families {
		vector, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range vector {
			name := s.Metric.String()
			if _, twice := samples[name]; twice {
				t.Errorf("%s is there twice", name)
			}
			samples[name] = float64(s.Value)
		}
	}
	return samples
}

// TestPrometheusReadsIt uses Prometheus' own parser and the rules of "promtool check
// metrics".
func TestPrometheusReadsIt(t *testing.T) {
	for name, version := range map[string]string{
		"a version": "1.2.3", "none": "", "what has to be escaped": "1\\2\"3\n4{}=,#", "bytes that are no text": "1\xff",
	} {
		t.Run(name, func(t *testing.T) {
			text := New(version).Text(new(-60))
			want := strings.ToValidUTF8(version, "\uFFFD")
			label := model.Metric{"__name__": "netconnectd_build_info", "version": model.LabelValue(want)}
			if got := read(t, text); got[label.String()] != 1 || got["netconnectd_wifi_signal_dbm"] != -60 {
				t.Errorf("no %s, or no signal, in %v", label, got)
			}
			problems, err := promlint.New(strings.NewReader(text)).Lint()
			if err != nil || len(problems) > 0 {
				t.Errorf("%v, %v", problems, err)
			}
		})
	}
}

// TestCounts reports events and checks which values have changed.
func TestCounts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		story func(m *Metrics)
		want  map[string]float64
	}{
		{"nothing has happened", func(*Metrics) {}, nil},
		{"online for 5 s", func(m *Metrics) {
			m.Uplink("starting", false)
			time.Sleep(time.Second)
			m.Uplink("online", false)
			time.Sleep(5 * time.Second)
		}, map[string]float64{
			`netconnectd_uplink_state{state="online"}`: 1, `netconnectd_uplink_online_seconds_total`: 5,
		}},
		{"online, lost, online again, behind a portal", func(m *Metrics) {
			m.Uplink("online", false)
			time.Sleep(5 * time.Second)
			m.Uplink("joining", false)
			time.Sleep(7 * time.Second)
			m.Uplink("lost", false)
			m.Uplink("online", false)
			time.Sleep(2 * time.Second)
			m.Uplink("online", true) // by another interface
		}, map[string]float64{
			`netconnectd_uplink_state{state="online"}`: 1, `netconnectd_uplink_online_seconds_total`: 7,
			`netconnectd_uplink_lost_total`: 1, `netconnectd_uplink_portal`: 1,
		}},
		{"the access point came up twice, and somebody is on it", func(m *Metrics) {
			m.AccessPoint("starting", "fallback")
			m.AccessPoint("up", "fallback")
			m.Clients(3)
			m.AccessPoint("up", "asked") // the same one
			m.AccessPoint("stopping", "asked")
			m.AccessPoint("off", "")
			m.AccessPoint("starting", "asked")
			m.Clients(1) // may be heard of first
			m.AccessPoint("up", "asked")
		}, map[string]float64{
			`netconnectd_access_point_state{state="up"}`: 1, `netconnectd_access_point_clients`: 1,
			`netconnectd_access_point_starts_total{cause="fallback"}`: 1, `netconnectd_access_point_starts_total{cause="asked"}`: 1,
		}},
		{"nobody is on an access point that is gone", func(m *Metrics) {
			m.AccessPoint("up", "always")
			m.Clients(3)
			m.AccessPoint("off", "")
		}, map[string]float64{
			`netconnectd_access_point_state{state="off"}`: 1, `netconnectd_access_point_starts_total{cause="always"}`: 1,
		}},
		{"joins", func(m *Metrics) {
			m.Join(Joined, 2*time.Second)
			m.Join(Joined, 2500*time.Millisecond)
			m.Join(Joined, time.Minute)
			m.Join("wrong_key", 3*time.Second)
			m.Join(Abandoned, 3*time.Second)
			m.Join("\"}\nnetconnectd_up 7", 0)
		}, map[string]float64{
			`netconnectd_join_attempts_total{result="joined"}`: 3, `netconnectd_join_attempts_total{result="wrong_key"}`: 1,
			`netconnectd_join_attempts_total{result="abandoned"}`: 1, `netconnectd_join_attempts_total{result="other"}`: 1,
			`netconnectd_join_duration_seconds_bucket{le="2"}`: 1, `netconnectd_join_duration_seconds_bucket{le="5"}`: 2,
			`netconnectd_join_duration_seconds_bucket{le="10"}`: 2, `netconnectd_join_duration_seconds_bucket{le="20"}`: 2,
			`netconnectd_join_duration_seconds_bucket{le="45"}`: 2, `netconnectd_join_duration_seconds_bucket{le="+Inf"}`: 3,
			`netconnectd_join_duration_seconds_sum`: 64.5, `netconnectd_join_duration_seconds_count`: 3,
		}},
		{"probes and programs", func(m *Metrics) {
			m.Probe(nil)
			m.Probe(errors.New("silent"))
			m.ChildFailed("hostapd")
			m.ChildFailed("somebody else's")
		}, map[string]float64{
			`netconnectd_probes_total`: 2, `netconnectd_probe_failures_total`: 1, `netconnectd_child_failures_total{role="hostapd"}`: 1,
		}},
		{"a wrong configuration", func(m *Metrics) { m.ConfigLoaded(false) }, map[string]float64{`netconnectd_config_last_load_successful`: 0}},
		{"it is corrected", func(m *Metrics) { m.ConfigLoaded(false); m.ConfigLoaded(true) }, nil},
		{"the radio", func(m *Metrics) { m.Radio("networkmanager", "DE") }, map[string]float64{
			`netconnectd_wifi_info{backend="networkmanager", country="DE"}`: 1, `netconnectd_wifi_info{backend="", country=""}`: 0,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := New("1.2.3")
				before := read(t, m.Text(nil))
				tt.story(m)
				changed := map[string]float64{}
				after := read(t, m.Text(nil))
				for name, value := range after {
					if value != before[name] && !strings.HasPrefix(name, "netconnectd_process_") {
						changed[name] = value
					}
				}
				for name := range before {
					if _, still := after[name]; !still {
						changed[name] = 0
					}
				}
				if diff := cmp.Diff(tt.want, changed, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestDaemonItself checks the daemon's use of resources, and its start time.
func TestDaemonItself(t *testing.T) {
	start := time.Now()
	samples := read(t, New("").Text(nil))
	if got := samples["netconnectd_process_resident_memory_bytes"]; got < 1<<20 || got > 1<<30 {
		t.Errorf("%v bytes resident", got)
	}
	if got := samples["netconnectd_process_cpu_seconds_total"]; got <= 0 || got > 3600 {
		t.Errorf("%v s of processor time", got)
	}
	if got := samples["netconnectd_start_time_seconds"]; got < float64(start.Unix()) || got > float64(time.Now().Unix()) {
		t.Errorf("started at %v", got)
	}
	for name := range samples {
		if !strings.HasPrefix(name, "netconnectd_") {
			t.Errorf("%s may be somebody else's", name)
		}
	}
}

// TestEveryResultIsCounted checks that each reason why joining fails has a series of
// its own, except those with which no attempt ends.
func TestEveryResultIsCounted(t *testing.T) {
	page, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "### Why joining fails\n")
	section, _, _ = strings.Cut(section, "\n## ")
	codes := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(section, -1)
	if len(codes) < 15 {
		t.Fatalf("%d codes found", len(codes))
	}
	text := New("").Text(nil)
	for _, m := range codes {
		none := m[1] == "busy" || m[1] == "cancelled" || m[1] == "ap_always"
		if counted := strings.Contains(text, `result="`+m[1]+`"`); counted == none {
			t.Errorf("%s: counted %v", m[1], counted)
		}
	}
}

// TestWhileOthersCount is for the race detector.
func TestWhileOthersCount(t *testing.T) {
	m := New("")
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				m.Join(Joined, time.Second)
				m.Uplink("online", false)
				m.Text(nil)
			}
		})
	}
	group.Wait()
	if got := read(t, m.Text(nil))["netconnectd_join_duration_seconds_count"]; got != 400 {
		t.Errorf("%v joins, want 400", got)
	}
}
