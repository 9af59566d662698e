package server

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/netconnectd/netconnectd/client"
)

// connections returns how many connections the server holds.
func (r *running) connections() int { return len(r.conns.list()) }

// idleConn returns a connection whose request was answered.
func (r *running) idleConn(t *testing.T) *net.UnixConn {
	t.Helper()
	nc := r.dial(t)
	send(t, nc, `{"reset":{}}`+"\x00", 99)
	readFrame(t, nc)
	eventually(t, "the connection is idle", func() bool {
		r.conns.mu.Lock()
		defer r.conns.mu.Unlock()
		for c := range r.conns.conns {
			if c.phase != idle && c.sub == nil {
				return false
			}
		}
		return true
	})
	return nc
}

func TestOldestIdleConnectionGoesFirst(t *testing.T) {
	r := start(t, &fake{}, func(c *Config) { c.MaxConnections = 3 })
	first, second, third := r.idleConn(t), r.idleConn(t), r.idleConn(t)
	// With this request the first connection becomes the youngest.
	send(t, first, `{"reset":{}}`+"\x00", 99)
	readFrame(t, first)
	fourth := r.idleConn(t)
	if got := readAll(t, second); got != "" {
		t.Errorf("the dropped client, which was owed nothing, got %q", got)
	}
	for _, nc := range []*net.UnixConn{first, third, fourth} {
		send(t, nc, `{"reset":{}}`+"\x00", 99)
		if got := readFrame(t, nc); got != resetFrame {
			t.Errorf("got %q", got)
		}
	}
	if n := r.connections(); n != 3 {
		t.Errorf("%d connections", n)
	}
}

func TestSilentConnectionGoesWhenNoneIsIdle(t *testing.T) {
	r := start(t, &fake{}, func(c *Config) { c.MaxConnections = 1 })
	silent := r.dial(t)
	eventually(t, "the connection", func() bool { return r.connections() == 1 })
	if got := r.talk(t, `{"reset":{}}`+"\x00", 99); got != resetFrame {
		t.Errorf("the new client got %q", got)
	}
	if got := readAll(t, silent); got != string(errorFrame(nil, errOverloaded)) {
		t.Errorf("the silent client got %q", got)
	}
}

// TestBusyConnectionsStay fills the server with work and subscribers. Other clients
// are refused with a frame, even when they send a lot before they read.
func TestBusyConnectionsStay(t *testing.T) {
	f := &fake{handle: func(ctx context.Context, _ Peer, _ Request) (any, error) { <-ctx.Done(); return nil, ctx.Err() }}
	r := start(t, f, func(c *Config) { c.MaxConnections = 2 })
	working, subscriber := r.dial(t), r.dial(t)
	send(t, working, `{"start_wifi":{}}`+"\x00", 99)
	send(t, subscriber, `{"subscribe":{}}`+"\x00", 99)
	readFrame(t, subscriber)
	readFrame(t, subscriber)
	eventually(t, "the request runs", func() bool { return len(f.requests()) == 1 })
	for _, request := range []string{`{"status":{}}` + "\x00", string(make([]byte, 1<<20))} {
		if got := r.talk(t, request, 1<<20); got != string(errorFrame(nil, errOverloaded)) {
			t.Errorf("got %q", got)
		}
	}
	r.Publish(client.Event{Type: client.EventUplink})
	mustContain(t, readFrame(t, subscriber), `"seq":1}`)
	go r.stop()
	if got := readAll(t, working); got != string(errorFrame(nil, errShuttingDown)) {
		t.Errorf("the working client got %q", got)
	}
}

// TestEverybodyIsTold checks that each of many clients receives its refusal, even
// those that are refused while others are still being refused.
func TestEverybodyIsTold(t *testing.T) {
	f := &fake{handle: func(ctx context.Context, _ Peer, _ Request) (any, error) { <-ctx.Done(); return nil, ctx.Err() }}
	r := start(t, f, func(c *Config) { c.MaxConnections = 1 })
	send(t, r.dial(t), `{"start_wifi":{}}`+"\x00", 99)
	eventually(t, "the request runs", func() bool { return len(f.requests()) == 1 })
	var refused []*net.UnixConn
	for range 10 {
		refused = append(refused, r.dial(t))
	}
	for i, nc := range refused {
		if got := readAll(t, nc); got != string(errorFrame(nil, errOverloaded)) {
			t.Errorf("connection %d: got %q", i, got)
		}
	}
}

// TestOneUserCannotLockOthersOut has a user without rights subscribe on as many
// connections as the server has.
func TestOneUserCannotLockOthersOut(t *testing.T) {
	var uid atomic.Uint32
	r := start(t, &fake{}, func(c *Config) {
		c.MaxConnections, c.MaxPerUser = 4, 2
		c.Peer = func(net.Conn) (Peer, error) { return Peer{UID: uid.Load()}, nil }
	})
	uid.Store(4711)
	for range 2 {
		nc := r.dial(t)
		send(t, nc, `{"subscribe":{}}`+"\x00", 99)
		readFrame(t, nc)
		readFrame(t, nc)
	}
	if got := r.talk(t, `{"status":{}}`+"\x00", 99); got != string(errorFrame(nil, errOverloaded)) {
		t.Errorf("the stranger got %q", got)
	}
	uid.Store(4712)
	if got := r.talk(t, `{"status":{}}`+"\x00", 99); got != statusReply {
		t.Errorf("another user got %q", got)
	}
	uid.Store(0)
	for range 4 {
		if got := r.talk(t, `{"reset":{}}`+"\x00", 99); got != resetFrame {
			t.Errorf("root got %q", got)
		}
	}
}
