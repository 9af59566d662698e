package main

import (
	"io"
	"strings"
	"testing"
)

// On a terminal, a command that forgets all networks lists them and asks for
// confirmation.
func TestErasureIsConfirmed(t *testing.T) {
	for _, row := range []struct {
		name    string
		args    []string
		typed   string
		asked   bool
		erased  bool
		command string
	}{
		{name: "yes", args: []string{"reset"}, typed: "y\n", asked: true, erased: true},
		{name: "in full", args: []string{"forget_wifi"}, typed: "YES\n", asked: true, erased: true},
		{name: "no", args: []string{"reset"}, typed: "n\n", asked: true},
		{name: "only Enter", args: []string{"forget_wifi"}, typed: "\n", asked: true},
		{name: "end of input", args: []string{"reset"}, typed: "\x04", asked: true},
		{name: "another word", args: []string{"reset"}, typed: "yesterday\n", asked: true},
		{name: "unasked", args: []string{"reset", "--yes"}, erased: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			term := onTerminal(t, &device{}, row.args...)
			term.start(t)
			if row.asked {
				term.readUntil(t, "[y/N] ")
				if _, err := io.WriteString(term.keys, row.typed); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(term.screen.String(), `"`) {
					t.Errorf("no network is named: %q", term.screen.String())
				}
			}
			err := term.cmd.Wait()
			if erased := err == nil && term.stdout.Len() > 0; erased != row.erased {
				t.Errorf("erased %v: %v, %q", erased, err, term.stdout.String())
			}
		})
	}
}
