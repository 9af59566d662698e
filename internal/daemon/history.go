package daemon

import (
	"fmt"
	"log/slog"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/history"
	"github.com/netconnectd/netconnectd/internal/server"
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

// affected names the saved networks that a request destroys or changes, as they
// are before it, and reports whether the request is one of these.
func (d *daemon) affected(req server.Request) (what string, changes bool) {
	switch req := req.(type) {
	case server.ForgetWifi, server.Reset:
		return d.allNames(), true
	case server.RemoveNetwork:
		return client.SSIDInText(req.SSID), true
	case server.AddNetwork:
		return client.SSIDInText(req.SSID), true
	case server.SetNetwork:
		return client.SSIDInText(req.SSID), true
	case server.Adopt:
		return client.SSIDInText(req.SSID), true
	}
	return "", false
}

// mostNamed keeps a line of the history readable.
const mostNamed = 20

// allNames names all networks that a reset forgets.
func (d *daemon) allNames() string {
	var names []string
	for _, n := range d.radio.Networks().Networks() {
		names = append(names, client.SSIDInText(n.SSID))
	}
	if n, ok := d.radio.Networks().Candidate(); ok {
		names = append(names, client.SSIDInText(n.SSID)+" (to be tried)")
	}
	if len(names) == 0 {
		return "nothing was saved"
	}
	if more := len(names) - mostNamed; more > 0 {
		names = append(names[:mostNamed], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// recordNetworks notes who had a command carried out that changed what is saved.
func (d *daemon) recordNetworks(peer server.Peer, command, what string) {
	reason := fmt.Sprintf("asked by %s (process %d): %s", userName(peer.UID), peer.PID, what)
	d.log.Info("saved networks changed", "command", command, "by", reason)
	if d.history != nil {
		d.history.Record(client.Event{Type: client.EventNetworks, New: command, Reason: reason})
	}
}

// userName is the user's name where /etc/passwd has one.
func userName(uid uint32) string {
	number := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(number); err == nil {
		return fmt.Sprintf("user %s, uid %s", u.Username, number)
	}
	return "uid " + number
}
