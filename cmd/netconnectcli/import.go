package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/migrate"
	"github.com/netconnectd/netconnectd/internal/namedfile"
)

func (a *app) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import <file>…",
		Short: "Save the Wi-Fi networks that other programs know",
		Long: `Save the Wi-Fi networks that other programs know, without trying them now.

Each file is a wpa_supplicant.conf, an /etc/network/interfaces of ifupdown or the
original netconnectd, a profile of NetworkManager (.nmconnection), or YAML of
netplan, which includes cloud-init's network-config; "-" stands for standard input.
The files are read in the way their own programs read them, and not changed.
Networks that are saved already stay as they are. What cannot be taken over is
reported with its line and the remedy; the exit status is 1 then.

` + aboutUCI,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault // offer files
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			return a.importFiles(cmd, files)
		},
	}
	cmd.AddCommand(a.importUCICommand())
	return cmd
}

// errPartly means that the problems have been printed already.
var errPartly = errors.New("not everything could be taken over")

func (a *app) importFiles(cmd *cobra.Command, files []string) error {
	all := true
	for _, file := range files {
		complete, err := a.importFile(cmd, file)
		if err != nil {
			return err
		}
		all = all && complete
	}
	if !all {
		return errPartly
	}
	return nil
}

// maxImport is far above any file that a person writes.
const maxImport = 1 << 20

// readImport reads a file, or standard input.
func readImport(cmd *cobra.Command, file string) ([]byte, error) {
	if file != "-" && file != "/dev/stdin" {
		text, err := namedfile.Read(cmd.Context(), file, maxImport)
		if errors.Is(err, namedfile.ErrNotRegular) {
			err = fmt.Errorf("%w; what comes from a pipe is read by: netconnectcli import -", err)
		}
		return text, err
	}
	text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxImport+1))
	if err == nil && len(text) > maxImport {
		err = fmt.Errorf("read standard input: %w", namedfile.ErrTooLarge)
	}
	return text, err
}

// importFile imports a file, and reports whether everything in it was taken over. An
// error also prevents the import of the other files.
func (a *app) importFile(cmd *cobra.Command, file string) (complete bool, err error) {
	text, err := readImport(cmd, file)
	if err != nil {
		return false, fmt.Errorf("import: %w", err)
	}
	complete = true
	problem := func(line int, text string) {
		complete = false
		fmt.Fprintf(cmd.ErrOrStderr(), "%s:%d: %s\n", printable(file), line, printable(text))
	}
	networks, problems := migrate.Read(text)
	for _, p := range problems {
		problem(p.Line, p.Text)
	}
	if len(networks) == 0 && len(problems) == 0 {
		problem(1, "no Wi-Fi network is in it")
	}
	for _, n := range networks {
		err := a.call(cmd.Context(), "add_network", client.SettingsParams(n.SSID, n.Settings), a.showText)
		var refused *client.Error
		if !errors.As(err, &refused) && err != nil || refused != nil && refused.Code == client.CodePermissionDenied {
			return false, err
		}
		if refused != nil {
			problem(n.Line, refused.Message)
		}
	}
	return complete, nil
}
