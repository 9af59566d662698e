// Package hook runs the executables in a folder for each event, one event after the
// other. It runs only executables that root alone can write to.
package hook

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/loglimit"
	"github.com/netconnectd/netconnectd/internal/process"
)

const (
	// deadline bounds the time of one hook for one event.
	deadline = 30 * time.Second

	// queueLimit is how many events may wait for slow hooks.
	queueLimit = 64
)

// eventTypes are the types of events that hooks are called for.
var eventTypes = []string{client.EventUplink, client.EventAccessPoint, client.EventJoin}

// Runner calls the hooks of a folder. Its methods may be called concurrently.
type Runner struct {
	folder func() string // returns the folder that is configured now
	log    *slog.Logger
	said   *loglimit.Limiter // limits log lines that events can cause
	limit  time.Duration
	owner  uint32 // who may write hooks: root

	mu      sync.Mutex
	waiting []client.Event
	hint    chan struct{} // signals that an event waits

	refused map[string]string // reasons that were logged, by path; only Run uses it
}

// New returns a Runner for a folder, which need not exist and may change.
func New(folder func() string, log *slog.Logger) *Runner {
	return &Runner{folder: folder, log: log, said: loglimit.New(log, time.Minute), limit: deadline, hint: make(chan struct{}, 1), refused: map[string]string{}}
}

// Tell queues an event for the hooks if its type is one of eventTypes. Tell never
// waits: if hooks are slower than events, the oldest events are dropped.
func (r *Runner) Tell(e client.Event) {
	if !slices.Contains(eventTypes, e.Type) {
		return
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	r.mu.Lock()
	r.waiting = append(r.waiting, e)
	dropped := len(r.waiting) > queueLimit
	if dropped {
		r.waiting = slices.Delete(r.waiting, 0, 1)
	}
	r.mu.Unlock()
	if dropped {
		r.said.Log(context.Background(), "slow", 1, slog.LevelWarn, "hooks are too slow, an event is dropped", "folder", r.folder())
	}
	select {
	case r.hint <- struct{}{}:
	default:
	}
}

// Run calls hooks until ctx ends, which also ends a running hook.
func (r *Runner) Run(ctx context.Context) error {
	defer r.said.Close()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.hint:
		}
		for e, ok := r.next(); ok && ctx.Err() == nil; e, ok = r.next() {
			r.call(ctx, e)
		}
	}
}

func (r *Runner) next() (client.Event, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		return client.Event{}, false
	}
	e := r.waiting[0]
	r.waiting = slices.Delete(r.waiting, 0, 1)
	return e, true
}

// call runs each hook with the event. If a hook fails, the others still run.
func (r *Runner) call(ctx context.Context, e client.Event) {
	for _, path := range r.hooks() {
		if ctx.Err() != nil {
			return
		}
		if err := r.run(ctx, path, e); err != nil && ctx.Err() == nil {
			r.log.Warn("hook failed", "hook", filepath.Base(path), "event", e.Type, "err", err)
		}
	}
}

func (r *Runner) run(ctx context.Context, path string, e client.Event) error {
	stdin, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.limit, fmt.Errorf("not done within %v", r.limit))
	defer cancel()
	out := &lines{say: func(line string) { r.log.Info("hook says", "hook", filepath.Base(path), "line", line) }}
	defer out.flush()
	return process.RunScript(ctx, path, environment(e), append(stdin, '\n'), out)
}

// environment returns the event as variables for shells. No value has a control
// character, so that any SSID of a stranger is a single line.
func environment(e client.Event) []string {
	values := []struct{ name, value string }{
		{"EVENT", e.Type}, {"OLD", e.Old}, {"NEW", e.New}, {"CODE", e.Code}, {"REASON", e.Reason},
	}
	if e.Network != nil {
		values = append(values, struct{ name, value string }{"SSID", e.SSID}, struct{ name, value string }{"SSID_HEX", e.SSIDHex})
	}
	var env []string
	for _, v := range values {
		env = append(env, "NETCONNECTD_"+v.name+"="+oneLine(v.value))
	}
	return env
}

func oneLine(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < ' ' || r == 0x7f {
			fmt.Fprintf(&b, `\x%02x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hooks returns the hooks that may run, in the order of their names.
func (r *Runner) hooks() (paths []string) {
	found, refused := find(r.folder(), r.owner)
	for path, reason := range refused {
		if r.refused[path] != reason {
			r.log.Warn("hook not run", "hook", path, "reason", reason)
		}
	}
	r.refused = refused
	return found
}

// unmeant are the suffixes of files of editors and package managers that must not run.
var unmeant = []string{"~", ".bak", ".orig", ".swp", ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".dpkg-tmp", ".disabled"}

func meant(entry fs.DirEntry) bool {
	name := entry.Name()
	return !entry.IsDir() && !strings.HasPrefix(name, ".") &&
		!slices.ContainsFunc(unmeant, func(end string) bool { return strings.HasSuffix(name, end) })
}
