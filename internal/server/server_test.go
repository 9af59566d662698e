package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/netconnectd/netconnectd/client"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(abuseEnv); path != "" {
		abuse(path)
		return
	}
	if path := os.Getenv(crowdEnv); path != "" {
		beCrowd(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// fake is a Handler that returns what a test sets.
type fake struct {
	status client.Status
	handle func(context.Context, Peer, Request) (any, error)

	mu  sync.Mutex
	got []Request
}

func (f *fake) Status() client.Status { return f.status }

func (f *fake) Handle(ctx context.Context, p Peer, r Request) (any, error) {
	f.mu.Lock()
	f.got = append(f.got, r)
	f.mu.Unlock()
	if f.handle != nil {
		return f.handle(ctx, p, r)
	}
	return originalResult(r)
}

// originalResult answers as the original does when all goes well.
func originalResult(r Request) (any, error) {
	switch r := r.(type) {
	case ListWifi:
		return []client.BSS(nil), nil
	case ConfigWifi:
		return client.ResultConfigured("netconnectd_wifi"), nil
	case StartWifi:
		return client.ResultConnected, nil
	case Connect:
		return client.ResultConnected, nil
	case ListNetworks:
		return []client.SavedNetwork{}, nil
	case Plan, Apply, Confirm, Revert, Extend, InterfaceDump, InterfaceStatus, InterfaceUp, InterfaceDown:
		return nil, nil
	case History:
		return []client.HistoryEntry{rememberedFor(r.Limit)}, nil
	case AddNetwork:
		return client.ResultAdded(r.SSID), nil
	case SetNetwork:
		return client.ResultChanged(r.SSID), nil
	case Adopt:
		return client.ResultAdopted(r.SSID), nil
	case RemoveNetwork:
		return client.ResultRemoved(r.SSID), nil
	case ForgetWifi:
		return client.ResultForgotten, nil
	case Reset:
		return client.ResultReset, nil
	case StartAP:
		return client.ResultStartedAP, nil
	case StopAP:
		return client.ResultStoppedAP, nil
	case Metrics:
		return "# TYPE netconnectd_up gauge\nnetconnectd_up 1\n", nil
	case Reload:
		return client.ResultReloaded + ": nothing differs", nil
	case StopDaemon:
		return client.ResultStopping, nil
	}
	return nil, errors.New("no such request")
}

// rememberedFor returns an entry of this boot, or, with a limit, one of an earlier
// boot.
func rememberedFor(limit int) client.HistoryEntry {
	e := client.HistoryEntry{Seq: 1, Boot: "b", Uptime: 9, Event: client.Event{
		Type: client.EventDaemon, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), New: client.DaemonStarted, Reason: fmt.Sprint("limit ", limit),
	}}
	if limit == 0 {
		e.Seconds = new(int64(2))
		return e
	}
	network := client.NewNetwork([]byte{0xff})
	e.Type, e.Network, e.New, e.Code = client.EventJoin, &network, client.JoinFailed, "lost"
	return e
}

func (f *fake) requests() []Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Request(nil), f.got...)
}

// safeBuffer collects a log.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// running is a server on a real Unix socket.
type running struct {
	*Server
	path string
	log  *safeBuffer
	stop func() // shuts down and waits; may be called twice
}

func start(t *testing.T, h Handler, change func(*Config)) *running {
	t.Helper()
	log := &safeBuffer{}
	cfg := Config{Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Handler: h}
	if change != nil {
		change(&cfg)
	}
	r := &running{Server: New(cfg), path: filepath.Join(t.TempDir(), "s"), log: log}
	l, err := net.Listen("unix", r.path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx, l) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-served:
			if err != nil {
				t.Errorf("Serve() = %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Serve does not return")
		}
	})
	t.Cleanup(r.stop)
	return r
}

// dial connects. No read or write of the test lasts longer than 10 s.
func (r *running) dial(t *testing.T) *net.UnixConn {
	t.Helper()
	nc, err := net.Dial("unix", r.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	return nc.(*net.UnixConn)
}

// send writes s in chunks of size bytes.
func send(t *testing.T, w io.Writer, s string, size int) {
	t.Helper()
	for len(s) > 0 {
		n := min(size, len(s))
		if _, err := io.WriteString(w, s[:n]); err != nil {
			t.Fatalf("write: %v", err)
		}
		s = s[n:]
	}
}

// readFrame reads byte by byte up to the first NUL, and no further.
func readFrame(t *testing.T, r io.Reader) string {
	t.Helper()
	var frame []byte
	b := make([]byte, 1)
	for {
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatalf("read after %q: %v", frame, err)
		}
		frame = append(frame, b[0])
		if b[0] == 0 {
			return string(frame)
		}
	}
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("read after %q: %v", all, err)
	}
	return string(all)
}

// talk sends s, closes the sending side and returns all that comes back.
func (r *running) talk(t *testing.T, s string, chunk int) string {
	t.Helper()
	nc := r.dial(t)
	defer nc.Close()
	send(t, nc, s, chunk)
	if err := nc.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	return readAll(t, nc)
}

// eventually waits until ok reports true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never saw: %s", what)
		}
	}
}

func mustContain(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%q is not in %q", part, text)
	}
}
