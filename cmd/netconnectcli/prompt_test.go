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

// mainEnv makes this test binary netconnectcli.
const mainEnv = "NETCONNECTCLI_TEST_MAIN"

func init() {
	if os.Getenv(mainEnv) != "" {
		main()
	}
}

// terminal is a netconnectcli that runs on a terminal of its own.
type terminal struct {
	keys   *os.File // what is written here is typed
	tty    *os.File
	screen strings.Builder
	cmd    *exec.Cmd
	stdout bytes.Buffer
}

// startOnTerminal starts configure_wifi and waits until it asks.
func startOnTerminal(t *testing.T) *terminal {
	t.Helper()
	keys, tty, err := openPTY()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close(); tty.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	term := &terminal{keys: keys, tty: tty}
	term.cmd = exec.CommandContext(ctx, "/proc/self/exe", "-a", socketOfDevice(t), "configure_wifi", "Home")
	term.cmd.Env = append(os.Environ(), mainEnv+"=1")
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = tty, &term.stdout, tty
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	term.readUntil(t, "network): ")
	for deadline := time.Now().Add(10 * time.Second); term.echoes(t); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the terminal still echoes")
		}
	}
	return term
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

// socketOfDevice serves the device of the scripts.
func socketOfDevice(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	if err := serve(t.Cleanup, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPromptDoesNotEcho(t *testing.T) {
	term := startOnTerminal(t)
	if _, err := io.WriteString(term.keys, "hunter22\n"); err != nil {
		t.Fatal(err)
	}
	if err := term.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := term.stdout.String(); got != "ssid Home, psk hunter22.\n" {
		t.Errorf("stdout %q", got)
	}
	term.readUntil(t, "\n")
	if strings.Contains(term.screen.String(), "hunter22") {
		t.Errorf("screen %q", term.screen.String())
	}
	if !term.echoes(t) {
		t.Error("the terminal does not echo any more")
	}
}

func TestInterruptedPromptRestoresTheTerminal(t *testing.T) {
	term := startOnTerminal(t)
	if _, err := term.keys.Write([]byte{3}); err != nil { // ^C
		t.Fatal(err)
	}
	if err := term.cmd.Wait(); err == nil {
		t.Error("exit status 0")
	}
	if !term.echoes(t) {
		t.Error("the terminal does not echo any more")
	}
	if term.stdout.Len() > 0 {
		t.Errorf("stdout %q", term.stdout.String())
	}
}
