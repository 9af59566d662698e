package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/state"
)

func TestShow(t *testing.T) {
	table := state.Filter{Parts: state.PartRoutes, Table: 1000}
	stranger := Peer{UID: 4711}
	for _, tt := range []struct {
		name, send string
		peer       Peer
		want       Request // nil: the Handler is not called
		reply      string
	}{
		{"everything", `{"show":{}}`, Peer{}, Show{Privileged: true}, `{"result":{"rules":[`},
		{"a part", `{"show":{"parts":["routes"],"table":1000}}`, Peer{}, Show{Filter: table, Privileged: true}, `{"result":{`},
		{"a stranger", `{"show":{"parts":["routes"],"table":1000},"id":9}`, stranger, Show{Filter: table}, `"id":9}`},
		{"an unknown key", `{"show":{"tabel":1}}`, Peer{}, nil, `{"error":"decode filter: tabel: no such key","code":"bad_request"}`},
		{"an unknown part", `{"show":{"parts":["cables"]}}`, Peer{}, nil, `{"error":"decode filter: parts: \"cables\" is none of ifaces, `},
		{"no interface of that name", `{"show":{"iface":"eth7"}}`, Peer{}, Show{Filter: state.Filter{Iface: "eth7"}, Privileged: true}, `"code":"not_found"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{handle: func(_ context.Context, _ Peer, r Request) (any, error) {
				if r.(Show).Filter.Iface != "" {
					return nil, &client.Error{Code: client.CodeNotFound, Message: "there is no interface eth7"}
				}
				return &state.State{Rules: []state.Rule{{Family: state.FamilyIPv4}}}, nil
			}}
			r := start(t, f, func(c *Config) { c.Peer = peerIs(tt.peer) })
			mustContain(t, r.talk(t, tt.send+"\x00", 1<<20), tt.reply)
			var want []Request
			if tt.want != nil {
				want = []Request{tt.want}
			}
			if d := cmp.Diff(want, f.requests()); d != "" {
				t.Errorf("requests -want +got:\n%s", d)
			}
		})
	}
}

// TestShowsOfStrangersWait lets many clients ask at once, and checks that no more
// than the allowed number of replies is under way, that the others follow, and that
// root does not wait.
func TestShowsOfStrangersWait(t *testing.T) {
	var now, most, all atomic.Int32
	h := &fake{handle: func(_ context.Context, p Peer, _ Request) (any, error) {
		if p.UID == 0 {
			return &state.State{}, nil
		}
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		time.Sleep(20 * time.Millisecond)
		all.Add(1)
		return &state.State{}, nil
	}}
	r := start(t, h, func(c *Config) { c.MaxShows, c.Peer = 1, peerIs(Peer{UID: 4711}) })
	for range 5 {
		send(t, r.dial(t), `{"show":{}}`+"\x00", 1<<20)
	}
	eventually(t, "five answers", func() bool { return all.Load() == 5 })
	if most.Load() != 1 {
		t.Errorf("%d at a time", most.Load())
	}
}

// changes is a Handler whose Watch reports n changes, waits for next, and reports how
// it ended.
type changes struct {
	fake
	n     int
	next  chan struct{}
	ended chan error
}

func newChanges(n int) *changes {
	h := &changes{n: n}
	h.open()
	h.handle = func(ctx context.Context, _ Peer, r Request) (any, error) {
		w, ok := r.(Watch)
		if !ok {
			return originalResult(r)
		}
		err := h.report(ctx, w)
		h.ended <- err
		return nil, err
	}
	return h
}

// open makes the channels inside a synctest bubble: time in the bubble stops while a
// goroutine waits for a channel from outside.
func (h *changes) open() { h.next, h.ended = make(chan struct{}), make(chan error, 9) }

func (h *changes) report(ctx context.Context, w Watch) error {
	if w.Filter.Iface == "absent" {
		return &client.Error{Code: client.CodeNotFound, Message: "there is no interface absent"}
	}
	for seq := uint64(1); ; seq++ {
		if seq > uint64(h.n) {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-h.next:
			}
		}
		c := state.Change{Seq: seq, Op: state.New, Object: state.Object{Nexthop: &state.Nexthop{ID: uint32(seq)}}}
		if seq == 1 {
			c = state.Change{Seq: seq, Op: state.Snapshot, Object: state.Object{State: &state.State{}}}
		}
		if err := w.Seen(c); err != nil {
			return err
		}
	}
}

func TestWatch(t *testing.T) {
	h := newChanges(1)
	r := start(t, h, nil)
	nc := r.dial(t)
	send(t, nc, `{"subscribe":{"network":{"parts":["nexthops"]}},"id":"n"}`+"\x00", 1<<20)
	for _, want := range []string{`{"result":"subscribed","id":"n"}`, `{"change":{"seq":1,"op":"snapshot","state":{}}}`} {
		if got := readFrame(t, nc); got != want+"\x00" {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	h.next <- struct{}{}
	mustContain(t, readFrame(t, nc), `{"change":{"seq":2,"op":"new","nexthop":{"id":2,`)

	// Requests are answered beside the subscription, and the daemon's events do not
	// come.
	r.Publish(client.Event{Type: client.EventUplink})
	send(t, nc, `{"reset":{},"id":2}`+"\x00", 1<<20)
	if got := readFrame(t, nc); got != `{"result":"reset daemon","id":2}`+"\x00" {
		t.Errorf("reply %q", got)
	}
	for _, again := range []string{`{"subscribe":{}}`, `{"subscribe":{"network":{}}}`} {
		send(t, nc, again+"\x00", 1<<20)
		mustContain(t, readFrame(t, nc), `"code":"bad_request"`)
	}

	// The Watch ends with its subscriber.
	nc.Close()
	if err := <-h.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch ended with %v", err)
	}
	other := r.dial(t)
	send(t, other, `{"subscribe":{"network":{}}}`+"\x00", 1<<20)
	readFrame(t, other)
	readFrame(t, other)
	go r.stop()
	if got := readAll(t, other); got != string(errorFrame(nil, errShuttingDown)) {
		t.Errorf("at shutdown %q", got)
	}
}

func TestWatchRefuses(t *testing.T) {
	for _, tt := range []struct{ name, send, want string }{
		{"an unknown interface", `{"iface":"absent"}`, `{"error":"there is no interface absent","code":"not_found"}`},
		{"an unknown key", `{"x":1}`, `{"error":"decode filter: x: no such key","code":"bad_request"}`},
		{"a part that cannot be watched", `{"parts":["routes","mptcp","drivers"]}`,
			`{"error":"decode filter: parts: cannot be watched: drivers, mptcp","code":"bad_request"}`},
		{"no object", `7`, `{"error":"decode filter: it is no object","code":"bad_request"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nc := start(t, newChanges(1), nil).dial(t)
			send(t, nc, `{"subscribe":{"network":`+tt.send+`}}`+"\x00", 1<<20)
			if got := readFrame(t, nc); got != tt.want+"\x00" {
				t.Errorf("got %q", got)
			}
			// The connection stays usable.
			send(t, nc, `{"subscribe":{"network":null}}`+"\x00", 1<<20)
			mustContain(t, readFrame(t, nc), `"subscribed"`)
			mustContain(t, readFrame(t, nc), `{"event":`)
		})
	}
}

func TestTooManyWatches(t *testing.T) {
	r := start(t, newChanges(1), func(c *Config) { c.MaxUserWatches, c.Peer = 2, peerIs(Peer{UID: 4711}) })
	subscribe := func() (io.Closer, string) {
		nc := r.dial(t)
		send(t, nc, `{"subscribe":{"network":{}}}`+"\x00", 1<<20)
		return nc, readFrame(t, nc)
	}
	first, _ := subscribe()
	subscribe()
	_, third := subscribe()
	mustContain(t, third, `"code":"overloaded"`)
	first.Close()
	eventually(t, "a place again", func() bool { _, reply := subscribe(); return strings.Contains(reply, "subscribed") })
}

// TestSlowWatcherIsCutOff has a subscriber that stops reading. One change is on its
// way to this subscriber, the next one is not even read from the kernel, and other
// subscribers go on.
func TestSlowWatcherIsCutOff(t *testing.T) {
	h := newChanges(1000)
	bubble(t, h, func(t *testing.T, s *Server, l *pipes, stop func()) {
		h.open()
		slow, quick := l.dial(), l.dial()
		defer slow.Close()
		send(t, slow, `{"subscribe":{"network":{}}}`+"\x00", 1<<20)
		readFrame(t, slow)
		readFrame(t, slow)
		send(t, quick, `{"subscribe":{"network":{}}}`+"\x00", 1<<20)
		text := transcript(quick)
		synctest.Wait()
		time.Sleep(10*time.Second + 100*time.Millisecond)
		mustContain(t, readFrame(t, slow), `{"change":{"seq":2,`)
		if got := readFrame(t, slow); got != string(errorFrame(nil, errEventsSlow)) {
			t.Errorf("last frame %q", got)
		}
		if rest, err := io.ReadAll(slow); err != nil || len(rest) > 0 {
			t.Errorf("then %q, %v", rest, err)
		}
		if err := <-h.ended; !errors.Is(err, errWatchEnds) {
			t.Errorf("Watch ended with %v", err)
		}
		stop()
		if all := text(); !strings.Contains(all, fmt.Sprintf(`\"seq\":%d,`, h.n)) {
			t.Errorf("the other one got only %d bytes", len(all))
		}
	})
}

// TestWatcherThatNeverReadsAgain checks that such a connection is closed without a
// last frame.
func TestWatcherThatNeverReadsAgain(t *testing.T) {
	h := newChanges(1000)
	bubble(t, h, func(t *testing.T, s *Server, l *pipes, stop func()) {
		h.open()
		nc := l.dial()
		send(t, nc, `{"subscribe":{"network":{}}}`+"\x00", 1<<20)
		time.Sleep(11 * time.Second)
		if err := <-h.ended; !errors.Is(err, errWatchEnds) {
			t.Errorf("Watch ended with %v", err)
		}
		if rest, err := io.ReadAll(nc); err != nil || len(rest) > 0 {
			t.Errorf("read %q, %v", rest, err)
		}
	})
}

func peerIs(p Peer) func(net.Conn) (Peer, error) {
	return func(net.Conn) (Peer, error) { return p, nil }
}
