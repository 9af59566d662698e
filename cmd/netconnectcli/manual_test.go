package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/netconnectd/netconnectd/internal/manpage"
)

// TestManualPage checks that the page contains the --help of each command; -update
// writes the page.
func TestManualPage(t *testing.T) {
	t.Setenv(socketEnv, "") // the page must not have this machine's default
	root := (&app{out: io.Discard}).rootCommand()
	p := manpage.New(root.Name(), "1", "control netconnectd")
	p.Section("Synopsis")
	p.Text(root.Name() + " [flags] command [arguments]")
	p.Section("Description")
	p.Text(root.Long)
	p.Section("Options")
	p.Flags(root.LocalFlags())
	p.Section("Commands")
	describe(p, root, "")
	p.Section("Environment")
	p.Item(socketEnv, "The socket of the daemon.")
	p.Section("See also")
	p.Text("netconnectd(8), netconnectd.yaml(5), netconnectd-wait-online.service(8)")

	sameAsGolden(t, filepath.Join("..", "..", "docs", "man", "netconnectcli.1"), p.String())
}

// TestPageOfWaitOnline checks that the unit's manual page names the command that the
// unit runs.
func TestPageOfWaitOnline(t *testing.T) {
	p := manpage.New("netconnectd-wait-online.service", "8", "wait until netconnectd has the device online")
	p.Section("Synopsis")
	p.Text("netconnectd-wait-online.service")
	p.Section("Description")
	p.Text("The unit delays network-online.target until the device is online, for 60 seconds at most, by netconnectcli wait-online. " +
		"Units that need the network order themselves after that target:")
	p.Example("[Unit]\nWants=network-online.target\nAfter=network-online.target")
	p.Text("The unit is disabled by default: it would delay by a minute the boot of a device that becomes an access point because no network is left.")
	p.Example("sudo systemctl enable netconnectd-wait-online.service")
	p.Text("A drop-in changes the time or the state to wait for (sudo systemctl edit netconnectd-wait-online.service). " +
		"With --any the access point is enough:")
	p.Example("[Service]\nExecStart=\nExecStart=" + unitCommand + " --timeout 120 --any")
	p.Section("Exit status")
	p.Text("The exit status is that of netconnectcli wait-online. If the unit fails, the wait ends, and the target is reached nevertheless.")
	p.Section("See also")
	p.Text("netconnectcli(1), netconnectd(8), systemd.special(7)")

	sameAsGolden(t, filepath.Join("..", "..", "docs", "man", "netconnectd-wait-online.service.8"), p.String())
}

// describe adds a subsection for each command below parent, with the command's flags.
func describe(p *manpage.Page, parent *cobra.Command, path string) {
	for _, cmd := range parent.Commands() {
		if cmd.Hidden {
			continue
		}
		p.Subsection(path + cmd.Use)
		about := cmd.Long
		if about == "" {
			about = cmd.Short + "."
		}
		p.Text(about)
		p.Flags(cmd.LocalFlags())
		describe(p, cmd, path+cmd.Name()+" ")
	}
}

// TestManualIsWhole checks that each flag of each command is on the page, below its
// command, at any depth of subcommands.
func TestManualIsWhole(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "man", "netconnectcli.1"))
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(text), `\-`, "-")
	seen := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			if sub.Hidden {
				continue
			}
			heading := strings.TrimPrefix(sub.CommandPath(), "netconnectcli ")
			_, section, found := strings.Cut(page, "\n.SS \""+heading)
			section, _, _ = strings.Cut(section, "\n.S")
			if !found {
				t.Errorf("the page has no section of %s", heading)
			}
			sub.LocalFlags().VisitAll(func(f *pflag.Flag) {
				seen++
				if f.Name != "help" && !strings.Contains(section, "--"+f.Name) {
					t.Errorf("the section of %s lacks --%s", heading, f.Name)
				}
				if value, _ := pflag.UnquoteUsage(f); value == "string" {
					t.Errorf("--%s of %s has a value without a name", f.Name, heading)
				}
			})
			walk(sub)
		}
	}
	walk((&app{out: io.Discard}).rootCommand())
	if seen < 50 {
		t.Errorf("%d flags were found", seen)
	}
}
