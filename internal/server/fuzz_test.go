package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"
)

// FuzzConnection sends any bytes and closes the sending side. The server must send
// exactly one reply for each request and one for an unfinished rest. Each reply must
// be an object of printable ASCII with either a result or an error that is a text.
func FuzzConnection(f *testing.F) {
	for _, seed := range []string{
		"", " ", "\x00", `{"status":{}}` + "\x00", `{"reset":{},"id":[1]}` + "\x00\n" + `{"stop_ap":{},"id":"\ud800"}` + "\x00",
		`{"config_wifi":{"ssid":"\u00ff","psk":5,"force":1e999}}` + "\x00 x", `{"list_wifi":{"force":{}}}` + "\x00",
		`{"add_network":{"ssid_hex":"00ff","psk":"x","eap":{"method":"peap","password":null},"addressing":{"dns":["a"]}}}` + "\x00", "{\"\xff\":1}\x00",
	} {
		f.Add([]byte(seed))
	}
	s := New(Config{
		Log: slog.New(slog.DiscardHandler), Handler: &fake{}, MaxRequest: 256,
		Peer: func(net.Conn) (Peer, error) { return Peer{}, nil },
	})
	f.Fuzz(func(t *testing.T, in []byte) {
		if bytes.Contains(in, []byte("subscribe")) {
			return // events are not replies
		}
		got := exchange(t, s, in)
		frames := bytes.SplitAfter(got, []byte{0})
		if last := frames[len(frames)-1]; len(last) > 0 {
			t.Fatalf("%q after the last frame", last)
		}
		frames = frames[:len(frames)-1]
		if want := replies(in); len(frames) != want {
			t.Fatalf("%d replies to %q, want %d", len(frames), in, want)
		}
		for _, frame := range frames {
			checkReply(t, frame[:len(frame)-1])
		}
	})
}

// replies returns how many frames the server owes for the input in.
func replies(in []byte) int {
	requests := bytes.Split(in, []byte{0})
	n := len(requests) - 1
	if rest := requests[n]; n == 0 || len(bytes.Trim(rest, " \t\n\r\v\f")) > 0 {
		n++
	}
	return n
}

func checkReply(t *testing.T, frame []byte) {
	t.Helper()
	for _, b := range frame {
		if b < ' ' || b > '~' {
			t.Fatalf("byte %#x in %q", b, frame)
		}
	}
	var reply map[string]any
	if err := json.Unmarshal(frame, &reply); err != nil {
		t.Fatalf("reply %q: %v", frame, err)
	}
	_, result := reply["result"]
	text, isError := reply["error"]
	if _, isText := text.(string); result == isError || isError && !isText {
		t.Fatalf("reply %q", frame)
	}
}

// halfPipe is the server's end of a connection. It reads a given input to its end.
type halfPipe struct {
	in  *bytes.Reader
	out bytes.Buffer
}

func (h *halfPipe) Read(p []byte) (int, error)       { return h.in.Read(p) }
func (h *halfPipe) Write(p []byte) (int, error)      { return h.out.Write(p) }
func (h *halfPipe) Close() error                     { return nil }
func (h *halfPipe) LocalAddr() net.Addr              { return nil }
func (h *halfPipe) RemoteAddr() net.Addr             { return nil }
func (h *halfPipe) SetDeadline(time.Time) error      { return nil }
func (h *halfPipe) SetReadDeadline(time.Time) error  { return nil }
func (h *halfPipe) SetWriteDeadline(time.Time) error { return nil }

func exchange(t *testing.T, s *Server, in []byte) []byte {
	nc := &halfPipe{in: bytes.NewReader(in)}
	c := newConn(s, nc, Peer{})
	if _, v := s.conns.admit(c); v != admitted {
		t.Fatalf("verdict %v", v)
	}
	c.serve(context.Background())
	return nc.out.Bytes()
}

// FuzzDepth compares depth with the decoder's own count: a text that nests deeper
// than allowed must never pass.
func FuzzDepth(f *testing.F) {
	f.Add([]byte(`{"a":[{"b":"]}\\\""}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		want, now := 0, 0
		dec := json.NewDecoder(bytes.NewReader(text))
		for {
			token, err := dec.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				return // the text is no JSON, so depth may return any number
			}
			switch token {
			case json.Delim('{'), json.Delim('['):
				now++
				want = max(want, now)
			case json.Delim('}'), json.Delim(']'):
				now--
			}
		}
		if got := depth(text); got != want {
			t.Fatalf("depth(%q) = %d, want %d", text, got, want)
		}
	})
}
