package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/netconnectd/netconnectd/internal/pagetest"
)

const contributing = "../CONTRIBUTING.md"

// pathPattern matches a name of a file or a folder of the source: one with a slash,
// or with an ending that files here have.
var pathPattern = regexp.MustCompile(`^(?:[\w.-]+/)*[\w-]+(?:/|\.(?:go|md|yaml|json|[158]))?$`)

// testName matches the name of a test or a fuzz test.
var testName = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`)

// notOurs are words of CONTRIBUTING.md that look like paths of the source: files that
// make writes, files of the kernel, and packages of Go.
var notOurs = []string{"build/", "linux/", "testing/", "apt/", "NOTES.md"}

// identifier matches a name of the source, e.g. of a table that needs another row.
var identifier = regexp.MustCompile(`^(?:\w+\.)?([A-Za-z]\w+)$`)

// TestContributingNamesWhatIsThere checks that the paths, tests, targets and
// identifiers in CONTRIBUTING.md exist.
func TestContributingNamesWhatIsThere(t *testing.T) {
	source, makefile := allSource(t), pagetest.Read(t, "../Makefile")
	inSource := map[string]bool{}
	for word := range strings.FieldsFuncSeq(source, func(r rune) bool { return !isWordRune(r) }) {
		inSource[word] = true
	}
	named := 0
	for _, text := range contributingWords(t) {
		for _, test := range testName.FindAllString(text, -1) {
			if !strings.Contains(source, "\nfunc "+test+"(") {
				t.Errorf("CONTRIBUTING.md names %s, which is no test", test)
			}
			named++
		}
		if m := identifier.FindStringSubmatch(text); m != nil && !slices.Contains(noNames, text) {
			if !inSource[m[1]] {
				t.Errorf("CONTRIBUTING.md names %s, which is nowhere in the source", text)
			}
			named++
		}
		words := strings.Fields(text)
		if words[0] == "make" && !strings.Contains(makefile, "\n"+words[1]+":") {
			t.Errorf("CONTRIBUTING.md names make %s, which is no target", words[1])
		}
		for _, word := range words {
			word, _, _ = strings.Cut(strings.TrimPrefix(word, "./"), "#")
			if !isPath(word) {
				continue
			}
			if _, err := os.Stat(filepath.Join("..", word)); err != nil {
				t.Errorf("CONTRIBUTING.md names %s, which is not there", word)
			}
			named++
		}
	}
	if named < 80 {
		t.Errorf("only %d names were looked at", named)
	}
}

// noNames are words that the source does not have: names that packages must not have.
var noNames = []string{"utils", "common"}

// contributingWords returns the texts in back quotes, and the targets of links.
func contributingWords(t *testing.T) []string {
	t.Helper()
	words := pagetest.Quoted(t, contributing)
	for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(pagetest.Read(t, contributing), -1) {
		if !strings.Contains(link[1], "://") {
			words = append(words, link[1])
		}
	}
	return words
}

// isWordRune reports whether \w of a regular expression matches the rune.
func isWordRune(r rune) bool {
	return r == '_' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
}

func isPath(word string) bool {
	if !pathPattern.MatchString(word) || slices.ContainsFunc(notOurs, func(p string) bool { return strings.HasPrefix(word, p) }) {
		return false
	}
	return strings.Contains(word, "/") || strings.Contains(word, ".")
}

// allSource returns the text of all Go files.
func allSource(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		all.WriteString(pagetest.Read(t, path) + "\n")
		return nil
	})
	if err != nil || all.Len() < 1_000_000 {
		t.Fatalf("read the source: %d bytes, %v", all.Len(), err)
	}
	return all.String()
}
