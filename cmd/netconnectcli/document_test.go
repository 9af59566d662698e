package main

import (
	"strings"
	"testing"

	"github.com/netconnectd/netconnectd/internal/pagetest"
)

// TestDocumentedCommands checks that each command line in README.md and docs/ names
// an existing command with flags and arguments that the command accepts.
func TestDocumentedCommands(t *testing.T) {
	found := pagetest.Commands(t, "../..", "netconnectcli")
	if len(found) < 25 {
		t.Errorf("%d command lines found", len(found))
	}
	for _, c := range found {
		if c.Prose && len(c.Args) == 0 {
			continue // the program's name
		}
		if err := parse(c.Args, c.Prose); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// parse parses a command line as it is parsed before a command runs. With name, a
// command without its arguments is valid, too.
func parse(args []string, name bool) error {
	cmd, rest, err := (&app{}).rootCommand().Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if cmd.Parent() == nil {
		return usageError("no command given")
	}
	if name && cmd.Flags().NArg() == 0 {
		return nil
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

func TestParse(t *testing.T) {
	for line, ok := range map[string]bool{
		"status": true, "--json status": true, "status --json": true, "show iface eth0": true,
		"add_network Office --priority 5": true, "import a b c": true, "monitor": true, "monitor route rule": true, "show iface": true,
		"statuss": false, "status --loud": false, "status extra": false, "connect": false, "connect a b": false, "import": false, "show iface a b": false, "show route x": false, "set_network a b c": false, "--json": false,
		"add_network Office --priority high": false,
	} {
		if err := parse(strings.Fields(line), false); (err == nil) != ok {
			t.Errorf("%s: %v", line, err)
		}
	}
}
