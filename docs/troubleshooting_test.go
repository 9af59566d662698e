package docs

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/netconnectd/netconnectd/internal/doctor"
)

// findingRow matches a finding's row: its id, its meaning, the remedy.
var findingRow = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([^|]+(?:\\\\\\|[^|]+)*) \\| ((?:[^|]|\\\\\\|)*)\\|$")

// TestEveryFindingIsExplained checks that troubleshooting.md has each finding of the
// doctor once, and no others.
func TestEveryFindingIsExplained(t *testing.T) {
	page, err := os.ReadFile("troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	levels := []string{"problem", "warning", "unknown", "ok"} // these also have a table
	var explained []string
	for _, row := range findingRow.FindAllSubmatch(page, -1) {
		if id := string(row[1]); !slices.Contains(levels, id) {
			explained = append(explained, id)
		}
	}
	if want := doctor.IDs(); !slices.Equal(explained, want) {
		t.Errorf("troubleshooting.md explains\n%v\nwant, in this order,\n%v", explained, want)
	}
}
