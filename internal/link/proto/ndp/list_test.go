package ndp

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// TestList: each line has a router, what it names, and for how many seconds; "+"
// lets seconds pass.
func TestList(t *testing.T) {
	many := func(from, to, lifetime int) (lines string) {
		for i := from; i <= to; i++ {
			lines += fmt.Sprintf("a 2001:db8::%d %d\n", i, lifetime)
		}
		return lines
	}
	for _, row := range []struct {
		name, said string
		want       string // servers
		next       int    // seconds until one expires, from the beginning; 0: none does
	}{
		{"one", "a 2001:db8::1 60", "2001:db8::1", 60},
		{"in the order in which they came", "a 2001:db8::2 60\na 2001:db8::1 90", "2001:db8::2 2001:db8::1", 60},
		{"said again, it keeps its place and lives longer", "a 2001:db8::2 60\na 2001:db8::1 90\n+ 30\na 2001:db8::2 90", "2001:db8::2 2001:db8::1", 90},
		{"said again for less", "a 2001:db8::2 60\na 2001:db8::2 5", "2001:db8::2", 5},
		{"expired", "a 2001:db8::1 60\na 2001:db8::2 61\n+ 60", "2001:db8::2", 61},
		{"for ever", "a 2001:db8::1 4294967295\n+ 4000000000", "2001:db8::1", 0},
		{"almost for ever", "a 2001:db8::1 4294967294", "2001:db8::1", 4294967294},
		{"withdrawn", "a 2001:db8::1 60\na 2001:db8::1 0", "", 0},
		{"withdrawn before it was named", "a 2001:db8::1 0", "", 0},
		{"withdrawn by another router", "a 2001:db8::1 60\nb 2001:db8::1 0", "2001:db8::1", 60},
		{"named by two", "a 2001:db8::1 60\nb 2001:db8::1 90\na 2001:db8::1 0", "2001:db8::1", 90},
		{"no more than four of a router", many(1, 9, 60), "2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4", 60},
		{"those of another router stay", many(1, 9, 60) + "b 2001:db8::b 5", "2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4 2001:db8::b", 5},
		{"who lives longer displaces the shortest", "a 2001:db8::1 60\na 2001:db8::2 30\na 2001:db8::3 4294967295\na 2001:db8::4 60\na 2001:db8::5 61",
			"2001:db8::1 2001:db8::5 2001:db8::3 2001:db8::4", 60},
		{"no more than four routers", "a 2001:db8::1 60\nb 2001:db8::2 60\nc 2001:db8::3 60\nd 2001:db8::4 60\ne 2001:db8::5 90",
			"2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4", 60},
		{"another one when one is silent", "a 2001:db8::1 60\nb 2001:db8::2 90\nc 2001:db8::3 90\nd 2001:db8::4 90\n+ 60\ne 2001:db8::5 90",
			"2001:db8::2 2001:db8::3 2001:db8::4 2001:db8::5", 90},
	} {
		t.Run(row.name, func(t *testing.T) {
			var l list
			now := epoch
			for line := range strings.Lines(row.said) {
				words := strings.Fields(line)
				var seconds int64
				if _, err := fmt.Sscan(words[len(words)-1], &seconds); err != nil {
					t.Fatal(err)
				}
				lasts := time.Duration(seconds) * time.Second
				if words[0] == "+" {
					now = now.Add(lasts)
					l.expire(now)
					continue
				}
				router := netip.MustParseAddr("fe80::" + words[0])
				l.take(now, router, netip.MustParseAddr(words[1]), lasts)
			}
			if got := strings.Trim(fmt.Sprint(l.servers()), "[]"); got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
			next := 0
			if due := l.next(); !due.IsZero() {
				next = int(due.Sub(epoch) / time.Second)
			}
			if next != row.next {
				t.Errorf("the next expires after %d s, want %d s", next, row.next)
			}
		})
	}
}
