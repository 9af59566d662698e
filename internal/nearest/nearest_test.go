package nearest

import (
	"slices"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	known := []string{"socket", "ap.channel", "ap.psk", "link_monitor", "paths.wpa_supplicant"}
	for _, row := range []struct{ name, typed, want string }{
		{"a letter is missing", "ap.chanel", "ap.channel"},
		{"capitals", "ap.CHANNEL", "ap.channel"},
		{"two letters are swapped", "ap.pks", "ap.psk"},
		{"no section", "channel", "ap.channel"},
		{"another section", "wifi.channel", "ap.channel"},
		{"another mark", "link-monitor", "link_monitor"},
		{"nothing is near", "zzz", ""},
		{"nothing", "", ""},
	} {
		if got := Of(row.typed, known); got != row.want {
			t.Errorf("%s: nearest to %q is %q, want %q", row.name, row.typed, got, row.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"ab", "ba", 1}, {"kitten", "sitting", 3}, {"abc", "abc", 0}} {
		if got := Distance(row.a, row.b); got != row.want {
			t.Errorf("Distance(%s, %s) = %d, want %d", row.a, row.b, got, row.want)
		}
	}
}

// A name may be as long as a file: it is compared with nothing.
func TestLongNames(t *testing.T) {
	name, known := strings.Repeat("a", 1<<12), slices.Repeat([]string{"ap.channel"}, 100)
	if allocated := testing.AllocsPerRun(1, func() { Of(name, known) }); allocated > 0 {
		t.Errorf("%v allocations for a name that is near to nothing", allocated)
	}
}
