package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// code matches the codes of errors where the daemon's source has them.
var code = regexp.MustCompile(`(?:Code(?: Code)?\s*=\s*|Code: |codeRadio\w+\s*=\s*|failure\(|r\.failed\()"([a-z_]+)"`)

// TestEveryCodeIsExplained: docs/protocol.md has every code that a client can
// get.
func TestEveryCodeIsExplained(t *testing.T) {
	protocol, err := os.ReadFile("protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(protocol)
	found := map[string]bool{"not_saved": true} // within the daemon only; clients get not_found
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		in := strings.HasPrefix(path, "../internal/") || strings.HasPrefix(path, "../client/")
		if err != nil || !in || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range code.FindAllStringSubmatch(string(text), -1) {
			if !found[m[1]] && !strings.Contains(page, "`"+m[1]+"`") {
				t.Errorf("%s has code %s, docs/protocol.md has not", path, m[1])
			}
			found[m[1]] = true
		}
		return err
	})
	if err != nil || len(found) < 20 {
		t.Errorf("%d codes found, %v", len(found), err)
	}
}
