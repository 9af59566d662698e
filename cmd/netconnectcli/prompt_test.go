package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

// startPrompt starts configure_wifi and waits until it asks.
func startPrompt(t *testing.T) *terminal {
	t.Helper()
	term := onTerminal(t, &device{}, "configure_wifi", "Home")
	term.start(t)
	term.readUntil(t, "network): ")
	for deadline := time.Now().Add(10 * time.Second); term.echoes(t); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the terminal still echoes")
		}
	}
	return term
}

func TestPromptDoesNotEcho(t *testing.T) {
	term := startPrompt(t)
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
	term := startPrompt(t)
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
