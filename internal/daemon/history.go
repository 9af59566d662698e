package daemon

import (
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/history"
)

// openHistory gives the history in the state folder. One that cannot be read is
// a line in the log, no more.
func openHistory(stateDir string, log *slog.Logger) (*history.History, error) {
	clock, err := history.MachineClock()
	if err != nil {
		log.Warn("open the history", "err", err)
	}
	h, err := history.Open(filepath.Join(stateDir, "history.jsonl"), clock, log)
	if err != nil {
		log.Error("open the history", "err", err)
	}
	return h, err
}

// recordStart notes the start of this run, and if the one before has not noted
// its end.
func (d *daemon) recordStart() {
	d.history.Record(client.Event{
		Type: client.EventDaemon, New: client.DaemonStarted, Reason: startReason(d.Version, d.history.Last(0)),
	})
}

// startReason says how the run before ended, as far as that is known: Seconds
// is there in entries since the machine was started.
func startReason(version string, before []client.HistoryEntry) string {
	reason := "version " + version
	ofDaemon := slices.DeleteFunc(slices.Clone(before), func(e client.HistoryEntry) bool { return e.Type != client.EventDaemon })
	if len(ofDaemon) == 0 {
		return reason
	}
	switch last := ofDaemon[len(ofDaemon)-1]; {
	case last.New == client.DaemonEnded:
		return reason
	case last.Seconds == nil:
		return reason + "; the run before was cut off, as by a loss of power"
	}
	return reason + "; the run before crashed or was killed"
}

// recordEnd notes that this run ended in order, when nothing else happens any
// more.
func (d *daemon) recordEnd() {
	d.history.Record(client.Event{Type: client.EventDaemon, New: client.DaemonEnded, Reason: "version " + d.Version})
	d.history.Flush()
}
