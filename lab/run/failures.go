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
