package main

import (
	"regexp"
	"strings"
)

// failures keeps, of the lines that a run with -test.v prints, what its failing
// scenarios complained of. A run is long: at its end nobody should have to look for
// it.
type failures struct {
	scenario []string
	indented bool // what follows may belong to the last complaint
	all      []string
}

// longestSummaryLine bounds a line of summary, in bytes.
const longestSummaryLine = 300

// summary returns, of complaints as failures keeps them, the first line of each.
// It follows the complaints, because whoever has only the end of a long output
// (as of a build server) must still learn what failed.
func summary(complaints []string) []string {
	var lines []string
	for _, c := range complaints {
		text := machinePrefix.ReplaceAllString(c, "")
		if strings.HasPrefix(text, "        ") || strings.Contains(text, lastLines) {
			continue
		}
		lines = append(lines, c[:min(len(c), longestSummaryLine)])
	}
	return lines
}

// lastLines is how the log of the daemon begins that a failing scenario shows.
const lastLines = "the daemon's last lines:"

// machinePrefix tells the machines apart in the output.
var machinePrefix = regexp.MustCompile(`^\d+\| `)

// complaint is how t.Error and its like begin; more lines of one are indented
// further.
var complaint = regexp.MustCompile(`^    \w+\.go:\d+: `)

func (f *failures) line(line string) {
	switch {
	case strings.HasPrefix(line, "--- "):
		if strings.HasPrefix(line, "--- FAIL") {
			f.all = append(append(f.all, line), f.scenario...)
		}
		f.scenario = nil
	case complaint.MatchString(line), f.indented && strings.HasPrefix(line, "        "):
		f.scenario, f.indented = append(f.scenario, line), true
		return
	}
	f.indented = false
}
