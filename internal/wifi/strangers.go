package wifi

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// strangersLimit bounds how many cells of one name are passed over: each costs an
// attempt of 2 s to 5 s, and somebody may make up any number.
const strangersLimit = 16

// notOurs are the verdicts that a stranger's cell of our network's name brings.
var notOurs = []string{client.CodeWrongKey, client.CodeServerNotTrusted, client.CodeRejected}

// attemptCells makes attempts in one way, each without the cells that turned out to
// be a stranger's, until no cell of the network is left. So the verdict is that
// of all its cells, and none is wrong for good: then they are forgotten.
func (s *session) attemptCells(ctx context.Context, n Network, mark string, v variant, begun time.Time) (Association, error) {
	var verdict error
	for {
		a, err := s.attempt(ctx, n, mark, v)
		var failed *JoinError
		if !errors.As(err, &failed) {
			return a, err
		}
		if verdict == nil || failed.Code == client.CodeWrongKey {
			verdict = err
		}
		if ctx.Err() != nil || !slices.Contains(notOurs, failed.Code) || !s.passOver(ctx, n, mark, failed, begun) {
			return a, verdict
		}
	}
}

// passOver notes the cell of a verdict as a stranger's, and reports whether there
// are others to try.
func (s *session) passOver(ctx context.Context, n Network, mark string, failed *JoinError, begun time.Time) bool {
	cell := failed.cell.String()
	if cell == "" || slices.Contains(s.strangers[mark], cell) || len(s.strangers[mark]) >= strangersLimit {
		return false
	}
	s.strangers[mark] = append(s.strangers[mark], cell)
	if !s.forgetStrangers(n, mark, s.heard(ctx, time.Since(begun)+airAge)) {
		return false
	}
	s.log.Info("another cell of the network is tried", "ssid", printable(n.SSID), "bssid", cell, "reason", failed.Reason)
	return true
}

// forgetStrangers forgets which cells of the network are a stranger's unless the
// air shows another one, and reports whether it does.
func (s *session) forgetStrangers(n Network, mark string, air []BSS) bool {
	other := slices.ContainsFunc(air, func(c BSS) bool {
		return n.isOf(c) && len(c.BSSID) > 0 && !slices.Contains(s.strangers[mark], c.BSSID.String())
	})
	if !other {
		delete(s.strangers, mark)
	}
	return other
}
