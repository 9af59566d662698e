package network

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/network.md")

var page = filepath.Join("..", "..", "docs", "network.md")

const (
	tablesBegin = "<!-- tables: made from the rows of internal/network -->\n"
	tablesEnd   = "<!-- end of tables -->\n"
)

// parts are the kinds of Sections by the lists of YAML.
var parts = []struct{ list, kind, of string }{
	{"devices", KindDevice, "types"},
	{"interfaces", KindInterface, "protocols"},
	{"routes", KindRoute, ""},
	{"rules", KindRule, ""},
	{"neighbours", KindNeighbour, ""},
}

func tablesOfPage() string {
	var b strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&b, "\n### `%s`\n\n", part.list)
		for _, of := range variantsOf(part.kind) {
			if part.of != "" {
				fmt.Fprintf(&b, "%s:\n\n", heading(part.kind, of))
			}
			b.WriteString("| option | values | without | meaning |\n|---|---|---|---|\n")
			for _, o := range Options(part.kind) {
				if variantOf(o) == of {
					fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", names(o), values(o), o.Unset, o.Doc)
				}
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// heading returns what stands above the options that only some devices or interfaces
// have.
func heading(kind, of string) string {
	word := "type"
	if kind == KindInterface {
		word = "proto"
	}
	switch all := strings.Fields(of); {
	case of == "":
		return "All"
	case of == "any":
		return "Without a type"
	case len(all) == len(types): // of those with the devices without a type
		for _, one := range types {
			if !slices.Contains(all, one) {
				return "Of every type but `" + one + "`"
			}
		}
		return ""
	case len(all) == 1:
		return "Of `" + word + ": " + of + "`"
	default:
		for i := range all {
			all[i] = "`" + all[i] + "`"
		}
		return "Of " + strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
	}
}

// variantsOf returns who has options of its own: "" for all, then in the order of the rows.
func variantsOf(kind string) []string {
	found := []string{""}
	for _, o := range Options(kind) {
		if of := variantOf(o); !slices.Contains(found, of) {
			found = append(found, of)
		}
	}
	return found
}

func variantOf(o OptionDoc) string {
	switch {
	case len(o.Of) == 1 && o.Of[0] == "":
		return "any"
	case len(o.Of) > 1 && o.Of[0] == "":
		return "any " + strings.Join(o.Of[1:], " ")
	}
	return strings.Join(o.Of, " ")
}

func names(o OptionDoc) string {
	all := append([]string{o.Name}, o.Others...)
	return "`" + strings.Join(all, "`, `") + "`"
}

func values(o OptionDoc) string {
	if o.List {
		return "list: " + o.Takes
	}
	return o.Takes
}

// TestPage: the tables of docs/network.md have the rows that the reader has; -update
// writes them.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), tablesBegin)
	_, foot, ok2 := strings.Cut(rest, tablesEnd)
	if !ok || !ok2 {
		t.Fatalf("%s does not have the marks of the tables", page)
	}
	want := head + tablesBegin + tablesOfPage() + tablesEnd + foot
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		text = []byte(want)
	}
	if diff := cmp.Diff(string(text), want); diff != "" {
		t.Errorf("-page +rows (go test ./internal/network -update rewrites the page):\n%s", diff)
	}
}

// TestRowsAreComplete: each row can be explained, and no two rows that one section can
// have share a name.
func TestRowsAreComplete(t *testing.T) {
	for _, part := range parts {
		seen := map[string]bool{}
		for _, o := range Options(part.kind) {
			if o.Takes == "" || !strings.HasSuffix(o.Doc, ".") || strings.ContainsAny(o.Doc+o.Takes+o.Unset, "`|\n") {
				t.Errorf("%s %s: incomplete, or no plain sentence", part.kind, o.Name)
			}
			for _, name := range append([]string{o.Name}, o.Others...) {
				owners := o.Of
				if owners == nil {
					owners = append([]string{""}, append(slices.Clone(types), ProtoNone, ProtoStatic, ProtoDHCP)...)
				}
				for _, of := range owners {
					if key := name + " of " + of; seen[key] {
						t.Errorf("%s: %s is there twice", part.kind, key)
					} else {
						seen[key] = true
					}
				}
			}
		}
		if len(seen) == 0 {
			t.Errorf("%s has no options", part.kind)
		}
	}
}
