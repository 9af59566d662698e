package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// eventLog is the output of netconnectcli events, run by a user without rights.
type eventLog struct {
	*program
	file string
}

// events starts to listen.
func (l *Lab) events(t testing.TB) *eventLog {
	t.Helper()
	file, err := os.CreateTemp(l.logs, "events-*.log")
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	e := &eventLog{file: file.Name()}
	e.program = namespace("").start(t, e.file, "setpriv", "--reuid", stranger, "--regid", stranger, "--init-groups",
		"netconnectcli", "--json", "events")
	t.Cleanup(e.end)
	until(t, 10*time.Second, "the first event is there", func() (string, bool) {
		text := e.text(t)
		return text, strings.Contains(text, `"snapshot"`)
	})
	return e
}

func (e *eventLog) text(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(e.file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// event is the part of an event that scenarios read.
type event struct{ Type, Old, New, Reason, Code, SSID string }

func (e *eventLog) all(t testing.TB) (all []event) {
	t.Helper()
	for line := range strings.Lines(e.text(t)) {
		var one struct{ Event event }
		if err := json.Unmarshal([]byte(line), &one); err != nil || one.Event.Type == "" {
			t.Fatalf("read %s: %v: %s", filepath.Base(e.file), err, line)
		}
		all = append(all, one.Event)
	}
	return all
}

// transitions returns the changes of the daemon's two state variables.
func (e *eventLog) transitions(t testing.TB) (found []string) {
	t.Helper()
	for _, one := range e.all(t) {
		if one.Type == "uplink" || one.Type == "access_point" {
			found = append(found, fmt.Sprintf("%s %s -> %s: %s", one.Type, one.Old, one.New, one.Reason))
		}
	}
	return found
}

// failures returns the failed joins, as "SSID code".
func (e *eventLog) failures(t testing.TB) (found []string) {
	t.Helper()
	for _, one := range e.all(t) {
		if one.Type == "join" && one.New == "failed" {
			found = append(found, one.SSID+" "+one.Code)
		}
	}
	return found
}

// none ends the subscription and checks that nothing has changed.
func (e *eventLog) none(t testing.TB) string {
	t.Helper()
	if !e.running() {
		t.Errorf("netconnectcli events ended by itself, see %s", filepath.Base(e.file))
	}
	if changes := e.transitions(t); len(changes) != 0 {
		t.Errorf("there were transitions:\n%s", strings.Join(changes, "\n"))
	}
	e.end()
	return "netconnectcli events: no transition"
}
