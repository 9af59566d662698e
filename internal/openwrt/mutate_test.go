package openwrt

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// mutate returns a text after one to four changes: bytes and lines that are gone, double,
// elsewhere, or replaced by what the syntax has.
func mutate(r *rand.Rand, text []byte) []byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	marks := []string{"'", `"`, "\\", ";", "#", "@", "\n", "\x00", "\xff", "\t", "config ", "option ", "list ", "0", "-1", "99999999999", "lo", "eth0.1", "br-lan", "::", ""}
	for range 1 + r.IntN(4) {
		n := r.IntN(len(lines))
		line := slices.Clone(lines[n])
		at := r.IntN(len(line) + 1)
		switch r.IntN(6) {
		case 0:
			lines = slices.Delete(slices.Clone(lines), n, n+1)
		case 1:
			lines = slices.Insert(slices.Clone(lines), r.IntN(len(lines)), line)
		case 2:
			m := r.IntN(len(lines))
			lines[n], lines[m] = lines[m], lines[n]
		case 3:
			lines[n] = slices.Insert(line, at, []byte(marks[r.IntN(len(marks))])...)
		case 4:
			lines[n] = line[:at]
		case 5:
			words := strings.Fields(string(line))
			if len(words) > 0 {
				word := words[len(words)-1]
				lines[n] = []byte(strings.Replace(string(line), word, marks[r.IntN(len(marks))], 1))
			}
		}
		if len(lines) == 0 {
			lines = [][]byte{nil}
		}
	}
	return bytes.Join(lines, nil)
}

// checkRead reads a text that anybody may have written: it is read as a whole or not at
// all, and each problem is one line that names a line of the text.
func checkRead(t *testing.T, text []byte) {
	t.Helper()
	for _, translate := range []bool{false, true} {
		n := Read(text, Options{Tables: sampleTables, Translate: translate})
		if n.Failed() && !n.Spec.IsZero() {
			t.Fatalf("half of it is read:\n%s\n%s", text, told(n.Problems))
		}
		for _, p := range n.Problems {
			if p.Line < 1 || p.Line > 1+bytes.Count(text, []byte("\n")) || len(p.Text) > 400 || strings.ContainsFunc(p.Path+p.Text, func(c rune) bool { return c < ' ' || c == 0x7f }) {
				t.Fatalf("no line of the text in one short line: %+v\n%s", p, text)
			}
		}
		if again := Read(text, Options{Tables: sampleTables, Translate: translate}); !again.Spec.Equal(n.Spec) || told(again.Problems) != told(n.Problems) {
			t.Fatalf("the same text is read in two ways:\n%s", text)
		}
	}
}

// TestMutations: a file that was damaged is an error with a line, or loads as a whole.
func TestMutations(t *testing.T) {
	all := samples(t)
	paths := []string{}
	for path := range all {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	loaded, refused := 0, 0
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 1))
		text := mutate(r, all[paths[r.IntN(len(paths))]])
		checkRead(t, text)
		n := Read(text, Options{Tables: sampleTables})
		if all := told(n.Problems); strings.Contains(all, "not shown") || strings.Contains(all, "bm90IGEga2V5") {
			t.Fatalf("a secret is in\n%s", all)
		}
		if n.Failed() {
			refused++
		} else {
			loaded++
		}
	}
	t.Logf("%d load, %d are refused", loaded, refused)
	if loaded < 1000 || refused < 500 {
		t.Errorf("%d load and %d are refused; the mutations do too little", loaded, refused)
	}
}

// FuzzRead is TestMutations for any text.
func FuzzRead(f *testing.F) {
	for _, text := range samples(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) < 1<<14 {
			checkRead(t, text)
		}
	})
}
