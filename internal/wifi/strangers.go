package wifi

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// strangersLimit bounds how many cells of one name are passed over: each costs an
// attempt of 2 s to 5 s, and an attacker may make up any number of them.
const strangersLimit = 16

// notOurs are the verdicts that a stranger's cell with our network's name may cause.
var notOurs = []string{client.CodeWrongKey, client.CodeServerNotTrusted, client.CodeRejected}

// attemptCells makes attempts with one variant. Each leaves out the cells that proved
// to be a stranger's, until no cell of the network is left; so the verdict covers all
// its cells. No cell counts as a stranger's for good: afterwards the list of such
// cells is emptied.
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

// passOver records the cell of a verdict as a stranger's, and reports whether other
// cells are left to try.
func (s *session) passOver(ctx context.Context, n Network, mark string, failed *JoinError, begun time.Time) bool {
	cell := failed.cell.String()
	if cell == "" || slices.Contains(s.strangers[mark], cell) || len(s.strangers[mark]) >= strangersLimit {
		return false
	}
	s.strangers[mark] = append(s.strangers[mark], cell)
	if !s.forgetStrangers(n, mark, s.scanResults(ctx, time.Since(begun)+airAge)) {
		return false
	}
	s.log.Info("another cell of the network is tried", "ssid", printable(n.SSID), "bssid", cell, "reason", failed.Reason)
	return true
}

// forgetStrangers empties the list of a stranger's cells unless the air shows another
// cell of the network, and reports whether it shows one.
func (s *session) forgetStrangers(n Network, mark string, air []BSS) bool {
	other := slices.ContainsFunc(air, func(c BSS) bool {
		return n.isOf(c) && len(c.BSSID) > 0 && !slices.Contains(s.strangers[mark], c.BSSID.String())
	})
	if !other {
		delete(s.strangers, mark)
	}
	return other
}
