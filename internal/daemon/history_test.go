package daemon

import (
	"testing"

	"github.com/netconnectd/netconnectd/client"
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
