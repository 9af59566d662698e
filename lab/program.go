package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netns"
)

// Limits of a command. A command that may hang, as `iw scan` sometimes does, has a
// short limit and is asked again; a command that must succeed has as much time as the
// machine needs.
const (
	commandLimit = 10 * time.Second
	mustLimit    = 60 * time.Second
)

// namespace is the name of a network namespace; "" is the root one.
type namespace string

// init keeps the process's first thread for the goroutine that main runs on. A
// goroutine that enters a namespace ends its thread together with itself, but the
// first thread cannot end. It would stay in the namespace, and /proc/PID/net, which
// witnesses read, shows the namespace of the first thread.
func init() { runtime.LockOSThread() }

// create creates the namespace if it does not exist yet.
func (n namespace) create(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(filepath.Join("/run/netns", string(n))); err == nil {
		return
	}
	must(t, "", "ip", "netns", "add", string(n))
	must(t, n, "ip", "link", "set", "lo", "up")
}

func (n namespace) command(ctx context.Context, argv ...string) *exec.Cmd {
	if n != "" {
		argv = append([]string{"ip", "netns", "exec", string(n)}, argv...)
	}
	return exec.CommandContext(ctx, argv[0], argv[1:]...)
}

// within calls do on a thread that is in the namespace, so that a program that do
// starts is in the namespace, too. Starting ip(8) for that would double the cost of a
// short command. Unlike ip netns exec, within leaves /sys as it is.
func (n namespace) within(do func() error) error {
	if n == "" {
		return do()
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // stays locked: the thread ends with the goroutine
		ns, err := netns.GetFromName(string(n))
		if err == nil {
			err = netns.Set(ns)
			ns.Close()
		}
		if err != nil {
			done <- fmt.Errorf("enter the namespace %s: %w", n, err)
			return
		}
		done <- do()
	}()
	return <-done
}

// run runs a short command in the namespace and returns its standard output; its
// error contains the command's standard error.
func (n namespace) run(argv ...string) (string, error) {
	return n.runFor(commandLimit, argv...)
}

func (n namespace) runFor(limit time.Duration, argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd, start := exec.CommandContext(ctx, argv[0], argv[1:]...), n.within
	if len(argv) > 1 && argv[0] == "iw" && argv[1] == "phy" { // looks the name up in /sys
		cmd, start = n.command(ctx, argv...), namespace("").within
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	if err := start(cmd.Run); err != nil {
		said := strings.TrimSpace(stderr.String())
		return stdout.String(), fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, said)
	}
	return stdout.String(), nil
}

// must runs a command that the scenario needs to succeed.
func must(t testing.TB, n namespace, argv ...string) string {
	t.Helper()
	out, err := n.runFor(mustLimit, argv...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// as makes the command run as the user, in the user's groups and without any
// privilege, as setpriv(1) does.
func as(t testing.TB, name string, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	who, err := user.Lookup(name)
	if err != nil {
		t.Fatalf("run %s: %v", cmd, err)
	}
	groups, err := who.GroupIds()
	if err != nil {
		t.Fatalf("run %s: %v", cmd, err)
	}
	var ids []uint32
	for _, text := range append([]string{who.Uid, who.Gid}, groups...) {
		id, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			t.Fatalf("run %s as %s: %v", cmd, name, err)
		}
		ids = append(ids, uint32(id))
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ids[0], Gid: ids[1], Groups: ids[2:]}}
	return cmd
}

// program is a running program of a party. Its output goes to its log.
type program struct {
	cmd  *exec.Cmd
	gone chan struct{}
}

// start starts a program in the namespace and appends its output to log.
func (n namespace) start(t testing.TB, log string, argv ...string) *program {
	t.Helper()
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatalf("open the log of %s: %v", argv[0], err)
	}
	defer file.Close()
	cmd := n.command(context.Background(), argv...)
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", argv[0], err)
	}
	p := &program{cmd: cmd, gone: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // the exit status is in its log; here only the end matters
		close(p.gone)
	}()
	return p
}

// running reports whether the program still runs.
func (p *program) running() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// end asks the program to end, and kills it after 3 s. It uses the pid, because pkill
// in one namespace would kill in all of them.
func (p *program) end() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.gone:
	case <-time.After(3 * time.Second):
		p.kill()
	}
}

// kill ends the program without time for an orderly end.
func (p *program) kill() {
	if p == nil {
		return
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		panic(fmt.Sprintf("kill %s: %v", p.cmd.Path, err))
	}
	<-p.gone
}

// writeFile writes a party's configuration.
func writeFile(t testing.TB, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatalf("write %s: %v", path, err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatalf("write %s: %v", path, err)
	}
	// An earlier scenario may have changed them.
	if err := errors.Join(os.Chmod(path, 0o644), os.Chown(path, 0, 0)); err != nil {
		t.Fatalf("write %s: %v", path, err)
	}
	return path
}
