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

// openHistory opens the history in the state folder. The daemon goes on with an
// empty history if the file cannot be read.
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

// recordStart notes the start of this run, and whether the previous run ended
// without noting its end.
func (d *daemon) recordStart() {
	d.history.Record(client.Event{
		Type: client.EventDaemon, New: client.DaemonStarted, Reason: startReason(d.Version, d.history.Last(0)),
	})
}

// startReason returns how the previous run ended, as far as that is known. An entry
// without Seconds was written before the machine was started.
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

// recordEnd notes that this run ended in order. It is called when all other parts
// have ended.
func (d *daemon) recordEnd() {
	d.history.Record(client.Event{Type: client.EventDaemon, New: client.DaemonEnded, Reason: "version " + d.Version})
	d.history.Flush()
}

// affected returns the names of the saved networks that a request removes or
// changes, as they are before the request, and whether the request is of that kind.
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

// mostNamed is how many networks one line of the history names, so that the line
// stays readable.
const mostNamed = 20

// allNames returns the names of all networks that a reset forgets.
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

// recordNetworks notes which user changed the saved networks, and by which command.
func (d *daemon) recordNetworks(peer server.Peer, command, what string) {
	reason := fmt.Sprintf("asked by %s (process %d): %s", userName(peer.UID), peer.PID, what)
	d.log.Info("saved networks changed", "command", command, "by", reason)
	if d.history != nil {
		d.history.Record(client.Event{Type: client.EventNetworks, New: command, Reason: reason})
	}
}

// userName returns the user's name, if /etc/passwd has one, and the uid.
func userName(uid uint32) string {
	number := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(number); err == nil {
		return fmt.Sprintf("user %s, uid %s", u.Username, number)
	}
	return "uid " + number
}
