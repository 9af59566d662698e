package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// pinging is a running ping(8) that sends five requests a second.
type pinging struct {
	*program
	log string
}

func (n namespace) ping(t testing.TB, l *Lab, address string) *pinging {
	t.Helper()
	for round := 1; ; round++ {
		log := filepath.Join(l.logs, fmt.Sprintf("ping-%s-%d.log", address, round))
		if _, err := os.Stat(log); err == nil {
			continue
		}
		p := &pinging{n.start(t, log, "stdbuf", "-oL", "ping", "-n", "-i", "0.2", address), log}
		t.Cleanup(p.end)
		until(t, 5*time.Second, "the first ping is answered", func() (string, bool) {
			replies := p.replies(t)
			return "no reply", len(replies) > 0
		})
		return p
	}
}

var echoReply = regexp.MustCompile(`bytes from .* icmp_seq=(\d+) `)

// replies returns the numbers of the requests that were answered.
func (p *pinging) replies(t testing.TB) map[int]bool {
	t.Helper()
	text, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]bool{}
	for _, m := range echoReply.FindAllSubmatch(text, -1) {
		n, _ := strconv.Atoi(string(m[1]))
		found[n] = true
	}
	return found
}

// lost counts the requests up to now that got no reply. It waits for replies that are
// still on their way.
func (p *pinging) lost(t testing.TB) (lost, of int) {
	t.Helper()
	before := len(p.replies(t))
	until(t, 10*time.Second, "another ping is answered", func() (string, bool) {
		now := len(p.replies(t))
		return fmt.Sprintf("%d replies", now), now >= before+2
	})
	p.end()
	replies := p.replies(t)
	for n := range replies {
		of = max(of, n)
	}
	return of - len(replies), of
}

// lostNone ends the ping and checks that every request was answered. A late reply to
// a recent request counts, as this machine may be slow.
func (p *pinging) lostNone(t testing.TB) string {
	t.Helper()
	lost, of := p.lost(t)
	if lost != 0 {
		t.Errorf("%d of %d pings lost, see %s", lost, of, filepath.Base(p.log))
	}
	return fmt.Sprintf("%d of %d pings lost", lost, of)
}
