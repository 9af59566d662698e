package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/internal/flagtext"
)

// parameter is an argument that a command takes, as its Use names it: "<ssid>",
// "[<psk>]", "<file>…".
type parameter struct {
	name     string // with its angle brackets
	optional bool
	many     bool
}

func parametersOf(cmd *cobra.Command) (list []parameter) {
	for _, word := range strings.Fields(cmd.Use)[1:] {
		list = append(list, parameter{
			name: strings.Trim(word, "[]…"), optional: strings.HasPrefix(word, "["), many: strings.Contains(word, "…"),
		})
	}
	return list
}

// checkArguments compares the arguments with those that the command's Use names. Its
// errors do not repeat what was typed, which may be the rest of a passphrase.
func checkArguments(cmd *cobra.Command, args []string) error {
	if cmd.HasAvailableSubCommands() && len(args) > 0 {
		return noSuchCommand(cmd, args[0])
	}
	parameters := parametersOf(cmd)
	for i, p := range parameters {
		if i >= len(args) && !p.optional {
			return usageError(p.name + " is missing")
		}
		if p.many {
			return nil
		}
	}
	switch {
	case len(args) <= len(parameters):
		return nil
	case len(parameters) == 0:
		return usageError(cmd.Name() + " takes no argument")
	}
	last := parameters[len(parameters)-1].name
	return usageError(fmt.Sprintf("there is an argument after %s, which is the last one: what has spaces in it needs quotes", last))
}

func noSuchCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, sub := range cmd.Commands() {
		if !sub.Hidden {
			names = append(names, sub.Name())
		}
	}
	text := fmt.Sprintf("there is no command %q", name)
	if near := nearestName(name, names); near != "" {
		text += "; did you mean " + near + "?"
	}
	return usageError(text)
}

// explainFlag says what is wrong with a flag.
func explainFlag(cmd *cobra.Command, err error) error {
	return usageError(flagtext.Explain(err, cmd.Flags(), nearestName).Error())
}

// checkEach has the arguments and flags of a command, and of its subcommands, checked
// by checkArguments and explainFlag.
func checkEach(cmd *cobra.Command) {
	if cmd.Args == nil && !cmd.DisableFlagParsing {
		cmd.Args = checkArguments
	}
	cmd.SetFlagErrorFunc(explainFlag)
	for _, sub := range cmd.Commands() {
		checkEach(sub)
	}
}

// usageText is an error of wrong use, with the way to write the command.
func usageText(cmd *cobra.Command, err error) string {
	use := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use = strings.TrimSuffix(use, " [flags]") + " [flags] command"
	}
	return err.Error() + "\nusage: " + use + "; see " + cmd.CommandPath() + " --help"
}
