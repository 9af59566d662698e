package main

import (
	"slices"
	"strings"
	"testing"
)

func TestFailures(t *testing.T) {
	const printed = `lab: booted in 20.6 s
=== RUN   TestPasses

A title
         at      took  what happened (and who saw it)
     2.5 s    +0.9 s  router home on the air  (hostapd_cli)
    steps_test.go:12: of no importance
--- PASS: TestPasses (2.50s)
=== RUN   TestFails

A title
    security_test.go:154: connect: exit status 1
        netconnectcli: could not connect (rejected)
    30.6 s    +5.7 s  NOT SEEN: OWE: connect
                10 s  … loop blocked
    lab.go:129: the daemon's last lines:
        level=INFO
--- FAIL: TestFails (41.16s)
=== RUN   TestFailsToo
--- FAIL: TestFailsToo (0.01s)
FAIL
`
	want := []string{
		"--- FAIL: TestFails (41.16s)",
		"    security_test.go:154: connect: exit status 1",
		"        netconnectcli: could not connect (rejected)",
		"    lab.go:129: the daemon's last lines:",
		"        level=INFO",
		"--- FAIL: TestFailsToo (0.01s)",
	}
	var f failures
	for line := range strings.Lines(printed) {
		f.line(strings.TrimSuffix(line, "\n"))
	}
	if !slices.Equal(f.all, want) {
		t.Errorf("kept\n%s\nwant\n%s", strings.Join(f.all, "\n"), strings.Join(want, "\n"))
	}
}

func TestSummary(t *testing.T) {
	long := "2|     a_test.go:1: " + strings.Repeat("x", 400)
	got := summary([]string{
		"2| --- FAIL: TestReasons (9.00s)",
		"2|     reasons_test.go:67: events tell of no failures",
		"2|         more of it",
		"2|     lab.go:129: the daemon's last lines:",
		"2|         level=INFO",
		"--- FAIL: TestFails (41.16s)",
		"    lab.go:12: alone",
		long,
	})
	want := []string{
		"2| --- FAIL: TestReasons (9.00s)",
		"2|     reasons_test.go:67: events tell of no failures",
		"--- FAIL: TestFails (41.16s)",
		"    lab.go:12: alone",
		long[:longestSummaryLine],
	}
	if !slices.Equal(got, want) {
		t.Errorf("summary\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
