package rtnl

import (
	flags "flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flags.Bool("update", false, "rewrite what was measured, and docs/changes.md")

// words say when the kernel takes a change of the class.
func (c Class) words() string {
	return []string{"in place", "link down", "no ports", "no ports, link down", "recreate", "never"}[c]
}

// finding is what TestEverySettableRow has seen of one field.
type finding struct {
	row      string // of the table
	classes  map[Class]bool
	loses    map[string]bool
	refusals map[string]bool
}

// findings are by table and field, separated by a tab.
type findings map[string]*finding

func (f findings) of(table, field string) *finding {
	key := table + "\t" + field
	if f[key] == nil {
		f[key] = &finding{classes: map[Class]bool{}, loses: map[string]bool{}, refusals: map[string]bool{}}
	}
	return f[key]
}

func (f findings) take(table, field, row string, class Class, lost []string) {
	one := f.of(table, field)
	one.row, one.classes[class] = row, true
	for _, what := range lost {
		one.loses[what] = true
	}
}

func (f findings) refuse(table, field, why string) { f.of(table, field).refusals[why] = true }

// String returns a line for each field: table, field, row, classes and what was lost.
func (f findings) String() string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(f)) {
		one := f[key]
		if one.row == "" {
			continue
		}
		var classes []string
		for _, class := range slices.Sorted(maps.Keys(one.classes)) {
			classes = append(classes, class.words())
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", key, one.row, strings.Join(classes, " or "), strings.Join(slices.Sorted(maps.Keys(one.loses)), ", "))
	}
	return b.String()
}

// measured has what TestEverySettableRow saw in the lab's kernel.
var measured = filepath.Join("testdata", "changes.golden")

// Marks around what was measured in the output of the test, which is all that leaves
// the lab's machine.
const (
	measuredBegin = "--- begin of testdata/changes.golden"
	measuredEnd   = "--- end of testdata/changes.golden"
)

// check compares all that was seen with what was seen last time.
func (f findings) check(t *testing.T) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(f)) {
		if name := strings.Replace(key, "\t", " ", 1); f[key].row == "" && unsettable[name] == "" {
			t.Errorf("%s: no value was taken: %v", name, slices.Sorted(maps.Keys(f[key].refusals)))
		}
	}
	if *update {
		fmt.Println(measuredBegin)
		fmt.Print(f)
		fmt.Println(measuredEnd)
		return
	}
	want, err := os.ReadFile(measured)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), f.String()); diff != "" {
		t.Errorf("-golden +measured (make changes rewrites it):\n%s", diff)
	}
}
