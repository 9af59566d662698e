package config

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"
)

// pieces are what a generated file is made of beside bytes at random.
var pieces = []string{"ap:\n", "  psk: ", "  ssid: ", "&a ", "*a", "#", "\t", "\ufeff", "\u200b", "---\n", "[", "]", "{", "}", "\"", "'",
	"!!binary ", "~\n", "link_monitor:\n  interval: ", "1e309\n", "-0x7\n", "  range: [10.250.250.1, 10.250.250.9]\n", "? ", ": ", "- ", "network:\n  devices:\n    - name: ", "ports: [a, b]\n", "<<: *a", "|\n", ">-\n", "\xff", "\x00", "\r\n"}

// TestTenThousandFiles: whatever a file holds, reading it neither panics nor
// takes long nor keeps memory. The seed is fixed, so that a failure repeats.
func TestTenThousandFiles(t *testing.T) {
	seeds := []string{readText(t, "testdata/problems.yaml"), readText(t, "testdata/faults.yaml"), readText(t, originalFile), router}
	random := rand.New(rand.NewPCG(1, 2))
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, start, slowest := heap(), time.Now(), time.Duration(0)
	for i := range 10_000 {
		text := mutate(random, seeds[random.IntN(len(seeds))])
		began := time.Now()
		var r report
		found := parseFile([]byte(text), &r)
		d := settle(newCommandLine(), nil, found, &r)
		slowest = max(slowest, time.Since(began))
		for _, p := range append(r.problems, r.warnings...) {
			if strings.ContainsAny(p.String(), "\n\x00\x1b") || len(p.String()) > 400 {
				t.Fatalf("file %d: not one short line: %q", i, p)
			}
		}
		if len(r.problems) > 0 && r.badSection(networkSection) && !found.network.IsZero() {
			t.Fatalf("file %d: half of a network is read: %+v", i, found.network)
		}
		if len(r.problems) == 0 && (d.AP.SSID == "" || !d.AP.Address.IsValid() || d.Socket == "") {
			t.Fatalf("file %d is accepted: %+v", i, d.Config)
		}
	}
	if slowest > 5*time.Second {
		t.Errorf("one file took %v", slowest)
	}
	if after := heap(); after > before+8<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	t.Logf("%v for all, %v for the slowest", time.Since(start), slowest)
}

// mutate changes a text in up to eight places.
func mutate(random *rand.Rand, text string) string {
	for range 1 + random.IntN(8) {
		at := random.IntN(len(text) + 1)
		end := min(len(text), at+random.IntN(40))
		switch random.IntN(4) {
		case 0:
			text = text[:at] + text[end:]
		case 1:
			text = text[:at] + pieces[random.IntN(len(pieces))] + text[at:]
		case 2:
			text = text[:at] + strings.Repeat(text[at:end], 1+random.IntN(20)) + text[end:]
		case 3:
			text = text[:at] + string([]byte{byte(random.UintN(256))}) + text[at:]
		}
	}
	return text
}
