package supervisor

import (
	"context"
	"log/slog"

	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

// radioLane works on the latest target. A newer one cancels the older and
// waits for it, so that there is one Hold at a time.
type radioLane struct {
	radio   Radio
	mailbox chan policy.SetRadio // one slot
	late    *overdue
	log     *slog.Logger
	said    string // the last reason logged for a radio that could not be at rest; "": it could
}

// set replaces the target. The loop is the only caller, so it never blocks.
func (l *radioLane) set(e policy.SetRadio) {
	select {
	case <-l.mailbox:
	default:
	}
	l.mailbox <- e
}

// run holds one target after the other until ctx ends.
func (l *radioLane) run(ctx context.Context, post func(context.Context, policy.Event)) {
	stop := func() {}
	for {
		select {
		case <-ctx.Done():
			stop()
			return
		case e := <-l.mailbox:
			stop()
			select {
			case e = <-l.mailbox: // came while the previous target was ending
			default:
			}
			stop = l.start(ctx, e, post)
		}
	}
}

// start holds the target in a goroutine. stop ends that goroutine and waits for it.
func (l *radioLane) start(ctx context.Context, e policy.SetRadio, post func(context.Context, policy.Event)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.log.Debug("radio", "target", e.Target, "ssid", e.Target.Station.Network.SSID, "gen", e.Gen)
		err := l.radio.Hold(ctx, e.Target, func(part policy.Part, stage policy.Stage) {
			if stage == policy.StageReady {
				l.said = ""
			}
			l.log.Debug("radio", "part", part, "stage", stage, "gen", e.Gen)
			post(ctx, policy.RadioProgress{Part: part, Gen: e.Gen, Stage: stage})
		})
		if ctx.Err() != nil {
			return
		}
		f := failure(err)
		l.log.Log(ctx, l.level(e.Target, f.Reason), "radio", "target", e.Target, "ssid", e.Target.Station.Network.SSID, "code", f.Code, "reason", f.Reason)
		for _, part := range e.Target.Parts() { // a Hold ends as a whole
			post(ctx, policy.RadioFailed{Part: part, Gen: e.Gen, Failure: f})
		}
	}()
	return func() {
		defer l.late.expect("radio, "+e.Target.String(), holdLimit)()
		cancel()
		<-done
	}
}

// level returns the level at which a failure is logged. A radio that stays
// switched off is tried twice a minute, but a warning is logged only once.
func (l *radioLane) level(t policy.Target, reason string) slog.Level {
	if !t.IsRest() {
		return slog.LevelWarn
	}
	again := reason == l.said
	l.said = reason
	if again {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}
