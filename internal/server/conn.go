package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// conn is one connection. One goroutine reads its requests and answers them in order;
// a second one writes events or changes after a subscription.
type conn struct {
	s        *Server
	nc       net.Conn
	peer     Peer
	rank     rank
	accepted time.Time
	frames   *client.FrameReader
	answered bool // a request was answered, so nothing is owed to a client that is silent now
	reading  bool // a frame has begun to arrive
	sub      *subscription
	unwatch  context.CancelFunc // ends the subscription to the network; nil: there is none
	pump     sync.WaitGroup     // waits for the second goroutine

	writing  chan struct{} // holds one token, so that frames are written one at a time
	writeErr error         // the error of the first write that failed; later output would be garbage

	mu     sync.Mutex    // guards ending and the deadlines
	ending *client.Error // why the server closes the connection

	phase phase     // owned by the registry
	since time.Time // owned by the registry
}

func newConn(s *Server, nc net.Conn, peer Peer) *conn {
	return &conn{
		s: s, nc: nc, peer: peer, rank: s.cfg.Rights.rank(peer), accepted: time.Now(), frames: client.NewFrameReader(nc, s.cfg.MaxRequest), writing: make(chan struct{}, 1),
	}
}

// serve answers requests until the client leaves or the server ends the connection.
func (c *conn) serve(ctx context.Context) {
	defer c.close()
	for {
		frame, err := c.next()
		if errors.Is(err, client.ErrTooLong) {
			err = c.write(errorFrame(nil, errTooLong))
		} else if err == nil {
			err = c.answer(ctx, frame)
		}
		if err != nil {
			c.farewell(err)
			return
		}
		c.answered, c.reading = true, false
	}
}

func (c *conn) close() {
	c.s.conns.remove(c)
	if c.sub != nil {
		c.s.hub.remove(c.sub)
		close(c.sub.done)
	}
	if c.unwatch != nil {
		c.unwatch()
	}
	c.nc.Close()
	c.pump.Wait()
}

// errEvicted ends a connection whose place another one takes.
var errEvicted = errors.New("evicted")

// next reads a frame. The first frame must come in time. Afterwards a client may be
// silent between frames, but not within one.
func (c *conn) next() ([]byte, error) {
	if c.answered {
		if !c.enter(idle) {
			return nil, errEvicted
		}
		c.setReadDeadline(time.Time{})
	} else {
		c.setReadDeadline(time.Now().Add(c.s.cfg.FrameTimeout))
	}
	if err := c.frames.Await(); err != nil {
		return nil, err
	}
	c.reading = true
	if !c.enter(busy) {
		return nil, errEvicted
	}
	if c.answered {
		c.setReadDeadline(time.Now().Add(c.s.cfg.FrameTimeout))
	}
	return c.frames.Read()
}

func (c *conn) subscribed() bool { return c.sub != nil || c.unwatch != nil }

// enter records the phase; a subscriber is never idle.
func (c *conn) enter(p phase) bool {
	if c.subscribed() {
		p = busy
	}
	return c.s.conns.enter(c, p)
}

// answer writes the reply to one frame.
func (c *conn) answer(ctx context.Context, frame []byte) error {
	id, req, bad := decode(frame)
	if bad != nil {
		return c.write(errorFrame(id, bad))
	}
	switch req := req.(type) {
	case status:
		return c.reply(id, c.s.statusFrame(id))
	case subscribe:
		if c.subscribed() {
			return c.write(errorFrame(id, errSubscribed))
		}
		if req.network != nil {
			return c.watch(ctx, id, *req.network)
		}
		return c.subscribe(id)
	case Show, History, Plan, InterfaceDump:
		return c.answerAtLength(ctx, id, req)
	case Confirm:
		req.Accepted = c.accepted
		return c.reply(id, c.handle(ctx, id, req))
	default:
		return c.reply(id, c.handle(ctx, id, req))
	}
}

// reply writes a reply. If too many replies wait for clients to read them, it writes
// an error instead.
func (c *conn) reply(id json.RawMessage, frame []byte) error {
	give, ok := c.s.replies[c.rank].take(len(frame))
	if !ok {
		return c.write(errorFrame(id, errReplies))
	}
	defer give()
	return c.write(frame)
}

func (c *conn) handle(ctx context.Context, id json.RawMessage, req Request) []byte {
	return c.run(ctx, id, func() []byte { return c.s.handle(ctx, c.peer, id, req) })
}

// run calls the Handler and returns the reply. Meanwhile it sends white space, which
// shows the client that the request is being worked on. If the client leaves, the
// request goes on. Only a Handler that ignores the end of ctx for too long is left
// behind.
func (c *conn) run(ctx context.Context, id json.RawMessage, work func() []byte) []byte {
	done := make(chan []byte, 1)
	go func() { done <- work() }()
	tick := time.NewTicker(c.s.cfg.KeepAlive)
	defer tick.Stop()
	ended := ctx.Done()
	var late <-chan time.Time
	for {
		select {
		case reply := <-done:
			return reply
		case <-tick.C:
			c.write([]byte(" ")) // an error shows when the reply is written
		case <-ended:
			ended, late = nil, time.After(c.s.cfg.Drain)
		case <-late:
			return errorFrame(id, errShuttingDown)
		}
	}
}

// subscribe writes the result and a snapshot, and starts the flow of events. The
// subscription begins before the snapshot is taken, so no event is missed.
func (c *conn) subscribe(id json.RawMessage) error {
	c.sub = c.s.hub.add()
	result, err := resultFrame(id, "subscribed")
	if err != nil {
		return err
	}
	if err := c.write(result); err != nil {
		return err
	}
	if err := c.reply(nil, c.s.snapshotFrame(c.sub.start)); err != nil {
		return err
	}
	c.pump.Go(c.writeEvents)
	return nil
}

// writeEvents writes events until the subscriber leaves. A subscriber that was cut
// off does not receive the events that still wait, because they reach it too late
// anyway.
func (c *conn) writeEvents() {
	for {
		select {
		case <-c.sub.overrun:
			c.end(errEventsSlow)
			return
		default:
		}
		select {
		case <-c.sub.done:
			return
		case <-c.sub.overrun:
		case frame := <-c.sub.frames:
			if c.write(frame) != nil {
				c.end(errEventsSlow)
				return
			}
		}
	}
}

// end makes the connection close soon. If the client is owed a frame, the frame
// carries why. A running request is answered first.
func (c *conn) end(why *client.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending != nil {
		return
	}
	c.ending = why
	c.nc.SetReadDeadline(time.Unix(1, 0)) // wakes the reader
	c.nc.SetWriteDeadline(time.Now().Add(c.s.cfg.Linger))
}

func (c *conn) isEnding() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ending != nil
}

func (c *conn) setReadDeadline(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending == nil {
		c.nc.SetReadDeadline(t)
	}
}

func (c *conn) setWriteDeadline(patience time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending != nil {
		patience = c.s.cfg.Linger
	}
	c.nc.SetWriteDeadline(time.Now().Add(patience))
}

// write sends all of data. After a failed write it sends nothing more.
func (c *conn) write(data []byte) error { return c.writeWithin(c.s.cfg.WriteTimeout, data) }

func (c *conn) writeWithin(patience time.Duration, data []byte) error {
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	if c.writeErr == nil {
		c.setWriteDeadline(patience)
		_, c.writeErr = c.nc.Write(data)
	}
	return c.writeErr
}

// farewell sends the last frame, if the client is owed one.
func (c *conn) farewell(err error) {
	if why := c.lastWords(err); why != nil && c.write(errorFrame(nil, why)) == nil {
		c.linger()
	}
}

// lastWords returns the error for the last frame, or nil for no last frame. Old
// clients read until NUL and ignore the end of the stream. So no client that waits
// may be left without a frame, and no client may get two frames for one request.
func (c *conn) lastWords(err error) *client.Error {
	c.mu.Lock()
	ending := c.ending
	c.mu.Unlock()
	switch {
	case ending != nil || errors.Is(err, errEvicted):
		if c.answered && !c.reading && !c.subscribed() {
			return nil
		}
		if ending == nil {
			ending = errOverloaded
		}
		return ending
	case errors.Is(err, io.EOF) && !c.answered, errors.Is(err, io.ErrUnexpectedEOF):
		return unreadable("the connection ended before a NUL ended the request")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errRequestSlow
	}
	return nil
}

// linger reads what the client still sends. If the server closed at once, the
// client's write would fail, and the client might never read the last frame.
func (c *conn) linger() {
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.nc.SetReadDeadline(time.Now().Add(c.s.cfg.Linger))
	io.Copy(io.Discard, c.nc) // ends at EOF or at the deadline; both are fine
}

// drop sends a client the refusal without waiting. The frame fits into the buffer of
// a new connection.
func (c *conn) drop() {
	c.nc.SetWriteDeadline(time.Now().Add(dropPatience))
	c.nc.Write(errorFrame(nil, errOverloaded))
	c.nc.Close()
}

// dropPatience bounds how long drop keeps the server from accepting others if the
// frame does not fit after all. With a shorter time, a busy machine may let the
// deadline pass before anything is written.
const dropPatience = 100 * time.Millisecond

// refuse sends a client the refusal.
func (c *conn) refuse() {
	defer c.s.conns.refusalDone()
	defer c.nc.Close()
	if c.write(errorFrame(nil, errOverloaded)) == nil {
		c.linger()
	}
}
