package config

import (
	"bytes"
	"errors"
	"math"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/netconnectd/netconnectd/internal/network"
)

// salvage returns the values in a text that is not YAML as a whole. A section that is YAML
// by itself counts. Of any other section, the lines before the fault count. So no key ever
// gets into a section in which it was not typed. The section network counts as a whole or
// not at all.
func salvage(text []byte) contents {
	found := contents{values: map[string]value{}}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for begin := 0; begin < len(lines); {
		end := begin + 1
		for end < len(lines) && !beginsSection(lines[end]) {
			end++
		}
		section := salvageSection(lines[begin:end], begin)
		for path, v := range section.values {
			found.values[path] = v
		}
		if len(section.sections) > 0 {
			found.network, found.sections, found.uci = section.network, section.sections, section.uci
		}
		begin = end
	}
	return found
}

// beginsSection reports whether a line is neither indented, nor empty, nor a
// comment, nor an item of a list.
func beginsSection(line []byte) bool {
	return len(line) > 0 && !bytes.ContainsAny(line[:1], " \t\r\n#-")
}

// salvageSection parses the lines of one section. The first line has the number before+1.
// The function leaves out lines from the end until the remaining lines are YAML. The result
// has no values with problems.
func salvageSection(lines [][]byte, before int) contents {
	above := bytes.Repeat([]byte("\n"), before) // so that the lines of the values are right
	for n := len(lines); n > 0; {
		text := append(bytes.Clone(above), bytes.Join(lines[:n], nil)...)
		var docs []yaml.Node
		if err := yaml.Load(text, &docs, yaml.WithAllDocuments()); err != nil {
			n = min(n-1, beforeFault(err)-before)
			for n > 0 && saysNothing(lines[n-1]) {
				n--
			}
			continue
		}
		var r report
		found := parseFile(text, &r)
		for _, p := range r.problems {
			delete(found.values, p.Key)
		}
		if n < len(lines) {
			found.network, found.sections, found.uci = network.Spec{}, nil, UCI{}
		}
		return found
	}
	return contents{}
}

// beforeFault returns how many lines of a text are before the fault that the parser has
// found. All texts that begin with these lines and the next have the same fault, so none
// of them needs to be parsed: a file may have many lines.
func beforeFault(err error) int {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return math.MaxInt
	}
	line := load.Mark.Line
	if begin := load.ContextMark.Line; begin > 0 && inside(load.ContextMsg) {
		line = begin
	}
	if line == 0 {
		return math.MaxInt
	}
	return line - 1
}

// saysNothing reports whether a line is empty or a comment.
func saysNothing(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#'
}

// inside reports whether what the parser was reading has an end of its own, which is
// missing, so that no text that ends inside is YAML.
func inside(context string) bool {
	return strings.HasPrefix(context, "while scanning a quoted") || strings.HasPrefix(context, "while parsing a flow")
}
