package config

import (
	"bytes"

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

// salvageSection parses the lines of one section. The first line has the number before+1.
// The function leaves out lines from the end until the remaining lines are YAML. The result
// has no values with problems.
func salvageSection(lines [][]byte, before int) contents {
	above := bytes.Repeat([]byte("\n"), before) // so that the lines of the values are right
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
