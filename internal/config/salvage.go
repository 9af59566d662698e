package config

import (
	"bytes"

	"go.yaml.in/yaml/v4"

	"github.com/netconnectd/netconnectd/internal/network"
)

// salvage finds the values in a text that is not YAML as a whole. Each section
// that is YAML by itself counts; of one that is not, what comes before the line
// with the fault. So no key ever gets into a section that it was not typed in. The section
// network counts as a whole or not at all.
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
			found.network, found.sections = section.network, section.sections
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

// salvageSection parses the lines, of which the first is line number before+1. It
// leaves out lines from the end until the others are YAML. The values of wrong
// keys are among the result; they were reported when the file was read.
func salvageSection(lines [][]byte, before int) contents {
	above := bytes.Repeat([]byte("\n"), before) // so that a value knows its line
	for n := len(lines); n > 0; n-- {
		text := append(bytes.Clone(above), bytes.Join(lines[:n], nil)...)
		var docs []yaml.Node
		if yaml.Load(text, &docs, yaml.WithAllDocuments()) == nil {
			var r report
			found := parseFile(text, &r)
			for _, p := range r.problems {
				delete(found.values, p.Key)
			}
			if n < len(lines) {
				found.network, found.sections = network.Spec{}, nil
			}
			return found
		}
	}
	return contents{}
}
