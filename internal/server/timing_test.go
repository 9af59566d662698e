package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// pipes is a listener in memory, so that a test can run in synctest's time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case nc := <-p.conns:
		return nc, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p *pipes) dial() net.Conn {
	near, far := net.Pipe()
	p.conns <- far
	return near
}

// bubble runs a server with the default times in a synctest bubble. stop shuts
// it down and waits.
func bubble(t *testing.T, h Handler, f func(t *testing.T, s *Server, l *pipes, stop func())) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		s := New(Config{
			Log: slog.New(slog.DiscardHandler), Handler: h, EventQueue: 2,
			Peer: func(net.Conn) (Peer, error) { return Peer{}, nil },
		})
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan struct{})
		go func() {
			s.Serve(ctx, l)
			close(served)
		}()
		stop := func() { cancel(); <-served }
		defer stop()
		f(t, s, l, stop)
	})
}

// transcript records what nc receives, and when, until nc is closed.
func transcript(nc net.Conn) (text func() string) {
	begin := time.Now()
	var b strings.Builder
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer nc.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := nc.Read(buf)
			at := time.Since(begin)
			if n > 0 {
				fmt.Fprintf(&b, "%v %q\n", at, buf[:n])
			}
			if err != nil {
				fmt.Fprintf(&b, "%v closed\n", at)
				return
			}
		}
	}()
	return func() string { <-done; return b.String() }
}

func TestKeepAlive(t *testing.T) {
	work := func(ctx context.Context, _ Peer, r Request) (any, error) {
		time.Sleep(11 * time.Second)
		return originalResult(r)
	}
	bubble(t, &fake{handle: work}, func(t *testing.T, s *Server, l *pipes, stop func()) {
		nc := l.dial()
		text := transcript(nc)
		send(t, nc, `{"start_wifi":{}}`+"\x00", 1<<20)
		time.Sleep(time.Minute) // an idle connection, for which the server must send nothing
		nc.Close()
		want := `4s " "
8s " "
11s "{\"result\":\"connected to wifi\"}\x00"
1m0s closed
`
		if got := text(); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	})
}

func TestFrameDeadlines(t *testing.T) {
	slow := `"{\"error\":\"no complete request arrived in time\",\"code\":\"too_slow\"}\x00"`
	reset := `"{\"result\":\"reset daemon\"}\x00"`
	rows := []struct {
		name string
		send func(t *testing.T, nc net.Conn)
		want string
	}{
		{"silent from the start", func(*testing.T, net.Conn) {}, "10s " + slow + "\n10s closed\n"},
		{"white space is not a frame", func(t *testing.T, nc net.Conn) {
			time.Sleep(9 * time.Second)
			send(t, nc, " ", 1)
		}, "10s " + slow + "\n10s closed\n"},
		{"first frame not whole in time", func(t *testing.T, nc net.Conn) {
			time.Sleep(9 * time.Second)
			send(t, nc, "{", 1)
		}, "10s " + slow + "\n10s closed\n"},
		{"slow but in time", func(t *testing.T, nc net.Conn) {
			send(t, nc, `{"reset"`, 1)
			time.Sleep(9 * time.Second)
			send(t, nc, ":{}}\x00", 1)
			time.Sleep(time.Second)
			nc.Close()
		}, "9s " + reset + "\n10s closed\n"},
		{"a later frame may take long to begin but not to end", func(t *testing.T, nc net.Conn) {
			send(t, nc, `{"reset":{}}`+"\x00", 99)
			time.Sleep(time.Hour)
			send(t, nc, "\n{", 1)
			time.Sleep(time.Hour)
		}, "0s " + reset + "\n1h0m10s " + slow + "\n1h0m10s closed\n"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, &fake{}, func(t *testing.T, s *Server, l *pipes, stop func()) {
				nc := l.dial()
				text := transcript(nc)
				row.send(t, nc)
				if got := text(); got != row.want {
					t.Errorf("got\n%swant\n%s", got, row.want)
				}
			})
		})
	}
}

// TestShutdown has one client of each kind when the daemon is told to end. The
// clients must receive the frames that an old client needs, no fewer and no more.
func TestShutdown(t *testing.T) {
	bye := `"{\"error\":\"netconnectd is shutting down\",\"code\":\"shutting_down\"}\x00"`
	obedient := func(ctx context.Context, _ Peer, r Request) (any, error) {
		<-ctx.Done()
		time.Sleep(time.Second)
		return nil, fmt.Errorf("join: %w", ctx.Err())
	}
	deaf := func(context.Context, Peer, Request) (any, error) {
		time.Sleep(time.Hour)
		return nil, nil
	}
	rows := []struct {
		name, send string
		handle     func(context.Context, Peer, Request) (any, error)
		want       string
	}{
		{"has said nothing", "", nil, "500ms " + bye + "\n500ms closed\n"},
		{"is within a frame", "{", nil, "500ms " + bye + "\n500ms closed\n"},
		{"has its answer", "x\x00", nil, fmt.Sprintf("0s %q\n500ms closed\n", badFrame("the request is not a JSON object"))},
		{"waits for an operation", `{"start_wifi":{}}` + "\x00", obedient, "1.5s " + bye + "\n1.5s closed\n"},
		{"waits for an operation that does not end", `{"start_wifi":{}}` + "\x00", deaf, "3.5s " + bye + "\n3.5s closed\n"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, &fake{handle: row.handle}, func(t *testing.T, s *Server, l *pipes, stop func()) {
				nc := l.dial()
				text := transcript(nc)
				send(t, nc, row.send, 1<<20)
				time.Sleep(500 * time.Millisecond)
				stop()
				if got := text(); got != row.want {
					t.Errorf("got\n%swant\n%s", got, row.want)
				}
				time.Sleep(time.Hour) // lets the Handler end that ignores its ctx
			})
		})
	}
}

// TestClientGoneItsRequestGoesOn closes the connection while the request runs.
func TestClientGoneItsRequestGoesOn(t *testing.T) {
	var finished atomic.Bool
	work := func(ctx context.Context, _ Peer, r Request) (any, error) {
		select {
		case <-ctx.Done():
		case <-time.After(time.Minute):
			finished.Store(true)
		}
		return nil, ctx.Err()
	}
	bubble(t, &fake{handle: work}, func(t *testing.T, s *Server, l *pipes, stop func()) {
		nc := l.dial()
		send(t, nc, `{"start_wifi":{}}`+"\x00", 1<<20)
		synctest.Wait()
		nc.Close()
		time.Sleep(2 * time.Minute)
		if !finished.Load() {
			t.Error("the request was cancelled")
		}
	})
}

// TestOtherClientsDoNotWait has a request that never ends on one connection.
func TestOtherClientsDoNotWait(t *testing.T) {
	work := func(ctx context.Context, _ Peer, r Request) (any, error) {
		if _, ok := r.(StartWifi); ok {
			<-ctx.Done()
		}
		return originalResult(r)
	}
	bubble(t, &fake{handle: work}, func(t *testing.T, s *Server, l *pipes, stop func()) {
		busy := l.dial()
		defer busy.Close()
		send(t, busy, `{"start_wifi":{}}`+"\x00", 1<<20)
		synctest.Wait()
		began := time.Now()
		other := l.dial()
		defer other.Close()
		for _, command := range []string{"status", "list_wifi", "stop_ap"} {
			send(t, other, `{"`+command+`":{}}`+"\x00", 1<<20)
			mustContain(t, readFrame(t, other), `{"result":`)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("answered after %v", took)
		}
		go io.Copy(io.Discard, busy)
	})
}

// TestSlowSubscriberIsCutOff has a subscriber that stops reading. Two events wait in
// its queue; one more cuts it off, and the other subscribers go on.
func TestSlowSubscriberIsCutOff(t *testing.T) {
	bubble(t, &fake{}, func(t *testing.T, s *Server, l *pipes, stop func()) {
		slow, quick := l.dial(), l.dial()
		defer slow.Close()
		for _, nc := range []net.Conn{slow, quick} {
			send(t, nc, `{"subscribe":{}}`+"\x00", 1<<20)
			readFrame(t, nc)
			readFrame(t, nc)
		}
		text := transcript(quick)
		for i := range 5 {
			s.Publish(client.Event{Type: "uplink", New: fmt.Sprint(i)})
			synctest.Wait()
		}
		// One event is being written, two wait, and the fourth is too many.
		mustContain(t, readFrame(t, slow), `"seq":1}`)
		if got := readFrame(t, slow); got != string(errorFrame(nil, errEventsSlow)) {
			t.Errorf("last frame %q", got)
		}
		if rest, err := io.ReadAll(slow); err != nil || len(rest) > 0 {
			t.Errorf("then %q, %v", rest, err)
		}
		stop()
		mustContain(t, text(), `\"seq\":5}`)
	})
}

// TestSubscriberThatNeverReadsAgain checks that the connection is closed without a
// last frame, which could not be delivered.
func TestSubscriberThatNeverReadsAgain(t *testing.T) {
	bubble(t, &fake{}, func(t *testing.T, s *Server, l *pipes, stop func()) {
		nc := l.dial()
		send(t, nc, `{"subscribe":{}}`+"\x00", 1<<20)
		readFrame(t, nc)
		readFrame(t, nc)
		s.Publish(client.Event{Type: "uplink"})
		time.Sleep(11 * time.Second)
		if rest, err := io.ReadAll(nc); err != nil || len(rest) > 0 {
			t.Errorf("read %q, %v", rest, err)
		}
	})
}
