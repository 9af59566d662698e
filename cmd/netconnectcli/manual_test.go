package main

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/internal/manpage"
)

// TestManualPage: it has what --help of each command has; -update writes it.
func TestManualPage(t *testing.T) {
	t.Setenv(socketEnv, "") // the page's default is not this machine's
	root := (&app{out: io.Discard}).rootCommand()
	p := manpage.New(root.Name(), "1", "steer netconnectd")
	p.Section("Synopsis")
	p.Text(root.Name() + " [flags] command [arguments]")
	p.Section("Description")
	p.Text(root.Long)
	p.Section("Options")
	p.Flags(root.PersistentFlags())
	p.Section("Commands")
	root.InitDefaultCompletionCmd()
	describe(p, root)
	p.Section("Environment")
	p.Item(socketEnv, "The socket of the daemon.")
	p.Section("See also")
	p.Text("netconnectd(8), netconnectd.yaml(5)")

	sameAsGolden(t, filepath.Join("..", "..", "docs", "man", "netconnectcli.1"), p.String())
}

// describe has a subsection for each command below parent, and items for
// theirs.
func describe(p *manpage.Page, parent *cobra.Command) {
	for _, cmd := range parent.Commands() {
		if cmd.Hidden {
			continue
		}
		p.Subsection(cmd.Use)
		about := cmd.Long
		if about == "" || cmd.HasAvailableSubCommands() {
			about = cmd.Short + "."
		}
		p.Text(about)
		p.Flags(cmd.LocalFlags())
		for _, sub := range cmd.Commands() {
			p.Item(cmd.Name()+" "+sub.Use, sub.Short+".")
		}
	}
}
