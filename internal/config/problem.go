package config

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Problem is something wrong with one setting: an error or a warning.
type Problem struct {
	Key  string // e.g. "ap.channel"; empty if the problem concerns the whole file
	Text string // e.g. "15 is not in 1..13"; never a secret
	From string // "line 24", "line 3 of /etc/config/network", "--ap-channel", "NETCONNECTD_AP_CHANNEL", "default", or empty
	from origin

	Remedy string // for people; empty: correct the setting

	// Surprising marks a warning of an access point that is not as its owner expects,
	// although every setting is valid.
	Surprising bool
}

// String returns a line such as "ap.channel: 15 is not in 1..13 (line 24)".
func (p Problem) String() string {
	text := p.Text
	if p.Key != "" {
		text = p.Key + ": " + text
	}
	if p.From != "" {
		text += " (" + p.From + ")"
	}
	return text
}

// Error is the list of all problems.
type Error struct {
	File     string // path; empty if no file was read
	Problems []Problem
	Tried    bool // nothing is wrong with the file, but it was tried and not confirmed; the only problem says so
}

// Error returns a line that counts the problems, and a line for each problem.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Tried {
		return e.Problems[0].Text
	}
	b.WriteString("check configuration")
	if e.File != "" {
		b.WriteString(" " + e.File)
	}
	if n := len(e.Problems); n == 1 {
		b.WriteString(": 1 problem")
	} else {
		fmt.Fprintf(&b, ": %d problems", n)
	}
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// UsageError is a command line that cannot be understood.
type UsageError struct{ Err error }

// Error returns the text for the user.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the parser's error.
func (e *UsageError) Unwrap() error { return e.Err }

// report collects everything that is wrong, so that reading goes on after a problem.
type report struct {
	problems, warnings []Problem
	empty              map[string]origin // places of the file's keys that have no value, or only a comment
}

func (r *report) problem(key string, from origin, format string, args ...any) {
	r.problems = append(r.problems, newProblem(key, from, format, args))
}

func (r *report) warning(key string, from origin, format string, args ...any) {
	r.warnings = append(r.warnings, newProblem(key, from, format, args))
}

// noteEmpty notes the place of a key that has no value.
func (r *report) noteEmpty(path string, from origin) {
	if r.empty == nil {
		r.empty = map[string]origin{}
	}
	r.empty[path] = from
}

// surprise adds a warning of what is valid and yet surprising.
func (r *report) surprise(key string, from origin, format string, args ...any) {
	p := newProblem(key, from, format, args)
	p.Surprising = true
	r.warnings = append(r.warnings, p)
}

func newProblem(key string, from origin, format string, args []any) Problem {
	return Problem{Key: key, Text: fmt.Sprintf(format, args...), From: from.String(), from: from}
}

// byLine sorts problems by the lines of the file, then those of the file that network.uci
// names. Problems outside both come last.
func byLine(problems []Problem) []Problem {
	sort.SliceStable(problems, func(i, j int) bool {
		a, b := problems[i].from, problems[j].from
		switch {
		case a.line == 0 || b.line == 0:
			return b.line == 0 && a.line != 0
		case a.name != b.name:
			return a.name == ""
		}
		return a.line < b.line
	})
	return problems
}

// bad reports whether a problem was found in one of the keys.
func (r *report) bad(paths ...string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool {
		return slices.Contains(paths, p.Key)
	})
}

// badSection reports whether a problem was found in a section, or with the section.
func (r *report) badSection(name string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool {
		return p.Key == name || strings.HasPrefix(p.Key, name+".")
	})
}

// origin is the place that a value comes from.
type origin struct {
	line int    // line of a file, from 1; 0 if the value is not from a file
	name string // name of the flag or variable, or "default"; with a line the path of the file that network.uci names, or ""
}

func (o origin) String() string {
	switch {
	case o.line == 0:
		return o.name
	case o.name != "":
		return fmt.Sprintf("line %d of %s", o.line, o.name)
	}
	return fmt.Sprintf("line %d", o.line)
}

// value is the text of a setting, as it was typed, and its place.
type value struct {
	text string
	from origin
}
