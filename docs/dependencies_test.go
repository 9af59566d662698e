package docs

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/pagetest"
)

// manyUsers is the number of packages from which on a row may say "several".
const manyUsers = 6

// TestDependencies checks that dependencies.md names, for each module, the packages
// that link it, or says that only tests use it.
func TestDependencies(t *testing.T) {
	page := pagetest.Read(t, "dependencies.md")
	table, _, _ := strings.Cut(page, "\n## Versions")
	rows := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\S+\.\S+) \| ([^|]+) \| [^|]+ \|$`).FindAllStringSubmatch(table, -1) {
		rows[m[1]] = strings.Split(m[2], ", ")
	}
	_, tested, _ := strings.Cut(page, "\nOnly in tests: ")
	tested, _, _ = strings.Cut(tested, "\n\n")
	for module, users := range moduleUsers(t) {
		switch said := rows[module]; {
		case len(users) == 0 && !strings.Contains(tested, module):
			t.Errorf("only tests use %s, and dependencies.md does not say so", module)
		case len(users) > 0 && strings.Contains(tested, module):
			t.Errorf("dependencies.md says that only tests use %s, but %v link it", module, users)
		case len(users) >= manyUsers && slices.Equal(said, []string{"several"}):
		default:
			slices.Sort(said)
			if diff := cmp.Diff(users, said); diff != "" && len(users) > 0 {
				t.Errorf("%s is used by (-source +dependencies.md):\n%s", module, diff)
			}
		}
	}
}

// moduleUsers returns the packages that import each module which go.mod requires; the
// list is empty for a module that only tests import.
func moduleUsers(t *testing.T) map[string][]string {
	t.Helper()
	users := map[string]map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(pagetest.Read(t, "../go.mod"), -1) {
		users[m[1]] = map[string]bool{}
	}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		pkg := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
		ofTests := strings.HasSuffix(path, "_test.go") || strings.HasPrefix(pkg, "lab") || strings.HasSuffix(pkg, "test")
		if err != nil || !strings.HasSuffix(path, ".go") || ofTests {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			for module := range users {
				if imported == module || strings.HasPrefix(imported, module+"/") {
					users[module][pkg] = true
				}
			}
		}
		return nil
	})
	if err != nil || len(users) < 20 {
		t.Fatalf("find what imports the modules: %d modules, %v", len(users), err)
	}
	all := map[string][]string{}
	for module, of := range users {
		all[module] = slices.Sorted(maps.Keys(of))
	}
	return all
}
