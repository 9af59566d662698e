package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// running is a netconnectd process in a network namespace without links.
type running struct {
	*exec.Cmd
	socket string
	stderr *os.File // receives the daemon's log
	ended  chan struct{}
}

// startDaemon starts the daemon with an extra configuration. Its standard error
// is a pipe of one page.
func startDaemon(t *testing.T, extra string) *running {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make a network namespace")
	}
	dir := t.TempDir()
	p := &running{socket: filepath.Join(dir, "s"), ended: make(chan struct{})}
	text := fmt.Sprintf("socket: %s\npaths: {runtime: %s/run, state: %[2]s/state, hooks: %[2]s/hooks}\n%s", p.socket, dir, extra)
	file := filepath.Join(dir, "netconnectd.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(writer.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize()); err != nil {
		t.Fatal(err)
	}
	p.Cmd, p.stderr = exec.Command("netconnectd", "-c", file), reader
	p.Stderr = writer
	// The configuration is kept in the folder of the environment, not in the file's.
	p.Env = append(os.Environ(), "NETCONNECTD_PATHS_STATE="+filepath.Join(dir, "state"))
	p.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	go func() { _ = p.Wait(); close(p.ended) }()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
		reader.Close()
	})
	return p
}

// until waits for a condition, and fails if the daemon ends before.
func (p *running) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		select {
		case <-p.ended:
			t.Fatalf("%s: the daemon has ended before: %v", what, p.ProcessState)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

func (p *running) awaitAnswer(t *testing.T) {
	t.Helper()
	p.until(t, "an answer", func() bool { return p.ask() == nil })
}

// ask asks for the status and reads the first byte of the reply.
func (p *running) ask() error {
	c, err := net.Dial("unix", p.socket)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, `{"status":{}}`+"\x00"); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 1))
	return err
}

func (p *running) signal(t *testing.T, signals ...syscall.Signal) {
	t.Helper()
	for _, s := range signals {
		if err := p.Process.Signal(s); err != nil {
			t.Fatalf("send %v: %v", s, err)
		}
	}
}

// ends tells the daemon to end and checks that it exits by itself.
func (p *running) ends(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	<-p.ended
	if !p.ProcessState.Success() {
		t.Errorf("the daemon: %v, want exit status 0", p.ProcessState)
	}
}

// deadly are the signals that systemd takes for a clean end, although no user sends
// them to end the daemon (systemd.service(5), Restart=).
var deadly = []syscall.Signal{syscall.SIGHUP, syscall.SIGPIPE}

func TestSignalsEndNoDaemon(t *testing.T) {
	t.Run("while it reads its configuration", func(t *testing.T) {
		// The warnings do not fit into the pipe, so the daemon would block before any
		// later line.
		p := startDaemon(t, manyUnknownKeys(200))
		p.until(t, "the first warning", func() bool {
			n, err := unix.IoctlGetInt(int(p.stderr.Fd()), unix.TIOCINQ)
			return err == nil && n > 0
		})
		p.signal(t, deadly...)
		go io.Copy(io.Discard, p.stderr)
		p.awaitAnswer(t)
		p.ends(t)
	})
	t.Run("while it runs", func(t *testing.T) {
		p := startDaemon(t, "")
		go io.Copy(io.Discard, p.stderr)
		p.awaitAnswer(t)
		for range 20 {
			p.signal(t, deadly...)
			p.awaitAnswer(t)
		}
		p.ends(t)
	})
	t.Run("while it ends", func(t *testing.T) {
		p := startDaemon(t, "")
		go io.Copy(io.Discard, p.stderr)
		p.awaitAnswer(t)
		p.signal(t, syscall.SIGTERM)
		for p.Process.Signal(deadly[0]) == nil && p.Process.Signal(deadly[1]) == nil {
			time.Sleep(100 * time.Microsecond)
		}
		<-p.ended
		if !p.ProcessState.Success() {
			t.Errorf("the daemon: %v, want exit status 0", p.ProcessState)
		}
	})
}

func manyUnknownKeys(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "a_key_that_nobody_knows_%d: 1\n", i)
	}
	return text.String()
}

// TestReaderOfLogGoes closes the reading end of standard error: journald may end, and
// so may the logger at the end of a shell's pipe.
func TestReaderOfLogGoes(t *testing.T) {
	for _, row := range []struct {
		name   string
		config string
		when   func(t *testing.T, p *running)
	}{
		{"before the first line", manyUnknownKeys(1), func(*testing.T, *running) {}},
		{"while it runs", "", func(t *testing.T, p *running) {
			if line, err := bufio.NewReader(p.stderr).ReadString('\n'); err != nil || line == "" {
				t.Fatalf("%q, %v", line, err)
			}
			p.awaitAnswer(t)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := startDaemon(t, row.config)
			row.when(t, p)
			p.stderr.Close()
			p.awaitAnswer(t)
			p.signal(t, syscall.SIGHUP) // the daemon logs the reload
			p.awaitAnswer(t)
			p.ends(t)
		})
	}
}

// TestAnswersEndQuietly checks that a command whose output is not read ends without a
// message about that.
func TestAnswersEndQuietly(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"--version"}, {"--check"}, {"--doctor"}, {"--daemon", "status"}} {
		t.Run(args[0], func(t *testing.T) {
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			reader.Close()
			defer writer.Close()
			file := filepath.Join(t.TempDir(), "netconnectd.yaml")
			if err := os.WriteFile(file, []byte("ap: {psk: correct horse}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			var stderr strings.Builder
			cmd := exec.Command("netconnectd", append([]string{"-c", file, "-a", file + ".none"}, args...)...)
			cmd.Stdout, cmd.Stderr = writer, &stderr
			err = cmd.Run()
			// The test binary is built with cgo, where doctor cannot drop its rights.
			said := strings.TrimSpace(stderr.String())
			if args[0] == "--doctor" && strings.HasPrefix(said, "netconnectd: warning: give up rights: ") && !strings.Contains(said, "\n") {
				said = ""
			}
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGPIPE || said != "" {
				t.Errorf("%v, standard error %q, want an end by SIGPIPE and nothing", err, said)
			}
		})
	}
}
