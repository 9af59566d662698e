package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// starter starts machines of one kind.
type starter interface {
	// machines is how many of them may run side by side.
	machines() int
	// noise is how many times as long as promised something may take in them.
	noise() int
	// makeDisk makes the disk of the nth machine in the folder.
	makeDisk(ctx context.Context, folder string, n int) error
	// command is one boot of the nth machine, which runs in that folder. The kernel's
	// console goes to its standard error, or is appended to the named file.
	command(ctx context.Context, n int, console string) *exec.Cmd
}

// runMachines runs as many machines as there are plans, and returns when all of
// them have ended.
func runMachines(ctx context.Context, o options, s starter, p *place, count int) (*report, error) {
	r := newReport()
	failed := make([]error, count)
	var machines sync.WaitGroup
	for i := range count {
		m := &machine{number: i + 1, place: p, starter: s, interactive: o.command == "shell", limit: o.limit, report: r}
		if count > 1 {
			m.prefix = fmt.Sprintf("%d| ", m.number)
		}
		machines.Go(func() { failed[i] = m.run(ctx) })
	}
	machines.Wait()
	return r, errors.Join(failed...)
}

// machine is one of the lab's machines, through all its boots.
type machine struct {
	number      int
	prefix      string // of each line of its output, where there are several machines
	place       *place
	starter     starter
	interactive bool
	limit       time.Duration
	report      *report
}

// run boots the machine on a disk of its own, and again for as long as the machine
// asks for a reboot; what it has written to its disk is still there then.
func (m *machine) run(ctx context.Context) error {
	if !m.interactive {
		limited, cancel := context.WithTimeout(ctx, m.limit)
		defer cancel()
		ctx = limited
	}
	if err := m.starter.makeDisk(ctx, m.place.work, m.number); err != nil {
		return err
	}
	for boot := 1; ; boot++ {
		if err := m.boot(ctx, fmt.Sprintf("console-%d-%d.log", m.number, boot)); err != nil {
			return fmt.Errorf("machine %d: %w", m.number, err)
		}
		if os.Remove(m.place.outFile("reboot", m.number)) != nil { // by this file it asks for another boot
			return m.result()
		}
	}
}

// boot runs the machine until it switches itself off.
func (m *machine) boot(ctx context.Context, console string) error {
	console = filepath.Join(m.place.out, console)
	file, err := os.Create(console)
	if err != nil {
		return fmt.Errorf("make the console's file: %w", err)
	}
	defer file.Close()
	cmd := m.starter.command(ctx, m.number, console)
	cmd.Dir = m.place.work
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = pipe{file}
	if m.interactive {
		cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	} else {
		// A pipe that stays open: at the end of its input a machine would close its
		// terminal.
		stdin, keep, err := os.Pipe()
		if err != nil {
			return fmt.Errorf("make the machine's terminal: %w", err)
		}
		defer stdin.Close()
		defer keep.Close()
		cmd.Stdin, cmd.Stdout = stdin, m.report.follow(m.prefix, os.Stdout)
	}
	fmt.Printf("lab: %sbooting (console: %s)\n", m.prefix, console)
	err = cmd.Run()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("not done after %v\n%s", m.limit, tail(console))
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case err != nil:
		return fmt.Errorf("%w\n%s", err, tail(console))
	}
	return nil
}

// result is what the machine left behind: nil if every run passed.
func (m *machine) result() error {
	status, err := os.ReadFile(m.place.outFile("status", m.number))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("machine %d ended without a result; its console and logs: %s", m.number, m.place.out)
	}
	if err != nil {
		return fmt.Errorf("read the machine's result: %w", err)
	}
	if s := strings.TrimSpace(string(status)); s != "0" {
		return fmt.Errorf("not every scenario passed (status %s); what the parties said: %s", s, m.place.out)
	}
	return nil
}

// tail is the end of a console, for when that is all there is.
func tail(console string) string {
	text, err := os.ReadFile(console)
	if err != nil {
		return ""
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	lines = lines[max(0, len(lines)-15):]
	return strings.TrimSpace("end of " + console + ":\n" + string(bytes.Join(lines, []byte("\n"))))
}

// pipe hides that a writer is a file: a machine's kernel waits for its terminals
// with epoll, which takes pipes and refuses files.
type pipe struct{ io.Writer }

// copyFiles appends the files to each other.
func copyFiles(to string, from ...string) error {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	for _, name := range from {
		in, err := os.Open(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		in.Close()
		if err != nil {
			return fmt.Errorf("copy %s: %w", name, err)
		}
	}
	return out.Close()
}
