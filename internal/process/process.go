// Package process starts, supervises and ends the programs that the daemon
// needs. It is the only package that starts programs.
//
// A child outlives the daemon: it has no parent-death signal, it is a session of its
// own, and its pipe works without the daemon (see output.go). A record in the runtime
// folder has the child's pid and start time, so that the next daemon adopts the
// child. The child's environment names the record, so that a child that was started
// just before a crash is found as well.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"syscall"
)

// Spec describes a child that outlives the daemon.
type Spec struct {
	Role string    // unique in the runtime folder, part of the record's file name, e.g. "hostapd"; lower-case letters, digits, '-', '.', '_'
	Path string    // absolute path of the program
	Args []string  // without argv[0]; never a secret, everybody can read them
	Hash string    // of everything that makes a running child interchangeable with this one
	Caps []uintptr // ambient capabilities of the child, e.g. unix.CAP_NET_ADMIN; none by default
	// Confine restricts the child; nil: it has all rights of its user.
	Confine *Confinement
	// Pardoned reports whether an end after these last lines is no failure for
	// Runner.Failed; nil: each end is one.
	Pardoned func(last []string) bool
}

// Runner starts and adopts children. The zero value with Dir set is ready.
// Calls that concern one role must not overlap; different roles may.
type Runner struct {
	Dir    string       // runtime folder; records are <Dir>/children/<role>.json
	Output *os.File     // receives what children print, each line led by the role; nil discards it
	Log    *slog.Logger // nil discards
	Self   string       // this program, whose main calls RunConfined; "": no child is confined
	// Failed is called for every child that ends without a call of End, and for each
	// that hangs (see EndHung). It must not block. It may be nil.
	Failed func(role string)

	mu       sync.Mutex
	children map[string]*Child // the newest of each role
	watchers sync.WaitGroup
}

// rolePattern keeps a role usable as a file name and in the environment.
var rolePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// Ensure returns a running child that fits spec. It adopts a live child whose record,
// start time and hash agree; otherwise it ends the old child and starts a new one. A
// running child does not necessarily serve yet.
func (r *Runner) Ensure(ctx context.Context, spec Spec) (c *Child, adopted bool, err error) {
	if !rolePattern.MatchString(spec.Role) {
		return nil, false, fmt.Errorf("start %s: role %q is not a plain name", spec.Path, spec.Role)
	}
	old, found := r.Find(spec.Role)
	if found && old.hash == spec.Hash {
		return old, true, nil
	}
	if found {
		r.log().Info("child is replaced, its configuration changed", "role", spec.Role, "pid", old.pid)
		if err := old.End(ctx); err != nil {
			return nil, false, err
		}
	} else if err := r.endStrays(ctx, spec.Role); err != nil {
		return nil, false, err
	}
	if err := ctx.Err(); err != nil {
		return nil, false, fmt.Errorf("start %s: %w", spec.Role, err)
	}
	c, err = r.start(spec)
	return c, false, err
}

// Find returns the live recorded child of a role, whatever its hash.
func (r *Runner) Find(role string) (*Child, bool) {
	r.mu.Lock()
	known := r.children[role]
	r.mu.Unlock()
	if known != nil && known.Alive() {
		return known, true
	}
	rec, err := readRecord(r.recordPath(role))
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			r.log().Warn("record of a child is unusable", "role", role, "err", err)
		}
		return nil, false
	}
	c, err := r.adopt(role, rec.Hash, rec.PID, rec.StartTime)
	if err != nil {
		r.log().Debug("recorded child is gone", "role", role, "pid", rec.PID, "err", err)
		return nil, false
	}
	if c.out, err = adoptOutput(c.pid, rec.Output); err != nil {
		r.log().Warn("output of adopted child is lost", "role", role, "pid", c.pid, "err", err)
	}
	r.log().Info("child adopted", "role", role, "pid", c.pid)
	r.keep(c)
	return c, true
}

// EndAll ends the children of every role of this runtime folder.
func (r *Runner) EndAll(ctx context.Context) error {
	roles, err := r.roles()
	if err != nil {
		return err
	}
	errs := make([]error, len(roles))
	var ending sync.WaitGroup // side by side: a stuck one must not cost the others their time
	for i, role := range roles {
		ending.Go(func() { errs[i] = r.End(ctx, role) })
	}
	ending.Wait()
	return errors.Join(errs...)
}

// Close stops watching the children, which go on. Neither the Runner nor its children
// may be used afterwards.
func (r *Runner) Close() {
	r.mu.Lock()
	for _, c := range r.children {
		c.release()
	}
	r.children = nil
	r.mu.Unlock()
	r.watchers.Wait()
}

// End ends the child of a role, recorded or not, and removes its record.
func (r *Runner) End(ctx context.Context, role string) error {
	if c, ok := r.Find(role); ok {
		return c.End(ctx)
	}
	if err := r.endStrays(ctx, role); err != nil {
		return err
	}
	return removeRecord(r.recordPath(role))
}

// endStrays ends the processes that carry the mark of a role but are not the
// recorded child: one that was started right before a crash, or what a child
// has forked and left behind.
func (r *Runner) endStrays(ctx context.Context, role string) error {
	var errs []error
	for _, pid := range marked(r.mark(role)) {
		start, err := startTime(pid)
		if err != nil {
			continue // gone meanwhile
		}
		c, err := r.adopt(role, "", pid, start)
		if err != nil {
			continue
		}
		r.log().Warn("unrecorded child is ended", "role", role, "pid", pid)
		r.watch(c)
		errs = append(errs, c.kill(ctx))
		c.release()
	}
	return errors.Join(errs...)
}

func (r *Runner) start(spec Spec) (*Child, error) {
	out, err := newOutput()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Role, err)
	}
	cmd, err := r.command(spec)
	if err != nil {
		out.abandon()
		return nil, fmt.Errorf("start %s: %w", spec.Role, err)
	}
	cmd.Env = append(environment(), r.mark(spec.Role))
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = out.child, out.child
	// A session of its own: the terminal's ^C is for the daemon only.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, AmbientCaps: spec.Caps}
	if err := cmd.Start(); err != nil {
		out.abandon()
		return nil, fmt.Errorf("start %s: %w", spec.Role, err)
	}
	c, err := r.record(spec, cmd, out)
	if err = errors.Join(err, out.handOver()); err != nil {
		// Without a record, no later run would end the child.
		err = errors.Join(fmt.Errorf("start %s: %w", spec.Role, err), cmd.Process.Kill())
		_ = cmd.Wait() // the error only reports that the process was killed
		out.Close()
		c.release()
		return nil, err
	}
	c.out = out
	r.keep(c)
	r.log().Info("child started", "role", spec.Role, "pid", c.pid)
	return c, nil
}

// record makes a Child of a started command and writes its record.
func (r *Runner) record(spec Spec, cmd *exec.Cmd, out *output) (*Child, error) {
	start, err := startTime(cmd.Process.Pid) // our child is not reaped yet, so the pid is still its own
	if err != nil {
		return nil, err
	}
	pipe, err := out.name()
	if err != nil {
		return nil, err
	}
	c, err := r.open(spec.Role, spec.Hash, cmd.Process.Pid, start)
	if err != nil {
		return nil, err
	}
	c.cmd, c.pardoned = cmd, spec.Pardoned
	rec := record{Role: spec.Role, PID: c.pid, StartTime: start, Hash: spec.Hash, Output: pipe}
	if err := rec.write(r.recordPath(spec.Role)); err != nil {
		c.pidfd.Close()
		return nil, err
	}
	return c, nil
}

// keep remembers a child and starts to watch it.
func (r *Runner) keep(c *Child) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.children == nil {
		r.children = make(map[string]*Child)
	}
	r.children[c.role] = c
	r.watch(c)
}

func (r *Runner) watch(c *Child) {
	r.watchers.Go(c.watch)
	r.watchers.Go(func() { c.out.copy(c.role, r.Output) })
}

func (r *Runner) log() *slog.Logger {
	if r.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.Log
}

// roles lists every role that has a record or a marked process.
func (r *Runner) roles() ([]string, error) {
	names, err := filepath.Glob(filepath.Join(r.recordDir(), "*"+recordSuffix))
	if err != nil {
		return nil, fmt.Errorf("list children: %w", err)
	}
	var roles []string
	for _, name := range names {
		base := filepath.Base(name)
		roles = append(roles, base[:len(base)-len(recordSuffix)])
	}
	roles = append(roles, markedRoles(r.mark(""))...)
	slices.Sort(roles)
	return slices.Compact(roles), nil
}
