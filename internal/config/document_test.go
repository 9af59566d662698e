package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/pagetest"
)

// The example file and the tables of the manual are made from the table of
// keys: go test ./internal/config -update writes them.
var (
	exampleFile = filepath.Join("..", "..", "configs", "netconnectd.yaml")
	manualFile  = filepath.Join("..", "..", "docs", "config.md")
)

const exampleHead = `# Settings of netconnectd: /etc/netconnectd.yaml
#
# Every key is here, commented out, with its default. Take the # away from
# those that you change, and see what "sudo netconnectd --check" says.
#
# A flag wins over a variable of the environment (NETCONNECTD_AP_CHANNEL for
# ap.channel), and that over this file. Times are seconds. This file may hold
# a passphrase: let only root and the group netconnectd read it.
`

// exampleNetwork is what the example file has of the section network, commented out.
const exampleNetwork = `network:
  devices:
    - name: br-lan
      type: bridge
      ports: [eth1, eth2]
  interfaces:
    - name: lan
      device: br-lan
      proto: static
      ipaddr: 192.168.1.1/24
    - name: wan
      device: eth0
      proto: dhcp
`

const aboutNetwork = "Devices and interfaces that the daemon manages, in the terms of OpenWrt's netifd: " +
	"netconnectd.yaml(5) and docs/network.md have all options. Without this section the daemon changes no wired interface. " +
	"This is an example, not a default; take the # and the space behind it away."

func example() string {
	var b strings.Builder
	b.WriteString(exampleHead)
	for _, s := range sections {
		indent := ""
		b.WriteString("\n")
		comment(&b, "", s.doc)
		if s.name != "" {
			b.WriteString(s.name + ":\n")
			indent = "  "
		}
		for i, k := range keysOf(s.name) {
			if i > 0 {
				b.WriteString("\n")
			}
			comment(&b, indent, meaning(k))
			_, name, _ := strings.Cut("."+k.path, s.name+".")
			fmt.Fprintf(&b, "%s#%s: %s\n", indent, strings.TrimPrefix(name, "."), yamlDefault(k))
		}
	}
	b.WriteString("\n")
	comment(&b, "", aboutNetwork)
	for line := range strings.Lines(exampleNetwork) {
		b.WriteString("# " + line)
	}
	return b.String()
}

// TestExampleOfNetwork: the example of the section network can be taken as it is.
func TestExampleOfNetwork(t *testing.T) {
	c, warnings, err := loadYAML(t, exampleNetwork)
	if err != nil || len(butOpen(warnings)) > 0 || len(c.Network.Interfaces) != 2 {
		t.Errorf("%v, %v", warnings, err)
	}
}

// keysOf are the keys of a section, "" being those without one.
func keysOf(section string) []*key {
	var of []*key
	for i := range keys {
		if s, _, ok := strings.Cut(keys[i].path, "."); ok && s == section || !ok && section == "" {
			of = append(of, &keys[i])
		}
	}
	return of
}

func meaning(k *key) string {
	if k.noEffect != "" {
		return k.doc + " It " + k.noEffect + "."
	}
	return k.doc
}

func yamlDefault(k *key) string {
	switch {
	case k.value == "" && k.kind.isList():
		return "[]"
	case k.value == "":
		return `""`
	case k.kind == kindRange:
		return "[" + strings.ReplaceAll(k.value, ",", ", ") + "]"
	}
	return k.value
}

// comment wraps text at 78 columns.
func comment(b *strings.Builder, indent, text string) {
	line := indent + "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 78 {
			b.WriteString(line + "\n")
			line = indent + "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}

func TestExampleFile(t *testing.T) {
	golden(t, exampleFile, example())
}

func TestExampleFileHasTheDefaults(t *testing.T) {
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	given := regexp.MustCompile(`(?m)^( *)#([a-z0-9_]+:)`).ReplaceAllString(string(text), "$1$2")
	if n := strings.Count(given, ":") - strings.Count(string(text), ":"); n != 0 {
		t.Fatalf("%d colons more", n)
	}
	for name, yaml := range map[string]string{"commented": string(text), "given": given} {
		c, warnings, err := loadYAML(t, yaml)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, w := range warnings {
			if w.Key == "ap.psk" { // by default everybody can join
				continue
			}
			if name == "commented" || !strings.Contains(w.Text, "no effect") {
				t.Errorf("%s: %v", name, w)
			}
		}
		c.File = ""
		if diff := cmp.Diff(defaults(t), c, asIs); diff != "" {
			t.Errorf("%s (-defaults +file):\n%s", name, diff)
		}
	}
	var r report
	values := parseFile([]byte(given), &r).values
	for i := range keys {
		if _, ok := values[keys[i].path]; !ok {
			t.Errorf("%s is missing", keys[i].path)
		}
	}
}

const (
	tablesBegin = "<!-- tables: made from internal/config/keys.go -->\n"
	tablesEnd   = "<!-- end of tables -->\n"
)

func tables() string {
	var b strings.Builder
	for _, s := range sections {
		if s.name == "" {
			b.WriteString("\n### Without section\n\n")
		} else {
			fmt.Fprintf(&b, "\n### `%s`\n\n%s\n\n", s.name, s.doc)
		}
		b.WriteString("| key | default | flag | meaning |\n|---|---|---|---|\n")
		for _, k := range keysOf(s.name) {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.path, markdownDefault(k), markdownFlag(k), meaning(k))
		}
	}
	return b.String() + "\n"
}

func markdownDefault(k *key) string {
	if k.value == "" {
		return "empty"
	}
	return "`" + yamlDefault(k) + "`"
}

func markdownFlag(k *key) string {
	name := "`--" + k.flag + "`"
	if k.short != "" {
		name = "`-" + k.short + "`, " + name
	}
	if k.negated {
		name += " (means false)"
	}
	return name
}

func TestManual(t *testing.T) {
	text, err := os.ReadFile(manualFile)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), tablesBegin)
	_, foot, ok2 := strings.Cut(rest, tablesEnd)
	if !ok || !ok2 {
		t.Fatalf("%s does not have the marks of the tables", manualFile)
	}
	golden(t, manualFile, head+tablesBegin+tables()+tablesEnd+foot)
}

func TestTableOfKeysIsComplete(t *testing.T) {
	seen := make(map[string]bool)
	listed := 0
	for _, s := range sections {
		listed += len(keysOf(s.name))
	}
	if listed != len(keys) {
		t.Errorf("%d keys are in sections, of %d", listed, len(keys))
	}
	for i := range keys {
		k := &keys[i]
		for _, name := range []string{"key " + k.path, "flag " + k.flag, "variable " + k.env()} {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		if k.set == nil || k.kind == "" || !strings.HasSuffix(k.doc, ".") || strings.ContainsAny(k.doc, "`|\n") {
			t.Errorf("%s: incomplete, or a doc that is no plain sentence", k.path)
		}
		// Viper folds case and splits at dots.
		if k.path != strings.ToLower(k.path) || strings.Count(k.path, ".") > 1 {
			t.Errorf("%s: not a key for viper", k.path)
		}
		var d draft
		if err := k.set(&d, k.value); err != nil {
			t.Errorf("%s: default: %v", k.path, err)
		}
	}
}

// TestDocumentedKeys: the YAML of all pages, and every `section.key: value` in
// their sentences, has keys that there are.
func TestDocumentedKeys(t *testing.T) {
	found := 0
	for _, page := range pagetest.Pages(t, filepath.Join("..", "..")) {
		for _, b := range pagetest.Blocks(t, page) {
			if b.Lang == "yaml" && filepath.Base(page) != "fleet.md" { // whose YAML is Prometheus'
				found++
				checkKeys(t, fmt.Sprintf("%s:%d", page, b.Line), b.Text)
			}
		}
		for _, text := range pagetest.Quoted(t, page) {
			if m := documentedKey.FindStringSubmatch(text); m != nil {
				found++
				checkKeys(t, page+": "+text, fmt.Sprintf("%s: {%s: %s}\n", m[1], m[2], m[3]))
			}
		}
	}
	if found < 6 {
		t.Errorf("%d keys found", found)
	}
}

// TestDocumentedFlags: each call of netconnectd in the pages has flags that
// there are.
func TestDocumentedFlags(t *testing.T) {
	found := 0
	for _, c := range pagetest.Commands(t, filepath.Join("..", ".."), "netconnectd") {
		if len(c.Args) == 0 || c.Prose && !strings.HasPrefix(c.Args[0], "-") {
			continue // the program's name, or a text about it
		}
		found++
		if _, err := parseFlags(c.Args); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
	if found < 4 {
		t.Errorf("%d calls with flags found", found)
	}
}

var documentedKey = regexp.MustCompile(`^([a-z_]+)\.([a-z_]+): (\S.*)$`)

func checkKeys(t *testing.T, place, yaml string) {
	t.Helper()
	var r report
	// The file that an example names need not be there.
	parseWith([]byte(yaml), func(string) ([]byte, error) { return nil, nil }, &r)
	for _, p := range append(r.problems, r.warnings...) {
		if p.Text == without && strings.Contains(place, "migrating.md") { // which tells so
			continue
		}
		t.Errorf("%s: %v", place, p)
	}
}
