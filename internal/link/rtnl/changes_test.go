package rtnl

import (
	flags "flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
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
	classes  map[Class]bool
	loses    map[string]bool
	refusals map[string]bool
}

// findings are by table, field and row, separated by tabs: a field can have a row for each
// family of addresses.
type findings map[string]*finding

func (f findings) of(table, field, row string) *finding {
	key := table + "\t" + field + "\t" + row
	if f[key] == nil {
		f[key] = &finding{classes: map[Class]bool{}, loses: map[string]bool{}, refusals: map[string]bool{}}
	}
	return f[key]
}

func (f findings) take(table, field, row string, class Class, lost []string) {
	one := f.of(table, field, row)
	one.classes[class] = true
	for _, what := range lost {
		one.loses[what] = true
	}
}

func (f findings) refuse(table, field, row, why string) {
	f.of(table, field, row).refusals[why] = true
}

// String returns a line for each field: table, field, row, classes and what was lost.
func (f findings) String() string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(f)) {
		one := f[key]
		if len(one.classes) == 0 {
			continue
		}
		var classes []string
		for _, class := range slices.Sorted(maps.Keys(one.classes)) {
			classes = append(classes, class.words())
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\n", key, strings.Join(classes, " or "), strings.Join(slices.Sorted(maps.Keys(one.loses)), ", "))
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
		part := strings.Split(key, "\t")
		if one := f[key]; len(one.classes) == 0 && unsettable[part[0]+" "+part[2]] == "" {
			t.Errorf("%s %s: no value was taken: %v", part[0], part[1], slices.Sorted(maps.Keys(one.refusals)))
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

// measuredRow is a line of what was measured.
type measuredRow struct{ table, field, row, classes, lost string }

func readMeasured(t *testing.T) (all []measuredRow) {
	t.Helper()
	b, err := os.ReadFile(measured)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		part := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(part) != 5 {
			t.Fatalf("%s: %q has not five columns", measured, line)
		}
		all = append(all, measuredRow{part[0], part[1], part[2], part[3], part[4]})
	}
	return all
}

// classesOf returns the classes of a table's rows, and whether the class of a change may
// depend on both values.
func classesOf(codec dataCodec) (rows map[string]Class, paired bool) {
	rows = map[string]Class{}
	table := reflect.ValueOf(codec).Elem()
	all := table.FieldByName("rows")
	for i := range all.Len() {
		row := all.Index(i).Elem()
		rows[row.FieldByName("name").String()] = Class(row.FieldByName("class").Uint())
	}
	return rows, !table.FieldByName("pair").IsNil()
}

// tablesByName has the tables of all kinds, and of their ports.
func tablesByName() map[string]dataCodec {
	all := maps.Clone(kinds)
	for kind, codec := range portKinds {
		all["port of "+kind] = codec
	}
	return all
}

// TestClassesAreMeasured: the class of each row is what TestEverySettableRow saw in the
// lab's kernel, and it saw each row.
func TestClassesAreMeasured(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range readMeasured(t) {
		codec, ok := tablesByName()[m.table]
		if !ok {
			t.Errorf("%s has no table", m.table)
			continue
		}
		rows, paired := classesOf(codec)
		classes := strings.Split(m.classes, " or ")
		if class := rows[m.row]; !slices.Contains(classes, class.words()) || len(classes) > 1 && !paired {
			t.Errorf("%s %s: the row says %s, and the kernel took it %s", m.table, m.field, class.words(), m.classes)
		}
		seen[m.table+" "+m.row] = true
	}
	for name, codec := range tablesByName() {
		rows, _ := classesOf(codec)
		for row, class := range rows {
			if class != ReadOnly && !seen[name+" "+row] && unsettable[name+" "+row] == "" && unwritten[name] == "" {
				t.Errorf("%s %s was not measured", name, row)
			}
		}
	}
}

var changesPage = filepath.Join("..", "..", "..", "docs", "changes.md")

const (
	tablesBegin = "<!-- tables: made from internal/link/rtnl/testdata/changes.golden -->\n"
	tablesEnd   = "<!-- end of tables -->\n"
)

// TestChangesPage: the tables of docs/changes.md have what was measured; -update writes
// them.
func TestChangesPage(t *testing.T) {
	text, err := os.ReadFile(changesPage)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), tablesBegin)
	_, foot, ok2 := strings.Cut(rest, tablesEnd)
	if !ok || !ok2 {
		t.Fatalf("%s does not have the marks of the tables", changesPage)
	}
	want := head + tablesBegin + changesTables(readMeasured(t)) + tablesEnd + foot
	if *update {
		if err := os.WriteFile(changesPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		text = []byte(want)
	}
	if diff := cmp.Diff(string(text), want); diff != "" {
		t.Errorf("-page +measured (go test ./internal/link/rtnl -run TestChangesPage -update rewrites it):\n%s", diff)
	}
}

// changesTables has a table for each kind. Attributes with the same class and the same
// price share a line.
func changesTables(all []measuredRow) string {
	var b strings.Builder
	for len(all) > 0 {
		table := all[0].table
		end := slices.IndexFunc(all, func(m measuredRow) bool { return m.table != table })
		if end < 0 {
			end = len(all)
		}
		fmt.Fprintf(&b, "\n### %s\n\n| when | lost | attributes |\n|---|---|---|\n", table)
		lines := map[string][]string{}
		for _, m := range all[:end] {
			lost := m.lost
			if lost == "" {
				lost = "nothing"
			}
			key := "| " + m.classes + " | " + lost + " | "
			if name := "`" + shownName(m) + "`"; !slices.Contains(lines[key], name) {
				lines[key] = append(lines[key], name)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(lines)) {
			fmt.Fprintf(&b, "%s%s |\n", key, strings.Join(lines[key], ", "))
		}
		all = all[end:]
	}
	return b.String()
}

// shownName is the name of an attribute in the output of show, or that of the kernel where
// show has the name of a link instead of its index.
func shownName(m measuredRow) string {
	if slices.Contains(indexFields, m.field) {
		return rowText(m.row)
	}
	return m.field
}
