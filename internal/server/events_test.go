package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

func TestSubscribe(t *testing.T) {
	f := &fake{status: client.Status{Version: "1.2", Uplink: client.Uplink{Condition: client.Condition{State: "online"}}}}
	r := start(t, f, nil)
	r.Publish(client.Event{Type: client.EventUplink}) // before any client listens
	nc := r.dial(t)
	send(t, nc, `{"subscribe":{},"id":"s"}`+"\x00", 1<<20)
	if got := readFrame(t, nc); got != `{"result":"subscribed","id":"s"}`+"\x00" {
		t.Errorf("result %q", got)
	}
	snapshot := readFrame(t, nc)
	mustContain(t, snapshot, `{"event":{"type":"snapshot","time":"`)
	mustContain(t, snapshot, `"status":{"link":false,"devs":[],`)
	mustContain(t, snapshot, `"version":"1.2"`)
	mustContain(t, snapshot, `},"seq":1}`)

	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.Publish(client.Event{Type: client.EventUplink, Time: at, Old: "online", New: "joining", Reason: "carrier lost on wlan0"})
	want := `{"event":{"type":"uplink","time":"2026-01-02T03:04:05Z","old":"online","new":"joining","reason":"carrier lost on wlan0"},"seq":2}` + "\x00"
	if got := readFrame(t, nc); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}

	// Requests are answered beside the subscription.
	send(t, nc, `{"reset":{},"id":2}`+"\x00", 1<<20)
	if got := readFrame(t, nc); got != `{"result":"reset daemon","id":2}`+"\x00" {
		t.Errorf("reply %q", got)
	}
	send(t, nc, `{"subscribe":{}}`+"\x00", 1<<20)
	mustContain(t, readFrame(t, nc), `"code":"bad_request"`)

	r.Publish(client.Event{Type: client.EventStatus, Status: &client.Status{}})
	mustContain(t, readFrame(t, nc), `"devs":[]`)

	go r.stop()
	if got := readAll(t, nc); got != string(errorFrame(nil, errShuttingDown)) {
		t.Errorf("at shutdown %q", got)
	}
}

// TestSeqHasNoGap lets many clients subscribe while events are published. Each client
// must receive a snapshot and then every later event.
func TestSeqHasNoGap(t *testing.T) {
	const subscribers, events = 20, 400
	r := start(t, &fake{}, func(c *Config) { c.EventQueue = events })
	var wg sync.WaitGroup
	for range subscribers {
		nc := r.dial(t)
		wg.Go(func() {
			fmt.Fprint(nc, `{"subscribe":{}}`+"\x00")
			frames := client.NewFrameReader(nc, 1<<20)
			frames.Read()
			last := int64(-1)
			for {
				frame, err := frames.Read()
				var e struct{ Seq int64 }
				if err != nil || json.Unmarshal(frame, &e) != nil {
					t.Errorf("after %d: %q, %v", last, frame, err)
					return
				}
				if last >= 0 && e.Seq != last+1 {
					t.Errorf("%d follows %d", e.Seq, last)
					return
				}
				if last < 0 && !strings.Contains(string(frame), `"snapshot"`) {
					t.Errorf("first event %q", frame)
				}
				if last = e.Seq; last == events {
					return
				}
			}
		})
	}
	for range events {
		r.Publish(client.Event{Type: client.EventUplink})
	}
	wg.Wait()
}

// TestAgesAreNotTheClocks sets the clock by three days after the device went online,
// and checks that the age in the reply does not change with it.
func TestAgesAreNotTheClocks(t *testing.T) {
	since := time.Now().Add(-3 * 24 * time.Hour).Round(0)
	f := &fake{status: client.Status{Uplink: client.Uplink{Condition: client.Condition{Since: since, Seconds: 90}}}}
	mustContain(t, start(t, f, nil).talk(t, `{"status":{}}`+"\x00", 1<<20), `"seconds":90`)
}
