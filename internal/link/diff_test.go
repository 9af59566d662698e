package link

import (
	"slices"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	tests := []struct{ name, before, after, want string }{
		{"nothing changes", "a1 b1", "a1 b1", ""},
		{"the first table", "", "a1 b1", "+a1 +b1"},
		{"all go", "a1 b1", "", "-a1 -b1"},
		{"one in the middle comes", "a1 c1", "a1 b1 c1", "+b1"},
		{"one in the middle goes", "a1 b1 c1", "a1 c1", "-b1"},
		{"one differs", "a1 b1 c1", "a1 b2 c1", "b1>b2"},
		{"another order is no change", "a1 b1 c1", "c1 a1 b1", ""},
		{"what goes is told before what comes", "a1 x1 b1", "a1 y1 b1", "-x1 +y1"},
		{"two of a key, the same", "a1 a1", "a1 a1", ""},
		{"two of a key, one goes", "a1 a1 b1", "a1 b1", "-a1"},
		{"a second of a key comes", "a1 b1", "a1 a1 b1", "+a1"},
		{"two of a key, one differs", "b1 a1 a2", "b2 a1 a3", "b1>b2 a2>a3"},
		{"all at once", "a1 b1 c1 d1", "d1 b2 e1 a1", "-c1 b1>b2 +e1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var told []string
			Diff(strings.Fields(test.before), strings.Fields(test.after),
				func(s *string) string { return (*s)[:1] }, func(a, b *string) bool { return *a == *b },
				func(before, after *string) {
					switch {
					case after == nil:
						told = append(told, "-"+*before)
					case before == nil:
						told = append(told, "+"+*after)
					default:
						told = append(told, *before+">"+*after)
					}
				})
			if want := strings.Fields(test.want); !slices.Equal(told, want) {
				t.Errorf("told %q, want %q", told, want)
			}
		})
	}
}
