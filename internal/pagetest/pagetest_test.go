package pagetest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const page = "# Page\n\nText `one` and\n    no block, `two words`.\n\n    indented $ `x`\n\n      more\n\n" +
	"## Part\n\n```sh\n# no heading\nprogram a\n```\n\n```\nno language\n```\nEnd.\n"

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBlocks(t *testing.T) {
	path := write(t, page)
	want := []Block{
		{path, 6, "# Page", "", "indented $ `x`\n  more\n"},
		{path, 13, "## Part", "sh", "# no heading\nprogram a\n"},
		{path, 18, "## Part", "", "no language\n"},
	}
	if diff := cmp.Diff(want, Blocks(t, path)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCommandsOfALine(t *testing.T) {
	for _, tt := range []struct {
		line string
		want [][]string
	}{
		{`program status`, [][]string{{"program", "status"}}},
		{`  sudo program connect "My network"     # a comment; program x`, [][]string{{"program", "connect", "My network"}}},
		{`$ program a '#1' b#c`, [][]string{{"program", "a", "#1", "b#c"}}},
		{`program a | jq -r . && program b ""`, [][]string{{"program", "a"}, {"jq", "-r", "."}, nil, {"program", "b", ""}}},
		{`x=$(program a)`, [][]string{{"x=$"}, {"program", "a"}, nil}},
	} {
		if diff := cmp.Diff(tt.want, commands(tt.line)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.line, diff)
		}
	}
}
