// Package uci reads the syntax of OpenWrt's Unified Configuration Interface (UCI), which
// the files in /etc/config have. It knows no section and no option: what they mean is for
// the caller to decide. The package is pure and writes nothing.
package uci

import (
	"fmt"

	"github.com/netconnectd/netconnectd/internal/shown"
)

// Section is a section with what all its parts in the file say.
type Section struct {
	Type, Name string // Name is "" if the section is anonymous
	Line       int    // of the first statement, from 1
	Options    []Option
}

// Option is an option with what the section says last of it.
type Option struct {
	Name   string
	Line   int // of the last statement
	List   bool
	Values []Value // one, if the option is no List; never none
}

// Value is a text as the quotes and backslashes of the file make it. It is valid UTF-8
// without control characters other than tabs and ends of lines, and never empty.
type Value struct {
	Text string
	Line int // of the statement
}

// Problem is something wrong with the syntax.
type Problem struct {
	Line int
	Text string // one line, with the remedy
}

// Bounds of a file. The largest file that people write has some hundred sections.
const (
	MaxFile       = 1 << 20 // bytes of the largest text that Parse reads
	maxSections   = 4096
	maxStatements = 1 << 16 // config, option and list
	maxValue      = 4096    // bytes of a word
	maxProblems   = 50
)

// Parse returns the sections of a text, in the order of their first parts. It reports all
// problems at once, and returns no section then.
func Parse(text []byte) ([]Section, []Problem) {
	p := parser{words: words{text: string(text), line: 1}, named: map[string]*builder{}}
	if len(text) > MaxFile {
		return nil, []Problem{{1, "the file is larger than 1 MiB"}}
	}
	for !p.stopped && p.next() {
		p.statement()
	}
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	sections := make([]Section, len(p.sections))
	for i, b := range p.sections {
		sections[i] = b.finish()
	}
	return sections, nil
}

// parser holds what was read so far.
type parser struct {
	words
	sections   []*builder
	named      map[string]*builder
	current    *builder // nil: no section was there yet
	statements int
	problems   []Problem
	stopped    bool
}

func (p *parser) problem(line int, format string, args ...any) {
	p.problems = append(p.problems, Problem{line, fmt.Sprintf(format, args...)})
	if len(p.problems) == maxProblems {
		p.stop("there may be more problems; correct these first")
	}
}

// stop ends the reading with a last problem.
func (p *parser) stop(text string) {
	p.stopped = true
	p.problems = append(p.problems, Problem{p.line, text})
}

// statement reads a statement, and all of its line if it is wrong.
func (p *parser) statement() {
	line, keyword := p.line, p.keyword()
	if p.statements++; p.statements > maxStatements {
		p.stop(fmt.Sprintf("the file has more than %d statements", maxStatements))
		return
	}
	args, fault := p.rest()
	if fault == nil {
		fault = p.perform(line, keyword, args)
	}
	if fault != nil {
		p.problem(fault.Line, "%s", fault.Text)
		p.skipLine()
	}
}

// perform does what a statement says.
func (p *parser) perform(line int, keyword string, args []word) *Problem {
	fault := func(format string, of ...any) *Problem {
		return &Problem{line, fmt.Sprintf(format, of...)}
	}
	most := 2
	switch keyword {
	case "package", "p":
		most = 1
	case "config", "c", "option", "o", "list", "l":
	default:
		return fault("the line begins with no keyword; write config, option or list")
	}
	if len(args) > most {
		text := "the line has a word too many; put a value with spaces in quotes"
		if args[len(args)-1].line > line {
			text += ", and close each quote in the line in which it begins"
		}
		return fault("%s", text)
	}
	if len(args) == 0 {
		return fault("nothing stands behind %s; add a name", keyword)
	}
	value := ""
	if len(args) > 1 {
		value = args[1].text
	}
	switch keyword[0] {
	case 'p':
		return nil // netifd does not look at the name either
	case 'c':
		return p.config(line, args[0].text, value)
	}
	return p.option(line, keyword[0] == 'l', args[0].text, value)
}

// config begins a section, or goes on with that of the same name.
func (p *parser) config(line int, of, name string) *Problem {
	p.current = &builder{Section: Section{Type: of, Name: name, Line: line}} // for the options, also if it is wrong
	if !isType(of) {
		return &Problem{line, fmt.Sprintf("%s is no type of a section; use letters, digits, _ and -", beginning(of))}
	}
	if name != "" && !isName(name) {
		return &Problem{line, fmt.Sprintf("%s is no name of a section; use letters, digits and _", beginning(name))}
	}
	if first := p.named[name]; first != nil {
		if first.Type != of {
			return &Problem{line, fmt.Sprintf("%s is the name of a section of type %s already, in line %d; choose another name", shown.Text(name), shown.Text(first.Type), first.Line)}
		}
		p.current = first
		return nil
	}
	if name != "" {
		p.named[name] = p.current
	}
	if p.sections = append(p.sections, p.current); len(p.sections) > maxSections {
		p.stop(fmt.Sprintf("the file has more than %d sections", maxSections))
	}
	return nil
}

func (p *parser) option(line int, list bool, name, value string) *Problem {
	switch {
	case !isName(name):
		return &Problem{line, fmt.Sprintf("%s is no name of an option; use letters, digits and _", beginning(name))}
	case p.current == nil:
		p.current = &builder{} // for the options that follow, of which this is said once
		return &Problem{line, fmt.Sprintf("the option %s stands before the first section; begin one by config", shown.Text(name))}
	case list:
		p.current.add(name, Value{value, line})
	default:
		p.current.set(name, Value{value, line})
	}
	return nil
}

func isName(text string) bool {
	for i := range len(text) {
		if c := text[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_') {
			return false
		}
	}
	return text != ""
}

func isType(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return text != ""
}

// beginning returns what is a name at the beginning of a text. The rest of the text may be
// a passphrase, where a quote is missing, and is in no message.
func beginning(text string) string {
	n := 0
	for n < len(text) && isName(text[n:n+1]) {
		n++
	}
	return shown.Text(text[:n]) + "…"
}

// builder is a Section while the file is read.
type builder struct {
	Section
	index map[string]int // of Options
}

// slot returns the option of a name, which has no values if it is new.
func (b *builder) slot(name string) *Option {
	i, there := b.index[name]
	if !there {
		if b.index == nil {
			b.index = map[string]int{}
		}
		i = len(b.Options)
		b.index[name] = i
		b.Options = append(b.Options, Option{Name: name})
	}
	return &b.Options[i]
}

// set takes over what an option statement says. Without a value, the option is as if it
// was not given.
func (b *builder) set(name string, v Value) {
	o := b.slot(name)
	o.Line, o.List, o.Values = v.Line, false, nil
	if v.Text != "" {
		o.Values = []Value{v}
	}
}

// add takes over what a list statement says. The value of an earlier option statement
// becomes the first of the list.
func (b *builder) add(name string, v Value) {
	if v.Text == "" {
		return
	}
	o := b.slot(name)
	o.Line, o.List, o.Values = v.Line, true, append(o.Values, v)
}

// finish returns the section with the options that are given.
func (b *builder) finish() Section {
	s := b.Section
	s.Options = nil
	for _, o := range b.Options {
		if len(o.Values) > 0 {
			s.Options = append(s.Options, o)
		}
	}
	return s
}
