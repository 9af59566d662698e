// Package server is netconnectd's socket: it decodes bytes from local programs into
// typed requests for a Handler, and encodes results and events into bytes. It is
// byte-compatible with the original netconnectd and its clients; docs/protocol.md
// describes the protocol.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/loglimit"
)

// Handler carries out requests.
type Handler interface {
	// Status returns at once, from a snapshot.
	Status() client.Status
	// Handle runs a request and returns the result for the reply. An error that is a
	// *client.Error reaches the client unchanged; of any other error the client
	// learns only that there was one. ctx ends when the server shuts down, not when
	// the client leaves; but the ctx of a Watch ends with the subscription.
	Handle(ctx context.Context, peer Peer, req Request) (result any, err error)
}

// Config is what a Server needs. A limit or time of zero stands for the default in
// the field's comment.
type Config struct {
	Log     *slog.Logger
	Handler Handler
	Rights  Rights
	// Peer determines who connected; nil is PeerOf.
	Peer func(net.Conn) (Peer, error)

	MaxConnections int           // 128 in all
	Reserved       int           // an eighth of these for root and the daemon's user, and an eighth for them and the users who may change the network
	MaxPerUser     int           // 32 of one user other than root and the daemon's
	MaxRequest     int           // client.MaxRequest bytes
	EventQueue     int           // 64 events waiting for one subscriber
	MaxShows       int           // 2 replies to show and history at a time, for each of three groups: readers, changers, and root with the daemon's user
	MaxUserShows   int           // 1 of one user
	MaxReplies     int           // 4 MiB of replies that wait to be read, for each of these three groups; small replies do not count
	MaxWatches     int           // 16 subscriptions to the network in all, a quarter of them as Reserved
	MaxUserWatches int           // 4 of one user other than root and the daemon's
	FrameTimeout   time.Duration // 10 s: for the first frame and within a frame
	WriteTimeout   time.Duration // 10 s: for one reply or event
	KeepAlive      time.Duration // 4 s: between spaces while a request runs; old clients give up after 10 s
	Drain          time.Duration // 3 s: for running requests at shutdown
	Linger         time.Duration // 500 ms: for a client to finish sending after the last frame
}

func (c Config) withDefaults() Config {
	if c.Peer == nil {
		c.Peer = PeerOf
	}
	orDefault(&c.MaxConnections, 128)
	orDefault(&c.Reserved, c.MaxConnections/8)
	orDefault(&c.MaxPerUser, 32)
	orDefault(&c.MaxRequest, client.MaxRequest)
	orDefault(&c.EventQueue, 64)
	orDefault(&c.MaxShows, 2)
	orDefault(&c.MaxUserShows, 1)
	orDefault(&c.MaxReplies, 4<<20)
	orDefault(&c.MaxWatches, 16)
	orDefault(&c.MaxUserWatches, 4)
	orDefault(&c.FrameTimeout, 10*time.Second)
	orDefault(&c.WriteTimeout, 10*time.Second)
	orDefault(&c.KeepAlive, 4*time.Second)
	orDefault(&c.Drain, 3*time.Second)
	orDefault(&c.Linger, 500*time.Millisecond)
	return c
}

func orDefault[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}

// Server answers connections.
type Server struct {
	cfg     Config
	conns   registry
	hub     hub
	said    *loglimit.Limiter
	shows   [ranks]*turns
	replies [ranks]budget

	watching sync.Mutex
	watches  map[*conn]struct{} // the connections that are subscribed to the network
}

// New returns a server; Serve runs it.
func New(cfg Config) *Server {
	cfg = cfg.withDefaults()
	s := &Server{
		cfg:     cfg,
		conns:   registry{conns: map[*conn]struct{}{}, max: cfg.MaxConnections, reserved: cfg.Reserved, perUser: cfg.MaxPerUser},
		hub:     hub{subs: map[*subscription]struct{}{}, queue: cfg.EventQueue},
		said:    loglimit.New(cfg.Log, logInterval),
		watches: map[*conn]struct{}{},
	}
	for k := range s.shows {
		s.shows[k] = newTurns(cfg.MaxShows, cfg.MaxUserShows)
		s.replies[k].most = cfg.MaxReplies
	}
	return s
}

// logInterval is how long a line of the log that a peer can cause is not written
// again.
const logInterval = time.Minute

// Publish sends an event to all subscribers; it never blocks. The Handler's Status
// must already show the change, so that a client which subscribes in between does not
// miss it. The server sets Seq, and Time where it is zero.
func (s *Server) Publish(e client.Event) {
	if err := s.hub.publish(e); err != nil {
		s.cfg.Log.Error("publish event", "type", e.Type, "error", err)
	}
}

// Serve answers connections of l until ctx ends, and closes l. It returns when every
// connection has received the reply that it is owed, and is closed.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { l.Close() })
	err := s.accept(ctx, l, &conns)
	cancel()
	if stop() {
		l.Close()
	}
	for _, c := range s.conns.list() {
		c.end(errShuttingDown)
	}
	conns.Wait()
	s.said.Close()
	return err
}

// acceptPause is the wait after a temporary error.
const acceptPause = 200 * time.Millisecond

func (s *Server) accept(ctx context.Context, l net.Listener, conns *sync.WaitGroup) error {
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			s.start(ctx, nc, conns)
		case ctx.Err() != nil:
			return nil
		case !passing(err):
			return fmt.Errorf("accept connection: %w", err)
		default:
			s.said.Log(ctx, "accept", 1, slog.LevelWarn, "accept connection", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(acceptPause):
			}
		}
	}
}

// passing reports whether accept(2) may succeed when called again.
func passing(err error) bool {
	for _, errno := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// start serves nc in a goroutine of its own, which conns counts.
func (s *Server) start(ctx context.Context, nc net.Conn, conns *sync.WaitGroup) {
	peer, err := s.cfg.Peer(nc)
	if err != nil {
		s.said.Log(ctx, "peer", 1, slog.LevelWarn, "connection", "error", err)
		peer = nobody
	}
	c := newConn(s, nc, peer)
	victim, verdict := s.conns.admit(c)
	if victim != nil {
		victim.end(errOverloaded)
	}
	switch verdict {
	case admitted:
		conns.Go(func() { c.serve(ctx) })
	case refused:
		conns.Go(c.refuse)
	case dropped:
		c.drop()
	}
}
