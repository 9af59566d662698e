package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/doctor"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// problems are what other programs have put in our way, as we saw it last. A
// look costs some milliseconds, so it is not repeated without a reason.
type problems struct {
	seen atomic.Pointer[[]client.Problem]
	hint chan struct{} // something happened that is a reason to look
}

// look asks for a look, and does not wait for it.
func (p *problems) look() { nudge(p.hint) }

// all is what was seen; nil: nothing, or nobody has looked yet.
func (p *problems) all() []client.Problem {
	if seen := p.seen.Load(); seen != nil {
		return *seen
	}
	return nil
}

// watchProblems looks at the start, and then whenever it is asked to, until ctx
// ends. Subscribers hear what has changed.
func (d *daemon) watchProblems(ctx context.Context) {
	for {
		cfg := d.cfg.Load()
		found := append(faults(d.configWrong(), cfg.File), toProblems(doctor.JudgeConflicts(doctor.LookForConflicts(ctx, cfg, d.radio.iface())))...)
		if old := d.problems.all(); ctx.Err() == nil && !slices.Equal(old, found) {
			d.problems.seen.Store(&found)
			for _, p := range found {
				if !slices.Contains(old, p) {
					d.log.Warn("in the way", "code", p.Code, "problem", p.Text, "remedy", p.Remedy)
				}
			}
			status := d.Status()
			d.tell(client.Event{Type: client.EventStatus, Status: &status})
		}
		select {
		case <-ctx.Done():
			return
		case <-d.problems.hint:
		}
	}
}

// wrongConfig is the doctor's finding of the same.
const wrongConfig = "config"

// faults are what was wrong with the configuration when it was read last; the one
// before it is in force then.
func faults(wrong error, file string) []client.Problem {
	if wrong == nil {
		return nil
	}
	texts := []string{wrong.Error()}
	var each *config.Error
	if errors.As(wrong, &each) {
		texts = nil
		for _, p := range each.Problems {
			texts = append(texts, p.String())
		}
	}
	var list []client.Problem
	for _, text := range texts {
		list = append(list, client.Problem{
			Code: wrongConfig, Text: text + "; the settings before it are in force",
			Remedy: fmt.Sprintf("correct %s, then: sudo netconnectcli reload", cmp.Or(file, config.DefaultFile)),
		})
	}
	return list
}

func toProblems(found []doctor.Finding) []client.Problem {
	var list []client.Problem
	for _, f := range found {
		list = append(list, client.Problem{Code: f.ID, Text: f.What, Remedy: f.Remedy})
	}
	return list
}

// meetsOthers says whether a step is one at which other programs matter: the
// access point is about to start, has started, or could not.
func meetsOthers(old, next policy.State) bool {
	return old.AP.State != next.AP.State || old.AP.Reason != next.AP.Reason
}
