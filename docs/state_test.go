package docs

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/netconnectd/netconnectd/state"
)

var update = flag.Bool("update", false, "write state.md, state.schema.json and protocol.schema.json as they have to be")

const (
	begin  = "<!-- What follows is made from the source. Do not edit it; change the comments there, and run: go test ./docs -update -->\n"
	remedy = "run `go test ./docs -update`, and look at the difference with `git diff docs`"
)

func stateModel(t *testing.T) *model {
	t.Helper()
	m, err := newModel(ofState, reflect.TypeFor[state.State](), reflect.TypeFor[state.Change]())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func schemaFile(t *testing.T, schema values) []byte {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestStateIsDocumented checks that the page and the schema equal those generated
// from the types.
func TestStateIsDocumented(t *testing.T) {
	m := stateModel(t)
	page, err := os.ReadFile("state.md")
	if err != nil {
		t.Fatal(err)
	}
	byHand, _, ok := strings.Cut(string(page), begin)
	if !ok {
		t.Fatalf("state.md has no line %q", begin)
	}
	for path, want := range map[string][]byte{
		"state.md":          []byte(byHand + begin + m.page()),
		"state.schema.json": schemaFile(t, m.schema()),
	} {
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%v: %s", err, remedy)
		} else if !bytes.Equal(got, want) {
			t.Errorf("docs/%s is not what the types in package state say: %s", path, remedy)
		}
	}
}

// TestTypesAreExplained checks that most fields have a comment, since few names
// explain themselves.
func TestTypesAreExplained(t *testing.T) {
	m := stateModel(t)
	for _, o := range m.objects {
		if len(o.docs) == 0 {
			t.Errorf("%s, the type at %s, has no comment", o.of, o.path)
		}
	}
	for _, e := range m.enums {
		if e.doc == "" {
			t.Errorf("%s has no comment", e.of)
		}
	}
}
