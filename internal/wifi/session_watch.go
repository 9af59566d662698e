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
	answerLimit = 2 * time.Second // time for one answer to whether wpa_supplicant still answers
	answerTries = 2               // more than one: a daemon that was itself stopped finds its deadline passed
)

// completed reports whether an association exists. The error is errHung.
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

// watch returns when the association is lost or wpa_supplicant ended (both return a
// *LostError), when wpa_supplicant hangs (errHung), or when ctx ends.
func (s *session) watch(ctx context.Context) error {
	alive, stop := process.WhileAlive(ctx, s.child)
	defer stop()
	err := s.watchEvents(alive)
	var lost *LostError
	if !errors.As(err, &lost) && !errors.Is(err, errHung) {
		s.awaitEnd(alive) // wpa_supplicant's socket is gone just before its process is
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

// awaitEnd waits until alive ends, but no longer than an answer may take.
func (s *session) awaitEnd(alive context.Context) {
	limited, cancel := context.WithTimeout(alive, answerLimit)
	defer cancel()
	<-limited.Done()
}

// watchEvents returns a *LostError, errHung, or the error of the socket.
func (s *session) watchEvents(ctx context.Context) error {
	events, err := wpactrl.Attach(ctx, s.socketPath, s.localDir)
	if err != nil {
		return err
	}
	defer events.Close()
	var d lossDetector
	deadline := time.Now() // events before Attach are missed, so the state is asked for at once
	for {
		e, quiet, err := listen(ctx, events, deadline)
		if err != nil {
			return err
		}
		doubted, lost := d.reason != "", false
		if quiet {
			completed, err := s.completed(ctx)
			if err != nil {
				return err
			}
			lost = d.state(completed)
		} else {
			lost = d.event(e)
		}
		if lost {
			return &LostError{Reason: d.reason}
		}
		if quiet || doubted != (d.reason != "") {
			deadline = time.Now().Add(d.patience())
		}
	}
}
