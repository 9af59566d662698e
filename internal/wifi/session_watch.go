package wifi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/netconnectd/netconnectd/internal/process"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

var errHung = errors.New("wpa_supplicant does not answer")

const (
	answerLimit = 2 * time.Second // of one question whether it lives
	answerTries = 2               // a daemon that was itself stopped finds its deadline passed
)

// completed asks whether there is an association. The error is errHung.
func (s *session) completed(ctx context.Context) (bool, error) {
	for range answerTries {
		limited, cancel := context.WithTimeout(ctx, answerLimit)
		fields, err := s.status(limited)
		cancel()
		if err == nil {
			return fields["wpa_state"] == "COMPLETED", nil
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	return false, errHung
}

// watch returns when the association is lost, wpa_supplicant ended (both a
// *LostError) or hangs (errHung), or ctx ended.
func (s *session) watch(ctx context.Context) error {
	alive, stop := process.WhileAlive(ctx, s.child)
	defer stop()
	err := s.watchEvents(alive)
	var lost *LostError
	if !errors.As(err, &lost) && !errors.Is(err, errHung) {
		s.awaitEnd(alive) // its socket is gone just before it is
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case alive.Err() != nil:
		return &LostError{Reason: fmt.Sprintf("wpa_supplicant ended: %v", s.child.Err())}
	case lost == nil && !errors.Is(err, errHung):
		return &LostError{Reason: err.Error()}
	}
	return err
}

// awaitEnd waits until alive ends, for as long as an answer may take.
func (s *session) awaitEnd(alive context.Context) {
	limited, cancel := context.WithTimeout(alive, answerLimit)
	defer cancel()
	<-limited.Done()
}

// watchEvents returns a *LostError, errHung, or why the socket failed.
func (s *session) watchEvents(ctx context.Context) error {
	events, err := wpactrl.Attach(ctx, s.socketPath, s.localDir)
	if err != nil {
		return err
	}
	defer events.Close()
	var v vigil
	deadline := time.Now() // what happened before Attach is seen in the state
	for {
		e, quiet, err := listen(ctx, events, deadline)
		if err != nil {
			return err
		}
		doubted, lost := v.reason != "", false
		if quiet {
			completed, err := s.completed(ctx)
			if err != nil {
				return err
			}
			lost = v.state(completed)
		} else {
			lost = v.event(e)
		}
		if lost {
			return &LostError{Reason: v.reason}
		}
		if quiet || doubted != (v.reason != "") {
			deadline = time.Now().Add(v.patience())
		}
	}
}
