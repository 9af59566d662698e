package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"
)

func TestEncodeFrame(t *testing.T) {
	rows := []struct {
		name string
		in   any
		want string
	}{
		{"object", map[string]any{"status": struct{}{}}, `{"status":{}}`},
		{"no escaping for HTML", "<&>", `"<&>"`},
		{"two bytes", "ü", `"\u00fc"`},
		{"beyond the basic plane", "😀", `"\ud83d\ude00"`},
		{"delete", "\x7f", `"\u007f"`},
		{"line end", "\n", `"\n"`},
		{"NUL", "\x00", `"\u0000"`},
		{"invalid UTF-8 is replaced", "\xff", `"\ufffd"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got, err := EncodeFrame(row.in); err != nil || string(got) != row.want+"\x00" {
				t.Errorf("got %q, %v, want %q", got, err, row.want)
			}
		})
	}
	if _, err := EncodeFrame(make(chan int)); err == nil {
		t.Error("a channel was encoded")
	}
}

func TestFrameReader(t *testing.T) {
	long := strings.Repeat("x", 10000)
	rows := []struct {
		name, in string
		want     []string // the frames, and then the error
	}{
		{"end at once", "", []string{"EOF"}},
		{"white space is nothing", " \t\r\n\v\f", []string{"EOF"}},
		{"one", "a\x00", []string{"a", "EOF"}},
		{"white space before, inside and after", " \n a b \x00\n", []string{"a b ", "EOF"}},
		{"several", "a\x00b\x00 c\x00", []string{"a", "b", "c", "EOF"}},
		{"empty", "\x00\x00", []string{"", "", "EOF"}},
		{"half", "a\x00b", []string{"a", "unexpected EOF"}},
		{"as long as may be", long + "\x00", []string{long, "EOF"}},
		{"too long, then the next", "y" + long + "\x00b\x00", []string{"frame is too long", "b", "EOF"}},
		{"too long without end", "y" + long, []string{"unexpected EOF"}},
	}
	for _, row := range rows {
		for name, r := range map[string]io.Reader{
			"whole":       strings.NewReader(row.in),
			"single byte": iotest.OneByteReader(strings.NewReader(row.in)),
		} {
			t.Run(row.name+"/"+name, func(t *testing.T) {
				frames := NewFrameReader(r, len(long))
				for _, want := range row.want {
					got, err := frames.Read()
					if err != nil {
						got = []byte(err.Error())
					}
					if string(got) != want {
						t.Fatalf("got %.40q, want %.40q", got, want)
					}
				}
			})
		}
	}
}

// FuzzFrame compares the reader with a plain split at NUL.
func FuzzFrame(f *testing.F) {
	f.Add([]byte(" a\x00\x00b"), 3)
	f.Fuzz(func(t *testing.T, in []byte, limit int) {
		limit = max(0, limit%64)
		frames := NewFrameReader(iotest.HalfReader(bytes.NewReader(in)), limit)
		parts := bytes.Split(in, []byte{0})
		for i, part := range parts {
			part = bytes.TrimLeft(part, " \t\n\r\v\f")
			got, err := frames.Read()
			var want error
			switch {
			case i == len(parts)-1 && len(part) == 0:
				want = io.EOF
			case i == len(parts)-1:
				want = io.ErrUnexpectedEOF
			case len(part) > limit:
				want = ErrTooLong
			}
			if err != want || err == nil && !bytes.Equal(got, part) {
				t.Fatalf("part %d of %q: got %q, %v, want %q, %v", i, in, got, err, part, want)
			}
		}
	})
}

// TestSSIDInText checks that an SSID in a text can neither begin another line nor act
// on a terminal, and that different SSIDs that cannot be printed stay different.
func TestSSIDInText(t *testing.T) {
	rows := []struct{ name, in, want string }{
		{"plain", "Home", "could not find wifi cell with ssid Home"},
		{"UTF-8", "Köln 😀", "could not find wifi cell with ssid Köln 😀"},
		{"a backslash", `a\b`, `could not find wifi cell with ssid a\b`},
		{"a new line", "a\nconnected", `could not find wifi cell with ssid a\x0aconnected`},
		{"a new line and a backslash", "a\n\\x0a", `could not find wifi cell with ssid a\x0a\\x0a`},
		{"an escape", "\x1b[2J", `could not find wifi cell with ssid \x1b[2J`},
		{"a control character of Unicode", "a\u0085b", `could not find wifi cell with ssid a\xc2\x85b`},
		{"the direction of writing", "a\u202eb", `could not find wifi cell with ssid a\xe2\x80\xaeb`},
		{"bytes", "a\xff", `could not find wifi cell with ssid a\xff`},
		{"hidden by NULs", "\x00\x00", "could not find wifi cell with ssid "},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := TextNotFound([]byte(row.in)); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestSSIDText(t *testing.T) {
	rows := []struct{ name, in, want string }{
		{"plain", "Home", "Home"},
		{"UTF-8", "Köln 😀", "Köln 😀"},
		{"valid UTF-8 is not escaped", `a\xff`, `a\xff`},
		{"bytes", "a\xff\\\x01", `a\xff\\\x01`},
		{"hidden by length", "", ""},
		{"hidden by NULs", "\x00\x00\x00", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := SSIDText([]byte(row.in)); got != row.want || !utf8.ValidString(got) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
	n := NewNetwork([]byte("\xff"))
	if n.SSIDHex != "ff" {
		t.Errorf("ssid_hex is %q", n.SSIDHex)
	}
}

func TestConfigWifiParams(t *testing.T) {
	rows := []struct{ name, ssid, psk, want string }{
		{"text", "Köln", "12345678", `{"ssid":"K\u00f6ln","psk":"12345678","force":false}`},
		{"open", "Home", "", `{"ssid":"Home","force":false}`},
		{"empty", "", "", `{"ssid":"","force":false}`},
		{"bytes", "\xff", "", `{"ssid_hex":"ff","force":false}`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, err := EncodeFrame(ConfigWifiParams([]byte(row.ssid), row.psk, false))
			if err != nil || string(got) != row.want+"\x00" {
				t.Errorf("got %q, %v, want %q", got, err, row.want)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	rows := []struct {
		err  Error
		want string
	}{
		{Error{Message: "unknown message"}, "unknown message"},
		{Error{Code: "wrong_key", Message: "could not connect"}, "could not connect (wrong_key)"},
		{Error{Code: "wrong_key", Message: "could not connect", Reason: "refused"}, "could not connect (wrong_key): refused"},
		{Error{Code: "bad_config", Message: "2 problems\n  one\n  two"}, "2 problems (bad_config)\n  one\n  two"},
	}
	for _, row := range rows {
		if got := row.err.Error(); got != row.want {
			t.Errorf("got %q, want %q", got, row.want)
		}
	}
}

// script plays a daemon that answers the frames of one connection in turn.
func script(t *testing.T, answers ...string) (path string, requests func() []string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var got []string
	go func() {
		defer close(done)
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		frames := NewFrameReader(nc, MaxRequest)
		for _, answer := range answers {
			frame, err := frames.Read()
			if err != nil {
				return
			}
			got = append(got, string(frame))
			io.WriteString(nc, answer)
		}
		frames.Read() // until the client leaves, or sends too many requests
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return path, func() []string { <-done; return got }
}

func dial(t *testing.T, path string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestCommands(t *testing.T) {
	path, requests := script(t,
		`{"result":{"link":true,"devs":["eth0"],"connections":{"wired":true},"wifi":{"current_ssid":null}}}`+"\x00",
		`  {"result":[{"ssid":"Home","address":"02:00:00:00:00:01","signal":-40,"new":1}]}`+"\x00",
		`{"result":"a"}`+"\x00", `{"result":"b"}`+"\x00", `{"result":"c"}`+"\x00",
		`{"result":"d"}`+"\x00", `{"result":"e"}`+"\x00", `{"result":"f"}`+"\x00",
		`{"result":"g"}`+"\x00", `{"result":"h"}`+"\x00",
		`{"error":"unknown message"}`+"\x00",
		`{"error":"could not connect","code":"wrong_key","reason":"r"}`+"\x00",
	)
	c, ctx := dial(t, path), t.Context()
	if s, err := c.Status(ctx); err != nil || !s.Link || !s.Connections.Wired || s.Wifi.CurrentSSID != nil {
		t.Errorf("Status() = %+v, %v", s, err)
	}
	if l, err := c.ListWifi(ctx, true); err != nil || len(l) != 1 || l[0].SSID != "Home" || *l[0].Signal != -40 {
		t.Errorf("ListWifi() = %+v, %v", l, err)
	}
	var texts []string
	for _, call := range []func() (string, error){
		func() (string, error) { return c.ConfigWifi(ctx, []byte("Home"), "12345678", true) },
		func() (string, error) { return c.StartWifi(ctx) },
		func() (string, error) { return c.ForgetWifi(ctx) },
		func() (string, error) { return c.Reset(ctx) },
		func() (string, error) { return c.StartAP(ctx) },
		func() (string, error) { return c.StopAP(ctx) },
		func() (string, error) { return c.Reload(ctx) },
		func() (string, error) { return c.StopDaemon(ctx) },
	} {
		text, err := call()
		if err != nil {
			t.Error(err)
		}
		texts = append(texts, text)
	}
	if got := strings.Join(texts, ""); got != "abcdefgh" {
		t.Errorf("texts %q", got)
	}
	var e *Error
	if _, err := c.StopAP(ctx); !errors.As(err, &e) || *e != (Error{Message: "unknown message"}) {
		t.Errorf("original error: %v", err)
	}
	frame, err := c.Do(ctx, "start_wifi", nil)
	if !errors.As(err, &e) || *e != (Error{"wrong_key", "could not connect", "r"}) || !json.Valid(frame) {
		t.Errorf("error: %s, %v", frame, err)
	}
	c.Close()
	want := `{"status":{}} {"list_wifi":{"force":true}} {"config_wifi":{"ssid":"Home","psk":"12345678","force":true}} ` +
		`{"start_wifi":{}} {"forget_wifi":{}} {"reset":{}} {"start_ap":{}} {"stop_ap":{}} {"reload":{}} {"stop_daemon":{}} {"stop_ap":{}} {"start_wifi":{}}`
	if got := strings.Join(requests(), " "); got != want {
		t.Errorf("sent %s", got)
	}
}

// TestNotUTF8 checks that such a string is refused, because JSON would change it
// silently.
func TestNotUTF8(t *testing.T) {
	home, bad := []byte("Home"), "a\xff"
	path, requests := script(t, `{"result":"changed"}`+"\x00")
	c, ctx := dial(t, path), t.Context()
	for _, row := range []struct {
		name   string
		params any
		want   string
	}{
		{"a passphrase", ConfigWifiParams(home, bad, false), "psk is not UTF-8; give the key as 64 hexadecimal digits (wpa_passphrase prints them), or change it to ASCII where the network has WPA3 only"},
		{"one to save", SettingsParams(home, NetworkSettings{PSK: &bad}), "psk is not UTF-8; give the key as 64 hexadecimal digits"},
		{"a name of a user", SettingsParams(home, NetworkSettings{EAP: &EAP{Method: "peap", Identity: bad}}), "eap.identity is not UTF-8; write it in UTF-8"},
		{"a password", SettingsParams(home, NetworkSettings{EAP: &EAP{Password: bad}}), "eap.password is not UTF-8; "},
		{"the key's password", SettingsParams(home, NetworkSettings{EAP: &EAP{PrivateKeyPassword: bad}}), "eap.private_key_password is not UTF-8; "},
		{"in a list", SettingsParams(home, NetworkSettings{Addressing: &Addressing{DNS: []string{"192.0.2.1", bad}}}), "addressing.dns is not UTF-8; "},
		{"in a map", map[string]any{"interface": map[string]string{"name": bad}}, "interface.name is not UTF-8; "},
	} {
		frame, err := c.Do(ctx, "set_network", row.params)
		var refused *Error
		if !errors.As(err, &refused) || refused.Code != CodeBadRequest || !strings.HasPrefix(refused.Message, row.want) || frame != nil {
			t.Errorf("%s: %s, %v, want %q", row.name, frame, err, row.want)
		}
	}
	psk := "größer\ufffd"
	if _, err := c.SetNetwork(ctx, []byte{0xff}, NetworkSettings{PSK: &psk}); err != nil {
		t.Errorf("what is UTF-8 is refused: %v", err)
	}
	c.Close()
	if got := strings.Join(requests(), " "); got != `{"set_network":{"ssid_hex":"ff","psk":"gr\u00f6\u00dfer\ufffd"}}` {
		t.Errorf("sent %s", got)
	}
}

func TestBrokenDaemons(t *testing.T) {
	rows := []struct{ name, answer, want string }{
		{"closes", "", "status: netconnectd closed the connection"},
		{"closes within the reply", `{"result":`, "status: netconnectd closed the connection"},
		{"no JSON", "x\x00", "decode reply"},
		{"neither result nor error", "{}\x00", "neither result nor error"},
		{"error is not a text", `{"error":{}}` + "\x00", "decode reply"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				nc, err := l.Accept()
				if err != nil {
					return
				}
				NewFrameReader(nc, MaxRequest).Read()
				io.WriteString(nc, row.answer)
				nc.Close()
			}()
			c := dial(t, path)
			if _, err := c.Status(t.Context()); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

func TestContextEndsACall(t *testing.T) {
	path, _ := script(t, "  ") // keeps the client waiting
	c := dial(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for range 2 { // the connection stays unusable
		if _, err := c.StartWifi(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		ctx = t.Context()
	}
}

func TestSubscribe(t *testing.T) {
	path, _ := script(t, `{"result":"subscribed"}`+"\x00"+
		`{"event":{"type":"snapshot","time":"2026-01-02T03:04:05Z","status":{"version":"9"}},"seq":4}`+"\x00"+
		`{"event":{"type":"uplink","old":"a","new":"b","later":1},"seq":5}`+"\x00"+
		`{"error":"netconnectd is shutting down","code":"shutting_down"}`+"\x00")
	c, ctx := dial(t, path), t.Context()
	sub, err := c.Subscribe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(ctx); err == nil {
		t.Error("a call on a subscribed connection succeeded")
	}
	if e, err := sub.Next(ctx); err != nil || e.Type != EventSnapshot || e.Seq != 4 || e.Status.Version != "9" {
		t.Errorf("first %+v, %v", e, err)
	}
	if e, err := sub.Next(ctx); err != nil || e.Old+e.New != "ab" || e.Seq != 5 || !strings.Contains(string(e.Frame), `"later":1`) {
		t.Errorf("second %+v, %v", e, err)
	}
	var reply *Error
	if _, err := sub.Next(ctx); !errors.As(err, &reply) || reply.Code != CodeShuttingDown {
		t.Errorf("last %v", err)
	}
}

func TestSubscribeRefused(t *testing.T) {
	path, _ := script(t, `{"error":"unknown message"}`+"\x00", `{"result":"reset daemon"}`+"\x00")
	c := dial(t, path)
	var reply *Error
	if _, err := c.Subscribe(t.Context()); !errors.As(err, &reply) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Reset(t.Context()); err != nil {
		t.Errorf("the connection is lost: %v", err)
	}
}

func TestDialWithoutDaemon(t *testing.T) {
	if _, err := Dial(t.Context(), filepath.Join(t.TempDir(), "s")); err == nil || !strings.Contains(err.Error(), "connect to netconnectd") {
		t.Errorf("got %v", err)
	}
}
