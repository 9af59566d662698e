package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/netconnectd/netconnectd/internal/namedfile"
	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/yamlalias"
)

// maxFile is the largest file that is read, in bytes. No person writes so much.
const maxFile = 1 << 20

// configFile is what was found in the file.
type configFile struct {
	path string // empty if there is no file
	text []byte
	contents
}

// contents is what a text in YAML has.
type contents struct {
	values   map[string]value  // by the key's path
	network  network.Spec      // zero if anything in its section is wrong
	sections []network.Section // the same as the file has it, also if it is wrong
	uci      UCI               // from which network and sections were read
}

// readFile reads the file at path. The file may be missing unless somebody has named
// the path.
func readFile(path string, named bool, r *report) (configFile, error) {
	data, err := namedfile.Read(context.Background(), path, maxFile)
	file := configFile{path: path}
	switch {
	case !named && errors.Is(err, fs.ErrNotExist):
		return configFile{}, nil
	case errors.Is(err, namedfile.ErrTooLarge):
		r.problem("", origin{}, "the file is larger than 1 MiB")
		return file, nil
	case err != nil:
		return configFile{}, fmt.Errorf("read configuration: %w", err)
	}
	file.text, file.contents = data, parseFile(data, r)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o004 != 0 {
		warnReadable(file, r)
	}
	return file, nil
}

// warnReadable warns of a secret in a file that everybody can read.
func warnReadable(file configFile, r *report) {
	for i := range keys {
		if v := file.values[keys[i].path]; keys[i].secret && v.text != "" {
			r.warning(keys[i].path, v.from, "every user can read it; hide it by: chmod o-rwx %s", file.path)
		}
	}
}

// parseFile finds the values in a text in YAML, and reports everything that is wrong.
func parseFile(data []byte, r *report) contents { return parseWith(data, readUCI, r) }

// parseWith is parseFile with a function that reads the file that network.uci names.
func parseWith(data []byte, read uciReader, r *report) contents {
	var docs []yaml.Node
	if err := yaml.Load(data, &docs, yaml.WithAllDocuments()); err != nil {
		syntaxProblem(err, data, r)
		return contents{}
	}
	for i := range docs {
		if line := yamlalias.Excess(&docs[i]); line > 0 {
			r.problem("", origin{line: line}, "aliases of YAML (*) repeat more than %d values; write them out", yamlalias.Most)
			return contents{}
		}
	}
	if len(docs) > 1 {
		r.problem("", origin{line: docs[1].Line}, "the file holds more than one YAML document")
	}
	w := walker{report: r, contents: contents{values: make(map[string]value)}, lines: make(map[string]int), readUCI: read}
	if len(docs) > 0 && len(docs[0].Content) > 0 {
		w.top(resolve(docs[0].Content[0]))
	}
	return w.contents
}

// syntaxProblem reports a syntax error of YAML. The report repeats no text of the file,
// because the text may be a passphrase.
func syntaxProblem(err error, data []byte, r *report) {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		r.problem("", origin{}, "the file is not YAML")
		return
	}
	line := load.Mark.Line
	if line == 0 { // for a byte that is not text, the parser knows only its place
		line = 1 + bytes.Count(data[:min(max(load.Mark.Index, 0), len(data))], []byte("\n"))
	}
	text := load.Message
	switch {
	case strings.Contains(text, "anchor"):
		text = "* refers to an anchor that is not there; put a value that begins with * in quotes"
	case strings.Contains(text, "cannot start any token"):
		text += "; indent with spaces, and put a value that begins with @, % or ` in quotes"
	case strings.Contains(text, "UTF-8"):
		text += "; save the file as UTF-8"
	}
	if from := load.ContextMark.Line; load.ContextMsg != "" && from != line {
		text += fmt.Sprintf(", %s that begins in line %d", load.ContextMsg, from)
	}
	r.problem("", origin{line: line}, "%s", text)
}

// walker goes through the sections and keys of the file.
type walker struct {
	*report
	contents
	lines   map[string]int // line of the first mention, by the section or key
	readUCI uciReader
}

func (w *walker) top(root *yaml.Node) {
	if isNull(root) {
		return
	}
	if root.Kind != yaml.MappingNode {
		w.problem("", at(root), "the file is %s, not sections with keys", shape(root))
		return
	}
	w.pairs("", root, func(name string, key, content *yaml.Node) {
		switch {
		case name == networkSection:
			if w.once(name, key) {
				w.network = w.declared(content)
			}
		case isSection(name):
			w.once(name, key)
			w.section(name, content)
		default:
			w.setting(name, key, content)
		}
	})
}

func (w *walker) section(section string, node *yaml.Node) {
	switch {
	case isNull(node): // "ap:" with nothing behind it, as when all keys are commented out
	case node.Kind != yaml.MappingNode:
		w.problem(section, at(node), "is %s, not a section with keys of its own", shape(node))
	default:
		w.pairs(section+".", node, func(name string, key, content *yaml.Node) {
			w.setting(section+"."+name, key, content)
		})
	}
}

// pairs calls visit for each name of a mapping, with the node that its value is.
func (w *walker) pairs(prefix string, mapping *yaml.Node, visit func(name string, key, content *yaml.Node)) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key := resolve(mapping.Content[i])
		if key.Kind != yaml.ScalarNode {
			w.problem(strings.TrimSuffix(prefix, "."), at(mapping.Content[i]), "has %s in the place of a key", shape(key))
			continue
		}
		visit(key.Value, mapping.Content[i], resolve(mapping.Content[i+1]))
	}
}

// once reports the second mention of a section or key. It returns whether this mention
// is the first.
func (w *walker) once(path string, node *yaml.Node) bool {
	if first, again := w.lines[path]; again {
		w.problem(path, at(node), "is given twice, first in line %d", first)
		return false
	}
	w.lines[path] = node.Line
	return true
}

// setting reads the value of one key.
func (w *walker) setting(path string, node, content *yaml.Node) {
	k := keyByPath(path)
	if k == nil {
		w.warning(cleanKey(path), at(node), "is not a known key, ignored%s", didYouMean(path, hints(path)))
		return
	}
	w.once(path, node)
	if k.kind.isList() && content.Kind == yaml.SequenceNode {
		w.list(k, content)
		return
	}
	if text, ok := w.scalar(k, content); ok {
		w.take(k, value{text: text, from: at(content)})
	}
}

// list reads a list. The value is the items with commas in between, as a flag has them.
func (w *walker) list(k *key, node *yaml.Node) {
	var items []string
	for _, item := range node.Content {
		text, ok := w.scalar(k, resolve(item))
		if !ok {
			return
		}
		items = append(items, text)
	}
	w.take(k, value{text: strings.Join(items, ","), from: at(node)})
}

func (w *walker) take(k *key, v value) {
	k.check(v, w.report)
	w.values[k.path] = v
}

// scalar returns the text of a key's value. Nothing, ~ and null mean that the key is
// not given.
func (w *walker) scalar(k *key, node *yaml.Node) (text string, ok bool) {
	if isNull(node) && node.Anchor == "" {
		w.noteEmpty(k.path, at(node))
		return "", false
	}
	return w.text(k.path, node, k.kind.describe())
}

// text returns the text of a single value exactly as it was typed, so 01234567, yes and
// 1e3 stay as they are. The problem with a value of another shape names want.
func (w *walker) text(path string, node *yaml.Node, want string) (text string, ok bool) {
	switch {
	case node.Kind != yaml.ScalarNode:
		w.problem(path, at(node), "is %s, not %s", shape(node), want)
	case !strings.HasPrefix(node.Tag, "!!") || node.Tag == "!!binary":
		w.problem(path, at(node), "has a tag of YAML; put a value that begins with ! in quotes")
	case isNull(node):
		w.problem(path, at(node), "is an anchor of YAML; put a value that begins with & in quotes")
	default:
		return node.Value, true
	}
	return "", false
}

func at(node *yaml.Node) origin { return origin{line: node.Line} }

// resolve returns the node that an alias (*name) stands for, or the node itself.
func resolve(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode && node.Alias != nil {
		node = node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Tag == "!!null"
}

// shape returns words for what a node is, without the node's text.
func shape(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}

func isSection(name string) bool {
	for _, s := range sections {
		if s.name == name && name != "" {
			return true
		}
	}
	return false
}

// hints returns the names that a person may have meant by an unknown path.
func hints(path string) []string {
	known := keyPaths()
	if !strings.Contains(path, ".") {
		for _, s := range sections[1:] {
			known = append(known, s.name)
		}
		known = append(known, networkSection)
	}
	return known
}

// cleanKey returns the part of an unknown key that is a name. To YAML, "psk:secret" and
// "psk=secret" are keys as a whole, and no message may show the secret.
func cleanKey(path string) string {
	end := strings.IndexFunc(path, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_.-<", c))
	})
	if end >= 0 {
		return path[:end] + "…"
	}
	return path
}
