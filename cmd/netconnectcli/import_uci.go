package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/internal/openwrt"
)

// importUCICommand is hidden, since shells would complete its name instead of a file's
// after import; the text about import describes it.
func (a *app) importUCICommand() *cobra.Command {
	return &cobra.Command{
		Use:    "uci <file>",
		Hidden: true,
		Short:  "Translate a network file of OpenWrt's to YAML",
		Long: `Translate a network file of OpenWrt's to YAML.

` + aboutUCI,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault // offer files
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return importUCI(cmd, args[0])
		},
	}
}

// errWrongFile means that the problems have been printed already.
var errWrongFile = errors.New("nothing was translated: the file has errors")

const aboutUCI = `"import uci <file>" translates a network file of OpenWrt's, /etc/config/network;
"-" stands for standard input. The command prints the section network of
netconnectd.yaml that declares the same, and neither asks the daemon nor changes
anything. What is left out, or means something else than in OpenWrt, is reported on
standard error with its line and the reason. If the file itself is wrong, the
command prints no YAML, and the exit status is 1. Another file that is called uci
is imported as ./uci.`

func importUCI(cmd *cobra.Command, file string) error {
	text, err := readImport(cmd, file)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	n := openwrt.Read(text, openwrt.Options{Tables: openwrt.SystemTables(cmd.Context()), Translate: true})
	for _, p := range n.Problems {
		line := fmt.Sprintf("%s:%d: ", printable(file), p.Line)
		if !p.Warning {
			line += "error: "
		}
		if p.Path != "" {
			line += printable(p.Path) + ": "
		}
		fmt.Fprintln(cmd.ErrOrStderr(), line+printable(p.Text))
	}
	if n.Failed() {
		return errWrongFile
	}
	_, err = io.WriteString(cmd.OutOrStdout(), openwrt.YAML(n.Sections))
	return err
}
