package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/client"
)

// TestProgressOnATerminal checks what a person sees while a network is joined, where
// each line replaces the one before, and what a program receives.
func TestProgressOnATerminal(t *testing.T) {
	for _, tt := range []struct {
		name   string
		ssid   string // selects how the join ends
		args   []string
		until  string // the screen shows this text before the join ends
		lines  []string
		stdout string
		status int
	}{
		{"connect", "", []string{"connect", "Home"}, "asking the gateway…", []string{
			`"Home": freeing the radio…`,
			`"Home": associating…`,
			`"Home": associated Ns, asking for an address…`,
			`"Home": associated Ns, address Ns, asking the gateway…`,
			`"Home": associated Ns, address Ns, gateway answers Ns` + "\n",
		}, "connected to wifi\n", 0},
		{"select_wifi, of a name that strangers chose", "", []string{"select_wifi"}, "asking the gateway…", []string{
			`"New \x1b[31m": freeing the radio…`,
			`"New \x1b[31m": associating…`,
			`"New \x1b[31m": associated Ns, asking for an address…`,
			`"New \x1b[31m": associated Ns, address Ns, asking the gateway…`,
			`"New \x1b[31m": associated Ns, address Ns, gateway answers Ns` + "\n",
		}, "connected to wifi\n", 0},
		{"a wrong passphrase", "wrong", []string{"connect", "Home"}, "associating…", []string{
			`"Home": freeing the radio…`,
			`"Home": associating…`,
			`"Home": failed Ns (wrong_key)` + "\n" + `netconnectcli: could not connect (wrong_key): the network refused the passphrase` + "\n",
		}, "", 1},
		{"nothing is joined", "", []string{"connect", "Nowhere"}, "", []string{
			`netconnectcli: no saved network is called Nowhere (not_found)` + "\n",
		}, "", 1},
		{"--json", "", []string{"--json", "connect", "Home"}, "", []string{""}, `{"result":"connected to wifi"}` + "\n", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &device{ssid: tt.ssid}
			if tt.until != "" {
				d.seen = make(chan struct{})
			}
			term := onTerminal(t, d, tt.args...)
			term.start(t)
			if tt.until != "" {
				term.readUntil(t, tt.until)
				close(d.seen)
			}
			status := 0
			if exit, ok := errors.AsType[*exec.ExitError](term.cmd.Wait()); ok {
				status = exit.ExitCode()
			}
			if diff := cmp.Diff(tt.lines, replaced(term.all())); diff != "" {
				t.Errorf("screen (-want +got):\n%s", diff)
			}
			if got := term.stdout.String(); got != tt.stdout || status != tt.status {
				t.Errorf("stdout %q, exit status %d, want %q, %d", got, status, tt.stdout, tt.status)
			}
		})
	}
}

var seconds = regexp.MustCompile(`[0-9]+\.[0-9]s`)

// replaced returns the lines that replaced each other, without their durations.
func replaced(screen string) []string {
	screen = strings.ReplaceAll(screen, "\r\n", "\n") // terminals end lines in this way
	lines := strings.Split(strings.TrimPrefix(seconds.ReplaceAllString(screen, "Ns"), "\r"), "\r")
	for i := range lines {
		lines[i] = strings.Replace(lines[i], "\x1b[K", "", 1)
	}
	return lines
}

// TestProgressWhereNoLineCanBeReplaced checks that no progress is shown there.
func TestProgressWhereNoLineCanBeReplaced(t *testing.T) {
	term := onTerminal(t, &device{}, "connect", "Home")
	term.cmd.Env = append(term.cmd.Env, "TERM=dumb")
	if err := term.cmd.Run(); err != nil || term.all() != "" || term.stdout.String() != "connected to wifi\n" {
		t.Errorf("%v, screen %q, stdout %q", err, term.screen.String(), &term.stdout)
	}
}

// TestProgressOfOthers checks that another network's stages are not shown as ours,
// and that the stages of an earlier try are replaced by those of ours.
func TestProgressOfOthers(t *testing.T) {
	home, other := client.NewNetwork([]byte("Home")), client.NewNetwork([]byte("Other"))
	var out bytes.Buffer
	p := &progress{out: &out, width: 40, stop: func() {}, target: &home}
	at := time.Now()
	tell := func(n client.Network, stages ...string) {
		for _, stage := range stages {
			at = at.Add(time.Second)
			p.event(client.Event{Type: client.EventJoin, Network: &n, New: stage}, at)
		}
	}
	tell(home, client.JoinAddressed) // this stage was reached before we listened
	tell(other, client.JoinStarted, client.JoinDone)
	if out.Len() > 0 {
		t.Errorf("shown: %q", &out)
	}
	tell(home, client.JoinStarted, client.JoinAssociated, client.JoinFailed)
	out.Reset()
	tell(home, client.JoinStarted, client.JoinAssociating, client.JoinAssociated, client.JoinAddressed)
	tell(other, client.JoinFailed)
	p.finish(fmt.Errorf("connect: %w", &client.Error{Code: "no_gateway"}))
	p.finish(nil)
	got := strings.Split(strings.TrimPrefix(out.String(), "\r"), "\r")
	want := []string{
		"\"Home\": freeing the radio…\x1b[K",
		"\"Home\": associating…\x1b[K",
		"\"Home\": associated 2.0s, asking for an…\x1b[K",
		"\"Home\": associated 2.0s, address 3.0s,…\x1b[K",
		"\"Home\": associated 2.0s, address 3.0s,…\x1b[K\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestColours checks that colours appear on a terminal that shows them, unless the
// environment forbids them.
func TestColours(t *testing.T) {
	for _, tt := range []struct {
		name     string
		env      string
		terminal bool
		want     bool
	}{
		{"on a terminal", "NO_COLOR=", true, true},
		{"NO_COLOR", "NO_COLOR=1", true, false},
		{"a terminal without", "TERM=dumb", true, false},
		{"into a pipe", "NO_COLOR=", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			term := onTerminal(t, &device{}, "status")
			term.cmd.Env = append(term.cmd.Env, tt.env)
			if tt.terminal {
				term.cmd.Stdout = term.tty
			}
			if err := term.cmd.Run(); err != nil {
				t.Fatal(err)
			}
			shown := term.all() + term.stdout.String()
			if got := strings.Contains(shown, string(good)+"online"); got != tt.want || !strings.Contains(shown, "online by wlan0") {
				t.Errorf("colours %v, want %v: %q", got, tt.want, shown)
			}
		})
	}
}
