package main

import (
	"regexp"
	"strings"
)

// failures collects the complaints of failing scenarios from the output of a run with
// -test.v. A run is long, and at its end its reader should not have to search for
// them.
type failures struct {
	scenario []string
	indented bool // what follows may belong to the last complaint
	all      []string
}

// longestSummaryLine bounds a line of summary, in bytes.
const longestSummaryLine = 300

// summary returns the first line of each complaint. It follows the complaints,
// because a reader who has only the end of a long output (as of a build server) must
// still learn what failed.
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

// machinePrefix is the prefix that identifies the machine of a line.
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
