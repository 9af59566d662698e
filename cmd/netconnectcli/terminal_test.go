package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mainEnv makes this test binary run as netconnectcli.
const mainEnv = "NETCONNECTCLI_TEST_MAIN"

func init() {
	if os.Getenv(mainEnv) != "" {
		main()
	}
}

// terminal is a netconnectcli that runs on a terminal of its own.
type terminal struct {
	keys   *os.File // bytes written to it are typed on the terminal
	tty    *os.File
	screen strings.Builder
	cmd    *exec.Cmd
	stdout bytes.Buffer // receives standard output if that is not the terminal
}

// onTerminal returns a netconnectcli that talks to d, with everything but standard
// output on a terminal. The caller starts it.
func onTerminal(t *testing.T, d *device, args ...string) *terminal {
	t.Helper()
	keys, tty, err := openPTY()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close(); tty.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	context.AfterFunc(ctx, func() { tty.Close() }) // otherwise the reader of the keys would wait for ever
	term := &terminal{keys: keys, tty: tty}
	term.cmd = exec.CommandContext(ctx, "/proc/self/exe", append([]string{"-a", socketOf(t, d)}, args...)...)
	term.cmd.Env = append(os.Environ(), mainEnv+"=1", "TERM=xterm", "NO_COLOR=")
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = tty, &term.stdout, tty
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	return term
}

func (term *terminal) start(t *testing.T) {
	t.Helper()
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func openPTY() (keys, tty *os.File, err error) {
	keys, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(keys.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, err
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, err
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	return keys, tty, err
}

func (term *terminal) echoes(t *testing.T) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(term.tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

func (term *terminal) readUntil(t *testing.T, text string) {
	t.Helper()
	b := make([]byte, 1)
	for !strings.HasSuffix(term.screen.String(), text) {
		if _, err := io.ReadFull(term.keys, b); err != nil {
			t.Fatalf("screen %q: %v", term.screen.String(), err)
		}
		term.screen.Write(b)
	}
}

// all returns everything that the screen has shown by the end of the program.
func (term *terminal) all() string {
	term.tty.Close()
	rest, _ := io.ReadAll(term.keys) // a terminal that no process has open ends with EIO
	term.screen.Write(rest)
	return term.screen.String()
}

func socketOf(t *testing.T, d *device) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	if err := serve(d, t.Cleanup, path); err != nil {
		t.Fatal(err)
	}
	return path
}
