package wpactrl

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Event is one unsolicited message, for example
// "<3>CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=3".
type Event struct {
	Priority int    // 0 (most verbose) to 5 (error), as in MSG_… of wpa_debug.h
	Name     string // the first word: "CTRL-EVENT-DISCONNECTED"
	Args     string // the rest, unchanged
}

// ParseEvent splits a message. A message without "<n>" in front has priority 0.
func ParseEvent(message string) Event {
	var e Event
	message = strings.TrimRight(message, "\n")
	if number, rest, found := strings.Cut(message, ">"); found && strings.HasPrefix(number, "<") {
		if n, err := strconv.Atoi(number[1:]); err == nil {
			e.Priority, message = n, rest
		}
	}
	e.Name, e.Args, _ = strings.Cut(message, " ")
	return e
}

// Param returns the value of key among the "key=value" words of Args, or "". A quoted
// value is returned without its quotes and still escaped (Unescape). A "key=value"
// within quotes is no parameter, so a hostile SSID cannot forge one.
func (e Event) Param(key string) string {
	rest := e.Args
	for rest != "" {
		var word string
		word, rest = cutWord(rest)
		name, value, found := strings.Cut(strings.TrimPrefix(word, "["), "=")
		if !found || name != key {
			continue
		}
		if inner, quoted := strings.CutPrefix(value, `"`); quoted {
			return strings.TrimSuffix(inner, `"`)
		}
		return strings.TrimSuffix(value, "]")
	}
	return ""
}

// cutWord splits at the first space that is not within double quotes.
func cutWord(s string) (word, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++ // skip the escaped character, which ends neither the quotes nor the word
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ' ' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// Unescape undoes the printf-style escaping that both programs use for SSIDs in
// events, STATUS and SCAN_RESULTS: \\ \" \e \n \r \t \xHH (printf_encode in their
// sources). Any other text stays as it is.
func Unescape(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		if plain := strings.IndexByte(`\"enrt`, s[i+1]); plain >= 0 {
			out = append(out, "\\\"\033\n\r\t"[plain])
			i++
			continue
		}
		if s[i+1] == 'x' && i+3 < len(s) {
			if b, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil {
				out = append(out, byte(b))
				i += 3
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}

// Events receives the unsolicited messages of one program over a connection of its
// own. One goroutine at a time may use it. A killed program sends no event, so its
// process must be watched, too.
type Events struct {
	sock    *socket
	pending []Event // events that came before the reply to ATTACH
}

// Attach connects as Dial does and subscribes to events. Every event after Attach's
// return is delivered, unless Next is not called for so long that the program drops
// the subscription.
func Attach(ctx context.Context, socketPath, localDir string) (*Events, error) {
	sock, err := dial(socketPath, localDir)
	if err != nil {
		return nil, err
	}
	e := &Events{sock: sock}
	ctx, cancel := context.WithTimeout(ctx, DefaultDeadline)
	defer cancel()
	if err := e.attach(ctx); err != nil {
		sock.Close()
		return nil, fmt.Errorf("attach to %s: %w", socketPath, err)
	}
	return e, nil
}

func (e *Events) attach(ctx context.Context) error {
	reply, err := e.sock.exchange(ctx, "ATTACH")
	for ; err == nil; reply, err = e.readWithin(ctx) {
		switch reply = strings.TrimSuffix(reply, "\n"); {
		case reply == "OK":
			return nil
		case strings.HasPrefix(reply, "<"):
			e.pending = append(e.pending, ParseEvent(reply))
		default:
			return &CommandError{Command: "ATTACH", Reply: reply}
		}
	}
	return err
}

// Next blocks until an event comes. When ctx ends, it returns the error of ctx.
func (e *Events) Next(ctx context.Context) (Event, error) {
	if len(e.pending) > 0 {
		first := e.pending[0]
		e.pending = e.pending[1:]
		return first, nil
	}
	message, err := e.readWithin(ctx)
	if err != nil {
		return Event{}, fmt.Errorf("wait for an event: %w", err)
	}
	return ParseEvent(message), nil
}

// Waiting returns the next event that has arrived already.
func (e *Events) Waiting() (Event, bool) {
	if len(e.pending) > 0 {
		first := e.pending[0]
		e.pending = e.pending[1:]
		return first, true
	}
	message, ok := e.sock.readNow()
	return ParseEvent(message), ok
}

func (e *Events) readWithin(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", context.Cause(ctx)
	}
	stop := e.sock.limit(ctx)
	defer stop()
	return e.sock.read(ctx)
}

// Close unsubscribes without waiting for the answer and removes our socket.
func (e *Events) Close() error {
	e.sock.conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
	e.sock.conn.Write([]byte("DETACH")) // an error does not matter, because the program may have ended
	return e.sock.Close()
}
