package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/netconnectd/netconnectd/client"
)

// errNotErased means that the person did not confirm the command.
var errNotErased = errors.New("nothing was forgotten")

// eraseCommand returns a command that forgets every saved network. On a terminal it
// lists them and asks for confirmation. Without a terminal it does not ask, as
// programs call it.
func (a *app) eraseCommand(name, short, command string) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Long: short + `.

On a terminal this command lists the networks first and asks for confirmation. To
forget only one of them, use remove_network.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !yes && term.IsTerminal(int(os.Stdin.Fd())) {
				if err := a.confirmErasure(cmd.Context(), os.Stdin, os.Stderr); err != nil {
					return err
				}
			}
			return a.call(cmd.Context(), command, nil, a.showText)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	return cmd
}

// confirmErasure lists the saved networks and returns nil if the person agrees to
// forget them, or if none is saved.
func (a *app) confirmErasure(ctx context.Context, in io.Reader, out io.Writer) error {
	c, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := hintAtSilence(ctx, a.address, out)
	status, err := c.Status(ctx)
	stop()
	var refused *client.Error
	if errors.As(err, &refused) {
		return err
	}
	if err != nil {
		return &absentError{a.address, err}
	}
	doomed := status.Wifi.Networks
	if n := status.Wifi.Candidate; n != nil {
		doomed = append(doomed, *n)
	}
	switch {
	case len(doomed) > 0:
		fmt.Fprintln(out, "These networks are forgotten, with their passphrases:")
		for _, n := range doomed {
			fmt.Fprintln(out, "  "+printable(quote(n)))
		}
		fmt.Fprint(out, "Forget them all? [y/N] ")
	case isOriginal(status) && status.Wifi.ValidConfig:
		fmt.Fprintln(out, "The saved network is forgotten, with its passphrase. An original netconnectd does not tell its name.")
		fmt.Fprint(out, "Forget it? [y/N] ")
	default:
		return nil
	}
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errNotErased
}
