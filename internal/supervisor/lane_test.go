package supervisor

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// holds returns the outcomes of one Hold after the other; nil means that the Hold
// becomes ready and then goes down.
type holds []error

func (h *holds) Hold(_ context.Context, t policy.Target, report func(policy.Part, policy.Stage)) error {
	err := (*h)[0]
	*h = (*h)[1:]
	if err == nil {
		report(t.Parts()[0], policy.StageReady)
		return errors.New("down")
	}
	return err
}

// TestRadioThatStaysOffIsSaidOnce checks that a warning is logged for each new
// reason and for each failure after a success, and for no other.
func TestRadioThatStaysOffIsSaidOnce(t *testing.T) {
	rest, blocked := policy.Target{}, errors.New("blocked")
	for _, tt := range []struct {
		name   string
		target policy.Target
		holds  holds
		said   int
	}{
		{"it stays blocked", rest, holds{blocked, blocked, blocked}, 1},
		{"another reason", rest, holds{blocked, errors.New("hard blocked"), blocked}, 3},
		{"it was up meanwhile", rest, holds{blocked, nil, nil, blocked}, 4},
		{"an access point says it each time", policy.Target{AccessPoint: true}, holds{blocked, blocked, blocked}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var text bytes.Buffer
			log := slog.New(slog.NewTextHandler(&text, nil))
			l := radioLane{radio: &tt.holds, late: &overdue{log: log}, log: log}
			for len(tt.holds) > 0 {
				failed := make(chan struct{})
				stop := l.start(t.Context(), policy.SetRadio{Target: tt.target}, func(_ context.Context, ev policy.Event) {
					if _, ok := ev.(policy.RadioFailed); ok {
						close(failed)
					}
				})
				<-failed
				stop()
			}
			if said := strings.Count(text.String(), "level=WARN"); said != tt.said {
				t.Errorf("said %d times, want %d:\n%s", said, tt.said, text.String())
			}
		})
	}
}
