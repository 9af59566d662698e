package client

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestDocument compares the examples of docs/protocol.md with the types: they must
// have the same fields.
func TestDocument(t *testing.T) {
	document, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	for heading, into := range map[string]any{"## status\n": &Status{}, "## list_wifi\n": &[]BSS{}, "## Saved networks\n": &[]SavedNetwork{}, "## History\n": &[]HistoryEntry{}} {
		_, section, _ := strings.Cut(string(document), "\n"+heading)
		_, block, _ := strings.Cut(section, "```json\n")
		block, _, _ = strings.Cut(block, "```")
		dec := json.NewDecoder(strings.NewReader(block))
		dec.DisallowUnknownFields()
		if err := dec.Decode(into); err != nil {
			t.Errorf("%s: %v", heading, err)
			continue
		}
		again, err := json.Marshal(into)
		if err != nil {
			t.Fatal(err)
		}
		if want, got := paths(t, again), paths(t, []byte(block)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s has %v, want %v", heading, got, want)
		}
	}
}

// paths lists the names of all fields in a JSON text.
func paths(t *testing.T, text []byte) []string {
	t.Helper()
	var value any
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&value); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	collect(value, "", found)
	return slices.Sorted(maps.Keys(found))
}

func collect(value any, at string, found map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			found[at+"."+key] = true
			collect(inner, at+"."+key, found)
		}
	case []any:
		for _, inner := range value {
			collect(inner, at, found)
		}
	}
}
