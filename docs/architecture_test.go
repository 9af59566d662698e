package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/netconnectd/netconnectd/internal/pagetest"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// TestEveryPackageHasItsPlace checks that architecture.md names each package, and no
// package that does not exist.
func TestEveryPackageHasItsPlace(t *testing.T) {
	_, table, _ := strings.Cut(pagetest.Read(t, "architecture.md"), "## What goes where\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var named []string
	for line := range strings.Lines(table) {
		if cell, _, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "|"); ok {
			for _, m := range regexp.MustCompile("`?([a-z/-]+)`").FindAllStringSubmatch(cell, -1) {
				named = append(named, m[1])
			}
		}
	}
	for _, root := range []string{"client", "cmd", "internal", "lab", "state"} {
		err := filepath.WalkDir(filepath.Join("..", root), func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.IsDir() || d.Name() == "testdata" {
				return err
			}
			source, err := filepath.Glob(filepath.Join(path, "*.go"))
			pkg := strings.TrimPrefix(filepath.ToSlash(path), "../")
			if len(source) > 0 && !slices.Contains(named, pkg) && !strings.HasPrefix(pkg, "lab/") {
				t.Errorf("architecture.md does not name %s", pkg)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	for _, pkg := range named {
		if source, err := filepath.Glob(filepath.Join("..", pkg, "*.go")); err != nil || len(source) == 0 {
			t.Errorf("architecture.md names %s, which is not there: %v", pkg, err)
		}
	}
}

// TestStatePicture checks that the picture has exactly the states of the source.
func TestStatePicture(t *testing.T) {
	for _, b := range pagetest.Blocks(t, "architecture.md") {
		if b.Lang != "mermaid" {
			continue
		}
		drawn := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^ +(\S+) --> (\S+)$`).FindAllStringSubmatch(b.Text, -1) {
			for _, state := range m[1:] {
				drawn[strings.TrimSuffix(state, "_up")] = true
			}
		}
		want := []string{
			"[*]", string(policy.Starting), string(policy.Online), string(policy.Joining), string(policy.Lost),
			string(policy.APOff), string(policy.APStarting), string(policy.APUp), string(policy.APStopping),
		}
		for _, state := range want {
			if !drawn[state] {
				t.Errorf("%s is not in the picture", state)
			}
		}
		if len(drawn) != len(slices.Compact(slices.Sorted(slices.Values(want)))) {
			t.Errorf("drawn are %v", drawn)
		}
		return
	}
	t.Error("there is no picture")
}
