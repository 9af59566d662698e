package server

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

// TestTrialRequests checks what the handler gets of the methods of a trial, and which
// arguments are refused.
func TestTrialRequests(t *testing.T) {
	const wrong = ` is a whole number of seconds, 5 to 3600","code":"bad_request"`
	for _, row := range []struct {
		name, method string
		want         Request
		refused      string
	}{
		{"the default", `"apply"`, Apply{time.Minute}, ""},
		{"null is absent", `"apply","args":{"confirm":null}`, Apply{time.Minute}, ""},
		{"the shortest", `"apply","args":{"confirm":5}`, Apply{5 * time.Second}, ""},
		{"the longest", `"extend","args":{"seconds":3600}`, Extend{time.Hour}, ""},
		{"too short", `"apply","args":{"confirm":4}`, nil, "confirm" + wrong},
		{"too long", `"extend","args":{"seconds":3601}`, nil, "seconds" + wrong},
		{"negative", `"apply","args":{"confirm":-5}`, nil, "confirm" + wrong},
		{"huge", `"apply","args":{"confirm":1e300}`, nil, "confirm" + wrong},
		{"a fraction", `"apply","args":{"confirm":5.5}`, nil, "confirm" + wrong},
		{"a text", `"apply","args":{"confirm":"60"}`, nil, "confirm" + wrong},
		{"a plan for no text", `"plan","args":{"config":""}`, nil, "parameter config is empty"},
		{"a plan for a number", `"plan","args":{"config":7}`, nil, "parameter config is not a text"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := &fake{}
			r := start(t, f, nil)
			got := r.talk(t, `{"call":{"object":"network","method":`+row.method+"}}\x00", 1<<20)
			if row.refused != "" {
				mustContain(t, got, row.refused)
			}
			if n := f.requests(); row.want == nil && len(n) > 0 || row.want != nil && (len(n) != 1 || n[0] != row.want) {
				t.Errorf("the handler got %#v; reply %q", n, got)
			}
		})
	}
}

// TestConfirmHasTheAgeOfItsConnection checks that a client cannot pretend that its
// connection is newer than it is.
func TestConfirmHasTheAgeOfItsConnection(t *testing.T) {
	var mu sync.Mutex
	var accepted []time.Time
	f := &fake{handle: func(_ context.Context, _ Peer, req Request) (any, error) {
		if c, ok := req.(Confirm); ok {
			mu.Lock()
			accepted = append(accepted, c.Accepted)
			mu.Unlock()
		}
		return nil, nil
	}}
	r := start(t, f, nil)
	const confirm = `{"call":{"object":"network","method":"confirm","args":{"Accepted":"2999-01-01T00:00:00Z"}}}` + "\x00"
	old := r.dial(t)
	before := time.Now()
	send(t, old, `{"call":{"object":"network","method":"revert"}}`+"\x00", 1<<20)
	readFrame(t, old)
	change := time.Now()
	for _, nc := range []net.Conn{old, r.dial(t)} {
		send(t, nc, confirm, 1<<20)
		readFrame(t, nc)
	}
	if len(accepted) != 2 || accepted[0].After(change) || accepted[0].IsZero() || !accepted[1].After(change) {
		t.Errorf("accepted at %v; the change was at %v, the first request at %v", accepted, change, before)
	}
}
