package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/state"
)

// Show asks for the kernel's network state: *state.State. If a named interface does
// not exist, the error has the code client.CodeNotFound.
type Show struct {
	Filter     state.Filter
	Privileged bool // the peer may read what the kernel shows only to root
}

// Watch calls Seen with everything in the kernel's network state that passes Filter,
// and then with every change, until ctx ends or Seen fails. It may wait for Seen, as
// every subscriber has a Watch of its own. Errors are as for Show.
type Watch struct {
	Filter state.Filter
	Seen   func(state.Change) error
}

func (Show) Command() string  { return "show" }
func (Watch) Command() string { return "subscribe" }

// decodeShow decodes the parameters of show as a filter. Its error names an unknown
// parameter.
func decodeShow(p params) (Request, *client.Error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, unreadable("the parameters are not valid JSON")
	}
	filter, bad := decodeFilter(text)
	return Show{Filter: filter}, bad
}

// decodeSubscribe accepts network, the filter of a subscription to the network.
func decodeSubscribe(p params) (Request, *client.Error) {
	text, ok := p["network"]
	if !ok || string(text) == "null" {
		return subscribe{}, nil
	}
	filter, bad := decodeFilter(text)
	if bad != nil {
		return nil, bad
	}
	if left := filter.Parts &^ state.Watched; left != 0 {
		return nil, &client.Error{
			Code: client.CodeBadRequest, Message: "decode filter: parts: cannot be watched: " + strings.Join(left.Names(), ", "),
		}
	}
	return subscribe{network: &filter}, nil
}

func decodeFilter(text []byte) (filter state.Filter, bad *client.Error) {
	if err := json.Unmarshal(text, &filter); err != nil {
		return filter, &client.Error{Code: client.CodeBadRequest, Message: err.Error()}
	}
	return filter, nil
}

// answerAtLength answers a request whose reply may have many megabytes, which wait
// for the client to read them. So peers of the same rank take turns.
func (c *conn) answerAtLength(ctx context.Context, id json.RawMessage, req Request) error {
	var leave func()
	refused := c.run(ctx, id, func() []byte {
		var err error
		if leave, err = c.s.shows[c.rank].enter(ctx, c.peer.UID); err != nil {
			return errorFrame(id, errShuttingDown)
		}
		return nil
	})
	if refused != nil {
		return c.write(refused)
	}
	defer leave()
	return c.reply(id, c.handle(ctx, id, req))
}

// enterWatch counts the subscriptions to the network, each of which holds a copy of
// the kernel's tables. Each rank has a quarter that lower ranks cannot take.
func (s *Server) enterWatch(c *conn) (leave func(), ok bool) {
	s.watching.Lock()
	defer s.watching.Unlock()
	all, below, same := 0, 0, 0
	for other := range s.watches {
		all++
		if other.rank <= c.rank {
			below++
		}
		if other.peer.UID == c.peer.UID {
			same++
		}
	}
	room := s.cfg.MaxWatches - int(trusted-c.rank)*(s.cfg.MaxWatches/4)
	if all >= s.cfg.MaxWatches || below >= room || c.rank != trusted && same >= s.cfg.MaxUserWatches {
		return nil, false
	}
	s.watches[c] = struct{}{}
	return func() {
		s.watching.Lock()
		defer s.watching.Unlock()
		delete(s.watches, c)
	}, true
}

// watch answers subscribe and starts the flow of network changes. The answer waits
// for the snapshot, which shows whether the filter's interfaces exist.
func (c *conn) watch(ctx context.Context, id json.RawMessage, filter state.Filter) error {
	leave, ok := c.s.enterWatch(c)
	if !ok {
		return c.write(errorFrame(id, errWatchers))
	}
	ctx, cancel := context.WithCancel(ctx)
	begun := make(chan []byte, 1)
	w := &watch{conn: c, id: id, begun: begun}
	c.pump.Go(func() {
		defer leave()
		_, err := c.s.cfg.Handler.Handle(ctx, c.peer, Watch{Filter: filter, Seen: w.seen})
		w.ended(ctx, err)
	})
	if failed := c.run(ctx, id, func() []byte { return <-begun }); failed != nil {
		cancel()
		return c.write(failed)
	}
	c.unwatch = cancel
	return nil
}

// watch is one subscription to the network. It writes changes as they come. While the
// subscriber does not read, no further change is read from the kernel, so nothing
// piles up here. What the kernel dropped meanwhile appears as a resync.
type watch struct {
	*conn
	id    json.RawMessage
	begun chan []byte // receives nil with the snapshot, or else the error reply; afterwards the field is nil
}

// errWatchEnds ends a Watch whose connection ends.
var errWatchEnds = errors.New("the subscription ends")

func (w *watch) seen(change state.Change) error {
	frame, err := changeFrame(change)
	if err != nil {
		return err
	}
	if w.begun != nil {
		result, err := resultFrame(w.id, "subscribed")
		if err != nil {
			return err
		}
		frame = append(result, frame...)
	}
	err = w.writeChange(frame)
	if w.begun != nil && !errors.Is(err, errReplies) {
		w.begun <- nil
		w.begun = nil
	}
	return err
}

// writeChange gives up on a slow reader after WriteTimeout. A reader that resumes
// within Linger still receives the rest of the frame and the reason.
func (w *watch) writeChange(frame []byte) error {
	give, ok := w.s.replies[w.rank].take(len(frame))
	if !ok {
		return errReplies
	}
	defer give()
	slow := time.AfterFunc(w.s.cfg.WriteTimeout, func() { w.end(errEventsSlow) })
	defer slow.Stop()
	if err := w.writeWithin(w.s.cfg.WriteTimeout+w.s.cfg.Linger, frame); err != nil {
		w.end(errEventsSlow)
		return errWatchEnds
	}
	if w.isEnding() {
		return errWatchEnds
	}
	return nil
}

// ended reports the end of the Watch, and its reason, to the goroutine that waits for
// it.
func (w *watch) ended(ctx context.Context, err error) {
	if w.begun == nil && (ctx.Err() != nil || errors.Is(err, errWatchEnds)) {
		return
	}
	public := publicError(ctx, err)
	if public == errInternal {
		w.s.said.Log(ctx, "watch", 1, slog.LevelError, "watch the network", "error", err)
	}
	if w.begun != nil {
		w.begun <- errorFrame(w.id, public)
		return
	}
	w.end(public)
}
