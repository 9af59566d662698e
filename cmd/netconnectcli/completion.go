package main

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// scripts make the shells ask this program for completions. The scripts that cobra
// generates are not used: they evaluate the command line, and the one for bash inserts
// the common beginning of names without quotes, so that two networks called $(reboot)1
// and $(reboot)2 would reboot the machine.
//
//go:embed completion/bash completion/zsh completion/fish
var scripts embed.FS

func (a *app) completionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion",
		Short: "Print the script with which a shell completes command lines",
		Long: `Print the script with which a shell completes command lines: commands, flags,
and the names of networks and interfaces. The package has installed it already.
A name that cannot be typed is completed only with --hex.`,
		RunE: func(*cobra.Command, []string) error { return usageError("the shell is missing: bash, zsh or fish") },
	}
	for _, shell := range []struct{ name, load string }{
		{"bash", "source <(netconnectcli completion bash)"},
		{"zsh", "source <(netconnectcli completion zsh)"},
		{"fish", "netconnectcli completion fish | source"},
	} {
		cmd.AddCommand(&cobra.Command{
			Use:   shell.name,
			Short: "Print the script of " + shell.name + "; to try it: " + shell.load,
			RunE: func(*cobra.Command, []string) error {
				script, err := scripts.ReadFile("completion/" + shell.name)
				if err == nil {
					_, err = a.out.Write(script)
				}
				return err
			},
		})
	}
	return cmd
}

// bashCommand answers the script of bash: what the script must do besides, and the
// texts that can replace cur, the end of the line.
func (a *app) bashCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "__bash <line> <cur>",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError("the end of the line is missing: __bash is for the script of bash")
			}
			words, last, ok := splitLine(args[0])
			if !ok {
				return nil
			}
			offered, directive := a.complete(cmd, append(words, last.value()))
			_, err := fmt.Fprintln(a.out, beside(offered, directive))
			for _, name := range offered {
				if text, ok := last.replace(name, args[1]); ok && err == nil {
					_, err = fmt.Fprintln(a.out, text)
				}
			}
			return err
		},
	}
}

// complete asks cobra for the values that the last word can have, and for the
// directive that says what else the shell must do.
func (a *app) complete(cmd *cobra.Command, words []string) (offered []string, directive cobra.ShellCompDirective) {
	var out bytes.Buffer
	root := (&app{address: a.address, out: io.Discard}).rootCommand()
	root.SetArgs(append([]string{cobra.ShellCompNoDescRequestCmd}, words...))
	root.SetOut(&out)
	root.SetErr(io.Discard)
	if err := root.ExecuteContext(cmd.Context()); err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	n, err := strconv.Atoi(strings.TrimPrefix(lines[len(lines)-1], ":"))
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	flag, _, isValue := strings.Cut(words[len(words)-1], "=")
	for _, name := range lines[:len(lines)-1] {
		if isValue && strings.HasPrefix(flag, "-") {
			name = flag + "=" + name
		}
		offered = append(offered, name)
	}
	return offered, cobra.ShellCompDirective(n)
}

// beside returns what else the script of bash must do, as a word that the script
// knows: "nospace", "folders", "files" or "nothing".
func beside(offered []string, directive cobra.ShellCompDirective) string {
	has := func(d cobra.ShellCompDirective) bool { return directive&d != 0 }
	switch {
	case has(cobra.ShellCompDirectiveError):
	case has(cobra.ShellCompDirectiveNoSpace):
		return "nospace"
	case len(offered) > 0:
	case has(cobra.ShellCompDirectiveFilterDirs):
		return "folders"
	case !has(cobra.ShellCompDirectiveNoFileComp):
		return "files"
	}
	return "nothing"
}
