package lab

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// growth is what the daemon and its state in the kernel use after each round of a
// soak. No quantity may grow with the rounds.
type growth struct {
	began   time.Time
	samples [][]int // by quantity
}

// quantities are the measured quantities, and by how much the last tenth of the
// rounds may exceed the second: the first rounds fill caches, and the daemon's use
// varies from one measurement to the next.
var quantities = []struct {
	name  string
	slack int
	count func(t testing.TB, d *Device) int
}{
	{"resident kB", 1024, func(t testing.TB, d *Device) int {
		return numberAfter(t, readFile(t, fmt.Sprintf("/proc/%d/status", d.MainPID(t))), "VmRSS:")
	}},
	{"open files", 2, func(t testing.TB, d *Device) int {
		files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.MainPID(t)))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}},
	{"goroutines", 2, func(t testing.TB, d *Device) int {
		return numberAfter(t, d.must(t, stranger, "metrics"), "\nnetconnectd_process_goroutines")
	}},
	{"processes", 0, func(t testing.TB, d *Device) int { return len(d.processes(t)) }},
	{"addresses", 0, func(t testing.TB, _ *Device) int { return lines(must(t, "", "ip", "-o", "address")) }},
	{"routes", 0, func(t testing.TB, _ *Device) int { return lines(must(t, "", "ip", "route", "show", "table", "all")) }},
	{"rules", 0, func(t testing.TB, _ *Device) int {
		return lines(must(t, "", "ip", "rule")) + lines(must(t, "", "nft", "list", "ruleset"))
	}},
}

// sample measures the quantities.
func (g *growth) sample(t testing.TB, d *Device) {
	t.Helper()
	if g.samples == nil {
		g.began, g.samples = time.Now(), make([][]int, len(quantities))
	}
	for i, q := range quantities {
		g.samples[i] = append(g.samples[i], q.count(t, d))
	}
}

// judge prints the table and compares the last tenth of the rounds with the second.
func (g *growth) judge(t testing.TB) {
	t.Helper()
	n := len(g.samples[0])
	if n < 20 { // too few to distinguish growth from chance
		return
	}
	fmt.Printf("\n%d rounds, %.0f minutes by the machine's clock\n%-12s %8s %8s %8s %8s %8s\n", n, time.Since(g.began).Minutes(), "", "first", "10 %", "50 %", "90 %", "last")
	for i, q := range quantities {
		s := g.samples[i]
		fmt.Printf("%-12s %8d %8d %8d %8d %8d\n", q.name, s[0], s[n/10], s[n/2], s[n*9/10], s[n-1])
		if early, late := highest(s[n/10:n/5]), highest(s[n-n/10:]); late > early+q.slack {
			t.Errorf("%s grew from %d to %d", q.name, early, late)
		}
	}
}

func highest(of []int) (most int) {
	for _, n := range of {
		most = max(most, n)
	}
	return most
}

func lines(text string) int { return strings.Count(text, "\n") }

func readFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// numberAfter returns the number behind the word.
func numberAfter(t testing.TB, text, word string) int {
	t.Helper()
	_, rest, found := strings.Cut(text, word)
	fields := strings.Fields(rest)
	if !found || len(fields) == 0 {
		t.Fatalf("no number behind %q in\n%s", word, text)
	}
	n, err := strconv.Atoi(fields[0])
	if err != nil {
		t.Fatalf("behind %q: %v", word, err)
	}
	return n
}
