package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/client"
)

var update = flag.Bool("update", false, "write the golden files")

// TestStatusPage checks the page for each status in testdata/status, in 80 columns,
// without and with colours, and with --all if that shows more.
func TestStatusPage(t *testing.T) {
	statuses, err := filepath.Glob("testdata/status/*.json")
	if err != nil || len(statuses) == 0 {
		t.Fatalf("%d statuses, %v", len(statuses), err)
	}
	for _, file := range statuses {
		for _, colour := range []bool{false, true} {
			golden := strings.TrimSuffix(file, ".json") + ".txt"
			if colour {
				golden = strings.TrimSuffix(file, ".json") + ".colour"
			}
			t.Run(filepath.Base(golden), func(t *testing.T) {
				sameAsGolden(t, golden, statusPage(t, file, colour, false))
			})
		}
		if whole := statusPage(t, file, false, true); whole != statusPage(t, file, false, false) {
			sameAsGolden(t, strings.TrimSuffix(file, ".json")+".all", whole)
		}
	}
}

// TestFailingUplinkDoesNotWork checks that the page says "works" nowhere about an
// uplink whose last probe failed.
func TestFailingUplinkDoesNotWork(t *testing.T) {
	if page := statusPage(t, "testdata/status/failing.json", false, false); strings.Contains(page, "works") {
		t.Errorf("works is on the page of an uplink that fails:\n%s", page)
	}
}

func statusPage(t *testing.T, file string, colour, all bool) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var status client.Status
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&status); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p := page{out: &out, colour: colour, all: all}
	p.status(status, time.Date(2026, 1, 2, 17, 0, 0, 0, time.Local))
	if p.err != nil {
		t.Fatal(p.err)
	}
	for line := range strings.Lines(out.String()) {
		if !colour && utf8.RuneCountInString(line) > pageWidth+1 {
			t.Errorf("%d columns: %s", utf8.RuneCountInString(line)-1, line)
		}
	}
	return out.String()
}

// sameAsGolden compares a page with its golden file, in which \\e stands for the
// escape character of the colours.
func sameAsGolden(t *testing.T, golden, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\x1b", `\e`)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", []string{""}},
		{"fits", "one two", []string{"one two"}},
		{"just too long", "one four", []string{"one", "four"}},
		{"a word that is longer", "a longerword b", []string{"a", "longerword", "b"}},
		{"not by bytes", "öön zwä", []string{"öön zwä"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, wrap(tt.text, 7)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhen(t *testing.T) {
	now := time.Date(2026, 1, 2, 17, 55, 0, 0, time.Local)
	for seconds, want := range map[int64]string{0: "in 0s", 9: "in 9s", 599: "in 9m", 600: "at 18:05", 7 * 3600: "at 00:55"} {
		if got := when(seconds, now); got != want {
			t.Errorf("%d s: %q, want %q", seconds, got, want)
		}
	}
}

// TestHistoryTimes checks that entries since the start of the device show their real
// times.
func TestHistoryTimes(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	wrong := time.Unix(0, 0)
	old := time.Date(2025, 12, 31, 23, 59, 59, 0, time.Local)
	started := func(boot string, at time.Time, ago *int64) client.HistoryEntry {
		return client.HistoryEntry{Boot: boot, Seconds: ago, Event: client.Event{Type: client.EventDaemon, Time: at, New: client.DaemonStarted}}
	}
	var out bytes.Buffer
	p := page{out: &out}
	p.history([]client.HistoryEntry{started("a", old, nil), started("b", wrong, new(int64(65)))}, now)
	want := `WHEN                 WHAT
2025-12-31 23:59:59  daemon started
                     -- the device was started --
2026-01-02 03:03:00  daemon started
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
