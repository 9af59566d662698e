package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// TestDivide checks which scenarios belong to one machine, and which they share.
func TestDivide(t *testing.T) {
	took := durations{"TestLong": time.Minute, "TestShort": time.Second}
	tests := []struct {
		name      string
		scenarios []string
		count     int
		machines  int
		plans     []string // of each machine, lines joined by "; "
		queue     string
	}{
		{
			name: "the longest come first", count: 1, machines: 2,
			scenarios: []string{"TestShort", "TestLong", "TestNew"},
			plans:     []string{"install; queue -test.v", "install; queue -test.v"},
			queue:     "TestLong TestNew TestShort",
		},
		{
			name: "no more machines than scenarios", count: 1, machines: 4,
			scenarios: []string{"TestShort"},
			plans:     []string{"install; queue -test.v"},
			queue:     "TestShort",
		},
		{
			name: "many times, on all machines", count: 3, machines: 2,
			scenarios: []string{"TestShort"},
			plans:     []string{"install; queue -test.v", "install; queue -test.v"},
			queue:     "TestShort TestShort TestShort",
		},
		{
			name: "a scenario that repeats itself is started once", count: 200, machines: 2,
			scenarios: []string{"TestRouterDies"},
			plans:     []string{"install; queue -test.v"},
			queue:     "TestRouterDies",
		},
		{
			name: "the package on a clean disk, and alone", count: 1, machines: 2,
			scenarios: []string{"TestPackage"},
			plans:     []string{"run -test.run ^TestPackage$ -test.v"},
		},
		{
			name: "a reboot belongs to one machine, and the one with the package comes last", count: 1, machines: 2,
			scenarios: []string{"TestAfterReboot", "TestBeforeReboot", "TestPackage", "TestLong"},
			plans: []string{
				"run -test.run ^TestPackage$ -test.v; install; queue -test.v",
				"install; run -test.run ^TestBeforeReboot$ -test.v; reboot; run -test.run ^TestAfterReboot$ -test.v; queue -test.v",
			},
			queue: "TestLong",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			plans, queue := divide(test.scenarios, test.count, test.machines, took)
			var joined []string
			for _, plan := range plans {
				joined = append(joined, strings.Join(plan, "; "))
			}
			if !slices.Equal(joined, test.plans) {
				t.Errorf("plans\n%q, want\n%q", joined, test.plans)
			}
			if got := strings.Join(queue, " "); got != test.queue {
				t.Errorf("queue %s, want %s", got, test.queue)
			}
		})
	}
}

func TestWants(t *testing.T) {
	tests := []struct {
		name    string
		options options
		yes, no []string
	}{
		{
			name: "all but what is no scenario or only measures",
			yes:  []string{"TestRouterDies", "TestNetworkManagerRights"}, no: []string{"TestShell", "TestBenchIdle"},
		},
		{
			name: "what somebody asks for", options: options{only: regexp.MustCompile("^TestBench")},
			yes: []string{"TestBenchIdle"}, no: []string{"TestRouterDies"},
		},
		{
			name: "a selection on Debian's kernel", options: options{stock: true},
			yes: []string{"TestStory", "TestPackage"}, no: []string{"TestWatchdog"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, name := range test.yes {
				if !test.options.wants(name) {
					t.Errorf("%s does not run", name)
				}
			}
			for _, name := range test.no {
				if test.options.wants(name) {
					t.Errorf("%s runs", name)
				}
			}
		})
	}
}

// TestReport checks that lines are printed whole behind their machine's number, and
// that the report covers all machines.
func TestReport(t *testing.T) {
	r := newReport()
	var shown bytes.Buffer
	one, two := r.follow("1| ", &shown), r.follow("2| ", &shown)
	write := func(w io.Writer, text string) {
		t.Helper()
		if _, err := io.Copy(w, iotest.OneByteReader(strings.NewReader(text))); err != nil {
			t.Fatal(err)
		}
	}
	write(one, "=== RUN   TestA\n    a_test.go:1: wro")
	write(two, "=== RUN   TestB\r\n--- PASS: TestB (2.50s)\r\n")
	write(one, "ng\n--- FAIL: TestA (1.50s)\n")
	for _, line := range []string{"1|     a_test.go:1: wrong\n", "2| === RUN   TestB\n"} {
		if !strings.Contains(shown.String(), line) {
			t.Errorf("%q is missing in\n%s", line, shown.String())
		}
	}
	if want := []string{"1| --- FAIL: TestA (1.50s)", "1|     a_test.go:1: wrong"}; !slices.Equal(r.failures, want) {
		t.Errorf("failures %q, want %q", r.failures, want)
	}
	if r.passed != 1 || r.virtual != 4*time.Second || len(r.took) != 2 {
		t.Errorf("%d passed, %v of virtual time, took %v; want 1, 4s, two scenarios", r.passed, r.virtual, r.took)
	}
}

func TestStageFiles(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "share")
	if err := os.WriteFile(filepath.Join(from, "program"), []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := stageFiles(filepath.Join(from, "*"), to); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(to, "program"))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("staged program: %v, %v, want it executable", info, err)
	}
}

// TestPlaces checks that two runs at once have folders of their own, and that a run
// uses the folder of a run that has ended.
func TestPlaces(t *testing.T) {
	t.Chdir(t.TempDir())
	take := func() *place {
		t.Helper()
		p, err := takePlace()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first, second := take(), take()
	if first.work == second.work {
		t.Fatalf("two runs share %s", first.work)
	}
	first.leave()
	if third := take(); third.work != first.work {
		t.Errorf("the next run is in %s, want %s, which is free again", third.work, first.work)
	}
}
