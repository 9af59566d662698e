package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// block is a part of a page that is set as it is: fenced, or indented by four
// blanks.
type block struct {
	page    string // name of the file
	line    int    // of the block's first line, from 1
	heading string // that it stands under, e.g. "## Frames"
	lang    string // that its fence names; "" if none, or indented
	text    string
}

// blocks reads those of a page, whose path is from this folder.
func blocks(t *testing.T, path string) []block {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	var now *block
	heading, fenced, blank := "", false, true
	for i, line := range strings.Split(string(text), "\n") {
		lang, fence := strings.CutPrefix(line, "```")
		code, indented := strings.CutPrefix(line, "    ")
		begin := func(lang string, line int) {
			all = append(all, block{page: filepath.Base(path), line: line, heading: heading, lang: lang})
			now = &all[len(all)-1]
		}
		switch {
		case fence && fenced:
			fenced, now = false, nil
		case fence:
			fenced = true
			begin(lang, i+2)
		case fenced:
			now.text += line + "\n"
		case indented && (now != nil || blank):
			if now == nil {
				begin("", i+1)
			}
			now.text += code + "\n"
		default:
			now = nil
			if strings.HasPrefix(line, "#") {
				heading = line
			}
		}
		blank = line == ""
	}
	if fenced {
		t.Fatalf("%s: a fence is left open", path)
	}
	return all
}
