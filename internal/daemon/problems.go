package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/doctor"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// problems holds the problems that the last check has found. A check costs some
// milliseconds, so it is repeated only for a reason.
type problems struct {
	seen atomic.Pointer[[]client.Problem]
	hint chan struct{} // there is a reason for another check
}

// recheck asks for another check, and does not wait for it.
func (p *problems) recheck() { nudge(p.hint) }

// all returns the problems found; nil: none, or no check has been made yet.
func (p *problems) all() []client.Problem {
	if seen := p.seen.Load(); seen != nil {
		return *seen
	}
	return nil
}

// watchProblems checks for problems at the start and after each recheck, until ctx
// ends. Changes are published to subscribers, and so are the beginning and the end of a
// trial: the trial's own goroutine waits for nothing but its deadline.
func (d *daemon) watchProblems(ctx context.Context) {
	var end time.Time // of the trial
	for {
		if now := d.trial.End(); !now.Equal(end) {
			end = now
			d.publishStatus()
		}
		found := d.findProblems(ctx)
		if old := d.problems.all(); ctx.Err() == nil && !slices.Equal(old, found) {
			d.problems.seen.Store(&found)
			for _, p := range found {
				if !slices.Contains(old, p) {
					d.log.Warn("in the way", "code", p.Code, "problem", p.Text, "remedy", p.Remedy)
				}
			}
			d.publishStatus()
		}
		select {
		case <-ctx.Done():
			return
		case <-d.problems.hint:
		}
	}
}

func (d *daemon) publishStatus() {
	status := d.Status()
	d.publishEvent(client.Event{Type: client.EventStatus, Status: &status})
}

func (d *daemon) findProblems(ctx context.Context) []client.Problem {
	cfg := d.cfg.Load()
	return slices.Concat(
		configProblems(d.configWrong(), cfg),
		d.trial.Problems(),
		d.damaged,
		filterProblems(d.missing.Load()),
		d.lane.Problems(),
		d.declared.Problems(),
		toProblems(doctor.JudgeConflicts(doctor.LookForConflicts(ctx, cfg, d.radio.Interface()))),
	)
}

// wrongConfig is also the ID of the doctor's finding of that kind.
const wrongConfig = "config"

// configProblems returns what was wrong with the configuration when it was read
// last. The previous configuration is then in force, or, if there is none, the
// defaults of the wrong settings.
func configProblems(wrong error, inForce *config.Config) []client.Problem {
	if wrong == nil {
		return nil
	}
	instead, remedy := "the settings before it are in force", ""
	if inForce.Defaults {
		instead = "its default is in force"
	}
	texts := []string{wrong.Error() + "; " + instead}
	var each *config.Error
	if errors.As(wrong, &each) {
		texts = nil
		for _, p := range each.Problems {
			if each.Tried {
				instead = "the earlier configuration is in force"
			}
			text := p.String() + "; " + instead
			if inForce.Defaults && (p.Key == "ap.psk" || p.Key == "") && inForce.AP.PSK.IsZero() {
				text += ", and the access point is open"
			}
			texts, remedy = append(texts, text), p.Remedy
		}
	}
	remedy = cmp.Or(remedy, fmt.Sprintf("correct %s, then: sudo netconnectcli reload", cmp.Or(inForce.File, config.DefaultFile)))
	var list []client.Problem
	for _, text := range texts {
		list = append(list, client.Problem{Code: wrongConfig, Text: text, Remedy: remedy})
	}
	return list
}

// fileProblems returns what was wrong with the files of earlier runs when this run
// began.
func fileProblems(networks, history, notes error) []client.Problem {
	var list []client.Problem
	for _, f := range []struct {
		what string
		err  error
	}{{"saved networks", networks}, {"history", history}, {"notes on NetworkManager's profiles", notes}} {
		if f.err == nil {
			continue
		}
		remedy := "nothing has to be done for the daemon to go on; what is missing is in the file that is named"
		if errors.Is(f.err, store.ErrLater) {
			remedy = "install the later netconnectd again; changes are not saved until then"
		}
		list = append(list, client.Problem{Code: "saved_files", Text: f.what + ": " + f.err.Error(), Remedy: remedy})
	}
	return list
}

// unguarded takes over which part of the packet filter against phones is missing;
// nil: none.
func (d *daemon) unguarded(err error) {
	var missing *string
	if err != nil {
		missing = new(err.Error())
	}
	d.missing.Store(missing)
	d.problems.recheck()
}

// filterProblems returns what phones on the access point can do but should not,
// because a part of the packet filter is missing. The doctor's finding of that kind
// has the same ID.
func filterProblems(missing *string) []client.Problem {
	if missing == nil {
		return nil
	}
	return []client.Problem{{
		Code:   "packet_filter",
		Text:   "phones on the access point may reach what is behind this device, where that forwards, and may pose as routers: " + *missing,
		Remedy: "take a kernel with CONFIG_NF_TABLES_INET, CONFIG_NFT_CT and CONFIG_NFT_MASQ; after an upgrade of the kernel: sudo reboot",
	}}
}

func toProblems(found []doctor.Finding) []client.Problem {
	var list []client.Problem
	for _, f := range found {
		list = append(list, client.Problem{Code: f.ID, Text: f.What, Remedy: f.Remedy})
	}
	return list
}

// changesAccessPoint reports whether the access point starts, has started, has
// failed or has ended in a step. Other programs may be the reason, or may now be in
// the way.
func changesAccessPoint(old, next policy.State) bool {
	return old.AP.State != next.AP.State || old.AP.Reason != next.AP.Reason
}
