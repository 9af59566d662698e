package daemon

import (
	"context"
	"sync"
	"testing"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
)

func TestStartReason(t *testing.T) {
	entry := func(kind, now string, thisBoot bool) client.HistoryEntry {
		e := client.HistoryEntry{Event: client.Event{Type: kind, New: now}}
		if thisBoot {
			e.Seconds = new(int64(3))
		}
		return e
	}
	started := entry(client.EventDaemon, client.DaemonStarted, false)
	startedNow := entry(client.EventDaemon, client.DaemonStarted, true)
	ended := entry(client.EventDaemon, client.DaemonEnded, true)
	online := entry(client.EventUplink, "online", true)
	for _, tt := range []struct {
		name   string
		before []client.HistoryEntry
		want   string
	}{
		{"the first run", nil, "version 1"},
		{"the run before ended", []client.HistoryEntry{startedNow, online, ended}, "version 1"},
		{"it did not, and the machine runs since", []client.HistoryEntry{ended, startedNow, online}, "version 1; the run before crashed or was killed"},
		{"it did not, and the machine was started since", []client.HistoryEntry{ended, started}, "version 1; the run before was cut off, as by a loss of power"},
		{"its start is not remembered any more", []client.HistoryEntry{online}, "version 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := startReason("1", tt.before); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// The history notes each change of the saved networks with the user who asked for it.
func TestHistorySaysWhoChangedTheNetworks(t *testing.T) {
	d := idle(t)
	d.history, _ = openHistory(t.TempDir(), d.log)
	ctx, end := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { _ = d.sup.Run(ctx, policy.Start{}, d.networks()) })
	defer work.Wait()
	defer end()
	home, office := []byte("home"), []byte("office")
	peer := server.Peer{UID: 4242, PID: 77}
	for _, row := range []struct {
		req  server.Request
		want string
	}{
		{server.AddNetwork{SSID: home}, "add_network: asked by uid 4242 (process 77): home"},
		{server.AddNetwork{SSID: office}, "add_network: asked by uid 4242 (process 77): office"},
		{server.SetNetwork{SSID: home}, "set_network: asked by uid 4242 (process 77): home"},
		{server.RemoveNetwork{SSID: office}, "remove_network: asked by uid 4242 (process 77): office"},
		{server.ForgetWifi{}, "forget_wifi: asked by uid 4242 (process 77): home"},
		{server.Reset{}, "reset: asked by uid 4242 (process 77): nothing was saved"},
	} {
		if _, err := d.Handle(ctx, peer, row.req); err != nil {
			t.Fatalf("%s: %v", row.req.Command(), err)
		}
		var got string
		for _, e := range d.history.Last(0) {
			if e.Type == client.EventNetworks {
				got = e.New + ": " + e.Reason
			}
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.req.Command(), got, row.want)
		}
	}
	if _, err := d.Handle(ctx, peer, server.RemoveNetwork{SSID: office}); err == nil {
		t.Error("removed twice")
	}
}
