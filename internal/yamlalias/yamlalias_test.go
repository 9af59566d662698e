package yamlalias

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

func TestExcess(t *testing.T) {
	values := "[" + strings.Repeat("x, ", 200) + "]"
	for _, row := range []struct {
		name, text string
		line       int
	}{
		{"none", "a: b\n", 0},
		{"many values without aliases", "a: [" + strings.Repeat("x, ", 2*Most) + "]\n", 0},
		{"some", "a: &a " + values + "\nb: [*a, *a]\nc: *a\n", 0},
		{"just as many as may be", "a: &a [" + strings.Repeat("x, ", Most-1) + "]\nb: *a\n", 0},
		{"one more", "a: &a [" + strings.Repeat("x, ", Most-1) + "]\nb: *a\nc: *a\n", 3},
		{"many aliases of many values", "a: &a " + values + "\nb:\n  [" + strings.Repeat("*a, ", 200) + "]\n", 3},
		{"aliases of aliases", "a: &a " + values + "\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b, *b, *b]\n", 3},
		{"an alias of itself", "a: &a [*a]\n", 1},
		{"as keys", "a: &a " + values + "\nb: {" + strings.Repeat("? *a : x, ", 200) + "}\n", 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			var root yaml.Node
			if err := yaml.Load([]byte(row.text), &root); err != nil {
				t.Fatal(err)
			}
			if got := Excess(&root); got != row.line {
				t.Errorf("line %d, want %d", got, row.line)
			}
		})
	}
}
