package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/netconnectd/netconnectd/state"
)

// yamlPrinter writes JSON as YAML in blocks, with the keys in the same order. It
// holds one element at a time, of which there may be a million. It reports errors of
// writing at the last Flush.
type yamlPrinter struct {
	w       *bufio.Writer
	element []byte            // JSON
	written map[string]string // by text, how package yaml writes it
}

// place says where a value begins.
type place int

const (
	atStart   place = iota // at the start of a line
	afterKey               // after a key and its colon
	afterDash              // after a dash and its space
)

// print prints a list, members or a value that json.Marshal accepts.
func (p *yamlPrinter) print(document any) error {
	switch document := document.(type) {
	case list:
		if document.length == 0 {
			_, err := p.w.WriteString("[]\n")
			return err
		}
		return p.list(document)
	case members:
		for _, m := range document {
			if err := p.member(m.key, m.value); err != nil {
				return err
			}
		}
		return nil
	}
	return p.encoded(document, 0, atStart)
}

func (p *yamlPrinter) list(l list) error {
	for i := range l.length {
		var err error
		if p.element, err = l.append(p.element[:0], i); err != nil {
			return err
		}
		p.w.WriteString("- ")
		if err := p.text(p.element, 0, afterDash); err != nil {
			return err
		}
	}
	return nil
}

// member prints a key and its value, which must not be empty.
func (p *yamlPrinter) member(key string, value any) error {
	p.w.WriteString(key + ":")
	switch value := value.(type) {
	case list:
		p.w.WriteByte('\n')
		return p.list(value)
	case map[string]*state.Iface: // one after the other, because thousands take many megabytes
		p.w.WriteByte('\n')
		for _, name := range slices.Sorted(maps.Keys(value)) {
			text, err := p.scalar(name)
			if err != nil {
				return err
			}
			p.w.WriteString("  " + text + ":")
			if err := p.encoded(value[name], 2, afterKey); err != nil {
				return err
			}
		}
		return nil
	}
	return p.encoded(value, 0, afterKey)
}

func (p *yamlPrinter) encoded(value any, indent int, at place) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return p.text(text, indent, at)
}

// text prints a JSON text that has no white space between its tokens. indent is the
// indentation of the line on which the text begins.
func (p *yamlPrinter) text(text []byte, indent int, at place) error {
	rest, err := p.value(text, indent, at)
	if err == nil && len(rest) > 0 {
		err = errNotJSON
	}
	return err
}

// errNotJSON is the error for a text that is not in the form of encoding/json.
var errNotJSON = errors.New("write YAML: this is not JSON")

// value prints the value at the start of a text, and returns the rest.
func (p *yamlPrinter) value(text []byte, indent int, at place) (rest []byte, err error) {
	token, rest, err := nextToken(text)
	if err != nil {
		return nil, err
	}
	if open := token[0]; (open == '{' || open == '[') && rest[0] != '}' && rest[0] != ']' {
		return p.block(rest, open, indent, at)
	}
	if at == afterKey {
		p.w.WriteByte(' ')
	}
	switch token[0] {
	case '{', '[': // an empty object or array
		p.w.WriteByte(token[0])
		p.w.WriteByte(rest[0])
		rest = rest[1:]
	case '"':
		err = p.string(token)
	default:
		p.w.Write(token)
	}
	p.w.WriteByte('\n')
	return rest, err
}

// block prints the content of an object or array, each member on lines of its own. A
// list below a key is not indented further than the key. The argument rest follows
// the opening bracket; the result follows the closing one.
func (p *yamlPrinter) block(rest []byte, open byte, indent int, at place) ([]byte, error) {
	if at == afterKey {
		p.w.WriteByte('\n')
	}
	if at == afterDash || at == afterKey && open == '{' {
		indent += 2
	}
	for first := true; ; first = false {
		if !first || at != afterDash {
			p.spaces(indent)
		}
		var err error
		if open == '[' {
			p.w.WriteString("- ")
			rest, err = p.value(rest, indent, afterDash)
		} else if rest, err = p.key(rest); err == nil {
			rest, err = p.value(rest, indent, afterKey)
		}
		if err != nil {
			return nil, err
		}
		if len(rest) == 0 || rest[0] != ',' {
			break
		}
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return nil, errNotJSON
	}
	return rest[1:], nil
}

// key prints the key at the start of a text, and its colon.
func (p *yamlPrinter) key(text []byte) (rest []byte, err error) {
	token, rest, err := nextToken(text)
	if err == nil && (token[0] != '"' || len(rest) == 0 || rest[0] != ':') {
		err = errNotJSON
	}
	if err == nil {
		err = p.string(token)
	}
	if err != nil {
		return nil, err
	}
	p.w.WriteByte(':')
	return rest[1:], nil
}

// string prints a text of JSON, with its quotes. Most texts stand for themselves.
func (p *yamlPrinter) string(token []byte) error {
	if inner := token[1 : len(token)-1]; isPlain(inner) {
		p.w.Write(inner)
		return nil
	}
	var text string
	if err := json.Unmarshal(token, &text); err != nil {
		return fmt.Errorf("decode for YAML: %w", err)
	}
	text, err := p.scalar(text)
	p.w.WriteString(text)
	return err
}

// nextToken cuts the token at the start of a text: a bracket, a string, a number or a
// word. An opening bracket must be followed by more text.
func nextToken(text []byte) (token, rest []byte, err error) {
	n := 1
	switch {
	case len(text) == 0:
		return nil, nil, errNotJSON
	case text[0] == '"':
		for ; n < len(text) && text[n] != '"'; n++ {
			if text[n] == '\\' {
				n++
			}
		}
		n++
	case text[0] == '{' || text[0] == '[':
		if len(text) < 2 {
			return nil, nil, errNotJSON
		}
	default:
		if n = bytes.IndexAny(text, ",]}"); n < 0 {
			n = len(text)
		}
	}
	if n == 0 || n > len(text) {
		return nil, nil, errNotJSON
	}
	return text[:n], text[n:], nil
}

func (p *yamlPrinter) spaces(n int) {
	for range n {
		p.w.WriteByte(' ')
	}
}

// mostWritten bounds how many texts are remembered.
const mostWritten = 1024

// scalar returns a text in the form that YAML needs.
func (p *yamlPrinter) scalar(text string) (string, error) {
	if isPlain([]byte(text)) {
		return text, nil
	}
	if known, ok := p.written[text]; ok {
		return known, nil
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	switch {
	case strings.ContainsAny(text, "\n\r\u0085\u2028\u2029"): // otherwise such texts could span lines
		node.Style = yaml.DoubleQuotedStyle
	case olderYAML.MatchString(text):
		node.Style = yaml.SingleQuotedStyle
	}
	out, err := yaml.Dump(node, yaml.WithLineWidth(-1))
	if err != nil {
		return "", fmt.Errorf("encode YAML: %w", err)
	}
	if p.written == nil || len(p.written) >= mostWritten {
		p.written = map[string]string{}
	}
	p.written[text] = strings.TrimSuffix(string(out), "\n")
	return p.written[text], nil
}

// olderYAML matches texts that stand for themselves in YAML 1.2, which package yaml
// writes, but that YAML 1.1, which many programs still read, takes for a boolean, a
// number to the base 60 (some hardware addresses!), or a special key.
var olderYAML = regexp.MustCompile(`^((?i:y|n|yes|no|on|off)|=|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)$`)

// notPlain are words that some version of YAML takes for something else.
var notPlain = bytes.Fields([]byte("y n yes no on off true false null"))

// isPlain reports whether a text certainly stands for itself in every version of
// YAML. Most texts do: words, IPv4 addresses, and IPv6 and hardware addresses with a
// letter in them.
func isPlain(text []byte) bool {
	var dots, colons, digits, hex, letters, slashes int
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f':
			hex++
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == '-':
			letters++
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c == '/':
			slashes++
		default:
			return false
		}
	}
	switch {
	case len(text) == 0 || bytes.IndexByte([]byte(".:/-_"), text[0]) >= 0 || text[len(text)-1] == ':':
		return false
	case colons > 0:
		return hex > 0 && letters == 0 && slashes <= 1
	case text[0] >= '0' && text[0] <= '9':
		return dots == 3 && hex+letters == 0 && slashes <= 1 && digits+dots+slashes == len(text)
	}
	return dots == 0 && !slices.ContainsFunc(notPlain, func(word []byte) bool { return bytes.EqualFold(word, text) })
}
