package shown

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"a word", "eth0", "eth0"},
		{"nothing", "", `""`},
		{"a space", "a b", `"a b"`},
		{"a line break", "a\nb", `"a\nb"`},
		{"an escape sequence", "\x1b[2J", `"\x1b[2J"`},
		{"no UTF-8", "\xff", `"\xff"`},
		{"long", strings.Repeat("a", 41), `"` + strings.Repeat("a", 40) + `…"`},
	} {
		if got := Text(row.text); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}
