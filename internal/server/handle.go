package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// status returns the Handler's status with every field filled in.
func (s *Server) status() client.Status { return complete(s.cfg.Handler.Status()) }

func (s *Server) statusFrame(id json.RawMessage) []byte {
	frame, err := resultFrame(id, s.status())
	if err != nil {
		s.cfg.Log.Error("encode status", "error", err)
		return errorFrame(id, errInternal)
	}
	return frame
}

func (s *Server) snapshotFrame(seq uint64) []byte {
	status := s.status()
	frame, err := eventFrame(client.Event{Type: client.EventSnapshot, Time: time.Now(), Status: &status, Seq: seq})
	if err != nil {
		s.cfg.Log.Error("encode snapshot", "error", err)
		return errorFrame(nil, errInternal)
	}
	return frame
}

// handle runs a request and returns the reply. It writes one line to the log.
func (s *Server) handle(ctx context.Context, peer Peer, id json.RawMessage, req Request) []byte {
	start := time.Now()
	frame, err := s.permitAndHandle(ctx, peer, id, req)
	level, code, attrs := slog.LevelInfo, "", []any{"command", req.Command(), "uid", peer.UID, "pid", peer.PID}
	if err != nil {
		public := publicError(ctx, err)
		if public == errInternal {
			level = slog.LevelError
		}
		frame, code = errorFrame(id, public), public.Code
		attrs = append(attrs, "code", public.Code, "error", err)
	} else if reads(req) {
		level = slog.LevelDebug
	}
	attrs = append(attrs, "took", time.Since(start).Round(time.Millisecond))
	kind, most := kindOf(peer, req, code)
	s.said.Log(ctx, kind, most, level, "request", attrs...)
	return frame
}

// requests groups the requests of one user that the log does not distinguish.
type requests struct {
	uid           uint32
	command, code string
}

// requestLines is how many lines of one group the log has in each logInterval. A
// person's requests stay below this number.
const requestLines = 10

// kindOf returns the group of a request, and how many lines of the group are logged.
// All requests that a user may not make share one line.
func kindOf(peer Peer, req Request, code string) (kind requests, most int) {
	if code == client.CodePermissionDenied {
		return requests{uid: peer.UID, code: code}, 1
	}
	return requests{peer.UID, req.Command(), code}, requestLines
}

// reads reports whether a request changes nothing.
func reads(req Request) bool { return needs(req) == reader }

// needs returns the rank that a request needs: the highest if commands has no row for
// it.
func needs(req Request) rank {
	for _, rows := range []map[string]command{commands, calls} {
		if row, ok := rows[req.Command()]; ok {
			return row.needs
		}
	}
	return trusted
}

func (s *Server) permitAndHandle(ctx context.Context, peer Peer, id json.RawMessage, req Request) ([]byte, error) {
	req, err := s.permit(peer, req)
	if err != nil {
		return nil, err
	}
	result, err := s.cfg.Handler.Handle(ctx, peer, req)
	if err != nil {
		return nil, err
	}
	return resultFrame(id, result)
}

// permit returns the request in the form that the peer may make. A forced scan
// interrupts a running access point, and so counts as a change. While no access point
// runs, any peer's forced scan becomes a plain one, which stays harmless if the
// access point starts at this moment. A plan for a text of the peer's counts as a
// change, because it costs as much.
func (s *Server) permit(peer Peer, req Request) (Request, error) {
	has := s.cfg.Rights.rank(peer)
	if show, ok := req.(Show); ok {
		show.Privileged = has >= changer
		return show, nil
	}
	list, scans := req.(ListWifi)
	takes := needs(req)
	plan, _ := req.(Plan)
	if scans && list.Force || !plan.Config.IsZero() {
		takes = changer
	}
	switch {
	case has >= takes:
		return req, nil
	case scans && !s.cfg.Handler.Status().Connections.AP:
		return ListWifi{}, nil
	case takes == trusted:
		return nil, errMayNotStop
	}
	return nil, s.cfg.Rights.denial(peer)
}

// publicError returns the part of an error that a client may know. The log has the
// rest.
func publicError(ctx context.Context, err error) *client.Error {
	var public *client.Error
	switch {
	case errors.As(err, &public) && public.Code != "":
		return public
	case errors.As(err, &public):
		return &client.Error{Code: client.CodeInternal, Message: public.Message, Reason: public.Reason}
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return errShuttingDown
	}
	return errInternal
}
